"""What is given out under law: the case, its documents, what it names, who was told, what left."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation, User
from disclosures.rules.grounds import GROUND_FACTS, GroundFacts
from disclosures.rules.standing import SAID_LABELS, Said
from dsar.rules.documents import FileType

GROUND_CHOICES = [(code, facts.label) for code, facts in GROUND_FACTS.items()]


class Disclosure(models.Model):
    """One demand, or one need, to give data out under law.

    Who demands it and its reference are sealed under the case's own key: they name matters.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="disclosures"
    )
    number = models.PositiveIntegerField()
    ground = models.CharField(max_length=20, choices=GROUND_CHOICES)
    citation = models.CharField(max_length=120)
    received_on = models.DateField()
    answer_on = models.DateField()
    key_id = models.UUIDField()
    sealed_authority = models.BinaryField()
    sealed_reference = models.BinaryField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    # Of an emergency: by when somebody else has to have looked at it.
    review_due_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="disclosure_number"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("opened_by")),
                name="disclosure_by_two",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def facts(self) -> GroundFacts:
        return GROUND_FACTS[self.ground]


class Statement(models.Model):
    """What somebody wrote in a case, and signed by doing so."""

    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="statements")
    kind = models.SlugField(choices=[(one.value, SAID_LABELS[one]) for one in Said])
    sealed_text = models.BinaryField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["disclosure", "kind"], name="disclosure_statement_once")
        ]


class Paper(models.Model):
    """A document of a case. `kind`: the ground that it stands for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="papers")
    kind = models.CharField(max_length=20, choices=GROUND_CHOICES)
    file_type = models.CharField(max_length=4, choices=[(one.value, one.value) for one in FileType])
    key_id = models.UUIDField()
    blob_name = models.CharField(max_length=64, db_index=True)
    size = models.PositiveIntegerField()
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)


class Clause(models.Model):
    """One point of what is demanded, in its words."""

    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="clauses")
    number = models.PositiveSmallIntegerField()
    sealed_text = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["disclosure", "number"], name="disclosure_clause_once")
        ]


class Item(models.Model):
    """Something that a clause names: a study, one of its series, or data of an account.

    Not given out until it is ticked, and not ticked without a reason.
    """

    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveSmallIntegerField()
    clause = models.ForeignKey(Clause, on_delete=models.PROTECT, related_name="items")
    subject_id = models.UUIDField(null=True)
    study_uid = models.CharField(max_length=64, blank=True, default="")
    # Empty: the whole study.
    series_uid = models.CharField(max_length=64, blank=True, default="")
    account = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    part = models.SlugField(blank=True, default="")
    without_person = models.BooleanField(default=False)
    # What it is in words, which outlive the study (45 CFR 164.528(b)(2)(iii)).
    sealed_label = models.BinaryField()
    sealed_reason = models.BinaryField(null=True)
    is_chosen = models.BooleanField(default=False)
    # SHA-256 over the UIDs of its objects when it was ticked: what came since is not given out.
    objects_digest = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["disclosure", "number"], name="disclosure_item_once"),
            models.CheckConstraint(
                condition=Q(is_chosen=False) | Q(sealed_reason__isnull=False),
                name="disclosure_item_justified",
            ),
            models.CheckConstraint(
                condition=(Q(account=None) & ~Q(study_uid="") & Q(subject_id__isnull=False))
                | (Q(account__isnull=False) & Q(study_uid="", series_uid="") & ~Q(part="")),
                name="disclosure_item_names_one_thing",
            ),
        ]


class Notice(models.Model):
    """What was done to tell one person whom a case is about, or why nothing was."""

    class Way(models.TextChoices):
        PORTAL = "portal", "In the portal"
        POST = "post", "By post"
        PROHIBITED = "prohibited", "Prohibited for now"

    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="notices")
    subject_id = models.UUIDField(null=True)
    account = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    way = models.CharField(max_length=10, choices=Way.choices)
    given_at = models.DateTimeField(null=True)
    # The first day on which something may go out after the notice.
    waits_until = models.DateField(null=True)
    sealed_reason = models.BinaryField(null=True)
    citation = models.CharField(max_length=120, blank=True, default="")
    prohibited_until = models.DateField(null=True)
    # When officers were told that the prohibition has ended, and the notice is due by post.
    reminded_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["disclosure", "subject_id"], name="notice_of_subject"),
            models.UniqueConstraint(fields=["disclosure", "account"], name="notice_of_account"),
            models.CheckConstraint(
                condition=Q(subject_id=None, account__isnull=False)
                | Q(subject_id__isnull=False, account=None),
                name="notice_to_somebody",
            ),
            models.CheckConstraint(
                condition=Q(given_at__isnull=False)
                | (~Q(citation="") & Q(prohibited_until__isnull=False)),
                name="notice_given_or_prohibited",
            ),
        ]


class Release(models.Model):
    """What left under a case: one sealed package, fetched once. No release without its case."""

    class State(models.TextChoices):
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Could not be made"
        GONE = "gone", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    disclosure = models.OneToOneField(Disclosure, on_delete=models.PROTECT, related_name="release")
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(default=timezone.now)
    # Nobody only in an emergency, which is reviewed afterwards.
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    is_emergency = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.MAKING)
    fault = models.SlugField(blank=True, default="")
    job_id = models.UUIDField(null=True)
    key_id = models.UUIDField()
    blob_name = models.CharField(max_length=64, blank=True, default="", db_index=True)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    files = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    fetched_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=False) | Q(is_emergency=True),
                name="disclosure_release_approved",
            ),
        ]
