"""Other laws for a case than it was taken in with: what an officer can change, and why. Pure
(MEDDIM-7.0).

A law can always be added, for the worst that can come of it is an answer in time. It is taken away
only for a reason that the law itself knows; what follows from where the organisation is stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from dsar.rules.laws import LAW_LABELS, Law


class Reason(StrEnum):
    RESIDENCE = "residence-was-wrong"
    MOVED = "moved-since"
    ROLE = "other-part-of-the-organisation"
    DATA = "other-data"
    ALSO = "counts-as-well"


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """`takes`: the laws that can go for this reason, each with its paragraph."""

    label: str
    takes: Mapping[Law, str]


# Where somebody lives decides these: who does not live there does not have them.
_BY_RESIDENCE: Final = {
    Law.GDPR: "GDPR Art. 3(2)",
    Law.EHDS: "Reg. (EU) 2025/327 Art. 1",
    Law.UK_GDPR: "UK GDPR Art. 3(2)",
    Law.CH_FADP: "FADP Art. 3",
    Law.LGPD: "LGPD Art. 3",
    Law.PIPEDA: "PIPEDA s. 4",
    Law.PIPA: "PIPA Art. 3",
    Law.CCPA: "Cal. Civ. Code 1798.140(i)",
    Law.SHINE_THE_LIGHT: "Cal. Civ. Code 1798.83(e)(1)",
}
REASONS: Final = {
    Reason.RESIDENCE: ReasonFacts("Where they live was noted wrongly", _BY_RESIDENCE),
    # Rights are those of the day on which somebody asked: a move takes none of them away.
    Reason.MOVED: ReasonFacts("They have moved since they asked", {}),
    Reason.ROLE: ReasonFacts(
        "The law does not bind this organisation, or the part of it that was asked",
        {
            Law.HIPAA: "45 CFR 160.103, covered entity; 164.105(a), hybrid entity",
            Law.CCPA: "Cal. Civ. Code 1798.140(d)",
            Law.SHINE_THE_LIGHT: "Cal. Civ. Code 1798.83(c)(1)",
            Law.CA_PATIENTS: "Cal. Health & Safety Code 123105(a)",
            Law.TX_PATIENTS: "Tex. Occ. Code 159.001",
            Law.NY_PATIENTS: "N.Y. Pub. Health Law 18(1)(b)",
            Law.PHIPA: "PHIPA s. 3, health information custodian",
        },
    ),
    Reason.DATA: ReasonFacts(
        "The law is not about the data that is asked about",
        {
            Law.HIPAA: "45 CFR 160.103, protected health information",
            Law.CCPA: "Cal. Civ. Code 1798.145(c)(1), medical information",
            Law.CA_PATIENTS: "Cal. Health & Safety Code 123105(d)",
            Law.TX_PATIENTS: "Tex. Occ. Code 159.001, medical record",
            Law.NY_PATIENTS: "N.Y. Pub. Health Law 18(1)(e)",
            Law.EHDS: "Reg. (EU) 2025/327 Art. 14",
        },
    ),
    Reason.ALSO: ReasonFacts("Another law counts as well", {}),
}
OF_PLACE: Final = frozenset({Reason.RESIDENCE, Reason.MOVED})


@dataclass(frozen=True, slots=True)
class Change:
    """What an officer wants: `laws` are those that the reason takes away, or adds. Where somebody
    lives decides by itself; then there are none."""

    reason: Reason
    residence: str = ""
    laws: frozenset[Law] = frozenset()


@dataclass(frozen=True, slots=True)
class Counting:
    """The laws that count for a case, and where its person is said to live."""

    laws: tuple[Law, ...]
    residence: str


def changed(before: Counting, change: Change, of_place: Collection[Law]) -> Counting:
    """What counts afterwards. `of_place`: the laws for somebody who lives at the new place; those
    that bind the organisation where it is itself are always among them."""
    match change.reason:
        case Reason.RESIDENCE:
            laws = {one for one in before.laws if one not in _BY_RESIDENCE} | {*of_place}
        case Reason.MOVED:
            laws = {*before.laws, *of_place}
        case Reason.ALSO:
            laws = {*before.laws, *change.laws}
        case Reason.ROLE | Reason.DATA:
            laws = {*before.laws} - change.laws
    residence = change.residence if change.reason in OF_PLACE else before.residence
    return Counting(tuple(one for one in Law if one in laws), residence)


def refusal_to_change(before: Counting, change: Change) -> str:
    """Say why it cannot be changed like this; empty if it can."""
    if change.reason in OF_PLACE:
        if change.laws:
            return "Where somebody lives decides which laws count: leave the laws unticked."
        if change.residence == before.residence:
            return "That is where they are said to live already. Choose another place."
        return ""
    if not change.laws:
        return "Tick the laws that it is about."
    counting = frozenset(before.laws)
    if change.reason is Reason.ALSO:
        known = change.laws <= counting
        return "These laws count already. Nothing would change." if known else ""
    takes = REASONS[change.reason].takes
    for law in sorted(change.laws):
        if law not in counting:
            return f"{LAW_LABELS[law]} does not count for this request. Do not tick it."
        if law not in takes:
            return f"{LAW_LABELS[law]} knows no such reason, so it stays. Do not tick it."
    return ""


def cites_of(before: Counting, after: Counting, reason: Reason) -> dict[Law, str]:
    """Of each law that counts no more, the paragraph by which it does not."""
    takes = REASONS[reason].takes
    return {law: takes[law] for law in before.laws if law not in after.laws}


def day_of(before: date, reckoned: date, cites: Mapping[Law, str]) -> date:
    """The last day for the answer: later than it was told only if a law went, by its paragraph."""
    return reckoned if cites else min(before, reckoned)


def change_words(
    before: Counting, after: Counting, cites: Mapping[Law, str], days: tuple[date, date]
) -> str:
    """What its person reads of it, beside the officer's own words."""
    added = [LAW_LABELS[law] for law in after.laws if law not in before.laws]
    gone = [f"{LAW_LABELS[law]} ({paragraph})" for law, paragraph in cites.items()]
    said = []
    if added:
        said.append(f"Counts for your request as well: {'; '.join(added)}.")
    if gone:
        said.append(f"Counts no more: {'; '.join(gone)}.")
    told, now = days
    if now != told:
        word = "earlier" if now < told else "later"
        said.append(f"The answer is due by {_said(now)}, {word} than {_said(told)} as told before.")
    else:
        said.append(f"The answer is due by {_said(now)}, as before.")
    return "\n".join(said)


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
