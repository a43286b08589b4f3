"""Who is told of a breach, by which law and within which time. Pure (C42).

One line for each duty. `over` is the smallest number of people for which it stands. What the
laws say was compared with the sources that each line cites; where a law has an outer limit
("without unreasonable delay and no later than"), the limit is what counts here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsar.rules.clocks.days import Duration


class Whom(StrEnum):
    PEOPLE = "people"
    AUTHORITY = "authority"
    MEDIA = "media"
    AGENCIES = "agencies"
    ORGANISATIONS = "organisations"


class Start(StrEnum):
    """From when a time runs."""

    DISCOVERED = "discovered"
    YEAR_END = "year-end"
    PEOPLE_TOLD = "people-told"
    HHS_TOLD = "hhs-told"


@dataclass(frozen=True, slots=True)
class Rule:
    """`law` is whose door it stands behind: a regime, or the state where people live (`US-NY`)."""

    law: str
    label: str
    whom: Whom
    to: str
    time: Duration
    cites: str
    over: int = 1
    # Fewer than this, for a duty that another takes the place of.
    below: int = 0
    start: Start = Start.DISCOVERED
    # Whether an officer of the police can ask for it to wait.
    can_wait: bool = True


def _rule(
    law: str, label: str, whom: Whom, to: str, time: str, cites: str, *, over: int = 1,
    below: int = 0, start: Start = Start.DISCOVERED, can_wait: bool = True,
) -> Rule:  # fmt: skip
    return Rule(law, label, whom, to, Duration.read(time), cites, over, below, start, can_wait)


GDPR, UK, HIPAA, LICENSED = "gdpr", "uk-gdpr", "hipaa", "ca-licensed"
NY, CA, TX, FL, CO, WA = (f"US-{state}" for state in "NY CA TX FL CO WA".split())
_SHIELD = "SHIELD Act (New York)"
_CALIFORNIA = "Civil Code 1798.82 (California)"
_HIPAA = "HIPAA Breach Notification Rule"

RULES: Final[dict[str, Rule]] = {
    "gdpr.authority": _rule(
        GDPR, "GDPR", Whom.AUTHORITY, "the data protection authority", "72 hours",
        "GDPR Art. 33(1)", can_wait=False,
    ),
    "gdpr.people": _rule(
        # The article says "without undue delay" and names no number: the time of the authority
        # is taken, so that nobody reads it as some weeks.
        GDPR, "GDPR", Whom.PEOPLE, "the people it touches", "72 hours",
        "GDPR Art. 34(1), without undue delay", can_wait=False,
    ),
    "uk.authority": _rule(
        UK, "UK GDPR", Whom.AUTHORITY, "the Information Commissioner", "72 hours",
        "UK GDPR Art. 33(1)", can_wait=False,
    ),
    "uk.people": _rule(
        UK, "UK GDPR", Whom.PEOPLE, "the people it touches", "72 hours",
        "UK GDPR Art. 34(1), without undue delay", can_wait=False,
    ),
    "hipaa.people": _rule(
        HIPAA, _HIPAA, Whom.PEOPLE, "each person it touches", "60 days", "45 CFR 164.404(b)",
    ),
    "hipaa.hhs_large": _rule(
        HIPAA, _HIPAA, Whom.AUTHORITY, "the Secretary of HHS, together with the people",
        "60 days", "45 CFR 164.408(b)", over=500,
    ),
    "hipaa.hhs_small": _rule(
        HIPAA, _HIPAA, Whom.AUTHORITY, "the Secretary of HHS, in the list of the year",
        "60 days", "45 CFR 164.408(c)", below=500, start=Start.YEAR_END,
    ),
    "hipaa.media": _rule(
        HIPAA, _HIPAA, Whom.MEDIA, "prominent media of the state", "60 days", "45 CFR 164.406",
        over=501,
    ),
    "ny.people": _rule(
        NY, _SHIELD, Whom.PEOPLE, "residents of New York", "30 days",
        "N.Y. Gen. Bus. Law 899-aa(2)",
    ),
    "ny.regulators": _rule(
        NY, _SHIELD, Whom.AUTHORITY,
        "the Attorney General, the Department of State and the State Police of New York",
        "30 days", "N.Y. Gen. Bus. Law 899-aa(8)(a)",
    ),
    "ny.agencies": _rule(
        NY, _SHIELD, Whom.AGENCIES, "consumer reporting agencies", "30 days",
        "N.Y. Gen. Bus. Law 899-aa(8)(b)", over=5001,
    ),
    "ny.attorney": _rule(
        NY, _SHIELD, Whom.AUTHORITY, "the Attorney General of New York, as HHS was told",
        "5 business days", "N.Y. Gen. Bus. Law 899-aa(9)", start=Start.HHS_TOLD,
    ),
    "ca.people": _rule(
        CA, _CALIFORNIA, Whom.PEOPLE, "residents of California", "30 days",
        "Cal. Civ. Code 1798.82(a)",
    ),
    "ca.attorney": _rule(
        CA, _CALIFORNIA, Whom.AUTHORITY, "the Attorney General of California, with a sample",
        "15 days", "Cal. Civ. Code 1798.82(f)", over=501, start=Start.PEOPLE_TOLD,
    ),
    "ca.clinic": _rule(
        LICENSED, "Health and Safety Code 1280.15 (California)", Whom.AUTHORITY,
        "the Department of Public Health of California", "15 business days",
        "Cal. Health & Safety Code 1280.15(b)(1)",
    ),
    "ca.clinic_people": _rule(
        LICENSED, "Health and Safety Code 1280.15 (California)", Whom.PEOPLE,
        "the patients, or who speaks for them", "15 business days",
        "Cal. Health & Safety Code 1280.15(b)(2)",
    ),
    "tx.people": _rule(
        TX, "Business and Commerce Code 521.053 (Texas)", Whom.PEOPLE, "residents of Texas",
        "60 days", "Tex. Bus. & Com. Code 521.053(b)",
    ),
    "tx.attorney": _rule(
        TX, "Business and Commerce Code 521.053 (Texas)", Whom.AUTHORITY,
        "the Attorney General of Texas", "30 days", "Tex. Bus. & Com. Code 521.053(i)", over=250,
    ),
    "fl.people": _rule(
        FL, "Information Protection Act (Florida)", Whom.PEOPLE, "people in Florida", "30 days",
        "Fla. Stat. 501.171(4)",
    ),
    "fl.legal_affairs": _rule(
        FL, "Information Protection Act (Florida)", Whom.AUTHORITY,
        "the Department of Legal Affairs of Florida", "30 days", "Fla. Stat. 501.171(3)", over=500,
    ),
    "co.people": _rule(
        CO, "C.R.S. 6-1-716 (Colorado)", Whom.PEOPLE, "residents of Colorado", "30 days",
        "C.R.S. 6-1-716(2)(a)",
    ),
    "co.attorney": _rule(
        CO, "C.R.S. 6-1-716 (Colorado)", Whom.AUTHORITY, "the Attorney General of Colorado",
        "30 days", "C.R.S. 6-1-716(2)(f)", over=500,
    ),
    "wa.people": _rule(
        WA, "RCW 19.255.010 (Washington)", Whom.PEOPLE, "people in Washington", "30 days",
        "RCW 19.255.010(8)",
    ),
    "wa.attorney": _rule(
        WA, "RCW 19.255.010 (Washington)", Whom.AUTHORITY, "the Attorney General of Washington",
        "30 days", "RCW 19.255.010(7)", over=501,
    ),
}  # fmt: skip
STATES: Final = frozenset({NY, CA, TX, FL, CO, WA})
HHS: Final = ("hipaa.hhs_large", "hipaa.hhs_small")
# A letter in the portal is not enough: it goes by post, or by e-mail to whoever agreed to that (45
# CFR 164.404(d)(1)).
BY_POST: Final = frozenset({"hipaa.people"})
