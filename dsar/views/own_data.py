"""One's own data, at any time: what there is, a file of it, and how programs read a copy."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import needs_step_up, public, signed_in
from accounts.services.trail import record
from dsar.rules.portable import SCHEMA_TEXT
from dsar.services.own_record import own_account, own_archive, own_places
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses, uses_no_personal_data
from policies.rules.purposes import Purpose

EVERYTHING = (
    *CARE_DATA, Category.ACCOUNT, Category.PROFESSIONAL, Category.TECHNICAL, Category.REQUESTS,
    Category.TRAIL,
)  # fmt: skip


@signed_in
@never_cache
@require_safe
@uses(Purpose.RIGHTS, *EVERYTHING)
def my_data(request: HttpRequest) -> HttpResponse:
    """What is held about whoever is signed in, everywhere; open whatever they have accepted."""
    places = own_places(request.actor)
    account = own_account(request.actor)
    record(action="data.seen", actor=request.actor, details={"places": len(places)})
    return render(request, "dsar/my_data.html", {"places": places, "account": account})


@signed_in
@never_cache
@require_safe
@uses(Purpose.RIGHTS, *EVERYTHING)
def my_data_file(request: HttpRequest) -> HttpResponseBase:
    """The same as a file, at once, after a fresh proof."""
    if detour := needs_step_up(request):
        return detour
    archive = own_archive(actor=request.actor)
    response = StreamingHttpResponse(archive.pieces(), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return response


@public
@require_safe
@uses_no_personal_data
def portable_schema(_: HttpRequest) -> HttpResponse:
    """The published schema of the document in a portable copy."""
    return HttpResponse(SCHEMA_TEXT, content_type="application/schema+json")
