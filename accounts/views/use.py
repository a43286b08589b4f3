"""Trends of use, for administrators: counts of groups. And windows of support, under a ticket."""

from __future__ import annotations

import csv
from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import SupportForm
from accounts.permissions import needs, needs_step_up
from accounts.rules import Capability
from accounts.rules.use import period_of
from accounts.selectors.use import (
    Trends,
    members_supported_by,
    periods_shown,
    trends_of,
    windows_of,
)
from accounts.services.support import (
    SupportRefused,
    close_support_window,
    open_support_window,
    read_joined_records,
)
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose
from policies.selectors import packs_held

PER_PAGE = 50


@needs(Capability.MANAGE_CONFIGURATION)
@require_safe
@uses(Purpose.ANALYTICS, Category.TECHNICAL, otherwise=(Purpose.SERVICE_IMPROVEMENT,))
def trends(request: HttpRequest) -> HttpResponse:
    pack = _pack(request)
    found = _trends(request, pack)
    context = {
        "trends": found,
        "features": _by_feature(found),
        "periods": periods_shown(pack),
        "today": timezone.now().date(),
        "noted": bool(pack["optional_events"]),
        "keep_days": pack["logs.keep_days"],
    }
    return render(request, "accounts/trends.html", context)


@needs(Capability.MANAGE_CONFIGURATION)
@require_safe
@uses(Purpose.ANALYTICS, Category.TECHNICAL, otherwise=(Purpose.SERVICE_IMPROVEMENT,))
def trends_csv(request: HttpRequest) -> HttpResponse:
    """The same counts as a table, and nothing else (LIFEIMAGE-15.3)."""
    found = _trends(request, _pack(request))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="use-{found.begins_on}.csv"'
    table = csv.writer(answer)
    table.writerow(["of", "from", "what", "people", "uses", "median ms", "95 % within ms"])
    for week in found.weeks:
        for one in week.features:
            table.writerow(["feature", week.begins_on, one.label, one.people, one.uses, "", ""])
    for duration in found.durations:
        numbers = ["", duration.median, duration.late]
        table.writerow(["duration", found.begins_on, duration.label, duration.people, *numbers])
    for of, counts in (
        ("error", found.outcomes),
        ("browser", found.browsers),
        ("visitor", found.visitors),
        ("member", found.members),
    ):
        for one in counts:
            people = "" if one.people is None else one.people
            table.writerow([of, found.begins_on, one.label, people, one.uses, "", ""])
    return answer


def _pack(request: HttpRequest) -> Pack:
    held = packs_held(request.actor.organisation_id) if request.actor.organisation_id else ()
    if not held:
        raise Http404
    return held[-1]


def _trends(request: HttpRequest, pack: Pack) -> Trends:
    """The four weeks that the address asks for, or the running ones."""
    shown = periods_shown(pack)
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        asked = shown[0]
    begins_on = next((one for one in shown if period_of(one) == period_of(asked)), shown[0])
    return trends_of(request.actor.organisation_id, pack, begins_on)


def _by_feature(found: Trends) -> list[dict[str, object]]:
    """For each feature its four weeks, with the length of each bar; None: too small a group."""
    names = sorted({one.label for week in found.weeks for one in week.features})
    most = max((one.uses for week in found.weeks for one in week.features), default=1)
    lines = []
    for name in names:
        bars = []
        for week in found.weeks:
            one = next((one for one in week.features if one.label == name), None)
            bar = one and {"count": one, "width": round(100 * one.uses / most)}
            bars.append((week.begins_on, bar))
        lines.append({"label": name, "bars": bars})
    return lines


# Windows of support ------------------------------------------------------------------------------
@needs(Capability.JOIN_RECORDS)
@require_safe
@uses(Purpose.SUPPORT, Category.ACCOUNT, Category.TECHNICAL)
def support(request: HttpRequest) -> HttpResponse:
    """Every window that was opened in the organisation, and by whom."""
    page = Paginator(windows_of(request.actor), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/support.html", {"page": page, "now": timezone.now()})


@needs(Capability.JOIN_RECORDS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.SUPPORT, Category.ACCOUNT, Category.TECHNICAL)
def support_open(request: HttpRequest) -> HttpResponse:
    """Open a window: whose records, which ticket, why and for how long."""
    if detour := needs_step_up(request):
        return detour
    form = SupportForm(request.POST or None, members=members_supported_by(request.actor))
    if request.method == "POST" and form.is_valid():
        try:
            window = open_support_window(
                acting=request.actor,
                membership=form.cleaned_data["member"],
                ticket=form.cleaned_data["ticket"],
                reason=form.cleaned_data["reason"],
                hours=form.cleaned_data["hours"],
            )
        except SupportRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Open. The member was told.")
            return redirect("accounts:support_window", pk=window.pk)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/support_open.html", {"form": form}, status=status)


@needs(Capability.JOIN_RECORDS)
@require_safe
@uses(Purpose.SUPPORT, Category.ACCOUNT, Category.TECHNICAL)
def support_window(request: HttpRequest, pk: str) -> HttpResponse:
    """What the window is open for, while it is open (XENRAD-3.7)."""
    window = get_object_or_404(windows_of(request.actor), pk=pk)
    try:
        found = read_joined_records(acting=request.actor, window=window)
    except SupportRefused as refusal:
        raise PermissionDenied(str(refusal)) from None
    return render(request, "accounts/support_window.html", {"window": window, "found": found})


@needs(Capability.JOIN_RECORDS)
@require_POST
@uses(Purpose.SUPPORT, Category.ACCOUNT, Category.TECHNICAL)
def support_close(request: HttpRequest, pk: str) -> HttpResponse:
    window = get_object_or_404(windows_of(request.actor), pk=pk)
    close_support_window(acting=request.actor, window=window)
    messages.success(request, "Closed. Nobody looks through it any more.")
    return redirect("accounts:support")
