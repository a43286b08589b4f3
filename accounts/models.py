from __future__ import annotations

import uuid
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.rules import ROLE_LABELS, Role
from accounts.rules.messages import (
    CATEGORIES,
    CHANNEL_LABELS,
    Category,
    Channel,
    MessageTemplate,
    words_of,
)
from policies.rules.logs import SIGN_INS_KEPT


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_user(self, *, email: str, name: str, password: str | None = None) -> User:
        user = self.model(email=email.strip().lower(), name=name.strip())
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A named person who signs in. There is no superuser: roles come from memberships."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    # ISO 3166: DE, US or US-CA. It decides which rules of advertising and which rights apply.
    residence = models.CharField(max_length=6, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name

    def get_username(self) -> str:
        return self.email


class Profile(models.Model):
    """What a clinician says of their profession (C04)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    specialty = models.CharField(max_length=80, blank=True)
    licence_number = models.CharField(max_length=40, blank=True)
    licence_place = models.CharField("licensed in", max_length=80, blank=True)
    npi = models.CharField("NPI", max_length=10, blank=True)


class Organisation(models.Model):
    class Kind(models.TextChoices):
        HOSPITAL = "hospital", "Hospital"
        IMAGING_CENTRE = "imaging_centre", "Imaging centre"
        VETERINARY = "veterinary", "Veterinary practice"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 code, such as US or DE.")
    state = models.CharField(max_length=3, blank=True, help_text="ISO 3166-2 part, such as NY.")
    residency_region = models.CharField(max_length=10, help_text="Where its data must stay.")
    regimes = models.JSONField(default=list, help_text="Laws it is under, such as hipaa or gdpr.")
    privacy_email = models.EmailField(help_text="Whom people ask about their data.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def is_veterinary(self) -> bool:
        return self.kind == self.Kind.VETERINARY


class Membership(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    is_active = models.BooleanField(default=True)
    # The version of the organisation's policy that the person accepted last (`Acceptance` says
    # when); here, so that no request has to look for it.
    accepted_version_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.organisation}"


class MembershipRole(models.Model):
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(
        max_length=20, choices=[(role.value, ROLE_LABELS[role]) for role in Role]
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "role"], name="role_once")]


class Acceptance(models.Model):
    """Somebody read a version of a policy and said yes or no to it (C10). Never changed.

    It is about using the service; it never stands for consent to a disclosure.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="acceptances")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    version_id = models.UUIDField()
    revision = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    is_accepted = models.BooleanField()
    answered_at = models.DateTimeField(default=timezone.now)
    network = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "organisation"], name="acceptance_of_user")]


class Invitation(models.Model):
    """An e-mail link to join an organisation in given roles."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    email = models.EmailField()
    roles = models.JSONField(default=list)
    secret_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)


class ApiToken(models.Model):
    """A program's key: shown once, stored hashed, bound to one membership."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    secret_digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)


class SignIn(models.Model):
    """One signed-in browser, so that its owner can see and end it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    # Django's key opens the session; only its digest is kept beside the list that people read.
    session_digest = models.CharField(max_length=64, unique=True)
    browser = models.CharField(max_length=80)
    factor = models.CharField(max_length=20)
    public_computer = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    @property
    def keep_until(self) -> datetime:
        """When the line is deleted, if the session is not used again."""
        return (self.ended_at or self.seen_at) + SIGN_INS_KEPT


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
    """A person's opt-out of sale and sharing of data, by a signal of their browser."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="sale_opt_out")
    source = models.SlugField(help_text="gpc or dnt.")
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
