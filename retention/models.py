"""Holds, what was noted of studies, disposal runs, certificates, and the ledger of what is gone."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation, User
from retention.rules.archive import WHY_LABELS, Why
from retention.rules.disposal import (
    FATE_LABELS,
    RUN_LABELS,
    STEP_LABELS,
    Fate,
    RunState,
    Step,
)
from retention.rules.facts import MILESTONE_LABELS, Milestone
from retention.rules.holds import SCOPE_LABELS, Scope
from studies.models import Study


class StudyMilestone(models.Model):
    """Somebody noted what no file says of a study. The study is named, so that this outlives it."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    study_uid = models.CharField(max_length=64)
    milestone = models.CharField(
        max_length=20, choices=[(one.value, MILESTONE_LABELS[one]) for one in Milestone]
    )
    happened_on = models.DateField()
    noted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    noted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "study_uid", "milestone"], name="milestone_once"
            )
        ]


class Hold(models.Model):
    """What keeps records from being disposed of. Lifted by two people; never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="holds")
    number = models.PositiveIntegerField()
    # What the matter is and why it holds: words about people, sealed under the hold's own key.
    key_id = models.UUIDField()
    sealed_matter = models.BinaryField()
    sealed_reason = models.BinaryField()
    scope = models.CharField(
        max_length=12, choices=[(one.value, SCOPE_LABELS[one]) for one in Scope]
    )
    subject_id = models.UUIDField(null=True)
    study_uid = models.CharField(max_length=64, blank=True, default="")
    # A search, asked anew each time, so that it catches what comes later (retention.rules.holds).
    search = models.JSONField(default=dict)
    custodian = models.ForeignKey(User, on_delete=models.PROTECT, related_name="holds_kept")
    review_on = models.DateField()
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="holds_placed")
    placed_at = models.DateTimeField(default=timezone.now)
    reminded_at = models.DateTimeField(null=True)
    lift_asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="holds_asked_to_lift"
    )
    lift_asked_at = models.DateTimeField(null=True)
    sealed_lift_reason = models.BinaryField(null=True)
    lifted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="holds_lifted"
    )
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="hold_number_once"),
            models.CheckConstraint(
                condition=Q(lifted_at=None)
                | Q(lift_asked_by__isnull=False, lifted_by__isnull=False)
                & ~Q(lifted_by=F("lift_asked_by")),
                name="hold_lifted_by_two",
            ),
            models.CheckConstraint(
                condition=Q(scope="organisation", subject_id=None, study_uid="")
                | Q(scope="search", subject_id=None, study_uid="")
                | Q(scope="subject", subject_id__isnull=False, study_uid="")
                | Q(scope="study", subject_id=None) & ~Q(study_uid=""),
                name="hold_on_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation"], name="hold_in_force", condition=Q(lifted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"H-{self.number}"

    @property
    def name(self) -> str:
        return f"H-{self.number}"


class DisposalRun(models.Model):
    """One plan of what is due in an organisation, its approvals, and what came of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="disposal_runs"
    )
    number = models.PositiveIntegerField()
    state = models.CharField(
        max_length=14, choices=[(one.value, RUN_LABELS[one]) for one in RunState],
        default=RunState.PLANNED.value,
    )  # fmt: skip
    planned_at = models.DateTimeField(default=timezone.now)
    # Under which version of the policy, and how many studies were looked at.
    version_id = models.UUIDField(null=True)
    studies = models.PositiveIntegerField(default=0)
    due = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    objects_due = models.PositiveIntegerField(default=0)
    bytes_due = models.BigIntegerField(default=0)
    # How many of those that are due are made anonymous, and the key by which that is done: it leads
    # from an original to its copy, and is destroyed when the run ends.
    anonymised = models.PositiveIntegerField(default=0)
    link_key_id = models.UUIDField(null=True)
    # The request of a person that it carries out, and what happens beside it, in our words: nothing
    # of it is due by the schedule. None: the nightly plan.
    request_id = models.UUIDField(null=True, db_index=True)
    beside = models.JSONField(default=list)
    # What cannot be made anonymous with certainty goes as well; otherwise such a study stays.
    destroys_doubtful = models.BooleanField(default=False)
    # Of all its items, so that the same plan made again leaves approvals as they are.
    digest = models.CharField(max_length=64, blank=True, default="")
    # Year (or "open"): how many studies come to an end in it.
    forecast = models.JSONField(default=dict)
    first_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    first_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    second_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    job_id = models.UUIDField(null=True)
    # Why it stopped by itself, in our words.
    stopped_for = models.CharField(max_length=200, blank=True, default="")
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="run_number_once"),
            models.CheckConstraint(
                condition=Q(second_by=None)
                | Q(first_by__isnull=False) & ~Q(second_by=F("first_by")),
                name="run_approved_by_two",
            ),
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(state__in=["approved", "running", "paused", "stopped"]),
                name="run_one_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.number}"


