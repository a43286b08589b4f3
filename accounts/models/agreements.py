"""What organisations are bound by, and whom they told of changes."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models.people import Organisation, User
from accounts.rules.agreements import KIND_LABELS, AgreementKind, Term


class Agreement(models.Model):
    """A contract of an organisation with another party (C11, C12). Never deleted, only ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="agreements"
    )
    kind = models.CharField(
        max_length=20, choices=[(one.value, KIND_LABELS[one]) for one in AgreementKind]
    )
    party = models.CharField(max_length=120)
    # Where the other party takes part in the portal itself.
    partner = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="agreements_as_partner"
    )
    # The other party's address for notices: of a person, so it is sealed under a key of its own.
    key_id = models.UUIDField()
    sealed_contact = models.BinaryField()
    # Where the signed document is filed: a number, not a name.
    reference = models.CharField(max_length=60)
    # Of a data use agreement: what is cleaned beyond the policy's options (MEDDIM-2.25).
    deid_options = models.JSONField(default=list)
    # Of clauses for transfers abroad: which of them (MEDDIM-12.1, MEDDIM-12.2).
    mechanism = models.SlugField(max_length=20, blank=True, default="")
    # What goes to the other party counts as sale or sharing (Cal. Civ. Code 1798.140(ad), (ah)).
    sale_or_share = models.BooleanField(default=False)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
                name="agreement_ends_after_it_starts",
            )
        ]

    @property
    def term(self) -> Term:
        return Term(self.starts_on, self.ends_on, self.ended_on)


class AgreementNotice(models.Model):
    """The record that a partner was told of a version of the policy, and whether it went out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="notices")
    version_id = models.UUIDField()
    template = models.SlugField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    mailed_at = models.DateTimeField(null=True)
    mail_failure = models.SlugField(blank=True, default="")
    mail_given_up = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "version_id", "template"], name="agreement_notice_once"
            )
        ]
