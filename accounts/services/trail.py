"""How accounts write into the trail: an actor as values, and from where the request came."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.rules import Actor
from audit.models import Event
from audit.rules.identifiers import truncated_network
from audit.services import ANONYMOUS, SYSTEM, ActorRef, RequestMeta, TargetRef
from audit.services import record as record_event
from policies.rules.gate import current_purpose

# Set once for each request, so that services need not hand it down.
_request: ContextVar[RequestMeta | None] = ContextVar("accounts_trail_request", default=None)


def remember_request(request: HttpRequest) -> None:
    """Keep what an event may say of the request it came with: network and request id."""
    address = _address_of(request)
    request_id = request.META.get("HTTP_X_REQUEST_ID", "")
    plain = request_id if request_id.isalnum() and len(request_id) <= 64 else ""
    _request.set(RequestMeta(network=truncated_network(address), request_id=plain))


def _address_of(request: HttpRequest) -> str:
    """Where a request came from: deployed, as the proxy in front says, which appends it."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.DEPLOYED else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


def current_network() -> str:
    """The shortened network address that the request under way came from; empty in a job."""
    meta = _request.get()
    return meta.network if meta else ""


def actor_ref(actor: Actor) -> ActorRef:
    kind = "token" if actor.token_id else "user"
    return ActorRef(kind, str(actor.user_id), "+".join(sorted(actor.roles))[:40])


def user_ref(user: User) -> ActorRef:
    return ActorRef("user", str(user.pk))


def anonymous_ref() -> ActorRef:
    return ANONYMOUS


def system_ref() -> ActorRef:
    return SYSTEM


def record(
    *,
    action: str,
    actor: Actor | ActorRef,
    target: tuple[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
    **values: Any,
) -> Event:
    """Record an event of an actor; `target` is a kind and an id, or a study and its UID."""
    meta = _request.get() or RequestMeta()
    values.setdefault("purpose", current_purpose())
    if isinstance(actor, Actor):
        values.setdefault("organisation_id", actor.organisation_id)
        meta = replace(
            meta, session=(str(actor.token_id) if actor.token_id else actor.session)[:32]
        )
        actor = actor_ref(actor)
    return record_event(
        action=action,
        actor=actor,
        target=_target(target),
        details=details,
        request_meta=meta,
        **values,
    )


def _target(target: tuple[str, str] | None) -> TargetRef | None:
    if target is None:
        return None
    kind, value = target
    return TargetRef(kind, uid=value) if kind == "study" else TargetRef(kind, id=value)
