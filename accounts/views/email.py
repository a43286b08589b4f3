from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import AddressForm
from accounts.permissions import needs_step_up, public, signed_in
from accounts.services import email_change as service
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@signed_in
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.TECHNICAL)
def email_change(request: HttpRequest) -> HttpResponse:
    """Ask for another address. It takes a fresh proof, since it opens the account."""
    if detour := needs_step_up(request):
        return detour
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service.ask_for_address(
                actor=request.actor, user=request.user, email=form.cleaned_data["email"]
            )
        except service.ChangeRefused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, "A link is on its way to the new address.")
            return redirect("accounts:account")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/email_change.html", {"form": form}, status=status)


@signed_in
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.TECHNICAL)
def email_withdraw(request: HttpRequest) -> HttpResponse:
    if service.withdraw_address(actor=request.actor):
        messages.success(request, "Withdrawn. Your address stays as it is.")
    return redirect("accounts:account")


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.TECHNICAL)
def email_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm a new address. Programs that look into mail follow links, so it takes a click."""
    change = service.change_of_link(token)
    if change is None:
        return render(request, "accounts/email_link_ended.html", status=410)
    if request.method == "POST":
        own = request.actor is not None and request.actor.user_id == change.user_id
        try:
            service.confirm_address(
                change=change, session_key=(request.session.session_key or "") if own else ""
            )
        except service.ChangeRefused as refusal:
            return render(
                request, "accounts/email_link_ended.html", {"why": str(refusal)}, status=409
            )
        messages.success(request, "The new address is confirmed. Sign in with it from now on.")
        return redirect("accounts:account" if own else "accounts:sign_in")
    return render(request, "accounts/email_confirm.html", {"change": change})
