"""Who may be what, for how long, and how a number is checked. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from accounts.rules.cards import passes_luhn
from policies.rules.categories import HEALTH, Category


class Role(StrEnum):
    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    OFFICER = "officer"
    AUDITOR = "auditor"
    RESEARCHER = "researcher"
    PLATFORM = "platform"


ROLE_LABELS = {
    Role.CLINICIAN: "Clinician",
    Role.ADMINISTRATOR: "Organisation administrator",
    Role.OFFICER: "Privacy officer",
    Role.AUDITOR: "Auditor",
    Role.RESEARCHER: "Researcher",
    Role.PLATFORM: "Platform administrator",
}


class Capability(StrEnum):
    """What a role lets a person do inside their own organisation (C03, need to know)."""

    VIEW_IMAGES = "view_images"
    SUBMIT_STUDIES = "submit_studies"
    SHARE_STUDIES = "share_studies"
    SEE_SUBJECTS = "see_subjects"
    SEE_TRAIL = "see_trail"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_CONFIGURATION = "manage_configuration"
    REVOKE_ANY_SHARE = "revoke_any_share"
    DISCLOSE_UNDER_LAW = "disclose_under_law"
    ANSWER_REQUESTS = "answer_requests"
    HANDLE_INCIDENTS = "handle_incidents"
    JOIN_RECORDS = "join_records"
    PREPARE_RELEASES = "prepare_releases"
    APPROVE_RELEASES = "approve_releases"
    LOOK_UP_LINKS = "look_up_links"
    PLACE_HOLDS = "place_holds"
    APPROVE_DISPOSAL = "approve_disposal"


# Neither a platform administrator nor an auditor ever sees images.
ROLE_CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.CLINICIAN: frozenset(
        {
            Capability.VIEW_IMAGES,
            Capability.SUBMIT_STUDIES,
            Capability.SHARE_STUDIES,
            Capability.SEE_SUBJECTS,
            Capability.PREPARE_RELEASES,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Capability.MANAGE_MEMBERS,
            Capability.MANAGE_CONFIGURATION,
            Capability.HANDLE_INCIDENTS,
            Capability.JOIN_RECORDS,
            Capability.APPROVE_DISPOSAL,
        }
    ),
    Role.OFFICER: frozenset(
        {
            Capability.SEE_SUBJECTS,
            Capability.SEE_TRAIL,
            Capability.REVOKE_ANY_SHARE,
            Capability.DISCLOSE_UNDER_LAW,
            Capability.ANSWER_REQUESTS,
            Capability.HANDLE_INCIDENTS,
            Capability.JOIN_RECORDS,
            Capability.APPROVE_RELEASES,
            Capability.LOOK_UP_LINKS,
            Capability.PLACE_HOLDS,
            Capability.APPROVE_DISPOSAL,
        }
    ),
    Role.AUDITOR: frozenset({Capability.SEE_TRAIL}),
    Role.RESEARCHER: frozenset({Capability.PREPARE_RELEASES}),
    Role.PLATFORM: frozenset({Capability.MANAGE_CONFIGURATION}),
}


_OF_PATIENTS = frozenset({Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS})
# Any of these lets a person use data of the category for the organisation. A sensitive category
# that is not here is used by nobody (MEDDIM-1.3).
READERS: dict[Category, frozenset[Capability]] = {
    Category.IDENTITY: _OF_PATIENTS,
    Category.MEDICAL: _OF_PATIENTS,
    Category.IMAGES: _OF_PATIENTS,
    Category.REPORTS: _OF_PATIENTS,
    Category.BILLING: frozenset({Capability.MANAGE_CONFIGURATION}),
}
_READ_BY_ROLE = HEALTH | {Category.BILLING}


def may_use(capabilities: frozenset[Capability], category: Category) -> bool:
    """Does any of these capabilities let a person use data of the category?"""
    if category not in _READ_BY_ROLE:
        return True
    return bool(capabilities & READERS.get(category, frozenset()))


class Scope(StrEnum):
    """What an API token may do; never more than its membership's roles."""

    READ = "studies:read"
    WRITE = "studies:write"
    SHARE = "consent:write"
    AUDIT = "audit:read"


class Factor(StrEnum):
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    DEMO = "demo"


FACTOR_LABELS = {
    Factor.TOTP: "a code from an authenticator app",
    Factor.PASSKEY: "a passkey",
    Factor.RECOVERY: "a one-time recovery code",
    Factor.DEMO: "the demonstration's sign-in link",
}


