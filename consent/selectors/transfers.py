"""On what images would go from one organisation to another abroad."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Agreement, Organisation
from accounts.rules.agreements import AgreementKind
from accounts.rules.residence import COUNTRIES
from consent.rules.transfers import EXPLICIT, Clauses, Ground, ground_of
from policies.rules.pack import Pack
from policies.rules.schema.uses import MECHANISMS

_WITH_ARTICLE = ("United ", "Netherlands", "Philippines", "Bahamas", "Dominican ", "Maldives")


def ground_between(owner: Organisation, recipient: Organisation, pack: Pack) -> Ground | None:
    """Find it by the sender's policy and what is signed with this recipient: at most one query."""
    if owner.country == recipient.country:
        return Ground()
    today = timezone.localdate()
    rows = Agreement.objects.filter(
        organisation=owner, partner=recipient, kind=AgreementKind.TRANSFER
    ).exclude(mechanism="")
    return ground_of(
        owner.country,
        recipient.country,
        listed=pack["transfers.mechanisms"],
        signed=[
            Clauses(row.pk, row.mechanism, row.ends_on) for row in rows if row.term.holds(today)
        ],
    )


def words_of_ground(ground: Ground, owner: Organisation, recipient: Organisation) -> str:
    """The sentence that whoever shares agrees to; empty where no border counts."""
    if not ground.mechanism:
        return ""
    there, here = country_of(recipient), country_of(owner)
    if ground.mechanism == EXPLICIT:
        return (
            f"The images go to {there}, where the law may protect them less than in {here}."
            f" This consent covers that: {MECHANISMS[EXPLICIT]}."
        )
    return f"The images go from {here} to {there}, on the basis of {MECHANISMS[ground.mechanism]}."


def country_of(organisation: Organisation) -> str:
    """The country as it stands in a sentence."""
    name = COUNTRIES.get(organisation.country, organisation.country)
    return f"the {name}" if name.startswith(_WITH_ARTICLE) else name
