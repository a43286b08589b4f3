"""The only door. Every byte about a person leaves after `authorise` said so, and wrote it down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from consent.rules import decision as rules
from consent.rules.decision import Action, Decision, Resource
from consent.selectors import grant_facts
from consent.selectors.directives import bars_of
from policies.rules.categories import Category
from policies.selectors import NoPolicy, effective_pack, terms_between


class Refused(Exception):
    """The decision was not a permit. Carries it, so that a page can say why and whom to ask."""

    def __init__(self, decision: Decision, resource: Resource) -> None:
        super().__init__(decision.sentence)
        self.decision = decision
        self.resource = resource


def decide(
    *,
    actor: Actor,
    action: Action,
    resource: Resource,
    purpose: str = "",
    at: datetime | None = None,
) -> Decision:
    """Decide, without writing anything down: for a look ahead, or a second look in mid-stream."""
    own = actor.organisation_id == resource.organisation_id
    facts = (
        []
        if own
        else grant_facts(
            actor, study_uid=resource.study_uid, organisation_id=resource.organisation_id
        )
    )
    return rules.decide(
        actor=actor,
        action=action,
        resource=resource,
        grants=facts,
        at=at or timezone.now(),
        purpose=purpose,
        lists=_listing(actor, resource),
        bars=bars_of(resource.subject_id, resource.organisation_id),
    )


def _listing(actor: Actor, resource: Resource) -> Callable[[str], bool]:
    """Say which purposes the policies in force list for images; none where there is no policy."""
    owner, asker = resource.organisation_id, actor.organisation_id
    try:
        if asker is None or asker == owner:
            pack = effective_pack(owner)
            return lambda purpose: pack.lists(purpose, Category.IMAGES)
        return terms_between(owner, asker).may_share_for
    except NoPolicy:
        return lambda _: False


def authorise(
    *,
    actor: Actor,
    action: Action,
    resource: Resource,
    event: str,
    purpose: str = "",
    details: dict[str, Any] | None = None,
    decision: Decision | None = None,
) -> Decision:
    """Decide and record: the permit under the name `event`, a refusal as `access.refused`.

    Pass `decision` where the caller has just had it. Raises `Refused`. The event is written
    before the first byte goes out; if it cannot be written, nothing goes out.
    """
    if decision is None:
        decision = decide(actor=actor, action=action, resource=resource, purpose=purpose)
    target = ("study", resource.study_uid)
    if not decision.is_permit:
        record(
            action="access.refused",
            actor=actor,
            outcome="refused",
            organisation_id=resource.organisation_id,
            subject_id=resource.subject_id,
            target=target,
            reason=decision.reason.value,
            details={"wanted": action.value} | _from_where(actor, resource),
        )
        raise Refused(decision, resource)
    extra = dict(details or {}) | _from_where(actor, resource)
    if decision.grant_ids:
        extra["grants"] = [str(grant) for grant in decision.grant_ids]
    if resource.series_uid:
        extra["series"] = resource.series_uid
    if resource.instance_uid:
        extra["instance"] = resource.instance_uid
    record(
        action=event,
        actor=actor,
        organisation_id=resource.organisation_id,
        subject_id=resource.subject_id,
        target=target,
        purpose=decision.purpose,
        reason=decision.reason.value,
        details=extra,
    )
    return decision


def _from_where(actor: Actor, resource: Resource) -> dict[str, str]:
    """Name the asker's organisation where it is not the one that holds the study."""
    if actor.organisation_id in {None, resource.organisation_id}:
        return {}
    return {"by_organisation": str(actor.organisation_id)}