class FirstFactor(StrEnum):
    """With what a session was begun, before the second factor."""

    PASSWORD = "password"  # noqa: S105 - a kind of proof
    DEMO = "demo"


FIRST_FACTOR_LABELS = {
    FirstFactor.PASSWORD: "a password",
    FirstFactor.DEMO: FACTOR_LABELS[Factor.DEMO],
}


def words_of_factor(code: str) -> str:
    """What a factor is called, the first or the second; an older release may have known others."""
    words: Mapping[Any, str] = {**FIRST_FACTOR_LABELS, **FACTOR_LABELS}
    return words.get(code, code)


def first_factor_of(second: str) -> FirstFactor:
    """The first factor of a session that did not note it: only demonstrations need no password."""
    return FirstFactor.DEMO if second == Factor.DEMO else FirstFactor.PASSWORD


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts: unused, and at most."""

    idle: timedelta
    absolute: timedelta


SESSION_LIMITS = SessionLimits(timedelta(minutes=30), timedelta(hours=12))
# A computer that others use too (LIFEIMAGE-15.11).
PUBLIC_COMPUTER_LIMITS = SessionLimits(timedelta(minutes=5), timedelta(hours=1))
STEP_UP_LASTS = timedelta(minutes=5)
INVITATION_LASTS = timedelta(days=7)
TOKEN_LASTS_AT_MOST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or token) who asks, as plain values; made once per request."""

    user_id: int
    name: str
    organisation_id: UUID | None = None
    organisation_name: str = ""
    organisation_slug: str = ""
    membership_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] | None = None
    # The agreement under which a partner's program acts.
    agreement_id: UUID | None = None
    token_id: UUID | None = None
    session: str = ""
    stepped_up_at: datetime | None = None
    # The second factor that was shown last, and what the session was begun with.
    factor: str = ""
    first_factor: str = ""
    first_proved_at: datetime | None = None
    capabilities: frozenset[Capability] = field(default=frozenset())
    # The version of the organisation's policy that the person accepted last.
    accepted_version: UUID | None = None
    # Purposes of the policy that the person objects to (GDPR Art. 21).
    objected_to: frozenset[str] = frozenset()
    # A browser that others use too, as the person said when signing in.
    public_computer: bool = False
    # How long proving again who one is holds, by the policy in force.
    step_up_lasts: timedelta = STEP_UP_LASTS

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities

    def is_fresh(self, now: datetime) -> bool:
        """Has this person just proved again who they are?"""
        since = self.stepped_up_at
        return since is not None and timedelta(0) <= now - since <= self.step_up_lasts

    def has_scope(self, scope: Scope) -> bool:
        """A session may do all its roles allow; a token only what it was issued for."""
        return self.scopes is None or scope in self.scopes


def capabilities_of(roles: frozenset[Role]) -> frozenset[Capability]:
    return frozenset().union(*(ROLE_CAPABILITIES[role] for role in roles))


def session_limits(
    *, public_computer: bool, idle_minutes: int | None, absolute_hours: int | None
) -> SessionLimits:
    """Return the limits by the policy in force; on a shared computer never longer than its own."""
    idle = timedelta(minutes=idle_minutes) if idle_minutes else SESSION_LIMITS.idle
    absolute = timedelta(hours=absolute_hours) if absolute_hours else SESSION_LIMITS.absolute
    if not public_computer:
        return SessionLimits(idle, absolute)
    return SessionLimits(
        min(idle, PUBLIC_COMPUTER_LIMITS.idle), min(absolute, PUBLIC_COMPUTER_LIMITS.absolute)
    )


def session_expired(
    *, limits: SessionLimits, now: datetime, started_at: datetime, seen_at: datetime
) -> bool:
    return now - seen_at > limits.idle or now - started_at > limits.absolute


def is_valid_npi(number: str) -> bool:
    """Check a US NPI: ten digits, Luhn over the prefix 80840 (45 CFR 162.406)."""
    if len(number) != 10 or not (number.isascii() and number.isdigit()):
        return False
    return passes_luhn(f"80840{number}")


def digest_of_secret(secret: str) -> str:
    """Hash a random secret of at least 128 bits; no stretching is needed at that length."""
    return hashlib.sha256(secret.encode()).hexdigest()
