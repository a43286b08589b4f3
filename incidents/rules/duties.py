"""From what is known of an incident to who is told by when, and why somebody is not. Pure.

Who lives nobody knows where counts where the organisation is, and, where that is in the United
States or nobody knows the country, on the shortest of the clocks of its states: 30 days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dsar.rules.clocks.days import (
    Unit,
    business_days_after,
    holidays_of,
    local_day,
    moment_due,
)
from dsar.rules.laws import Asked, Law, laws_for
from incidents.rules.table import (
    CA,
    GDPR,
    HHS,
    HIPAA,
    LICENSED,
    RULES,
    STATES,
    UK,
    Rule,
    Start,
    Whom,
)

OWN, OWN_OTHERS, UNKNOWN = "own.people", "own.organisations", "unknown.people"
TO_PEOPLE = frozenset({
    OWN, UNKNOWN, *(code for code, rule in RULES.items() if rule.whom is Whom.PEOPLE),
})  # fmt: skip
ORAL_DELAY = timedelta(days=30)  # 45 CFR 164.412(b)
UNKNOWN_TIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Delay:
    """What an officer of the police asked for: from when, until when, and whether in writing."""

    since: date
    until: date
    in_writing: bool

    def ends_for(self, law: str) -> date:
        """By HIPAA a word of mouth holds for 30 days at most; by other laws as it was said."""
        if law == HIPAA and not self.in_writing:
            return min(self.until, self.since + ORAL_DELAY)
        return self.until


@dataclass(frozen=True, slots=True)
class Facts:
    """What duties depend on. `residents`: how many people live where (`DE`, `US-NY`; empty: not
    known). `told`: the days on which duties were done, by their codes."""

    discovered_at: datetime
    country: str
    state: str
    regimes: Collection[str]
    residents: Mapping[str, int]
    threshold: str
    internal_hours: int
    treats_people: bool = True
    is_breach: bool = True
    # Sealed, and the keys are safe.
    unreadable: bool = False
    low_probability: bool = False
    # For the people: "unlikely", "likely" or "high"; what nobody has assessed counts as high.
    risk: str = "high"
    licensed_clinic: bool = False
    delay: Delay | None = None
    told: Mapping[str, date] = field(default_factory=dict)
    # How many other organisations' studies it touches.
    others: int = 0

    @property
    def discovered_on(self) -> date:
        return local_day(self.discovered_at, self.country, self.state)

    @property
    def people(self) -> int:
        return sum(self.residents.values())


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody to be told. Without `due_on` its time has not begun; with `away` nobody is told,
    for that reason. `moment` is there where hours run."""

    code: str
    law: str
    whom: Whom
    to: str
    number: int
    cites: str
    how: str
    due_on: date | None = None
    moment: datetime | None = None
    away: str = ""

    def is_late(self, now: datetime, today: date) -> bool:
        if self.away or self.due_on is None:
            return False
        return now > self.moment if self.moment else today > self.due_on


def duties(facts: Facts) -> tuple[Duty, ...]:
    """All duties: those that stand, the earliest first; then those whose time has not begun; then
    what is not owed, with the reason."""
    found = [*_of_laws(facts), *_unknown(facts)]
    found += _own(facts, found)
    return tuple(sorted(found, key=_order))


def _order(duty: Duty) -> tuple[bool, date, str]:
    return bool(duty.away), duty.due_on or date.max, duty.code


def standing(found: Iterable[Duty]) -> list[Duty]:
    return [one for one in found if not one.away]


def in_state(facts: Facts, place: str) -> int:
    """How many live there; who lives nobody knows where counts where the organisation is."""
    own = f"US-{facts.state}" if facts.country == "US" and facts.state else facts.country
    number = facts.residents.get(place, 0)
    if place == own:
        number += facts.residents.get("", 0)
        number += facts.residents.get("US", 0) if place.startswith("US-") else 0
    return number


def _laws(facts: Facts) -> set[str]:
    asked = Asked(facts.country, facts.state, facts.regimes, facts.treats_people)
    found = {law for one in facts.residents or {"": 0} for law in laws_for(one, asked)}
    return {str(law) for law in found & {Law.GDPR, Law.UK_GDPR, Law.HIPAA}}


def _number(code: str, rule: Rule, facts: Facts, laws: set[str]) -> int:
    """How many people a line is about; 0: its law binds nobody here."""
    if rule.law in STATES:
        if code == "ny.attorney" and HIPAA not in laws:
            return 0
        return in_state(facts, rule.law)
    if rule.law == LICENSED:
        clinic = facts.licensed_clinic and (facts.country, facts.state) == ("US", "CA")
        return facts.people if clinic else 0
    if rule.law not in laws:
        return 0
    if code == "hipaa.media":
        places = {*facts.residents, f"US-{facts.state}"}
        return max((in_state(facts, one) for one in places if one.startswith("US-")), default=0)
    return facts.people


def _of_laws(facts: Facts) -> Iterable[Duty]:
    laws = _laws(facts)
    for code, rule in RULES.items():
        number = _number(code, rule, facts, laws)
        if number < rule.over or (rule.below and number >= rule.below):
            continue
        away = _away(rule, facts)
        due, moment, how = (None, None, "") if away else _due(code, rule, facts)
        yield Duty(code, rule.label, rule.whom, rule.to, number, rule.cites, how, due, moment, away)


