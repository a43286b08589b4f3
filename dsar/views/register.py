"""The register of requests: figures of a year, and the files for an authority."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Capability
from dsar.selectors import today_at
from dsar.selectors.register import first_year, register_of
from dsar.services.registering import as_csv, as_json, record_of_processing, statistics
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose

_FORMS = {"csv": (as_csv, "text/csv; charset=utf-8"), "json": (as_json, "application/json")}


def _organisation(request: HttpRequest) -> Organisation:
    return Organisation.objects.get(pk=request.actor.organisation_id)


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def register(request: HttpRequest) -> HttpResponse:
    """What came in, how it stands, and how long answers took; of one year."""
    organisation = _organisation(request)
    today = today_at(organisation)
    wanted = request.GET.get("year", "")
    year = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) == 4 else None
    years = list(range(today.year, (first_year(request.actor) or today.year) - 1, -1))
    year = year if year in years else today.year
    rows = register_of(request.actor, organisation, year)
    context = statistics(rows, today) | {
        "organisation": organisation, "year": year, "years": years,
        "record": record_of_processing(organisation),
    }  # fmt: skip
    return render(request, "dsar/register.html", context)


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def register_file(request: HttpRequest, year: int, form: str) -> HttpResponse:
    """The register of a year as a file, to hand to an authority; written down."""
    if form not in _FORMS or not 2000 <= year <= 2999:
        raise Http404
    write, media_type = _FORMS[form]
    organisation = _organisation(request)
    response = HttpResponse(
        write(actor=request.actor, organisation=organisation, year=year), content_type=media_type
    )
    response["Content-Disposition"] = f'attachment; filename="requests-{year}.{form}"'
    return response
