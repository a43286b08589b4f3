"""Records of use, who may look at them, and how people like to work."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone

from accounts.models.people import Membership, Organisation, User
from accounts.rules.support import SUPPORT_REASONS
from policies.rules.categories import DataClass


class UsageEvent(models.Model):
    """One use of one feature on one day, if the policy lists it: no address, no moment, no name.

    Its number is random and its day has no hour: nothing in the rows puts a visit in order.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    day = models.DateField()
    # A keyed hash of the account that changes every four weeks; empty: nobody was signed in.
    pseudonym = models.CharField(max_length=32, blank=True)
    feature = models.CharField(max_length=40)
    page = models.CharField(max_length=60, help_text="The name of an address, never the address.")
    from_page = models.CharField(max_length=60, blank=True)
    browser = models.CharField(max_length=40, blank=True)
    outcome = models.SlugField(max_length=10)
    took_ms = models.PositiveIntegerField(null=True)
    forget_on = models.DateField()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "day"], name="usage_by_day"),
            models.Index(fields=["pseudonym"], name="usage_of_pseudonym"),
            models.Index(fields=["forget_on"], name="usage_to_forget"),
        ]

    @property
    def data_class(self) -> DataClass:
        """Technical while it is nobody's; personal once tied to an account (LIFEIMAGE-1.2)."""
        return DataClass.PERSONAL if self.pseudonym else DataClass.TECHNICAL


class SupportWindow(models.Model):
    """Leave to join one member's technical records with their account, for a ticket and a while.

    Evidence: never deleted. The member sees it, and was told (LIFEIMAGE-15.5, XENRAD-3.7).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    member = models.ForeignKey(User, on_delete=models.PROTECT, related_name="support_windows")
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="windows_opened")
    ticket = models.SlugField(max_length=40)
    reason = models.SlugField(max_length=40)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="support_window_ticket",
                condition=~models.Q(ticket="") & ~models.Q(reason=""),
            ),
            models.CheckConstraint(
                name="support_window_ends",
                condition=models.Q(ends_at__gt=models.F("opened_at")),
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-opened_at"], name="support_windows")]

    @property
    def reason_label(self) -> str:
        return SUPPORT_REASONS.get(self.reason, self.reason)

    def is_open(self, now: datetime) -> bool:
        return self.closed_at is None and self.opened_at <= now < self.ends_at


class WorkSettings(models.Model):
    """How a member likes the portal to look; the row is there only while they have that on."""

    class Colours(models.TextChoices):
        SYSTEM = "", "As the computer is set"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, related_name="work_settings"
    )
    modality = models.CharField(max_length=4, blank=True)
    per_page = models.PositiveSmallIntegerField(null=True)
    colours = models.CharField(max_length=5, blank=True, choices=Colours)
