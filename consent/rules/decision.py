"""The decision: may this person do this to these images, now, for this purpose? Pure.

Deny by default. Three answers, as XACML 3.0 has them: permit, deny, and indeterminate when
a fact that is needed could not be had (which releases nothing either).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from accounts.rules import Actor, Capability, Scope
from consent.rules.directives import DIRECTIVES, Bar, DirectiveKind, barring


class Action(StrEnum):
    SEARCH = "search"
    VIEW = "view"
    DOWNLOAD = "download"
    STORE = "store"
    SHARE = "share"


class Outcome(StrEnum):
    PERMIT = "permit"
    DENY = "deny"
    INDETERMINATE = "indeterminate"


class Reason(StrEnum):
    OWN_ORGANISATION = "own-organisation"
    GRANTED = "granted"
    UNKNOWN = "unknown"
    ROLE = "role"
    SCOPE = "scope"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_ITEM = "not-item"
    NO_DOWNLOAD = "no-download"
    OTHER_PURPOSE = "other-purpose"
    OWNER_ONLY = "owner-only"
    NOT_LISTED = "purpose-not-listed"
    # The person's own word against it, one for each kind of directive.
    RESTRICTED = "restriction"
    NOT_DISCLOSED = "disclosure"
    KEPT_FROM_PLAN = "health-plan"
    OBJECTED = "objection"
    LIMITED = "limit-sensitive"
    OPTED_OUT = "opt-out"
    WITHDRAWN = "withdrawal"
    UNAVAILABLE = "unavailable"


SENTENCES = {
    Reason.OWN_ORGANISATION: "Your organisation holds this study.",
    Reason.GRANTED: "This was shared with you.",
    Reason.UNKNOWN: "There is no such study, or it was never shared with you.",
    Reason.ROLE: "Your role does not include looking at images.",
    Reason.SCOPE: "This token was not issued for that.",
    Reason.REVOKED: "The share was revoked.",
    Reason.EXPIRED: "The share has ended.",
    Reason.NOT_ITEM: "This part of the study was not among the items that were shared with you.",
    Reason.NO_DOWNLOAD: "The share lets you look at the images, not download them.",
    Reason.OTHER_PURPOSE: "The share is for another purpose.",
    Reason.NOT_LISTED: "The privacy policies in force do not list this purpose for images.",
    Reason.OWNER_ONLY: "Only the organisation that holds the study can do this.",
    Reason.UNAVAILABLE: "Whether you may see this could not be found out. Nothing was released.",
    **{Reason(kind.value): facts.denied for kind, facts in DIRECTIVES.items()},
}
# Storage goes on whatever was said, and that there is something stays known to its holder, who
# has to answer for it (GDPR Art. 18(2), recital 67).
KEPT_BY_HOLDER = frozenset({Action.SEARCH, Action.STORE})

# What a person's role must include, inside their own organisation, for each action.
NEEDED = {
    # That a study exists, and whom it is about: officers need that; images they do not see.
    Action.SEARCH: Capability.SEE_SUBJECTS,
    Action.VIEW: Capability.VIEW_IMAGES,
    Action.DOWNLOAD: Capability.VIEW_IMAGES,
    Action.STORE: Capability.SUBMIT_STUDIES,
    Action.SHARE: Capability.SHARE_STUDIES,
}
NEEDED_SCOPE = {
    Action.SEARCH: Scope.READ,
    Action.VIEW: Scope.READ,
    Action.DOWNLOAD: Scope.READ,
    Action.STORE: Scope.WRITE,
    Action.SHARE: Scope.SHARE,
}


@dataclass(frozen=True, slots=True)
class Item:
    """What one line of a grant releases: a study, one of its series, or one object (a report).

    It covers what had been received when it was agreed; what came later was not agreed to.
    """

    study_uid: str
    series_uid: str = ""
    instance_uid: str = ""

    def covers(self, *, series_uid: str, instance_uid: str) -> bool:
        if self.series_uid and self.series_uid != series_uid:
            return False
        return not self.instance_uid or self.instance_uid == instance_uid


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant as the decision needs it."""

    id: UUID
    purpose: str
    may_download: bool
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    items: tuple[Item, ...]

    def is_active(self, at: datetime) -> bool:
        return self.revoked_at is None and self.granted_at <= at < self.expires_at


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for: a study of an organisation, or a part of it."""

    organisation_id: UUID
    study_uid: str
    series_uid: str = ""
    instance_uid: str = ""
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Scoped:
    """One item that a permit rests on, and until when an object must have been received."""

    item: Item
    received_until: datetime
    grant_id: UUID


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    reason: Reason
    purpose: str = ""
    # None: all of the resource. Else only what one of these covers.
    scope: tuple[Scoped, ...] | None = ()

    @property
    def is_permit(self) -> bool:
        return self.outcome is Outcome.PERMIT

    @property
    def sentence(self) -> str:
        return SENTENCES[self.reason]

    @property
    def is_by_directive(self) -> bool:
        """Did the person's own word decide?"""
        return self.reason.value in set(DirectiveKind)

    @property
    def is_known(self) -> bool:
        """May the asker be told that the study exists? Else the answer is 404, not 403."""
        return self.reason is not Reason.UNKNOWN

    @property
    def grant_ids(self) -> tuple[UUID, ...]:
        return tuple(dict.fromkeys(scoped.grant_id for scoped in self.scope or ()))

    def releases(self, *, series_uid: str, instance_uid: str, received_at: datetime) -> bool:
        """Is this one object among what the permit covers?"""
        if not self.is_permit:
            return False
        return self.scope is None or any(
            received_at <= scoped.received_until
            and scoped.item.covers(series_uid=series_uid, instance_uid=instance_uid)
            for scoped in self.scope
        )


