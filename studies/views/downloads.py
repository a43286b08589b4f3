from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.permissions import signed_in
from consent.rules.decision import Action
from consent.services.decisions import authorise, decide
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.api.wado import Granted, still_allowed
from studies.selectors import instances_released, resource_of
from studies.services.packaging import Package
from studies.views.study import study_or_404


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def download(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Send what is released of a study as a ZIP archive with a DICOMDIR.

    The transfer breaks off when the permit ends; the promised length then shows that it did.
    """
    study = study_or_404(request, uid)
    resource = resource_of(study)
    decision = decide(actor=request.actor, action=Action.DOWNLOAD, resource=resource)
    released = instances_released(study, decision).select_related("blob", "series")
    rows = list(
        released.defer("sealed_metadata", "layout").order_by(
            "series__number", "series_id", "number", "pk"
        )
    )
    authorise(
        actor=request.actor,
        action=Action.DOWNLOAD,
        resource=resource,
        event="study.downloaded",
        decision=decision,
        details={"instances": len(rows)},
    )
    if not rows:
        raise Http404
    package = Package(study, rows)
    found = Granted(request.actor, Action.DOWNLOAD, resource, study, decision, rows)
    response = StreamingHttpResponse(
        still_allowed(package.pieces(), found), content_type="application/zip"
    )
    response["Content-Length"] = str(package.size)
    response["Content-Disposition"] = f'attachment; filename="study-{study.uid}.zip"'
    return response
