"""What laws ask beside their clocks, and of children: each line is kept by something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from consent.rules.directives import DirectiveKind
from dsar.rules.agents import Decides, Relation, Shown, deciding_age, refusal_to_accept, who_decides
from dsar.rules.clocks import RULES, Step
from dsar.rules.directing import DIRECTIVES_OF
from dsar.rules.fees import Asked, refusal_to_charge
from dsar.rules.identity import Check, Fact, Level, level_for, level_of
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.repeats import Earlier, next_on
from dsar.rules.states import Act, Proof, Standing, State, refusal_of

DAY, MINE = date(2026, 11, 26), UUID(int=1)


def verified(facts: set[Fact], *, declared: bool = False) -> Level:
    return level_of([Check(Proof.MATCHED, frozenset(facts), MINE, declared)], MINE, ())


def verify() -> bool:
    two, three = {Fact.NUMBER, Fact.BIRTH}, {Fact.NUMBER, Fact.BIRTH, Fact.ADDRESS}
    return (
        verified(two) is Level.STANDARD
        and verified(three, declared=True) is Level.HIGH
        and verified(three) is Level.STANDARD
        and level_for(Kind.OPT_OUT) is Level.NONE
    )


def agent() -> bool:
    shown = Shown(Relation.AGENT, has_paper=False, confirmed=False, today=DAY)
    attorney = Shown(Relation.ATTORNEY, has_paper=True, confirmed=False, today=DAY)
    return bool(refusal_to_accept(shown)) and not refusal_to_accept(attorney)


def frequency() -> bool:
    done = [
        Earlier("0000-0000", on, is_open=False, is_done=True, same_asker=True)
        for on in (date(2026, 2, 1), date(2026, 5, 1))
    ]
    return (
        next_on(Kind.ACCESS, [Law.CCPA], DAY, done) == date(2027, 2, 2)
        and next_on(Kind.ACCESS, [Law.CCPA], DAY, done[:1]) is None
    )


def free(law: Law) -> Callable[[], bool]:
    def look() -> bool:
        asked = Asked(Kind.COPY, (law,), DAY, "cost-based")
        shown = Asked(Kind.COPY, (law,), DAY, "cost-based", excessive=True)
        return bool(refusal_to_charge(asked)) and not refusal_to_charge(shown)

    return look


def no_more_proof_than_needed() -> bool:
    """Once it is sure, nothing more is asked for."""
    certain = Standing(Kind.COPY, State.OPEN, is_identified=True, is_certain=True)
    return bool(refusal_of(Act.IDENTIFY, certain, DAY))


def paid_by_themself() -> bool:
    return DirectiveKind.HEALTH_PLAN in DIRECTIVES_OF[Kind.RESTRICTION]


def written_to_elsewhere() -> bool:
    standing = Standing(Kind.QUESTION, State.OPEN)
    return not refusal_of(Act.READDRESS, standing, DAY)


KEPT: dict[str, Callable[[], bool]] = {
    "gdpr.dsar.identity": no_more_proof_than_needed,
    "gdpr.dsar.fee": free(Law.GDPR),
    "ccpa.verify": verify,
    "ccpa.agent": agent,
    "ccpa.frequency": frequency,
    "ccpa.fee": free(Law.CCPA),
    "hipaa.restriction.selfpay": paid_by_themself,
    "hipaa.confidential_comm": written_to_elsewhere,
}
# Of category children: an age, and who decides just below it and at it.
CHILDREN = [
    ("coppa", "US", 13, Decides.GUARDIAN, Decides.BOTH),
    ("gdpr.art8", "DE", 16, Decides.GUARDIAN, Decides.BOTH),
    ("gdpr.art8", "FR", 15, Decides.GUARDIAN, Decides.BOTH),
    ("hipaa.minors", "US", 18, Decides.BOTH, Decides.PERSON),
]


@pytest.mark.parametrize("number", sorted(KEPT))
def test_what_a_law_asks_beside_its_clock_is_kept(number: str) -> None:
    assert RULES[number].step is Step.NONE
    assert KEPT[number]()


def test_nothing_that_is_no_clock_is_only_written_down() -> None:
    assert KEPT.keys() == {number for number, rule in RULES.items() if rule.step is Step.NONE}


@pytest.mark.parametrize(("number", "place", "age", "below", "at"), CHILDREN)
def test_who_decides_about_a_child(
    number: str, place: str, age: int, below: Decides, at: Decides
) -> None:
    from_age = deciding_age(place, 13)
    assert (who_decides(age - 1, from_age), who_decides(age, from_age)) == (below, at), number


def test_only_clocks_that_count_from_a_fee_wait_for_it() -> None:
    waiting = {number for number, rule in RULES.items() if rule.waits_for_fee}
    assert waiting == {"uk.dsar.all", "tx.occ159006"}
    assert all("fee" in RULES[number].begins for number in waiting)