class DisposalItem(models.Model):
    """One study of a run. It names the study by DICOM UID, and outlives it."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(DisposalRun, on_delete=models.CASCADE, related_name="items")
    study_uid = models.CharField(max_length=64)
    step = models.CharField(max_length=14, choices=[(one.value, STEP_LABELS[one]) for one in Step])
    fate = models.CharField(
        max_length=10, choices=[(one.value, FATE_LABELS[one]) for one in Fate],
        default=Fate.DELETE.value,
    )  # fmt: skip
    # Objects that were made anonymous, and how many could not be, by doubt. Nothing here says
    # which studies came of it.
    copied = models.PositiveIntegerField(default=0)
    doubts = models.JSONField(default=dict)
    # Why it stays, if it does; and the hold that it stays for.
    kept_for = models.CharField(max_length=12, blank=True, default="")
    hold_id = models.UUIDField(null=True)
    # The longest claim: a line of the catalogue, or empty for the policy. No date: of a minor it
    # would tell the birthday.
    duty = models.CharField(max_length=40, blank=True, default="")
    modalities = models.CharField(max_length=100, blank=True, default="")
    objects_count = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    # Of the identifiers and keyed hashes of all its objects.
    digest = models.CharField(max_length=64)
    key_ids = models.JSONField(default=list)
    blob_names = models.JSONField(default=list)
    subject_key_id = models.UUIDField(null=True)
    # A piece of what was sealed, with which it is tried whether anything still opens; then emptied.
    sample = models.BinaryField(null=True)
    key_destroyed_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=80, blank=True, default="")
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "study_uid"], name="disposal_item_once")
        ]
        indexes = [models.Index(fields=["run", "step", "id"], name="disposal_item_step")]


class Certificate(models.Model):
    """The signed statement of what a run destroyed. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.OneToOneField(DisposalRun, on_delete=models.PROTECT, related_name="certificate")
    number = models.PositiveIntegerField(unique=True)
    # A signed note (C2SP): the text, and the portal's Ed25519 signature.
    note = models.TextField()
    issued_at = models.DateTimeField(default=timezone.now)
    # The last day that it names for backups; empty where it names none.
    backups_end_on = models.DateField(null=True)


class CertificateAddendum(models.Model):
    """The signed statement that the last backup which a certificate speaks of has ended."""

    certificate = models.OneToOneField(
        Certificate, on_delete=models.PROTECT, related_name="addendum"
    )
    note = models.TextField()
    issued_at = models.DateTimeField(default=timezone.now)


class DisposedStudy(models.Model):
    """The ledger that a restore replays: by keys and names of files, so it says nothing of anybody.

    Written in the transaction of the key's destruction, and never changed.
    """

    id = models.BigAutoField(primary_key=True)
    organisation_id = models.UUIDField()
    run_id = models.UUIDField()
    study_key_id = models.UUIDField(unique=True)
    key_ids = models.JSONField(default=list)
    blob_names = models.JSONField(default=list)
    disposed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["disposed_at"], name="disposed_when")]


class ArchivedStudy(models.Model):
    """A study in the legal archive, as far as anybody knows of it without opening it.

    The dates from which its end is reckoned are sealed under a key of their own, so that nightly
    work needs none of the study's, which lie in the archive (vault.rules.archive).
    """

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.PositiveIntegerField()
    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="archived")
    key_id = models.UUIDField(unique=True)
    sealed_dates = models.BinaryField()
    why = models.CharField(max_length=16, choices=[(one.value, WHY_LABELS[one]) for one in Why])
    # The request of which its account was closed, if it was one.
    case_number = models.CharField(max_length=9, blank=True, default="")
    objects_count = models.PositiveIntegerField()
    archived_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="archived_number_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"A-{self.number}"


class OrganisationClosing(models.Model):
    """An organisation's account is closed: asked by one, agreed by another, then carried out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, related_name="closing"
    )
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    job_id = models.UUIDField(null=True)
    # When its last study was in the archive.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(agreed_by=None) | ~Q(agreed_by=F("asked_by")),
                name="organisation_closed_by_two",
            )
        ]


class ClockMark(models.Model):
    """When this portal last knew what time it is: one row, by which a jump is noticed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seen_at = models.DateTimeField()


class RecordPurge(models.Model):
    """The report of one night: of what is no study, how much ended and how much was held.

    By kinds and numbers; of whom it was nobody can read here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    purged_on = models.DateField()
    # By kind of record: until which day its time had begun, how many ended, how many were held.
    lines = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "purged_on"], name="record_purge_once")
        ]

    @property
    def gone(self) -> int:
        return sum(line["gone"] for line in self.lines.values())
