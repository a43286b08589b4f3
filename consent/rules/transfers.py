"""On what images may cross a border (C39; GDPR Chapter V, UK GDPR, FADP Art. 16). Pure.

A border counts where the country that images go to protects them less than the one they come from.
What bridges it is what the policy lists: a decision of adequacy, clauses signed with the recipient
that are in force, or the express consent itself, which then says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

ADEQUACY: Final = "adequacy"
EXPLICIT: Final = "explicit-consent"
EEA: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
    .split()
)  # fmt: skip
# GDPR Art. 45, as of spring 2026. Canada and the United States have decisions for some
# organisations only, so each of them needs something else, or its certificate.
_EU_ADEQUATE: Final = frozenset("AD AR BR CH FO GB GG IL IM JE JP KR NZ UY".split())
# Data Protection Act 2018, Schedule 21, paragraphs 4 to 6; Korea by SI 2022/1213.
_UK_ADEQUATE: Final = EEA | frozenset("AD AR CH FO GG GI IL IM JE JP KR NZ UY".split())
# Data Protection Ordinance (SR 235.11), Annex 1.
_CH_ADEQUATE: Final = EEA | frozenset("AD AR FO GB GG GI IL IM JE MC NZ UY".split())
# What has to be signed for data from where: the clauses of the EU are not enough elsewhere.
_CLAUSES: Final = {
    "eea": ("scc", "bcr"), "uk": ("uk-addendum", "bcr"), "ch": ("swiss-addendum", "bcr"),
    "": ("scc", "uk-addendum", "swiss-addendum", "bcr"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clauses:
    """An agreement with the recipient that is in force: its mechanism, and its last day."""

    id: UUID
    mechanism: str
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Ground:
    """On what images cross; without a mechanism there is no border that counts."""

    mechanism: str = ""
    agreement_id: UUID | None = None
    ends_on: date | None = None


def ground_of(
    origin: str, destination: str, *, listed: Collection[str], signed: Collection[Clauses]
) -> Ground | None:
    """Find on what images go from one country to another (ISO 3166-1); None: not at all.

    `listed` is what the sender's policy names, `signed` what is in force with the recipient.
    Clauses that hold longest come before those that end.
    """
    area = _area(origin)
    if origin == destination or (area and area == _area(destination)):
        return Ground()
    if destination in _protecting(area):
        if not area:
            return Ground()  # to where data is protected at least as well as here
        if ADEQUACY in listed:
            return Ground(ADEQUACY)
    fits = _CLAUSES[area] + (("dpf",) if destination == "US" else ())
    usable = [one for one in signed if one.mechanism in fits and one.mechanism in listed]
    if usable:
        best = max(usable, key=lambda one: (one.ends_on is None, one.ends_on or date.min))
        return Ground(best.mechanism, best.id, best.ends_on)
    return Ground(EXPLICIT) if EXPLICIT in listed else None


def _area(country: str) -> str:
    if country in EEA:
        return "eea"
    return {"GB": "uk", "CH": "ch"}.get(country, "")


def _protecting(area: str) -> frozenset[str]:
    """Countries whose protection the law of an area takes for as good as its own; where it has no
    such list, those that the European Union takes for it, and itself."""
    match area:
        case "uk":
            return _UK_ADEQUATE
        case "ch":
            return _CH_ADEQUATE
        case "eea":
            return _EU_ADEQUATE
    return EEA | _EU_ADEQUATE


def asked_for(origin: str, listed: Collection[str]) -> list[str]:
    """What could be signed with a recipient, of what the policy lists."""
    return [one for one in (*_CLAUSES[_area(origin)], "dpf") if one in listed]
