"""May somebody be sent advertising: by where they live, and by what they said. Pure (C36)."""

from __future__ import annotations

from enum import StrEnum

from accounts.rules.residence import parts_of


class MarketingBasis(StrEnum):
    """On what advertising may be sent: never, unless objected to, or only if agreed to."""

    NONE = "none"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


BASIS_WORDS = {
    MarketingBasis.NONE: "Your organisation's policy has no advertising. None is sent.",
    MarketingBasis.OPT_OUT: "Sent unless you say no.",
    MarketingBasis.OPT_IN: "Sent only if you say yes.",
}


def basis_of(*, is_veterinary: bool, residence: str) -> MarketingBasis:
    """Give the basis for one person (AVMI-3.2, MEDDIM-3.4).

    In the EEA (Directive 2002/58/EC Art. 13), the United Kingdom (PECR reg. 22) and Switzerland
    (UWG Art. 3(1)(o)) a yes comes first; in the United States a no ends it (15 USC 7704(a)).
    An unknown residence, or one whose law nobody has looked up, is treated as the strictest.
    """
    if is_veterinary:
        return MarketingBasis.NONE
    country, _ = parts_of(residence)
    if country == "US":
        return MarketingBasis.OPT_OUT
    return MarketingBasis.OPT_IN


def may_be_sent(basis: MarketingBasis, wanted: bool | None) -> bool:
    """Decide on one person; `wanted` is what they said, None if nothing. A no is absolute."""
    if basis is MarketingBasis.NONE or wanted is False:
        return False
    return wanted is True or basis is MarketingBasis.OPT_OUT
