"""What lies in the legal archive, for those who answer for it: numbers and ends, never whose."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from retention.models import ArchivedStudy
from retention.selectors.archive import archive_of
from retention.selectors.holds import guard_of
from retention.selectors.keeping import keeping_of_studies, terms_of

PER_PAGE = 50


@needs(Capability.APPROVE_DISPOSAL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
def archive(request: HttpRequest) -> HttpResponse:
    """What law alone keeps here, why, and until when."""
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    page = Paginator(archive_of(request.actor), PER_PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    _note(request.actor, len(rows))
    context = {
        "page": page,
        "rows": _described(organisation, rows),
        "organisation": organisation,
        "may_release": request.actor.can(Capability.ANSWER_REQUESTS),
    }
    return render(request, "retention/archive.html", context)


def _described(organisation: Organisation, rows: list[ArchivedStudy]) -> list[dict[str, object]]:
    studies = [row.study for row in rows]
    keepings = keeping_of_studies(studies, terms_of(organisation)) if studies else {}
    guard = guard_of(organisation.pk, studies) if studies else None
    return [
        {
            "row": row,
            "modalities": ", ".join(filter(None, row.study.modalities.split("\\"))),
            "keeping": keepings.get(row.study_id),
            "bar": guard.bar_for(row.study) if guard else None,
        }
        for row in rows
    ]


def _note(actor: Actor, shown: int) -> None:
    """Whoever looks sees days of examinations, so that stands in the trail."""
    record(
        action="archive.viewed", actor=actor,
        target=("organisation", str(actor.organisation_id)), details={"shown": shown},
    )  # fmt: skip
