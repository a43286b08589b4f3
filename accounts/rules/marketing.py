"""May somebody be sent advertising: by where they live, and by what they said. Pure (C36)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from accounts.rules.residence import parts_of


class MarketingBasis(StrEnum):
    """On what advertising may be sent: never, unless objected to, or only if agreed to."""

    NONE = "none"
    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"


BASIS_WORDS = {
    MarketingBasis.NONE: "Your organisation's policy has no advertising. None is sent.",
    MarketingBasis.OPT_OUT: "Sent unless you say no.",
    MarketingBasis.OPT_IN: "Sent only if you say yes.",
}


# The European Union, Iceland, Liechtenstein and Norway.
_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EEA = frozenset([*_MEMBERS.split(), "IS", "LI", "NO"])
_STRICTEST_LAST = [MarketingBasis.OPT_OUT, MarketingBasis.OPT_IN, MarketingBasis.NONE]


def basis_at(by_place: Mapping[str, str], residence: str) -> MarketingBasis:
    """Give the basis for one person, from the policy's table (AVMI-3.2, MEDDIM-3.4).

    The state counts before the country, the country before the EEA. Who has not said where they
    live is treated as by the strictest line of the table. Floors hold what law asks for: Directive
    2002/58/EC Art. 13, PECR reg. 22, UWG Art. 3(1)(o).
    """
    country, _ = parts_of(residence)
    if not country:
        return max((MarketingBasis(one) for one in by_place.values()), key=_STRICTEST_LAST.index)
    for place in (residence, country, "EEA" if country in EEA else "default"):
        if place in by_place:
            return MarketingBasis(by_place[place])
    return MarketingBasis(by_place["default"])


def may_be_sent(basis: MarketingBasis, wanted: bool | None) -> bool:
    """Decide on one person; `wanted` is what they said, None if nothing. A no is absolute."""
    if basis is MarketingBasis.NONE or wanted is False:
        return False
    return wanted is True or basis is MarketingBasis.OPT_OUT
