from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils import timezone

from accounts.models import Organisation, User
from dsar.rules.clocks import local_day
from dsar.rules.kinds import KINDS, Kind, KindFacts
from dsar.rules.states import DOOR_LABELS, RECORDED_BY_OFFICER, STATE_LABELS, Door, State

KIND_CHOICES = [(kind.value, facts.label) for kind, facts in KINDS.items()]
DOOR_CHOICES = [(door.value, DOOR_LABELS[door]) for door in Door]
STATE_CHOICES = [(state.value, STATE_LABELS[state]) for state in State]


class RequestDraft(models.Model):
    """A request from the public form that nobody has confirmed yet by the link in their mail.

    Once confirmed, or when its day is over, its key is destroyed. The emptied row counts for an
    hour against floods of forms.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    key_id = models.UUIDField()
    sealed_record = models.BinaryField()
    # Keyed hashes: how many forms came for one address, and out of one network.
    email_token = models.BinaryField(max_length=16)
    network_token = models.BinaryField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="request_draft_made"),
            models.Index(fields=["network_token", "created_at"], name="request_draft_network"),
            models.Index(fields=["email_token", "created_at"], name="request_draft_email"),
        ]


class Case(models.Model):
    """A request about somebody's data, or a question: from its receipt to its reply.

    Who asks and what they wrote is sealed under the case's own key. Evidence of how rights were
    answered: never deleted here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=9, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="cases")
    kind = models.CharField(max_length=20, choices=KIND_CHOICES)
    door = models.CharField(max_length=10, choices=DOOR_CHOICES)
    state = models.CharField(max_length=12, choices=STATE_CHOICES, default=State.OPEN.value)
    # ISO 3166: where the person lives; empty if they did not say.
    residence = models.CharField(max_length=6, blank=True, default="")
    laws = models.JSONField(default=list)
    # The account of who asked while signed in; nobody else ever becomes the person of a case.
    person = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="requests")
    # Of a request for erasure: whether the person asked for the account to go as well.
    ends_account = models.BooleanField(default=False)
    # Of a report that the account is a child's: by when it has to be gone.
    delete_by = models.DateTimeField(null=True)
    key_id = models.UUIDField()
    sealed_name = models.BinaryField()
    sealed_email = models.BinaryField()
    sealed_text = models.BinaryField()
    # Keyed hash of the e-mail address; none where somebody gave no address.
    email_token = models.BinaryField(max_length=16, null=True)
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    acknowledged_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # What the policy promised when it was received, in days.
    answer_days = models.PositiveSmallIntegerField()
    acknowledge_days = models.PositiveSmallIntegerField()
    # The last days in time, by the clocks that run (dsar.rules.clocks).
    acknowledge_on = models.DateField()
    answer_on = models.DateField()
    extended_at = models.DateTimeField(null=True)
    # Since when the person is being waited for, and for how many days before that.
    waiting_since = models.DateTimeField(null=True)
    waited_days = models.PositiveSmallIntegerField(default=0)
    # For how many days a fee was quoted and not accepted yet.
    fee_days = models.PositiveSmallIntegerField(default=0)
    # The earlier request of the same person that this one was taken together with.
    joined_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True)
    officer = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="assigned_cases"
    )
    identified_at = models.DateTimeField(null=True)
    proof = models.SlugField(blank=True, default="")
    outcome = models.SlugField(blank=True, default="")
    denial = models.SlugField(blank=True, default="")
    # Links to read by, of an earlier epoch, are dead.
    link_epoch = models.PositiveSmallIntegerField(default=0)
    reminded_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(answered_at__isnull=False),
                name="case_closed_after_reply",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "state", "answer_on"], name="case_queue"),
            models.Index(fields=["person", "-received_at"], name="case_of_person"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def facts(self) -> KindFacts:
        return KINDS[Kind(self.kind)]

    @property
    def received_on(self) -> date:
        """The day of receipt where the organisation is; from it the clocks count."""
        return local_day(self.received_at, self.organisation.country, self.organisation.state)

    @property
    def was_written_down(self) -> bool:
        """Did an officer enter it, so that of its receipt the day is known and not the hour?"""
        return Door(self.door) in RECORDED_BY_OFFICER


class CaseEntry(models.Model):
    """One dated step of a case: who did what, and what they wrote. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="entries")
    act = models.SlugField()
    # What there is to say of it without words of people: an outcome, a way of proof.
    code = models.SlugField(blank=True, default="")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    by_person = models.BooleanField(default=False)
    sealed_text = models.BinaryField(null=True)
    # Whether the person of the case sees it; notes among officers they do not.
    shown = models.BooleanField(default=True)
    # How the person was told: portal, mailed, mail-failed or letter; empty if they are not.
    told = models.SlugField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["case", "at"], name="case_entry_of_case")]


class CaseSubject(models.Model):
    """Whom a case is about, as an officer found them among patients and animals' owners."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="subjects")
    subject_id = models.UUIDField()
    linked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    linked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "subject_id"], name="case_subject_once")
        ]
