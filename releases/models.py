"""Release projects: what leaves without people in it, for whom, and by which rules.

What leads back to a person (the pseudonym key, the linking table, the original identifiers) is
sealed under a key of its own, so that destroying it ends every way back.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Agreement, Organisation, User
from policies.rules.purposes import PURPOSE_LABELS, Purpose
from releases.rules.aggregates.blocks import SMALLEST_GROUP
from releases.rules.states import STATE_LABELS, Aside, State
from releases.rules.terms import METHOD_LABELS, PURPOSES, Method

STATE_CHOICES = [(one.value, STATE_LABELS[one]) for one in State]
PURPOSE_CHOICES = [(one.value, PURPOSE_LABELS[one]) for one in PURPOSES]
METHOD_CHOICES = [(one.value, METHOD_LABELS[one]) for one in Method]


class Project(models.Model):
    """One release: purpose, recipient, rules and how far it is (MEDDIM-3.9, MEDDIM-3.11)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="release_projects"
    )
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    purpose = models.SlugField(choices=PURPOSE_CHOICES)
    recipient = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="releases_received"
    )
    # The data use agreement that it goes out under, where it leaves the organisation.
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, null=True)
    ethics_reference = models.CharField(max_length=60)
    method = models.CharField(max_length=20, choices=METHOD_CHOICES)
    method_reference = models.CharField(max_length=60, blank=True, default="")
    # Options of PS3.15 E.3 beside the Basic Profile.
    options = models.JSONField(default=list)
    ends_on = models.DateField()
    state = models.CharField(max_length=10, choices=STATE_CHOICES, default=State.DRAFT)
    # Grows with every making; a job of an earlier one does nothing.
    build = models.PositiveIntegerField(default=0)
    job_id = models.UUIDField(null=True)
    # Of the de-identified objects.
    key_id = models.UUIDField()
    # Of the way back: destroyed when the project ends.
    link_key_id = models.UUIDField()
    sealed_pseudonym_key = models.BinaryField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    # The report of what is out now, and the note that signs it.
    report = models.TextField(blank=True, default="")
    report_note = models.TextField(blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    # What the policy did with the data at the end.
    end = models.SlugField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "number"], name="release_project_number"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=State.RELEASED) | ~models.Q(report_note=""),
                name="release_has_report",
            ),
        ]
        indexes = [models.Index(fields=["recipient", "state"], name="release_received")]

    @property
    def name(self) -> str:
        return f"Project {self.number}"

    @property
    def is_external(self) -> bool:
        return self.recipient_id != self.organisation_id

    @property
    def purpose_label(self) -> str:
        return PURPOSE_LABELS[Purpose(self.purpose)]


class ProjectStudy(models.Model):
    """A study that somebody put into a project, by its DICOM UID: it may go before the project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="studies")
    study_uid = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    # Why it is left out, as found when it was asked last; empty: it is not.
    exclusion = models.SlugField(blank=True, default="")
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "study_uid"], name="release_study_once")
        ]


class Output(models.Model):
    """What came of one object: its clean form, or why there is none.

    From which object stands only sealed, and as a keyed hash: whoever reads the database, and has
    not the project's link key, does not find the original beside its pseudonym.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="outputs")
    # Keyed hashes of the object and of its study, under the link key; empty once that is gone.
    source_token = models.BinaryField(max_length=16, null=True)
    study_token = models.BinaryField(max_length=16, null=True)
    sealed_source = models.BinaryField(default=bytes)
    state = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Aside])
    doubts = models.JSONField(default=list)
    # Attributes by what was done to them, and those that were still found.
    counts = models.JSONField(default=dict)
    left = models.JSONField(default=list)
    fault = models.CharField(max_length=120, blank=True, default="")
    # Frames that were touched, boxes in each, and the share of a frame that is black.
    pixels = models.JSONField(null=True)
    # What the clean object says of its person and of itself, for risk and for counts.
    facts = models.JSONField(default=dict)
    patient = models.CharField(max_length=64, blank=True, default="")
    study_uid = models.CharField(max_length=64, blank=True, default="")
    series_uid = models.CharField(max_length=64, blank=True, default="")
    uid = models.CharField(max_length=64, blank=True, default="")
    frames = models.PositiveIntegerField(default=0)
    blob_name = models.CharField(max_length=64, blank=True, default="", db_index=True)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    # Cleaned once more when the project ended.
    stripped = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_token"], name="release_output_once")
        ]
        indexes = [models.Index(fields=["project", "state", "id"], name="release_output_state")]


class Link(models.Model):
    """A line of the linking table: whose pseudonym this is. Sealed under the project's link key."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="links")
    code = models.CharField(max_length=64)
    sealed_subject = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="release_link")]


# Counts of the people of a project ---------------------------------------------------------------
class Snapshot(models.Model):
    """The people of a released project as they are told of: in blocks, once for all answers.

    Counts are answered from these three tables alone. There are no facts about anybody in them.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="snapshot")
    dimensions = models.JSONField()
    at_least = models.PositiveIntegerField()
    # Of the vocabularies that its boxes are written in.
    edition = models.PositiveSmallIntegerField()
    # Grows whenever people enter.
    batch = models.PositiveSmallIntegerField(default=1)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)


class SnapshotBlock(models.Model):
    """A box of values, and how many people are in it."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="blocks")
    place = models.PositiveIntegerField()
    box = models.JSONField()
    people = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "place"], name="release_block_once"),
            # The floor of the policies; the policy in force may ask for more.
            models.CheckConstraint(
                condition=models.Q(people__gte=SMALLEST_GROUP), name="release_block_is_large"
            ),
        ]


class SnapshotPerson(models.Model):
    """Who has been counted, by pseudonym, so that nobody is counted twice."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="people")
    code = models.CharField(max_length=64)
    place = models.PositiveIntegerField()
    batch = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "code"], name="release_counted_once")
        ]
