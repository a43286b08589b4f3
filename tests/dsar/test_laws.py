"""Several laws at once: whose they are, and which clock wins."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from dsar.rules.clocks import (
    Duration,
    Step,
    Unit,
    conditions_of,
    holidays_of,
    local_day,
)
from dsar.rules.kinds import Kind
from dsar.rules.laws import Asked, Law, laws_for
from tests.dsar.reckoning import CLINIC, of

US, FRANCE = holidays_of("US"), holidays_of("FR")
WEDNESDAY = date(2026, 11, 18)

# Several laws at once ----------------------------------------------------------------------------


def test_the_same_request_on_the_same_day_is_due_by_the_law_of_each_person() -> None:
    """MEDDIM-7.24."""
    asked = Asked("US", "MT", ("ccpa",))
    assert of("FR", asked=asked).answer_on == date(2026, 10, 1)
    assert of("US-CA", asked=asked).answer_on == date(2026, 10, 16)
    assert of("US-NV", asked=Asked("US", "MT", ("hipaa",))).answer_on == date(2026, 10, 1)
    assert of(
        "US-NV", Kind.CORRECTION, asked=Asked("US", "MT", ("hipaa",)), own=90
    ).answer_on == date(2026, 10, 31)


def test_the_earliest_of_several_laws_wins() -> None:
    both = of("US-CA", Kind.ACCESS)
    assert [clock.rule for clock in both.clocks if clock.step is Step.ANSWER] == [
        "hipaa.access", "ccpa.respond", "own",
    ]  # fmt: skip
    assert both.answer_on == date(2026, 10, 1)
    assert both.acknowledge_on == date(2026, 9, 15)
    for earlier, later in pairwise(both.clocks):
        assert earlier.due_on <= later.due_on


def test_a_shorter_promise_of_the_policy_wins_over_every_law() -> None:
    assert of("FR", own=20).answer_on == date(2026, 9, 21)


def test_an_extension_is_as_long_as_the_law_with_the_least() -> None:
    assert of("FR", asked=Asked("FR", "", ())).extends_to == date(2026, 12, 1)
    # HIPAA gives sixty days in all, CCPA ninety.
    assert of("US-CA").extends_to == date(2026, 10, 31)
    assert of("US-CA", extended=True).answer_on == date(2026, 10, 31)


def test_where_one_law_knows_no_extension_there_is_none() -> None:
    hospital = Asked("US", "NY", ("hipaa",))
    assert of("US-NY", asked=hospital).extends_to is None
    assert of("US-NY", asked=hospital).answer_on == date(2026, 9, 11)
    assert of("", Kind.QUESTION).extends_to is None


def test_a_question_has_the_clock_of_the_policy_alone() -> None:
    found = of("FR", Kind.QUESTION)
    assert {clock.rule for clock in found.clocks} == {"own"}
    assert found.answer_on == date(2026, 10, 31)


def test_conditions_beside_the_clocks_are_told() -> None:
    told = {rule.id for rule in conditions_of(Kind.COPY, laws_for("FR", CLINIC), WEDNESDAY)}
    assert {"gdpr.dsar.fee", "gdpr.dsar.identity", "hipaa.access"} <= told
    assert not any(number.startswith("ccpa") for number in told)


# Whose laws ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("residence", "laws"),
    [
        ("FR", {Law.GDPR, Law.EHDS, Law.HIPAA}),
        ("IS", {Law.GDPR, Law.EHDS, Law.HIPAA}),
        ("GB", {Law.UK_GDPR, Law.HIPAA}),
        ("CH", {Law.CH_FADP, Law.HIPAA}),
        ("US-CA", {Law.CCPA, Law.SHINE_THE_LIGHT, Law.HIPAA}),
        ("US-TX", {Law.HIPAA}),
        ("US", {Law.CCPA, Law.SHINE_THE_LIGHT, Law.HIPAA}),
        ("BR", {Law.LGPD, Law.HIPAA}),
        ("KR", {Law.PIPA, Law.HIPAA}),
        # Not known: everything that the policy names.
        ("", {Law.GDPR, Law.UK_GDPR, Law.CCPA, Law.SHINE_THE_LIGHT, Law.HIPAA}),
    ],
)
def test_laws_follow_from_where_the_person_lives(residence: str, laws: set[Law]) -> None:
    assert set(laws_for(residence, CLINIC)) == laws


def test_a_resident_of_france_has_the_rights_of_the_gdpr_from_everybody() -> None:
    """AVMI-10.3: also where a policy does not name it."""
    assert Law.GDPR in laws_for("FR", Asked("US", "NY", ("hipaa",), treats_people=False))


def test_an_organisation_in_the_union_owes_them_to_everybody() -> None:
    assert Law.GDPR in laws_for("US-TX", Asked("DE", "BY", ()))
    assert Law.GDPR not in laws_for("US-TX", Asked("US", "NY", ()))


@pytest.mark.parametrize(
    ("state", "law"), [("NY", Law.NY_PATIENTS), ("TX", Law.TX_PATIENTS), ("CA", Law.CA_PATIENTS)]
)
def test_laws_on_records_of_patients_bind_by_the_state_of_the_hospital(
    state: str, law: Law
) -> None:
    assert law in laws_for("FR", Asked("US", state, ("hipaa",)))
    assert law not in laws_for("FR", Asked("US", state, ("hipaa",), treats_people=False))


def test_the_day_of_receipt_is_that_of_the_organisation() -> None:
    night = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
    assert local_day(night, "US", "NY") == date(2026, 11, 30)
    assert local_day(night, "DE", "BY") == date(2026, 12, 1)
    assert local_day(night, "ZZ") == date(2026, 12, 1)


def test_holidays_of_a_country_that_nobody_knows_are_none() -> None:
    assert not any(holidays_of("ZZ")(date(2026, 12, 24 + n)) for n in range(3))


def test_units_are_said_in_words() -> None:
    assert Duration(1, Unit.MONTH).words == "one calendar month"
    assert Duration(45, Unit.DAY).words == "45 calendar days"
    assert Duration(10, Unit.BUSINESS_DAY).words == "10 business days"
