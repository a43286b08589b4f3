"""The board of promises: what the organisation's policy promises, and how each stands now."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import needs
from accounts.rules import Capability
from governance.rules.promises import State, grouped, shares_of
from governance.services.promises import promises_under
from policies.rules.gate import uses_no_personal_data
from policies.selectors import packs_held


@needs(Capability.MANAGE_CONFIGURATION, Capability.SEE_TRAIL)
@require_safe
@uses_no_personal_data
def promises(request: HttpRequest) -> HttpResponse:
    held = packs_held(request.actor.organisation_id) if request.actor.organisation_id else ()
    if not held:
        raise Http404
    wanted = request.GET.get("state", "")
    if wanted and wanted not in set(State):
        raise BadRequest("There is no such state of a promise.")
    pack = held[-1]
    found = promises_under(pack.code, pack.values)
    shown = [one for one in found if not wanted or one.state == wanted]
    return render(
        request,
        "governance/promises.html",
        {
            "pack": pack,
            "groups": grouped(shown),
            "shares": shares_of(found),
            "total": len(found),
            "state": wanted,
            "seen_at": timezone.now(),
        },
    )
