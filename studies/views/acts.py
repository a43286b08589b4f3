"""What somebody did themselves, out of the trail: on a page, and as a file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, time, timedelta

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import signed_in
from accounts.services.trail import record
from audit.models import Event
from audit.rules.vocabulary import known_actions, label_of
from audit.selectors import MAX_PAGE, Asked, PositionRefused, own_acts
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.timeline import about_of, lines_of

PER_PAGE = 100
MOST_IN_A_FILE = 20 * MAX_PAGE
_DAY = {"type": "date", "class": "input"}


class ActsForm(forms.Form):
    """Which of one's acts to show. Nothing chosen: all of them."""

    action = forms.ChoiceField(
        label="Only", required=False, widget=forms.Select(attrs={"class": "input"})
    )
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs=_DAY))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs=_DAY))

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        kinds = [(one.name, one.label) for one in known_actions()]
        self.fields["action"].choices = [("", "every act"), *kinds]  # type: ignore[attr-defined]

    def asked(self) -> Asked:
        values = self.cleaned_data
        until = values["until"]
        return Asked(
            action=values["action"],
            since=_beginning_of(values["since"]) if values["since"] else None,
            before=_beginning_of(until) + timedelta(days=1) if until else None,
        )


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.TRAIL)
def my_acts(request: HttpRequest) -> HttpResponse:
    """List what the signed-in person did for the organisation they work for, the latest first."""
    form = ActsForm(request.GET)
    wanted = form.is_valid()
    asked = form.asked() if wanted else Asked()
    as_file = wanted and request.GET.get("as") == "csv"
    if as_file:
        events, onward = _all_acts(request, asked), ""
    else:
        events, onward = _some_acts(request, asked, request.GET.get("after", ""), PER_PAGE)
    record(action="trail.read", actor=request.actor, details={"results": len(events)})
    if as_file:
        return _file_of(events)
    query = request.GET.copy()
    query.pop("after", None)
    lines = lines_of(events, reader_id=request.actor.user_id, concerning=True)
    context = {"form": form, "lines": lines, "next": onward, "query": query.urlencode()}
    return render(request, "studies/my_acts.html", context, status=200 if wanted else 422)


def _some_acts(
    request: HttpRequest, asked: Asked, after: str, limit: int
) -> tuple[list[Event], str]:
    try:
        page = own_acts(
            user_id=request.actor.user_id,
            organisation_id=request.actor.organisation_id,
            asked=asked,
            after=after,
            limit=limit,
        )
    except PositionRefused:
        raise BadRequest("This is not a page of your acts.") from None
    return page.events, page.next


def _all_acts(request: HttpRequest, asked: Asked) -> list[Event]:
    found: list[Event] = []
    after = ""
    while len(found) < MOST_IN_A_FILE:
        events, after = _some_acts(request, asked, after, MAX_PAGE)
        found += events
        if not after:
            break
    return found


def _file_of(events: list[Event]) -> HttpResponse:
    """Write a table for spreadsheets. No value of it is anybody's free text."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["When (UTC)", "What", "Outcome", "Concerning", "Purpose", "Reason"])
    for event in events:
        when = event.occurred_at.astimezone(UTC).isoformat(timespec="seconds")
        table.writerow(
            [
                when, label_of(event.action), event.outcome, about_of(event), event.purpose,
                event.reason,
            ]
        )  # fmt: skip
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="what-i-did.csv"'
    return response


def _beginning_of(day: object) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))  # type: ignore[arg-type]
