"""Requests that somebody makes for somebody else, and what shows that they may."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from dsar.models.cases import Case
from dsar.models.documents import CaseDocument
from dsar.rules.agents import FAULT_LABELS, RELATIONS, AuthorityState, Relation


class Authority(models.Model):
    """In whose name a request is made, as whom, and whether that was shown.

    The case's own name and address are those of whoever asks; the person's are here, sealed
    under the same key.
    """

    case = models.OneToOneField(
        Case, on_delete=models.CASCADE, primary_key=True, related_name="authority"
    )
    # What a link of the person names: nothing else of the case.
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    relation = models.SlugField(choices=[(one.value, RELATIONS[one].label) for one in Relation])
    state = models.CharField(
        max_length=10, default=AuthorityState.WAITING.value,
        choices=[(one.value, one.value) for one in AuthorityState],
    )  # fmt: skip
    fault = models.SlugField(
        blank=True, default="", choices=[(one.value, FAULT_LABELS[one]) for one in FAULT_LABELS]
    )
    sealed_person = models.BinaryField()
    document = models.ForeignKey(CaseDocument, on_delete=models.SET_NULL, null=True)
    # Whether the answer goes to whoever asks; else to the person alone.
    answer_to_agent = models.BooleanField(default=False)
    valid_until = models.DateField(null=True)
    told_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    @property
    def relation_label(self) -> str:
        return RELATIONS[Relation(self.relation)].label
