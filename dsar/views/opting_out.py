"""“Do not sell or share my personal information”: one press, without an account or a proof.

Cal. Civ. Code 1798.135(a)(1); 11 CCR 7013, 7026; MEDDIM-8.2.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.permissions import public
from accounts.rules.tracking import PRESSED
from accounts.services.trail import anonymous_ref, record
from dsar.selectors import organisations_selling
from dsar.services.directing import opt_out_by_link
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@public
@require_http_methods(["GET", "POST"])
@uses(Purpose.RIGHTS, Category.ACCOUNT, Category.CONSENT)
def opt_out(request: HttpRequest) -> HttpResponse:
    """Say what it does, and do it; 404 where no policy lets anything be sold or shared."""
    organisations = organisations_selling()
    if not organisations:
        raise Http404
    if request.method == "POST":
        _opt_out(request)
        return redirect("dsar:opt_out")
    context = {"organisations": organisations, "opted_out": request.signals.opts_out,
               "by_signal": request.signals.gpc}  # fmt: skip
    return render(request, "dsar/opt_out.html", context)


def _opt_out(request: HttpRequest) -> None:
    """Keep it with the account, or else with the browser, which is all that is known."""
    if not request.session.get(PRESSED):
        request.session[PRESSED] = True
        if request.actor is None:
            record(action="signal.recorded", actor=anonymous_ref(), reason="link")
    if request.actor is not None:
        opt_out_by_link(actor=request.actor)
