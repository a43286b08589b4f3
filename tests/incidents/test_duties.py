"""Who is told of a breach by when, by each law: a table of moments, numbers and places."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from incidents.rules.duties import OWN, OWN_OTHERS, UNKNOWN, Delay, Duty, Facts, duties
from incidents.rules.table import RULES, Whom

# Noon in New York, on a Thursday.
NOON = datetime(2026, 11, 26, 17, tzinfo=UTC)


def facts(**changed: Any) -> Facts:
    given: dict[str, Any] = {
        "discovered_at": NOON, "country": "US", "state": "NY", "regimes": ["hipaa"],
        "residents": {"US-NY": 1}, "threshold": "may-have", "internal_hours": 48,
    } | changed  # fmt: skip
    return Facts(**given)


def found(**changed: Any) -> dict[str, Duty]:
    return {one.code: one for one in duties(facts(**changed)) if not one.away}


def away(**changed: Any) -> dict[str, str]:
    return {one.code: one.away for one in duties(facts(**changed)) if one.away}


EUROPE: dict[str, Any] = {"country": "DE", "state": "", "regimes": ["gdpr"], "residents": {"DE": 3}}
CALIFORNIA: dict[str, Any] = {"state": "CA", "residents": {"US-CA": 1}}


@pytest.mark.parametrize(
    ("discovered", "moment"),
    [
        # Friday evening, over a weekend; over a leap day; over the end of a year.
        (datetime(2026, 11, 27, 20, 15, tzinfo=UTC), datetime(2026, 11, 30, 20, 15, tzinfo=UTC)),
        (datetime(2028, 2, 27, 8, tzinfo=UTC), datetime(2028, 3, 1, 8, tzinfo=UTC)),
        (datetime(2026, 12, 30, 8, tzinfo=UTC), datetime(2027, 1, 2, 8, tzinfo=UTC)),
        # Summer time ends in between: hours run, the clock on the wall does not count.
        (datetime(2026, 10, 24, 8, tzinfo=UTC), datetime(2026, 10, 27, 8, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize(
    ("place", "code"),
    [
        (EUROPE, "gdpr.authority"),
        ({"country": "GB", "regimes": ["uk-gdpr"], "residents": {"GB": 1}}, "uk.authority"),
    ],
)
def test_an_authority_is_told_within_72_running_hours(
    discovered: datetime, moment: datetime, place: dict[str, Any], code: str
) -> None:
    duty = found(**{"state": "", **place, "discovered_at": discovered})[code]
    assert duty.moment == moment
    assert not duty.is_late(moment, duty.due_on or date.min)
    assert duty.is_late(moment + timedelta(seconds=1), duty.due_on or date.min)


@pytest.mark.parametrize(
    ("discovered", "due"),
    [
        (datetime(2026, 11, 26, 17, tzinfo=UTC), date(2027, 1, 25)),
        # Over a leap day, and not over one.
        (datetime(2028, 1, 1, 17, tzinfo=UTC), date(2028, 3, 1)),
        (datetime(2027, 1, 1, 17, tzinfo=UTC), date(2027, 3, 2)),
        # One in the morning in London is the evening before in New York.
        (datetime(2026, 11, 27, 1, tzinfo=UTC), date(2027, 1, 25)),
    ],
)
def test_hipaa_gives_sixty_calendar_days_and_rolls_over_no_weekend(
    discovered: datetime, due: date
) -> None:
    assert found(discovered_at=discovered)["hipaa.people"].due_on == due


@pytest.mark.parametrize(
    ("number", "there", "not_there"),
    [
        (499, {"hipaa.hhs_small"}, {"hipaa.hhs_large", "hipaa.media", "ny.agencies"}),
        (500, {"hipaa.hhs_large"}, {"hipaa.hhs_small", "hipaa.media"}),
        (501, {"hipaa.hhs_large", "hipaa.media"}, {"hipaa.hhs_small"}),
        (5000, {"hipaa.media"}, {"ny.agencies"}),
        (5001, {"ny.agencies"}, {"hipaa.hhs_small"}),
    ],
)
def test_how_many_people_it_is_about_decides_who_else_is_told(
    number: int, there: set[str], not_there: set[str]
) -> None:
    codes = set(found(residents={"US-NY": number}))
    assert there <= codes
    assert not not_there & codes


@pytest.mark.parametrize(("year", "due"), [(2026, date(2027, 3, 1)), (2027, date(2028, 2, 29))])
def test_fewer_than_500_go_into_the_list_of_the_year(year: int, due: date) -> None:
    """45 CFR 164.408(c): 60 days after its end."""
    for day in (datetime(year, 1, 1, 12, tzinfo=UTC), datetime(year, 12, 31, 12, tzinfo=UTC)):
        assert found(discovered_at=day)["hipaa.hhs_small"].due_on == due


def test_the_media_of_a_state_count_its_residents_and_hhs_counts_all() -> None:
    codes = found(residents={"US-NY": 400, "US-MA": 300})
    assert "hipaa.hhs_large" in codes
    assert "hipaa.media" not in codes
    assert found(residents={"US-NY": 1, "US-MA": 501})["hipaa.media"].number == 501


def test_new_york_counts_new_yorkers_alone() -> None:
    """MEDDIM-13.3: with people of New York and Massachusetts."""
    duty = found(residents={"US-NY": 2, "US-MA": 5})["ny.people"]
    assert duty.number == 2
    assert duty.due_on == date(2026, 12, 26)
    assert found(residents={"US-NY": 2})["ny.regulators"].due_on == date(2026, 12, 26)
    assert not [one for one in found(state="MA", residents={"US-MA": 5}) if one.startswith("ny.")]


def test_the_attorney_of_new_york_is_told_five_business_days_after_hhs() -> None:
    assert found()["ny.attorney"].due_on is None
    # A Wednesday before Thanksgiving (2026-11-26) and a weekend.
    told = {"hipaa.hhs_small": date(2026, 11, 25)}
    assert found(told=told)["ny.attorney"].due_on == date(2026, 12, 3)
    assert "ny.attorney" not in found(regimes=[])


@pytest.mark.parametrize(("number", "is_told"), [(499, False), (500, False), (501, True)])
def test_the_attorney_of_california_is_told_fifteen_days_after_people(
    number: int, is_told: bool
) -> None:
    of = {"state": "CA", "residents": {"US-CA": number}}
    assert found(**of)["ca.people"].due_on == date(2026, 12, 26)
    assert ("ca.attorney" in found(**of)) is is_told
    if is_told:
        assert found(**of)["ca.attorney"].due_on is None
        told = found(**of, told={"ca.people": date(2026, 12, 20)})["ca.attorney"]
        assert told.due_on == date(2027, 1, 4)


def test_a_licensed_clinic_of_california_has_fifteen_business_days_for_one_patient() -> None:
    of = {**CALIFORNIA, "licensed_clinic": True}
    # Thanksgiving is the day of discovery itself; no other holiday until then.
    assert found(**of)["ca.clinic"].due_on == date(2026, 12, 17)
    assert found(**of)["ca.clinic_people"].due_on == date(2026, 12, 17)
    assert "ca.clinic" not in found(**CALIFORNIA)
    assert "ca.clinic" not in found(licensed_clinic=True)
    # It asks for unlawful access, whether data was sealed or not.
    assert "ca.clinic" in found(**of, unreadable=True)


@pytest.mark.parametrize(
    ("state", "below", "over", "code", "days"),
    [
        ("TX", 249, 250, "tx.attorney", 30),
        ("FL", 499, 500, "fl.legal_affairs", 30),
        ("CO", 499, 500, "co.attorney", 30),
        ("WA", 500, 501, "wa.attorney", 30),
    ],
)
def test_other_states_have_their_own_numbers(
    state: str, below: int, over: int, code: str, days: int
) -> None:
    home = f"US-{state}"
    assert code not in found(state=state, residents={home: below})
    duty = found(state=state, residents={home: over})[code]
    assert duty.due_on == date(2026, 11, 26) + timedelta(days=days)


@pytest.mark.parametrize(("state", "days"), [("TX", 60), ("FL", 30), ("CO", 30), ("WA", 30)])
def test_people_of_other_states_are_told_within_their_days(state: str, days: int) -> None:
    duty = found(residents={f"US-{state}": 1})[f"{state.lower()}.people"]
    assert duty.due_on == date(2026, 11, 26) + timedelta(days=days)


def test_who_lives_nobody_knows_where_counts_for_the_strictest() -> None:
    of = found(state="MA", residents={"": 2, "US": 1})
    assert of[UNKNOWN].number == 3
    assert of[UNKNOWN].due_on == date(2026, 12, 26)
    # And where the organisation is: they make the difference of its thresholds.
    assert found(residents={"US-NY": 499, "": 2})["hipaa.media"].number == 501
    assert found(residents={"": 1})["ny.people"].number == 1
    assert UNKNOWN not in found(**EUROPE)
    # Elsewhere, if the policy names a law of a state.
    abroad = {**EUROPE, "residents": {"": 1}}
    assert UNKNOWN in found(**{**abroad, "regimes": ["gdpr", "ny-shield"]})


def test_the_law_of_europe_follows_its_people() -> None:
    codes = found(residents={"DE": 1, "US-NY": 1})
    assert "gdpr.authority" in codes
    assert "uk.authority" not in codes


# What takes duties away ---------------------------------------------------------------------------
def test_what_nobody_has_assessed_is_told() -> None:
    """45 CFR 164.402(2): a breach is presumed."""
    assert not away()
    assert not away(**EUROPE)


def test_a_low_probability_takes_the_duties_of_hipaa_away_and_no_other() -> None:
    lost = away(low_probability=True)
    assert {one.partition(".")[0] for one in lost} == {"hipaa"}
    assert all("164.402(2)" in why for why in lost.values())
    assert {"ny.people", OWN} <= set(found(low_probability=True))


def test_data_that_nobody_could_read_is_told_to_nobody_but_the_authority_of_europe() -> None:
    assert not found(unreadable=True)
    lost = away(unreadable=True)
    assert all("sealed" in why for why in lost.values())
    assert set(found(**EUROPE, unreadable=True)) == {"gdpr.authority"}
    assert "34(3)(a)" in away(**EUROPE, unreadable=True)["gdpr.people"]


@pytest.mark.parametrize(
    ("risk", "codes"),
    [
        ("high", {"gdpr.authority", "gdpr.people", OWN}),
        ("likely", {"gdpr.authority", OWN}),
        ("unlikely", {OWN}),
    ],
)
def test_the_risk_to_people_decides_whom_the_law_of_europe_has_told(
    risk: str, codes: set[str]
) -> None:
    assert set(found(**EUROPE, risk=risk)) == codes


def test_no_breach_no_duty() -> None:
    assert not found(is_breach=False)
    assert not found(**EUROPE, is_breach=False)
    assert not found(residents={"": 1}, is_breach=False)


# The police ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("in_writing", "until", "hipaa", "new_york"),
    [
        # By mouth thirty days at most under HIPAA: shorter than its own time.
        (False, date(2027, 3, 1), date(2027, 1, 25), date(2027, 3, 1)),
        (True, date(2027, 3, 1), date(2027, 3, 1), date(2027, 3, 1)),
        # What is over before the time is does not matter.
        (True, date(2026, 12, 1), date(2027, 1, 25), date(2026, 12, 26)),
    ],
)
def test_the_police_can_make_it_wait(
    in_writing: bool, until: date, hipaa: date, new_york: date
) -> None:
    of = found(delay=Delay(date(2026, 11, 26), until, in_writing))
    assert of["hipaa.people"].due_on == hipaa
    assert of["ny.people"].due_on == new_york


def test_a_word_of_mouth_late_in_the_time_holds_for_thirty_days() -> None:
    of = found(delay=Delay(date(2027, 1, 20), date(2027, 6, 1), in_writing=False))
    assert of["hipaa.people"].due_on == date(2027, 2, 19)


def test_neither_europe_nor_the_policy_waits_and_a_clinic_gets_its_whole_time_anew() -> None:
    delay = Delay(date(2026, 11, 26), date(2027, 3, 1), in_writing=True)
    of = found(**EUROPE, delay=delay)
    assert of["gdpr.authority"].moment == NOON + timedelta(hours=72)
    assert of[OWN].moment == NOON + timedelta(hours=48)
    clinic = found(**CALIFORNIA, licensed_clinic=True, delay=delay)["ca.clinic"]
    assert clinic.due_on == date(2027, 3, 22)


# The policy ---------------------------------------------------------------------------------------
def test_a_policy_that_says_may_have_tells_within_its_hours() -> None:
    """LIFEIMAGE-6.25, VIGILANT-5.3."""
    duty = found(state="MA", residents={"US-MA": 1}, regimes=[])[OWN]
    assert duty.moment == NOON + timedelta(hours=48)
    assert duty.whom is Whom.PEOPLE


def test_a_policy_that_says_legal_required_tells_where_a_law_does() -> None:
    nobody = {"state": "MA", "residents": {"US-MA": 1}, "regimes": []}
    assert OWN not in found(**nobody, threshold="legal-required")
    assert OWN in found(threshold="legal-required")
    assert OWN not in found(**EUROPE, threshold="legal-required", risk="likely")


def test_other_organisations_are_told_with_the_people() -> None:
    assert OWN_OTHERS not in found()
    assert found(others=2)[OWN_OTHERS].number == 2


def test_what_is_owed_first_comes_first_and_what_is_not_last() -> None:
    all_of = duties(facts(low_probability=True, residents={"US-NY": 501}))
    due = [one.due_on or date.max for one in all_of if not one.away]
    assert due == sorted(due)
    assert [bool(one.away) for one in all_of] == sorted(bool(one.away) for one in all_of)


def test_each_line_of_the_table_cites_its_law() -> None:
    assert all(rule.cites and rule.label and rule.to for rule in RULES.values())
