from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.forms import CampaignForm
from accounts.models import Organisation
from accounts.permissions import needs
from accounts.rules import Capability
from accounts.rules.marketing import MarketingBasis
from accounts.rules.messages import promotional_templates
from accounts.selectors.advertising import advertised_to, campaigns_of, marketing_basis
from accounts.services.campaigns import CampaignRefused, send_campaign
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.MANAGE_CONFIGURATION)
@require_http_methods(["GET", "POST"])
@uses(Purpose.MARKETING, Category.ACCOUNT, Category.COMMUNICATIONS)
def campaigns(request: HttpRequest) -> HttpResponse:
    """What was sent, and the sending of another; whoever gets it follows from the accounts."""
    form = CampaignForm(request.POST or None, templates=promotional_templates())
    if request.method == "POST" and form.is_valid():
        try:
            campaign = send_campaign(
                acting=request.actor,
                organisation_id=request.actor.organisation_id,
                template=form.cleaned_data["template"],
                recipients=_given_recipients(request),
            )
        except CampaignRefused as refusal:
            form.add_error("template", str(refusal))
        else:
            messages.success(request, f"On its way to {campaign.recipients} people.")
            return redirect("accounts:campaigns")
    organisation = Organisation.objects.get(pk=request.actor.organisation_id)
    return render(
        request,
        "accounts/campaigns.html",
        {
            "form": form,
            "forbidden": marketing_basis(organisation, "") is MarketingBasis.NONE,
            "count": len(advertised_to(organisation)),
            "campaigns": campaigns_of(request.actor.organisation_id),
        },
        status=422 if form.is_bound else 200,
    )


def _given_recipients(request: HttpRequest) -> list[str] | None:
    """A list that somebody sent along, which the service refuses; none is None."""
    given = [
        *request.POST.getlist("recipients"),
        *(one.name or "" for one in request.FILES.values()),
    ]
    return given or None