def _deny(reason: Reason) -> Decision:
    return Decision(Outcome.DENY, reason)


def decide(
    *,
    actor: Actor,
    action: Action,
    resource: Resource,
    grants: Iterable[GrantFacts],
    at: datetime,
    lists: Callable[[str], bool],
    purpose: str = "",
    bars: Sequence[Bar] = (),
) -> Decision:
    """Decide from facts alone.

    `grants` are all grants, active or not, that name this actor (or the actor's organisation)
    and this study. `purpose` empty means: any that was agreed. `lists` says of a purpose whether
    the policies in force list it for images: the owner's, and the recipient's where there is one.
    `bars` are the directives in force of whom the study is about; they only ever take away.
    """
    if not actor.has_scope(NEEDED_SCOPE[action]):
        return _deny(Reason.SCOPE)
    if actor.organisation_id == resource.organisation_id:
        if not actor.can(NEEDED[action]):
            return _deny(Reason.ROLE)
        own = purpose or "treatment"
        if not lists(own):
            return _deny(Reason.NOT_LISTED)
        against = _against(bars, own, actor, resource)
        if against is not None and action not in KEPT_BY_HOLDER:
            return _deny(against)
        return Decision(Outcome.PERMIT, Reason.OWN_ORGANISATION, own, None)
    return _decide_for_recipient(actor, action, resource, tuple(grants), at, purpose, lists, bars)


def _against(bars: Sequence[Bar], purpose: str, actor: Actor, resource: Resource) -> Reason | None:
    """The directive that stands against a use; None: nobody said anything against it."""
    found = barring(
        bars,
        purpose=purpose,
        study_uid=resource.study_uid,
        recipient=actor.organisation_id,
        owner=actor.organisation_id == resource.organisation_id,
    )
    return Reason(found.kind.value) if found else None


# What a grant must be for this use, and why not where none is.
_Step = tuple[Callable[[GrantFacts], bool], Callable[[GrantFacts], Reason]]


def _steps(
    actor: Actor,
    action: Action,
    resource: Resource,
    purpose: str,
    lists: Callable[[str], bool],
    bars: Sequence[Bar],
) -> tuple[_Step, ...]:
    def against(grant: GrantFacts) -> Reason | None:
        return _against(bars, grant.purpose, actor, resource)

    return (
        (lambda grant: not purpose or grant.purpose == purpose, lambda _: Reason.OTHER_PURPOSE),
        (lambda grant: lists(grant.purpose), lambda _: Reason.NOT_LISTED),
        (
            lambda grant: against(grant) is None,
            lambda grant: against(grant) or Reason.UNAVAILABLE,
        ),
        (
            lambda grant: action is not Action.DOWNLOAD or grant.may_download,
            lambda _: Reason.NO_DOWNLOAD,
        ),
    )


def _decide_for_recipient(
    actor: Actor,
    action: Action,
    resource: Resource,
    grants: Sequence[GrantFacts],
    at: datetime,
    purpose: str,
    lists: Callable[[str], bool],
    bars: Sequence[Bar],
) -> Decision:
    if not grants:
        return _deny(Reason.UNKNOWN)
    if not actor.can(Capability.VIEW_IMAGES):
        return _deny(Reason.ROLE)
    if action in {Action.SHARE, Action.STORE}:
        return _deny(Reason.OWNER_ONLY)
    active = [grant for grant in grants if grant.is_active(at)]
    if not active:
        latest = max(grants, key=lambda grant: grant.revoked_at or grant.expires_at)
        return _deny(Reason.REVOKED if latest.revoked_at else Reason.EXPIRED)
    fitting = active
    for keeps, why in _steps(actor, action, resource, purpose, lists, bars):
        left = [grant for grant in fitting if keeps(grant)]
        if not left:
            return _deny(why(fitting[0]))
        fitting = left
    scope = tuple(
        Scoped(item, grant.granted_at, grant.id)
        for grant in fitting
        for item in grant.items
        if _touches(item, resource)
    )
    if not scope:
        return _deny(Reason.NOT_ITEM)
    return Decision(Outcome.PERMIT, Reason.GRANTED, fitting[0].purpose, scope)


def _touches(item: Item, resource: Resource) -> bool:
    """Does the item release anything of the resource?"""
    if item.study_uid != resource.study_uid:
        return False
    if item.series_uid and resource.series_uid and item.series_uid != resource.series_uid:
        return False
    return not (
        item.instance_uid and resource.instance_uid and item.instance_uid != resource.instance_uid
    )
