"""Records for authorities: what was handed out, and handing out more (AVMI-3.5, XENRAD-3.14)."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import needs, needs_step_up
from accounts.rules import Capability
from governance.forms import LegalExportForm
from governance.models import LegalExport
from governance.rules.legal_export import ExportRefused
from governance.services.legal_export import export_under_law
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.rules.schema.uses import GROUNDS
from policies.selectors import effective_pack


@needs(Capability.SEE_TRAIL)
@require_safe
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def legal_exports(request: HttpRequest) -> HttpResponseBase:
    exports = LegalExport.objects.filter(
        organisation_id=request.actor.organisation_id
    ).select_related("made_by")
    listed = [(one, GROUNDS.get(one.ground, one.ground)) for one in exports.order_by("-made_at")]
    may_make = request.actor.can(Capability.DISCLOSE_UNDER_LAW)
    context = {"listed": listed, "may_make": may_make}
    return render(request, "governance/legal_exports.html", context)


@needs(Capability.DISCLOSE_UNDER_LAW)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.TRAIL)
def legal_export_new(request: HttpRequest) -> HttpResponseBase:
    """Ask for the duty first; the answer is the file itself."""
    if to_prove := needs_step_up(request):
        return to_prove
    pack = effective_pack(request.actor.organisation_id)
    form = LegalExportForm(request.POST or None, grounds=pack["legal.grounds"])
    if request.method == "POST" and form.is_valid():
        try:
            made, found = export_under_law(acting=request.actor, wanted=form.wanted)
        except ExportRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            name = f"trail-{made.since}-{made.until}.jsonl"
            answer = FileResponse(found, as_attachment=True, filename=name)
            answer["Content-Type"] = "application/jsonl"
            return answer
    status = 422 if form.is_bound else 200
    return render(request, "governance/legal_export_new.html", {"form": form}, status=status)
