"""Other laws for a case: first both pictures, then the act."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.permissions import needs
from accounts.rules import Capability
from dsar.forms import LawsForm
from dsar.models import Case
from dsar.rules.laws import LAW_LABELS, Law
from dsar.rules.offers import bars, place_of
from dsar.rules.states import Act, refusal_of
from dsar.selectors import cases_of, standing_of, today_at
from dsar.selectors.laws import Picture, Pictures, picture_of, pictures_of
from dsar.services.changing_laws import change_laws
from dsar.services.entries import CaseRefused
from dsar.views.case_pages import place_words
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.ANSWER_REQUESTS)
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def laws(request: HttpRequest, number: str) -> HttpResponse:
    """Show what would change, and change it once that was seen; 409 for what cannot be."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    refusal = refusal_of(Act.LAWS, standing_of(case), today_at(case.organisation))
    form = LawsForm(request.POST or None, case=case)
    if refusal or not form.is_valid():
        return _page(request, case, form, refusal)
    change, seen = form.change(), form.cleaned_data["seen"]
    pictures = pictures_of(case, change)
    if pictures.refusal or not seen:
        if pictures.refusal:
            form.add_error(None, pictures.refusal)
        return _page(request, case, form, pictures.refusal, pictures)
    try:
        change_laws(
            actor=request.actor, case=case, change=change, text=form.cleaned_data["text"], seen=seen
        )
    except CaseRefused as refused:
        form.add_error(None, str(refused))
        return _page(request, case, form, str(refused), pictures)
    told = ", and the person is told." if pictures.moves else "; the day stays."
    messages.success(request, f"Changed{told}")
    return redirect("dsar:case", number)


def _page(
    request: HttpRequest, case: Case, form: LawsForm, refusal: str,
    pictures: Pictures | None = None,
) -> HttpResponse:  # fmt: skip
    context: dict[str, Any] = {"case": case, "form": form, "refusal": refusal}
    if pictures is None or refusal:
        context |= {"now": _shown(case, picture_of(case))}
        status = 409 if refusal else 422 if form.is_bound else 200
        return render(request, "dsar/laws.html", context, status=status)
    context |= {
        "pictures": pictures,
        "before": _shown(case, pictures.before),
        "after": _shown(case, pictures.after),
        "gone": [(LAW_LABELS[law], cites) for law, cites in pictures.cites.items()],
        "is_over": pictures.after.answer_on < today_at(case.organisation),
    }
    return render(request, "dsar/laws_seen.html", context)


def _shown(case: Case, picture: Picture) -> dict[str, Any]:
    """A picture of the laws of a case as the pages show it."""
    clocks, received = picture.deadlines.clocks, case.received_on
    return {
        "laws": [LAW_LABELS[Law(one)] for one in picture.counting.laws],
        "lives_in": place_words(picture.counting.residence),
        "answer_on": picture.answer_on,
        "bars": bars(clocks, received),
        "today": place_of(today_at(case.organisation), clocks, received),
        "mark": picture.mark,
    }
