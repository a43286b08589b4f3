"""What people are told, and what they want to be told."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models.people import Organisation, User
from accounts.rules.messages import (
    CATEGORIES,
    CHANNEL_LABELS,
    Category,
    Channel,
    MessageTemplate,
    words_of,
)

CATEGORY_CHOICES = [(one.value, CATEGORIES[one].label) for one in Category]


class Campaign(models.Model):
    """One promotional message of an organisation to those of its members who may get it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    template = models.SlugField()
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    recipients = models.PositiveIntegerField()

    @property
    def words(self) -> MessageTemplate:
        return words_of(self.template)


class Notification(models.Model):
    """A message to one person: a template and an id, never words about anybody.

    The row is also the record of its delivery by e-mail.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    # What was sent together, by one job.
    batch_id = models.UUIDField()
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    template = models.SlugField()
    target_id = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    in_portal = models.BooleanField()
    read_at = models.DateTimeField(null=True)
    needs_acknowledgement = models.BooleanField(default=False)
    acknowledged_at = models.DateTimeField(null=True)
    by_email = models.BooleanField()
    mailed_at = models.DateTimeField(null=True)
    # A code: why the latest try failed, or why none is made.
    mail_failure = models.SlugField(blank=True, default="")
    mail_given_up = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch_id", "user"], name="notification_once")
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notification_of_user"),
            # Small whatever the history: what every page asks for.
            models.Index(
                fields=["user"],
                name="notification_open",
                condition=models.Q(in_portal=True, read_at=None)
                | models.Q(needs_acknowledgement=True, acknowledged_at=None),
            ),
        ]

    @property
    def words(self) -> MessageTemplate:
        return words_of(self.template)


class ChannelChoice(models.Model):
    """Whether a person wants a category of messages on one way."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="channel_choices")
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    channel = models.CharField(
        max_length=10, choices=[(one.value, CHANNEL_LABELS[one]) for one in Channel]
    )
    wanted = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "category", "channel"], name="channel_choice_once"
            )
        ]


class MarketingChoice(models.Model):
    """What a person last said about advertising: yes or no, when, and where they said it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="marketing_choice")
    wanted = models.BooleanField()
    source = models.SlugField(help_text="preferences, or link: of a mail.")
    decided_at = models.DateTimeField()


class SaleOptOut(models.Model):
    """A person's opt-out of sale and sharing, by a signal of their browser or by the link."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="sale_opt_out")
    source = models.SlugField(help_text="gpc, dnt or link.")
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