def _away(rule: Rule, facts: Facts) -> str:
    """Why a law does not ask for it; empty where it does."""
    if not facts.is_breach:
        return "It was found that no data was exposed."
    if rule.law in {GDPR, UK}:
        return _away_in_europe(rule, facts)
    if facts.unreadable and rule.law != LICENSED:
        why = "45 CFR 164.402, unsecured" if rule.law == HIPAA else rule.cites
        return f"The data was sealed and its keys are safe, so nobody could read it ({why})."
    if facts.low_probability and rule.law == HIPAA:
        return (
            "The four factors were weighed, and the probability that the data was compromised is"
            " low (45 CFR 164.402(2))."
        )
    return ""


def _away_in_europe(rule: Rule, facts: Facts) -> str:
    if facts.risk == "unlikely":
        return f"A risk to people is unlikely, and why is written down ({rule.cites})."
    if rule.whom is not Whom.PEOPLE:
        return ""
    if facts.unreadable:
        return "The data was sealed and its keys are safe (GDPR Art. 34(3)(a))."
    if facts.risk != "high":
        return "There is a risk to people, but no high one (GDPR Art. 34(1))."
    return ""


def _due(code: str, rule: Rule, facts: Facts) -> tuple[date | None, datetime | None, str]:
    """The last day on which it is in time; for hours the moment too; and how it was counted."""
    if rule.time.unit is Unit.HOUR:
        moment = moment_due(facts.discovered_at, rule.time.value)
        day = local_day(moment, facts.country, facts.state)
        return day, moment, f"{rule.time.words.capitalize()} after discovery, running."
    start = _start(code, rule, facts)
    if start is None:
        after = "HHS" if rule.start is Start.HHS_TOLD else "the people"
        return (
            None,
            None,
            f"{rule.time.words.capitalize()} after {after} were told.".replace(
                "HHS were", "HHS was"
            ),
        )
    due = _counted(start, rule)
    how = f"{rule.time.words.capitalize()} after {start:%-d %B %Y}."
    if facts.delay is None or not rule.can_wait:
        return due, None, how
    ends = facts.delay.ends_for(rule.law)
    # By 1280.15(c) the whole time runs again once the delay is over.
    later = max(due, _counted(ends, rule) if rule.law == LICENSED else ends)
    if later == due:
        return due, None, how
    return later, None, f"{how} The police asked to wait until {ends:%-d %B %Y}."


def _counted(start: date, rule: Rule) -> date:
    if rule.time.unit is Unit.BUSINESS_DAY:
        return business_days_after(start, rule.time.value, holidays_of("US"))
    return start + timedelta(days=rule.time.value)


def _start(code: str, rule: Rule, facts: Facts) -> date | None:
    match rule.start:
        case Start.YEAR_END:
            return date(facts.discovered_on.year, 12, 31)
        case Start.HHS_TOLD:
            return min((facts.told[one] for one in HHS if one in facts.told), default=None)
        case Start.PEOPLE_TOLD:
            return facts.told.get("ca.people" if rule.law == CA else code)
    return facts.discovered_on


def _unknown(facts: Facts) -> Iterable[Duty]:
    """People in some state of the United States, or nobody knows where."""
    number = facts.residents.get("US", 0)
    if facts.country == "US" or "ny-shield" in facts.regimes:
        number += facts.residents.get("", 0)
    if not number:
        return
    away = ""
    if not facts.is_breach:
        away = "It was found that no data was exposed."
    elif facts.unreadable:
        away = "The data was sealed and its keys are safe, so nobody could read it."
    due = None if away else facts.discovered_on + UNKNOWN_TIME
    how = "" if away else f"30 calendar days after {facts.discovered_on:%-d %B %Y}."
    if due and facts.delay and facts.delay.until > due:
        due, how = facts.delay.until, f"{how} The police asked to wait."
    yield Duty(
        UNKNOWN, "The strictest law of a state", Whom.PEOPLE, "people whose state is not known",
        number, "such as N.Y. Gen. Bus. Law 899-aa(2)", how, due, None, away,
    )  # fmt: skip


def _own(facts: Facts, of_laws: Collection[Duty]) -> Iterable[Duty]:
    """What the policy promises beside the laws: `breach.threshold`, `breach.internal_hours`."""
    by_law = any(one.whom is Whom.PEOPLE and not one.away for one in of_laws)
    away = ""
    if not facts.is_breach:
        away = "It was found that no data was exposed."
    elif facts.threshold == "legal-required" and not by_law:
        away = "The policy promises to tell people where a law asks for it, and none does."
    elif facts.unreadable and not by_law:
        away = "The data was sealed and its keys are safe, so none may have been exposed."
    moment = None if away else moment_due(facts.discovered_at, facts.internal_hours)
    due = local_day(moment, facts.country, facts.state) if moment else None
    how = "" if away else f"{facts.internal_hours} hours after discovery, running."
    for code, to, number in (
        (OWN, "the people it touches", facts.people),
        (OWN_OTHERS, "other organisations whose studies it touches", facts.others),
    ):
        if number or code == OWN:
            whom = Whom.PEOPLE if code == OWN else Whom.ORGANISATIONS
            yield Duty(
                code, "Your privacy policy", whom, to, number, "what it says of breaches", how, due,
                moment, away,
            )  # fmt: skip
