"""What the pages of a case share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from disclosures.models import Disclosure
from disclosures.selectors import cases_of
from disclosures.services.entries import DisclosureRefused, NotYours

REFUSED, FORBIDDEN, INVALID = 409, 403, 422


def case_of(request: HttpRequest, number: int) -> Disclosure:
    return get_object_or_404(cases_of(request.actor), number=number)


def status_of(refusal: DisclosureRefused | None, form: Any = None) -> int:
    """403 for whose it is not, 409 for what is missing, 422 for what was written wrongly."""
    if isinstance(refusal, NotYours):
        return FORBIDDEN
    if refusal is not None:
        return REFUSED
    return INVALID if form is not None and form.is_bound else 200


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form of a case on a page of its own: its title, what stands above it, its button, and
    where it leads back and on."""

    title: str
    lead: str
    button: str
    back: str = "disclosures:case"
    has_file: bool = False


def shown_or_done(
    request: HttpRequest, row: Disclosure, form: Any, sheet: Sheet, do: Callable[[], object],
    said: str = "",
) -> HttpResponse:  # fmt: skip
    """Show a form, or do what it says, say so, and lead on. What is refused stands above it."""
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            do()
        except DisclosureRefused as refused:
            refusal = refused
            form.add_error(None, str(refused))
        else:
            if said:
                messages.success(request, said)
            return done_at(row, sheet.back)
    context = {"disclosure": row, "form": form, "sheet": sheet}
    return render(request, "disclosures/act.html", context, status=status_of(refusal, form))


def done_at(row: Disclosure, page: str = "disclosures:case") -> HttpResponse:
    return redirect(page, row.number)


def state_words(row: Disclosure) -> tuple[str, str]:
    """How a case stands in a word, and the kind of badge."""
    release = getattr(row, "release", None)
    if row.review_due_at is not None and row.reviewed_at is None:
        return "Review due", "warn"
    if row.closed_at is not None:
        return "Closed", ""
    if release is not None and release.state == "failed":
        return "Package not made", "bad"
    if release is not None:
        return "Given out", "good"
    return ("Approved", "good") if row.approved_at else ("Open", "")
