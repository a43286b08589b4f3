"""What is held about the person of a request: found, listed, copied, and fetched by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import needs, public, signed_in, to_step_up
from accounts.rules import Actor, Capability
from dsar.forms import CodeForm, FindForm
from dsar.models import Case, Package
from dsar.rules.documents import MEDIA_TYPES, FileType
from dsar.rules.kinds import Kind
from dsar.rules.packages import WITH_COPY
from dsar.rules.states import UNANSWERED
from dsar.selectors import case_of_token, cases_of, own_cases
from dsar.services.collecting import collect, link_subjects, unlink_subject, whose_of
from dsar.services.entries import CaseRefused
from dsar.services.explaining import explained
from dsar.services.packaging import (
    is_spent,
    is_to_be_had,
    open_package,
    package_of,
    spend,
    try_code,
)
from dsar.views.people import Linked, people_of
from jobs.selectors import job_visible_to
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.services.listing import Row, worklist
from vault.services.blobs import SealedBlob


@needs(Capability.ANSWER_REQUESTS)
@require_safe
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS, Category.TRAIL)
def held(request: HttpRequest, number: str) -> HttpResponse:
    """Whom the request is about, what is held about them, and the copy."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    form = FindForm(request.GET if "name" in request.GET else None)
    package = package_of(case)
    linked, whose = people_of(case), whose_of(case)
    collection = collect(whose) if linked or whose.user_id else None
    context: dict[str, Any] = {
        "case": case,
        "form": form,
        "found": _found(request.actor, form, linked) if form.is_bound and form.is_valid() else None,
        "linked": linked,
        "by_account": whose.user_id is not None,
        "collection": collection,
        "lines": explained(collection, whose) if collection else [],
        "package": package,
        "to_be_had": is_to_be_had(case, package),
        "job": job_visible_to(request.user, package.job_id)
        if package and package.job_id and package.state == Package.State.MAKING else None,
        "is_open": case.state in UNANSWERED,
        "with_copy": Kind(case.kind) in WITH_COPY,
        # Shown once, to whoever had the copy made.
        "code": request.session.pop(f"copy-code-{case.pk}", ""),
    }  # fmt: skip
    return render(request, "dsar/held.html", context)


def _found(actor: Actor, form: FindForm, linked: list[Linked]) -> list[Row]:
    """One line a person; those who are linked already are left out."""
    if not any(form.cleaned_data.values()):
        return []
    seen = {one.subject.pk for one in linked}
    rows = []
    for row in worklist(actor=actor, wanted=form.cleaned_data, page=None).rows:
        if row.is_own and row.study.subject_id not in seen:
            seen.add(row.study.subject_id)
            rows.append(row)
    return rows


@needs(Capability.ANSWER_REQUESTS)
@require_POST
@uses(Purpose.RIGHTS, *CARE_DATA, Category.REQUESTS)
def link(request: HttpRequest, number: str) -> HttpResponse:
    """Say whom the request is about, or take somebody out again."""
    case = get_object_or_404(cases_of(request.actor), number=number)
    try:
        ids = [UUID(one) for one in request.POST.getlist("subject")]
        if "unlink" in request.POST:
            unlink_subject(actor=request.actor, case=case, subject_id=UUID(request.POST["unlink"]))
            messages.success(request, "Taken out.")
        elif link_subjects(actor=request.actor, case=case, subject_ids=ids):
            messages.success(request, "Noted whom the request is about.")
        else:
            messages.error(request, "Tick the person that the request is about.")
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
    except ValueError:
        messages.error(request, "Choose somebody from the list.")
    return redirect("dsar:held", number)


# Fetching ----------------------------------------------------------------------------------------
@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.REQUESTS)
def fetch(request: HttpRequest, number: str) -> HttpResponseBase:
    """The copy, for the person who asked while signed in, after a fresh proof."""
    case = get_object_or_404(own_cases(request.actor), number=number)
    if not request.actor.is_fresh(timezone.now()):
        return to_step_up(request)
    try:
        package, blob = open_package(case=case, actor=request.actor)
    except CaseRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("dsar:own_case", number)
    return _sent(case, package, blob)


@public
@never_cache
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.REQUESTS)
def fetch_by_code(request: HttpRequest, token: str) -> HttpResponseBase:
    """The copy, for whoever holds the letter's link and was told the code another way."""
    case = case_of_token(token)
    if case is None:
        return render(request, "dsar/link_ended.html", status=410)
    return by_code(request, case, token)


def by_code(
    request: HttpRequest, case: Case, token: str, *, by_person: bool = False
) -> HttpResponseBase:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        # Counted first, and for good: the refusal after it would undo the count.
        try_code(case=case, code=code)
        try:
            package, blob = open_package(case=case, actor=None, code=code, by_person=by_person)
        except CaseRefused as refusal:
            form.add_error("code", str(refusal))
        else:
            return _sent(case, package, blob)
    context = {"case": case, "form": form, "token": token, "by_person": by_person}
    package = package_of(case)
    context["to_be_had"] = is_to_be_had(case, package)
    context["fetched"] = package is not None and is_spent(package)
    status = 422 if form.is_bound else 200
    return render(request, "dsar/fetch.html", context, status=status)


def _sent(case: Case, package: Package, blob: SealedBlob) -> StreamingHttpResponse:
    return sent_file(blob, package.size, f"copy-{case.number}.zip", done=lambda: spend(package))


def strangers_file(content: bytes, file_type: str, name: str) -> HttpResponse:
    """A file that somebody sent is saved, and no browser opens it as a page of ours."""
    response = HttpResponse(content, content_type=MEDIA_TYPES[FileType(file_type)])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def sent_file(
    blob: SealedBlob, size: int, name: str, *, done: Callable[[], None] = lambda: None
) -> StreamingHttpResponse:
    """Send an archive piece by piece; `done` runs once all of it went out."""

    def pieces() -> Any:
        with blob:
            for piece in blob.stream():
                yield bytes(piece)
        done()

    response = StreamingHttpResponse(pieces(), content_type="application/zip")
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
