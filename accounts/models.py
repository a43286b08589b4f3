from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.rules import ROLE_LABELS, Role


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
