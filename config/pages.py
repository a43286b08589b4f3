"""What every page shows around its content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts.models import Notification
from accounts.rules import Actor, Capability
from accounts.selectors import OpenMessages, announcements_waiting_for, open_messages_of
from policies.selectors import packs_held

# Label, name of the URL, what the asker must be able to do (None: be signed in).
NAVIGATION: list[tuple[str, str, tuple[Capability, ...] | None]] = [
    ("Studies", "studies:worklist", (Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS)),
    ("Send", "studies:upload", (Capability.SUBMIT_STUDIES,)),
    ("Shares", "consent:shares", (Capability.VIEW_IMAGES, Capability.REVOKE_ANY_SHARE)),
    ("Members", "accounts:members", (Capability.MANAGE_MEMBERS,)),
    ("Policy", "governance:policy", (Capability.MANAGE_CONFIGURATION,)),
    ("Inventory", "governance:inventory", (Capability.MANAGE_CONFIGURATION, Capability.SEE_TRAIL)),
    ("Promises", "governance:promises", (Capability.MANAGE_CONFIGURATION, Capability.SEE_TRAIL)),
    ("Offers", "accounts:campaigns", (Capability.MANAGE_CONFIGURATION,)),
    ("Trail", "studies:trail", (Capability.SEE_TRAIL,)),
    ("My record", "studies:my_record", ()),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The main navigation: only what the asker may open."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {"policy_link": {"url": reverse("accounts:notices"), "since": None}}
    items = []
    for label, name, capabilities in NAVIGATION:
        if capabilities == ():
            allowed = actor.organisation_id is None
        else:
            allowed = capabilities is None or any(actor.can(one) for one in capabilities)
        if allowed:
            url = reverse(name)
            inside = request.path == url or (url != "/" and request.path.startswith(url))
            items.append({"label": label, "url": url, "current": inside})
    # Where people begin to work, an announcement is shown until they have taken note of it.
    at_home = any(item["url"] == request.path for item in items)
    # Asked only if the page shows its masthead: fragments and programs do not.
    open_messages = SimpleLazyObject(lambda: open_messages_of(actor))
    return {
        "main_navigation": items,
        "policy_link": _policy_link(actor),
        "open_messages": open_messages,
        "announcements": _Announcements(actor, open_messages) if at_home else [],
    }


def _policy_link(actor: Actor) -> dict[str, Any]:
    """The notice in force, at the foot of every page (MEDDIM-14.4)."""
    held = (
        packs_held(actor.organisation_id)
        if actor.organisation_id and actor.organisation_slug
        else ()
    )
    if not held:
        return {"url": reverse("accounts:notices"), "since": None}
    url = reverse("accounts:notice", args=[actor.organisation_slug])
    return {"url": url, "since": held[-1].effective_at}


class _Announcements:
    """What waits to be acknowledged; looked up only if something does."""

    def __init__(self, actor: Actor, open_messages: SimpleLazyObject[OpenMessages]) -> None:
        self._actor, self._open = actor, open_messages

    def __iter__(self) -> Iterator[Notification]:
        return iter(announcements_waiting_for(self._actor) if self._open.waiting else [])
