from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Agreement, Membership, Organisation, User
from consent.rules.directives import (
    DIRECTIVE_CHOICES,
    DIRECTIVES,
    Bar,
    DirectiveFacts,
    DirectiveKind,
    unpacked,
)


class DataSubject(models.Model):
    """The patient, or the animal and its owner, that studies are about.

    Matched inside one organisation by issuer and identifier; never merged silently.
    """

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        ANIMAL = "animal", "Animal"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    kind = models.CharField(max_length=10, choices=Kind)
    # Names, identifiers, birth date, owner: sealed under the subject's own key.
    key_id = models.UUIDField()
    sealed_record = models.BinaryField()
    # Keyed hash of issuer and identifier; empty where the files gave no identifier.
    identifier_token = models.BinaryField(max_length=16, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "identifier_token"], name="subject_identifier_once"
            )
        ]


class SubjectAccount(models.Model):
    """A person who may see what is held about a subject: the patient, or the animal's owner."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subjects")
    subject = models.ForeignKey(DataSubject, on_delete=models.CASCADE, related_name="accounts")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "subject"], name="subject_account_once")
        ]


class PurposeConsent(models.Model):
    """Consent of a person to a purpose that is younger than their data. Evidence: never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    subject_id = models.UUIDField()
    purpose = models.SlugField()
    version_id = models.UUIDField()
    given_by = models.ForeignKey(User, on_delete=models.PROTECT)
    given_at = models.DateTimeField(default=timezone.now)
    by_subject = models.BooleanField()
    factor = models.CharField(max_length=20)
    # Where the signed document is filed, if somebody else recorded it: a number, not a name.
    document = models.SlugField(max_length=60, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id", "purpose"],
                condition=models.Q(withdrawn_at=None),
                name="purpose_consent_once",
            )
        ]


class Directive(models.Model):
    """What a person said against a use of their data, and until when it held. Never deleted.

    It is of a patient or an animal's owner (`subject_id`), or of somebody with an account about
    their own data (`user`). Of members' objections what holds now stands with their membership
    as well (`objected_to`), so that no request has to look for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    subject_id = models.UUIDField(null=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="directives")
    kind = models.CharField(max_length=20, choices=DIRECTIVE_CHOICES)
    # How far it reaches (consent.rules.directives.packed); empty: all studies, everybody.
    purposes = models.TextField()
    studies = models.TextField(blank=True, default="")
    recipients = models.TextField(blank=True, default="")
    source = models.SlugField()
    case_number = models.CharField(max_length=9, blank=True, default="")
    version_id = models.UUIDField(null=True)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)
    # Why, in the person's words, if they said it; under a key of its own.
    key_id = models.UUIDField(null=True)
    sealed_reason = models.BinaryField(null=True)
    # When the person was told that it will be lifted (GDPR Art. 18(3)).
    announced_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lift_case = models.CharField(max_length=9, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(subject_id=None, user__isnull=False)
                | models.Q(subject_id__isnull=False, user=None),
                name="directive_of_one_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(purposes=""), name="directive_bars_something"
            ),
            models.UniqueConstraint(
                fields=["organisation", "user", "kind", "purposes"],
                condition=models.Q(lifted_at=None, user__isnull=False),
                name="directive_of_user_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["subject_id", "organisation"],
                condition=models.Q(lifted_at=None),
                name="directive_in_force",
            ),
            models.Index(fields=["subject_id", "-set_at"], name="directive_of_subject"),
        ]

    def __str__(self) -> str:
        return f"directive {self.pk}"

    @property
    def facts(self) -> DirectiveFacts:
        return DIRECTIVES[DirectiveKind(self.kind)]

    @property
    def bar(self) -> Bar:
        return Bar(
            DirectiveKind(self.kind),
            unpacked(self.purposes),
            self.set_at,
            unpacked(self.studies),
            frozenset(uuid.UUID(one) for one in unpacked(self.recipients)),
        )


class Grant(models.Model):
    """An express consent to show named items to a named recipient. Evidence: never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="grants_given"
    )
    subject_id = models.UUIDField()
    recipient_organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="grants_received"
    )
    # Empty: everybody in the recipient organisation whose role includes images.
    recipient = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, related_name="grants_received"
    )
    purpose = models.SlugField()
    may_download = models.BooleanField(default=False)
    granted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # On what it crosses a border; empty where none counts, and in shares from before it was asked.
    transfer_mechanism = models.SlugField(max_length=20, blank=True, default="")
    transfer_agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, null=True)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants_given")
    # The evidence: how the person had proved who they are, and what they agreed to. Of shares from
    # before both factors were kept, the first is empty.
    first_factor = models.CharField(max_length=20, blank=True, default="")
    first_proved_at = models.DateTimeField(null=True)
    factor = models.CharField(max_length=20)
    stepped_up_at = models.DateTimeField()
    notice_code = models.SlugField()
    notice_version = models.CharField(max_length=20)
    text_digest = models.CharField(max_length=64)
    key_id = models.UUIDField()
    sealed_text = models.BinaryField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="grants_revoked"
    )
    revoke_reason = models.SlugField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["recipient_organisation", "expires_at"], name="grant_recipient"),
            models.Index(fields=["organisation", "-granted_at"], name="grant_owner"),
            models.Index(fields=["subject_id"], name="grant_subject"),
        ]


class GrantItem(models.Model):
    """One line of a grant, named by DICOM UID and digest, so that it outlives the study."""

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="items")
    study_uid = models.CharField(max_length=64)
    series_uid = models.CharField(max_length=64, blank=True)
    instance_uid = models.CharField(max_length=64, blank=True)
    instances = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["study_uid"], name="grant_item_study")]
