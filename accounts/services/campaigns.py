"""Advertising: to account addresses only, by residence and choice, with a way out in each."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts.models import Campaign, Notification, Organisation
from accounts.rules import Actor, Capability
from accounts.rules.marketing import MarketingBasis
from accounts.rules.messages import template_named
from accounts.selectors.advertising import advertised_to, marketing_basis
from accounts.services.notifications import post
from accounts.services.trail import record


class CampaignRefused(Exception):
    """One sentence that says why nothing was sent; `code` is for the trail."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def send_campaign(
    *,
    acting: Actor,
    organisation_id: UUID | None,
    template: str,
    recipients: Sequence[str] | None = None,
) -> Campaign:
    """Send a promotional message to the members who may get it.

    A list of recipients is always refused: letters go to the addresses of accounts and to no
    other (LIFEIMAGE-16.2, VIGILANT-8.2). Raises `CampaignRefused`, which the trail keeps.
    """
    try:
        return _send(acting, organisation_id, template, recipients)
    except CampaignRefused as refusal:
        record(
            action="campaign.started",
            actor=acting,
            outcome="refused",
            reason=refusal.code,
            details={"template": template},
        )
        raise


@transaction.atomic
def _send(
    acting: Actor, organisation_id: UUID | None, template: str, recipients: Sequence[str] | None
) -> Campaign:
    if recipients is not None:
        raise CampaignRefused(
            "recipients-given",
            "A list of recipients cannot be used: this goes to the addresses of your members'"
            " accounts and to no other. Nothing was sent.",
        )
    may = acting.organisation_id == organisation_id and acting.can(Capability.MANAGE_CONFIGURATION)
    if organisation_id is None or not may:
        raise CampaignRefused("role", "Only an administrator of the organisation can do this.")
    if not template_named(template).promotional:
        raise CampaignRefused("not-promotional", "A service message is no advertising.")
    organisation = Organisation.objects.get(pk=organisation_id)
    if marketing_basis(organisation, "") is MarketingBasis.NONE:
        raise CampaignRefused(
            "policy",
            "The privacy policy of your organisation has no advertising. Nothing was sent.",
        )
    people = advertised_to(organisation)
    if not people:
        raise CampaignRefused(
            "nobody",
            "The residence or the choice of every member forbids it. Nothing was sent.",
        )
    campaign = Campaign.objects.create(
        organisation=organisation,
        template=template,
        started_by_id=acting.user_id,
        recipients=len(people),
    )
    post([_letter(campaign, user.pk) for user in people], campaign.pk)
    record(
        action="campaign.started",
        actor=acting,
        target=("campaign", str(campaign.pk)),
        details={"template": template, "recipients": len(people)},
    )
    return campaign


def _letter(campaign: Campaign, user_id: int) -> Notification:
    return Notification(
        user_id=user_id,
        batch_id=campaign.pk,
        category=template_named(campaign.template).category,
        template=campaign.template,
        in_portal=False,
        by_email=True,
    )
