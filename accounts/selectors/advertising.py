"""Whom advertising may reach, by policy, residence and the person's own word."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Campaign, MarketingChoice, Organisation, User
from accounts.rules.marketing import MarketingBasis, basis_at, may_be_sent
from policies.selectors import packs_held


def marketing_basis(organisation: Organisation | None, residence: str) -> MarketingBasis:
    """On what an organisation may advertise to somebody who lives there, by its policy."""
    held = packs_held(organisation.pk) if organisation else ()
    if not held:
        return MarketingBasis.NONE
    return basis_at(held[-1]["marketing.basis"], residence)


def marketing_choice_of(user: User) -> MarketingChoice | None:
    return MarketingChoice.objects.filter(user=user).first()


def campaigns_of(organisation_id: UUID) -> QuerySet[Campaign]:
    return Campaign.objects.filter(organisation_id=organisation_id).order_by("-started_at")


def advertised_to(organisation: Organisation) -> list[User]:
    """The members of an organisation who may be sent advertising now, and nobody else."""
    members = (
        User.objects.filter(
            is_active=True,
            memberships__organisation=organisation,
            memberships__is_active=True,
        )
        .select_related("marketing_choice")
        .order_by("pk")
        .distinct()
    )
    return [user for user in members if _may_be_advertised_to(organisation, user)]


def may_be_advertised_to(user_id: int, *, campaign_id: UUID) -> bool:
    """Ask again, at the moment of sending, about one person of a campaign."""
    campaign = Campaign.objects.select_related("organisation").get(pk=campaign_id)
    user = User.objects.select_related("marketing_choice").get(pk=user_id)
    return _may_be_advertised_to(campaign.organisation, user)


def _may_be_advertised_to(organisation: Organisation, user: User) -> bool:
    choice: MarketingChoice | None = getattr(user, "marketing_choice", None)
    basis = marketing_basis(organisation, user.residence)
    return may_be_sent(basis, choice.wanted if choice else None)
