"""Show how far a job is: a fragment for pages, JSON for programs."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import Job
from jobs.selectors import job_visible_to


@require_safe
@never_cache
def show_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Answer with the progress of a job; 404 for whoever may not see it."""
    job = job_visible_to(request.user, job_id)
    if job is None:
        raise Http404
    if request.accepts("text/html") and request.GET.get("format") != "json":
        return render(request, "components/progress.html", {"job": job})
    return JsonResponse(_as_json(job))


def _as_json(job: Job) -> dict[str, object]:
    return {
        "id": str(job.id),
        "kind": job.kind,
        "state": job.state,
        "finished": job.is_finished,
        "done": job.done,
        "total": job.total,
        "per_cent": job.per_cent,
        "message": job.message,
        "failures": job.failures,
        "failure_count": job.failure_count,
    }
