"""Reading and accepting the policy in force; what remains open to whoever declines it (C10)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import AcceptForm
from accounts.models import Organisation
from accounts.permissions import needs_step_up, safe_next, signed_in
from accounts.services.acceptance import AcceptanceRefused, answer_policy
from accounts.services.own_data import export_own_data
from accounts.views.notice import notice_context
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack, packs_held, upcoming_pack


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.CONSENT)
def policy_accept(request: HttpRequest) -> HttpResponse:
    """Show the whole policy, and at its end the question."""
    actor = request.actor
    if actor.organisation_id is None or not packs_held(actor.organisation_id):
        return redirect("/")
    pack = effective_pack(actor.organisation_id)
    form = AcceptForm(request.POST or None, initial={"digest": pack.digest})
    if request.method == "POST" and form.is_valid():
        try:
            answer_policy(
                actor=actor,
                accepts=not form.declines,
                read_digest=form.cleaned_data["digest"],
            )
        except AcceptanceRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            if form.declines:
                return redirect("accounts:policy_declined")
            messages.success(request, "Accepted. You find the policy at the foot of each page.")
            return redirect(safe_next(request))
    organisation = Organisation.objects.get(pk=actor.organisation_id)
    context = notice_context(organisation, pack) | {
        "form": form,
        "next": safe_next(request),
        "is_accepted": actor.accepted_version == pack.id,
    }
    status = 422 if form.is_bound else 200
    return render(request, "accounts/policy_accept.html", context, status=status)


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.CONSENT)
def policy_declined(request: HttpRequest) -> HttpResponse:
    """What somebody can do who does not accept: take their data, ask, leave."""
    organisation = Organisation.objects.filter(pk=request.actor.organisation_id).first()
    return render(request, "accounts/policy_declined.html", {"organisation": organisation})


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.CONSENT)
def policy_news(request: HttpRequest) -> HttpResponse:
    """Where a message about the policy leads: to what changes, or to what holds."""
    actor = request.actor
    if actor.organisation_id is None:
        return redirect("accounts:notices")
    upcoming = upcoming_pack(actor.organisation_id)
    if upcoming is not None and upcoming.revision > 1:
        return redirect("accounts:notice_changes", actor.organisation_slug, upcoming.revision)
    return redirect("accounts:notice", actor.organisation_slug)


@signed_in
@require_safe
@uses(Purpose.RIGHTS, Category.ACCOUNT, Category.PROFESSIONAL, Category.TECHNICAL)
def own_data(request: HttpRequest) -> HttpResponse:
    """Give a person what is held about their account, as a file, after a fresh proof."""
    if detour := needs_step_up(request):
        return detour
    answer = JsonResponse(
        export_own_data(actor=request.actor), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    answer["Content-Disposition"] = 'attachment; filename="my-account.json"'
    return answer
