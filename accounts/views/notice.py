"""The public notice of an organisation, its versions, and what changed between them (C11, C45)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import Organisation
from accounts.permissions import public
from policies.models import PolicyVersion
from policies.rules.comparison import compare
from policies.rules.gate import uses_no_personal_data
from policies.rules.inventory import categories_kept
from policies.rules.notice import notice_of
from policies.rules.pack import Pack
from policies.rules.versions import STATE_LABELS, State
from policies.selectors import (
    NoPolicy,
    effective_pack,
    pack_of,
    posted_versions_of,
    state_of_version,
    upcoming_pack,
)


@public
@require_safe
@uses_no_personal_data
def notices(request: HttpRequest) -> HttpResponse:
    """Whose policy do you want to read?"""
    organisations = Organisation.objects.filter(is_active=True).order_by("name")
    return render(request, "policies/notices.html", {"organisations": organisations})


@public
@require_safe
@uses_no_personal_data
def notice(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = _organisation(request, slug)
    try:
        pack = effective_pack(organisation.pk)
    except NoPolicy:
        raise Http404 from None
    return _notice(request, organisation, pack, State.EFFECTIVE)


@public
@require_safe
@uses_no_personal_data
def notice_version(request: HttpRequest, slug: str, revision: int) -> HttpResponse:
    """A version at an address of its own, for ever: what holds, held, or will hold."""
    organisation = _organisation(request, slug)
    row = _version(organisation, revision)
    return _notice(request, organisation, pack_of(row), state_of_version(row))


@public
@require_safe
@uses_no_personal_data
def notice_versions(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = _organisation(request, slug)
    rows = [
        (row, state_of_version(row), STATE_LABELS[state_of_version(row)])
        for row in posted_versions_of(organisation.pk)
    ]
    context = {"organisation": organisation, "rows": rows}
    return render(request, "policies/notice_versions.html", context)


@public
@require_safe
@uses_no_personal_data
def notice_changes(request: HttpRequest, slug: str, revision: int) -> HttpResponse:
    """What a version changed, against the one before it."""
    organisation = _organisation(request, slug)
    row = _version(organisation, revision)
    before = (
        posted_versions_of(organisation.pk)
        .filter(withdrawn_at=None, revision__lt=revision)
        .order_by("-revision")
        .first()
    )
    if before is None:
        raise Http404
    context = {
        "organisation": organisation,
        "row": row,
        "before": before,
        "state": STATE_LABELS[state_of_version(row)],
        "changes": compare(before.values, row.values),
    }
    return render(request, "policies/notice_changes.html", context)


def _organisation(request: HttpRequest, slug: str) -> Organisation:
    organisation = get_object_or_404(Organisation, slug=slug, is_active=True)
    # Under whose policy a visitor is counted, who is nobody's member.
    request.notice_of = organisation.pk
    return organisation


def _version(organisation: Organisation, revision: int) -> PolicyVersion:
    return get_object_or_404(posted_versions_of(organisation.pk), revision=revision)


def _notice(
    request: HttpRequest, organisation: Organisation, pack: Pack, state: State
) -> HttpResponse:
    context = notice_context(organisation, pack) | {
        "state": state,
        "state_words": STATE_LABELS[state],
        "upcoming": upcoming_pack(organisation.pk) if state is State.EFFECTIVE else None,
    }
    return render(request, "policies/notice.html", context)


def notice_context(organisation: Organisation, pack: Pack) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "pack": pack,
        "contact_email": pack["contact.email"],
        "contact_phone": pack["contact.phone"],
        "sections": notice_of(pack, kept=categories_kept()),
    }
