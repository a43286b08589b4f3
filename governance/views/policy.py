"""An administrator's way from the policy in force to the next version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import needs, needs_step_up
from accounts.rules import Capability
from accounts.services.policy import (
    PolicyRefused,
    begin_draft,
    draft_text,
    drop_draft,
    post_draft,
    save_draft,
    save_draft_text,
    withdraw_version,
)
from governance.forms import FIELD_LABELS, PartForm, PostForm, RecordForm, TextForm
from policies.models import PolicyVersion
from policies.rules.comparison import compare
from policies.rules.findings import PackInvalid
from policies.rules.gate import uses_no_personal_data
from policies.rules.impact import impacts_of
from policies.rules.kinds import Records
from policies.rules.lint import findings_for
from policies.rules.schema import KEY, PART, PARTS, Key, Part
from policies.rules.versions import NotAllowed
from policies.selectors import draft_of, effective_pack, posted_versions_of, upcoming_pack

manages = needs(Capability.MANAGE_CONFIGURATION)


def _organisation_id(request: HttpRequest) -> UUID:
    """Whose policy. A platform administrator without an organisation has none to edit."""
    if request.actor.organisation_id is None:
        raise Http404
    return request.actor.organisation_id


@manages
@require_safe
@uses_no_personal_data
def policy(request: HttpRequest) -> HttpResponse:
    organisation_id = _organisation_id(request)
    pack, draft = effective_pack(organisation_id), draft_of(organisation_id)
    values = draft.values if draft else pack.values
    return render(
        request,
        "governance/policy.html",
        {
            "pack": pack,
            "draft": draft,
            "upcoming": upcoming_pack(organisation_id),
            "changes": compare(pack.values, draft.values) if draft else (),
            "parts": [(part, _said(part, values)) for part in PARTS],
        },
    )


def _said(part: Part, values: dict[str, Any]) -> list[tuple[Key, str]]:
    """The keys of a part with what they say, long texts and lists cut to what tells them apart."""
    found = []
    for key in part.keys:
        value = values.get(key.path)
        if isinstance(key.kind, Records):
            names = key.kind.options or {}
            words = ", ".join(names.get(code, one.get("term", code)) for code, one in value.items())
        else:
            words = "not given" if value is None else key.kind.words(value)
        found.append((key, words if len(words) <= 160 else words[:157].rstrip() + " …"))
    return found


@manages
@require_http_methods(["GET", "POST"])
@uses_no_personal_data
def policy_part(request: HttpRequest, slug: str) -> HttpResponse:
    part = PART.get(slug)
    if part is None:
        raise Http404
    values = _draft_values(request)
    form = PartForm(request.POST or None, keys=part.keys, values=values)
    if request.method == "POST" and form.is_valid():
        try:
            save_draft(acting=request.actor, changes=form.given())
        except PackInvalid as invalid:
            form.add_findings(invalid.findings)
        else:
            messages.success(request, "Saved in the draft. Nothing changes before it is posted.")
            return redirect("governance:policy")
    records = [
        (key, [(code, _name(key, code, one), _lines(key.kind, one))
               for code, one in values[key.path].items()])
        for key in part.keys if isinstance(key.kind, Records)
    ]  # fmt: skip
    context = {"part": part, "form": form, "records": records}
    status = 422 if form.is_bound else 200
    return render(request, "governance/policy_part.html", context, status=status)


def _lines(kind: Records, record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(FIELD_LABELS[name], kind.fields[name].words(value)) for name, value in record.items()]


def _name(key: Key, code: str, record: dict[str, Any]) -> str:
    options = key.kind.options if isinstance(key.kind, Records) else None
    return (options or {}).get(code) or record.get("term", code)


def _draft_values(request: HttpRequest) -> dict[str, Any]:
    """What the form begins with: the draft, or what would become of it."""
    organisation_id = _organisation_id(request)
    draft = draft_of(organisation_id)
    latest = upcoming_pack(organisation_id) or effective_pack(organisation_id)
    return dict(draft.values if draft else latest.values)


@manages
@require_http_methods(["GET", "POST"])
@uses_no_personal_data
def policy_record(request: HttpRequest, path: str, code: str = "") -> HttpResponse:
    """One record of a key: change it, or with no code add one."""
    key = KEY.get(path)
    if key is None or not isinstance(key.kind, Records):
        raise Http404
    records = dict(_draft_values(request)[path])
    if code and code not in records:
        raise Http404
    form = RecordForm(
        request.POST or None, key=key, taken=records, values=records[code] if code else None
    )
    part = next(one for one in PARTS if path in one.paths)
    if request.method == "POST" and form.is_valid():
        records[code or form.cleaned_data["code"]] = form.record()
        try:
            save_draft(acting=request.actor, changes={path: records})
        except PackInvalid as invalid:
            form.add_findings(invalid.findings)
        else:
            messages.success(request, "Saved in the draft. Nothing changes before it is posted.")
            return redirect("governance:policy_part", slug=part.slug)
    context = {
        "key": key, "part": part, "code": code, "form": form,
        "name": _name(key, code, records[code]) if code else "",
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "governance/policy_record.html", context, status=status)


@manages
@require_POST
@uses_no_personal_data
def policy_record_remove(request: HttpRequest, path: str, code: str) -> HttpResponse:
    key = KEY.get(path)
    if key is None or not isinstance(key.kind, Records):
        raise Http404
    records = dict(_draft_values(request)[path])
    if records.pop(code, None) is None:
        raise Http404
    part = next(one for one in PARTS if path in one.paths)
    try:
        save_draft(acting=request.actor, changes={path: records})
    except PackInvalid as invalid:
        messages.error(request, str(invalid))
    else:
        messages.success(request, "Taken out of the draft.")
    return redirect("governance:policy_part", slug=part.slug)


@manages
@require_http_methods(["GET", "POST"])
@uses_no_personal_data
def policy_text(request: HttpRequest) -> HttpResponse:
    """The whole policy as a document: to read, to keep, to replace."""
    _organisation_id(request)
    draft = PolicyVersion(values=_draft_values(request))
    if request.GET.get("download"):
        answer = HttpResponse(draft_text(draft), content_type="application/yaml; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="policy.yaml"'
        return answer
    form = TextForm(
        request.POST or None, request.FILES or None, initial={"text": draft_text(draft)}
    )
    if request.method == "POST" and form.is_valid():
        try:
            save_draft_text(acting=request.actor, text=form.document())
        except PackInvalid as invalid:
            for finding in invalid.findings:
                form.add_error(None, str(finding))
        else:
            messages.success(request, "The draft is what the document says.")
            return redirect("governance:policy")
    status = 422 if form.is_bound else 200
    return render(request, "governance/policy_text.html", {"form": form}, status=status)


@manages
@require_http_methods(["GET", "POST"])
@uses_no_personal_data
def policy_review(request: HttpRequest) -> HttpResponse:
    """Before posting: what changes, what that does, what is still wrong; then post it."""
    organisation_id = _organisation_id(request)
    draft = draft_of(organisation_id)
    if draft is None:
        return redirect("governance:policy")
    if detour := needs_step_up(request):
        return detour
    pack = upcoming_pack(organisation_id) or effective_pack(organisation_id)
    form = PostForm(request.POST or None, initial={"reason": draft.reason})
    if request.method == "POST" and form.is_valid() and _posted(request, form):
        messages.success(request, "Posted. Members are told, and everybody can read it now.")
        return redirect("governance:policy")
    context = {
        "draft": draft,
        "pack": pack,
        "form": form,
        "findings": [
            (finding, _part_of(finding.key))
            for finding in findings_for(organisation_id, pack.values, draft.values)
        ],
        "changes": compare(pack.values, draft.values),
        "impacts": impacts_of(organisation_id, pack.values, draft.values),
        "min_days": max(pack["notice.min_days"], draft.values["notice.min_days"]),
    }
    status = 422 if form.is_bound else 200
    return render(request, "governance/policy_review.html", context, status=status)


def _posted(request: HttpRequest, form: PostForm) -> bool:
    try:
        save_draft(acting=request.actor, changes={}, reason=form.cleaned_data["reason"])
        post_draft(acting=request.actor, effective_at=form.effective_at())
    except (NotAllowed, PolicyRefused) as refusal:
        form.add_error("effective_on", str(refusal))
    except PackInvalid:
        form.add_error(None, "The draft cannot be posted as it is; see what is wrong below.")
    return not form.errors


def _part_of(path: str) -> Part | None:
    return next((part for part in PARTS if path in part.paths), None)


@manages
@require_POST
@uses_no_personal_data
def policy_begin(request: HttpRequest) -> HttpResponse:
    _organisation_id(request)
    begin_draft(acting=request.actor)
    return redirect("governance:policy")


@manages
@require_POST
@uses_no_personal_data
def policy_discard(request: HttpRequest) -> HttpResponse:
    _organisation_id(request)
    drop_draft(acting=request.actor)
    messages.success(request, "The draft is thrown away. The policy in force is as it was.")
    return redirect("governance:policy")


@manages
@require_POST
@uses_no_personal_data
def policy_withdraw(request: HttpRequest, revision: int) -> HttpResponse:
    version = get_object_or_404(posted_versions_of(_organisation_id(request)), revision=revision)
    try:
        withdraw_version(acting=request.actor, version=version)
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Withdrawn. Members are told.")
    return redirect("governance:policy")
