"""People, the organisations they work for, and how they sign in."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from accounts.fields import EmailHash, SealedText, token_of_email
from accounts.rules import ROLE_LABELS, Role, words_of_factor
from policies.rules.categories import Category as DataCategory
from policies.rules.logs import SIGN_INS_KEPT
from policies.selectors import packs_held


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.with_email(username or "").get()

    def with_email(self, email: str) -> models.QuerySet[User]:
        """The account of an address: its keyed hash is looked up, nothing is opened."""
        return self.filter(email_token=token_of_email(email))

    def create_user(self, *, email: str, name: str, password: str | None = None) -> User:
        user = self.model(email=email.strip().lower(), name=name.strip())
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):  # type: ignore[django-manager-missing]
    """A named person who signs in. There is no superuser: roles come from memberships."""

    # Ties what is sealed to this row; known before the row has its number.
    seal_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = SealedText("account.email", row="seal_id", max_length=254)
    email_token = EmailHash(unique=True)
    name = SealedText("account.name", row="seal_id", max_length=120, goes_with_acts=True)
    phone = SealedText("account.phone", row="seal_id", max_length=40, blank=True, default="")
    # ISO 3166: DE, US or US-CA. It decides which rules of advertising and which rights apply.
    residence = models.CharField(max_length=6, blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # From its closing the policy's term for accounts runs; when it is over, or when the person asks
    # for it, the row loses whatever says who this was. Acts go on pointing at its number.
    closed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "email_token"
    EMAIL_FIELD = "email"

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(erased_at=None)
                | models.Q(is_active=False, closed_at__isnull=False),
                name="account_erased_when_closed",
            ),
        ]

    def __str__(self) -> str:
        # Never the name: this is what faults are noted with.
        return f"account {self.pk}"

    def get_username(self) -> str:
        return str(self.email)


def _professional(name: str, label: str | None = None, *, max_length: int) -> SealedText:
    return SealedText(
        f"profile.{name}",
        label,
        row="user_id",
        category=DataCategory.PROFESSIONAL.value,
        max_length=max_length,
        blank=True,
        default="",
    )


class Profile(models.Model):
    """What a clinician says of their profession (C04)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    specialty = _professional("specialty", max_length=80)
    licence_number = _professional("licence_number", max_length=40)
    licence_place = _professional("licence_place", "licensed in", max_length=80)
    npi = _professional("npi", "NPI", max_length=10)


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
    # Its account is closed: officers and administrators stay, to answer for what law keeps.
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def contact_email(self) -> str:
        """Whom people ask: as the policy in force says, so a change of it reaches all pages."""
        held = packs_held(self.pk)
        contact: str = held[-1]["contact.email"] if held else self.privacy_email
        return contact

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
    # Purposes that the person objects to here (GDPR Art. 21), for the same reason; the room of
    # consent keeps when they said so.
    objected_to = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

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
    email = SealedText("invitation.email", max_length=254)
    email_token = EmailHash(db_index=True)
    roles = models.JSONField(default=list)
    secret_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    # Where the address came from and on what basis, if not from the person or a colleague.
    source = models.CharField(max_length=120, blank=True, default="")
    basis = models.SlugField(blank=True, default="")


class EmailChange(models.Model):
    """An address that somebody wants for their account, until it is confirmed (XENRAD-8.8)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="email_changes")
    email = SealedText("change.email", max_length=254)
    # Kept until it was told of the change.
    old_email = SealedText("change.old_email", max_length=254)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(confirmed_at=None), name="email_change_once"
            )
        ]


class ApiToken(models.Model):
    """A program's key: shown once, stored hashed, bound to one membership."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    # Of a partner's program: it sends under its own key, for as long as the agreement holds.
    agreement = models.ForeignKey(
        "accounts.Agreement", on_delete=models.PROTECT, null=True, related_name="tokens"
    )
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
    def factor_label(self) -> str:
        return words_of_factor(self.factor)

    @property
    def keep_until(self) -> datetime:
        """When the line is deleted, if the session is not used again."""
        return (self.ended_at or self.seen_at) + SIGN_INS_KEPT
