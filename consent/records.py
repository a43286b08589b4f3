"""How accounts end, and what was agreed to or refused.

Accounts stand here and not in their own room, since patients' accounts belong to the organisation
that knows them as patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from accounts.models import ApiToken, Membership, Notification, User
from accounts.records import delete_rows
from accounts.services.erasing import SIGNS_IN, erase_account, erase_credentials
from consent.models import Directive, Grant, PurposeConsent
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from policies.selectors import NoPolicy, effective_pack
from vault.services.data_keys import destroy_data_keys

# The ways from an account to the organisations whose policy it is kept under.
ORGANISATIONS = ("memberships__organisation_id", "subjects__subject__organisation_id")


def _of(organisation_id: UUID, start: str = "") -> Q:
    """Accounts that an organisation has something to say about."""
    ways = [Q(**{f"{start}{way}": organisation_id}) for way in ORGANISATIONS]
    return ways[0] | ways[1]


def _closed(organisation_id: UUID) -> QuerySet[User]:
    closed = User.objects.filter(is_active=False, erased_at=None).exclude(closed_at=None)
    return closed.filter(pk__in=User.objects.filter(_of(organisation_id)).values("pk"))


def _ended(organisation_id: UUID) -> QuerySet[User]:
    """Accounts whose time runs: closed, or left by the last organisation, if that is what counts.

    A patient's relationship ends with their records, so theirs waits for its closing.
    """
    try:
        line = effective_pack(organisation_id)["retention"].get(Category.ACCOUNT.value, {})
    except NoPolicy:
        line = {}
    if line.get("trigger") != "relationship-ended":
        return _closed(organisation_id).annotate(left_at=F("closed_at"))
    working = Membership.objects.filter(is_active=True).values("user")
    last = Membership.objects.filter(user=OuterRef("pk")).order_by("-ended_at")
    left = User.objects.filter(erased_at=None, subjects=None).exclude(pk__in=working)
    mine = User.objects.filter(_of(organisation_id)).values("pk")
    either = left.filter(memberships__organisation_id=organisation_id).values("pk")
    closed = _closed(organisation_id).values("pk")
    return User.objects.filter(Q(pk__in=either) | Q(pk__in=closed), pk__in=mine).annotate(
        left_at=Coalesce("closed_at", Subquery(last.values("ended_at")[:1]))
    )


def _closed_with_credentials(organisation_id: UUID) -> QuerySet[User]:
    closed = _closed(organisation_id)
    found = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    for model in SIGNS_IN:
        found |= Q(pk__in=model._default_manager.values("user"))
    return closed.filter(found | Q(pk__in=ApiToken.objects.values("membership__user")))


def _erase(rows: Sequence[User]) -> None:
    for user in rows:
        if user.closed_at is None:
            # Their organisations ended it; nobody is left to close it.
            user.is_active, user.closed_at = False, timezone.now()
            user.save(update_fields=["is_active", "closed_at"])
        erase_account(user=user, reason="term")


def _erase_credentials(rows: Sequence[User]) -> None:
    for user in rows:
        erase_credentials(user)


def _messages(organisation_id: UUID) -> QuerySet[Notification]:
    people = User.objects.filter(_of(organisation_id)).values("pk")
    return Notification.objects.filter(user__in=people)


def _grants(organisation_id: UUID) -> QuerySet[Grant]:
    return Grant.objects.filter(organisation_id=organisation_id).annotate(
        ended_at=Least("expires_at", Coalesce("revoked_at", "expires_at"))
    )


def _end_grants(rows: Sequence[Grant]) -> None:
    destroy_data_keys(ids=[row.key_id for row in rows])
    delete_rows(rows)


def _consents(organisation_id: UUID) -> QuerySet[PurposeConsent]:
    return PurposeConsent.objects.filter(organisation_id=organisation_id)


def _directives(organisation_id: UUID) -> QuerySet[Directive]:
    return Directive.objects.filter(organisation_id=organisation_id)


def _end_directives(rows: Sequence[Directive]) -> None:
    destroy_data_keys(ids=[row.key_id for row in rows if row.key_id])
    delete_rows(rows)


KINDS = [
    RecordKind(
        "accounts.account", "Closed accounts: name, address, telephone, profession",
        Category.ACCOUNT, ("accounts.User",), Ending.TERM,
        term=Term(
            _ended, "left_at", "the day the account was closed, or the relationship ended",
            _erase, person="pk", shared=ORGANISATIONS,
        ),
    ),
    RecordKind(
        "accounts.credentials", "What signed in to closed accounts", Category.CREDENTIALS,
        ("accounts.Authenticator", "accounts.RecoveryCodes", "accounts.RecoveryCode",
         "accounts.ApiToken", "django_otp_webauthn.WebAuthnCredential",
         "django_otp_webauthn.WebAuthnUserHandle", "django_otp_webauthn.WebAuthnAttestation"),
        Ending.TERM,
        # Nothing is a reason to keep a password longer than one of the policies says.
        term=Term(
            _closed_with_credentials, "closed_at", "the day the account was closed",
            _erase_credentials,
        ),
    ),
    RecordKind(
        "accounts.messages", "Messages to people, and when they were mailed",
        Category.COMMUNICATIONS, ("accounts.Notification",), Ending.TERM,
        term=Term(
            _messages, "created_at", "the day of the message", delete_rows,
            shared=tuple(f"user__{way}" for way in ORGANISATIONS),
        ),
    ),
    RecordKind(
        "consent.subjects", "Who patients, animals and owners are, and which account is theirs",
        Category.IDENTITY, ("consent.DataSubject", "consent.SubjectAccount"), Ending.WITH,
        "goes with the last of their studies",
    ),
    RecordKind(
        "consent.grants", "Shares that have ended, with the words agreed to", Category.CONSENT,
        ("consent.Grant", "consent.GrantItem"), Ending.TERM,
        term=Term(
            _grants, "ended_at", "the end of the share", _end_grants, subject="subject_id",
        ),
    ),
    RecordKind(
        "consent.purposes", "Consents to a purpose that were withdrawn", Category.CONSENT,
        ("consent.PurposeConsent",), Ending.TERM,
        term=Term(
            _consents, "withdrawn_at", "the day of withdrawal", delete_rows,
            subject="subject_id",
        ),
    ),
    RecordKind(
        "consent.directives", "What was said against uses, and taken back", Category.CONSENT,
        ("consent.Directive",), Ending.TERM,
        term=Term(
            _directives, "lifted_at", "the day it was taken back", _end_directives,
            subject="subject_id",
        ),
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
