"""The button by which anybody says that somebody else uses their account (LIFEIMAGE-11.5)."""

from __future__ import annotations

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import public, signed_in
from incidents.services.locking import report_account_use
from policies.rules.categories import Category
from policies.rules.gate import uses, uses_no_personal_data
from policies.rules.purposes import Purpose


@signed_in
@require_POST
@uses(Purpose.AUTHENTICATION, Category.ACCOUNT, Category.CREDENTIALS, Category.TECHNICAL)
def account_used(request: HttpRequest) -> HttpResponse:
    """Lock the account of whoever asks, in one press, and sign them out."""
    report_account_use(actor=request.actor)
    logout(request)
    return redirect("incidents:account_locked")


@uses_no_personal_data
@public
@require_safe
def account_locked(request: HttpRequest) -> HttpResponse:
    """What has just happened, and how to go on; the same for everybody."""
    return render(request, "incidents/account_locked.html")
