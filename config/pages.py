"""What every page shows around its content."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.rules import Capability

# Label, name of the URL, what the asker must be able to do (None: be signed in).
NAVIGATION: list[tuple[str, str, tuple[Capability, ...] | None]] = [
    ("Studies", "studies:worklist", (Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS)),
    ("Send", "studies:upload", (Capability.SUBMIT_STUDIES,)),
    ("Shares", "consent:shares", (Capability.VIEW_IMAGES, Capability.REVOKE_ANY_SHARE)),
    ("Members", "accounts:members", (Capability.MANAGE_MEMBERS,)),
    ("Trail", "studies:trail", (Capability.SEE_TRAIL,)),
    ("My record", "studies:my_record", ()),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The main navigation: only what the asker may open."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {}
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
    return {"main_navigation": items}
