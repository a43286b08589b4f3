"""Every formula of the catalogue, day by day, and what holds of all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules.categories import Category
from policies.selectors import shipped_packs
from retention.rules.duties import DUTIES, Duty, duties_over, read_duty
from retention.rules.facts import Facts, Holder, Milestone, Setting
from retention.rules.keeping import keeping_of
from retention.rules.periods import Period, birthday, months_after
from retention.rules.schedule import OF_STUDIES, Scheduled, schedule_of
from studies.rules.minors import age_on

RECEIVED = date(2026, 1, 2)
EXAMINED = date(2020, 3, 1)
ADULT = date(1970, 5, 1)


def facts(examined: date | None = EXAMINED, born: date | None = ADULT, **more: Any) -> Facts:
    return Facts(received_on=RECEIVED, examined_on=examined, born_on=born, **more)


def last_day(code: str, known: Facts) -> date | None:
    ends = [end for term in DUTIES[code].terms if (end := term.until(known))]
    return max(ends, default=None)


CHILD = date(2015, 5, 1)
# Whose law, what is known, and the last day of keeping. Marked *: of the statutory test vectors.
CASES: list[tuple[str, Facts, date | None]] = [
    ("de.strlschg.minor", facts(born=date(2010, 6, 15)), date(2038, 6, 14)),  # *
    ("de.strlschg.minor", facts(), None),
    ("de.strlschg.minor", facts(born=date(2004, 2, 29)), date(2032, 2, 28)),
    ("de.strlschg.minor", facts(born=None), date(2048, 2, 29)),
    # 17 the day before the birthday, 18 on it.
    ("de.strlschg.minor", facts(born=date(2002, 3, 2)), date(2030, 3, 1)),
    ("de.strlschg.minor", facts(born=date(2002, 3, 1)), None),
    ("de.strlschg.adult", facts(born=date(2002, 3, 1)), date(2030, 3, 1)),
    ("de.strlschg.adult", facts(), date(2030, 3, 1)),  # *
    ("de.strlschg.adult", facts(examined=date(2020, 2, 29)), date(2030, 2, 28)),
    ("de.strlschg.adult", facts(born=CHILD), None),
    ("de.strlschg.therapy", facts(later_on=date(2021, 7, 8)), date(2051, 7, 8)),
    ("de.bgb630f", facts(), date(2030, 3, 1)),
    ("de.bgb630f", facts(later_on=date(2024, 2, 29)), date(2034, 2, 28)),
    ("ca.hospital", facts(born=date(2002, 5, 1)), date(2027, 3, 1)),  # *
    ("ca.hospital", facts(born=CHILD), date(2034, 5, 1)),
    ("ca.clinic_xray", facts(later_on=date(2024, 1, 1)), date(2027, 3, 1)),
    ("ca.physician", facts(later_on=date(2024, 1, 1)), date(2031, 1, 1)),
    ("ny.hospital", facts(born=CHILD), date(2036, 5, 1)),  # *
    ("ny.hospital", facts(), date(2026, 3, 1)),
    ("ny.hospital", facts(later_on=date(2023, 6, 30)), date(2029, 6, 30)),
    ("ny.hospital", facts(died_on=date(2024, 4, 5)), date(2030, 4, 5)),
    ("ny.hospital", facts(born=CHILD, died_on=date(2024, 4, 5)), date(2036, 5, 1)),
    ("ny.physician", facts(born=CHILD), date(2034, 5, 1)),
    ("ny.physician", facts(born=date(2012, 2, 29)), date(2031, 3, 1)),
    ("tx.physician", facts(born=CHILD), date(2036, 5, 1)),  # *
    ("tx.physician", facts(), date(2027, 3, 1)),
    ("tx.hospital", facts(born=date(2015, 5, 1)), date(2035, 5, 1)),
    ("tx.hospital", facts(born=date(2003, 5, 1)), date(2030, 3, 1)),
    ("fl.physician", facts(), date(2025, 3, 1)),
    ("mqsa.mammo", facts(later_mammogram_on=date(2022, 3, 1)), date(2025, 3, 1)),  # *
    ("mqsa.mammo", facts(), date(2030, 3, 1)),  # *
    ("cms.radiology", facts(), date(2025, 3, 1)),
    ("cms.records", facts(later_on=date(2022, 2, 2)), date(2027, 2, 2)),
    ("cms.nuclear", facts(), date(2025, 3, 1)),
    ("cms.cah", facts(), date(2026, 3, 1)),
    ("cms.portable_xray", facts(), date(2022, 3, 1)),
    ("cms.ordering", facts(), date(2027, 3, 1)),
    ("cms.ma", facts(), date(2036, 1, 2)),
    ("us.fca", facts(), date(2036, 1, 2)),
    ("osha.exposure", facts(), None),
    ("osha.exposure", facts(milestones={"employment-ended": EXAMINED}), date(2050, 3, 1)),
    ("hipaa.docs", replace(facts(), received_on=date(2019, 1, 10),
                           milestones={"last-effective": date(2023, 7, 1)}), date(2029, 7, 1)),  # *
    ("hipaa.docs", replace(facts(), received_on=date(2019, 1, 10)), date(2025, 1, 10)),
    ("ccpa.records", facts(), date(2028, 1, 2)),
    ("uk.nhs.adult", facts(), date(2028, 3, 1)),
    ("uk.nhs.child", facts(born=CHILD), date(2040, 5, 1)),
    ("uk.nhs.child", facts(born=date(2002, 5, 1)), date(2028, 5, 1)),
    # Treated as a child, seventeen when it ended.
    ("uk.nhs.child", facts(born=date(2006, 5, 1), later_on=date(2024, 1, 1)), date(2032, 5, 1)),
    ("uk.nhs.child", facts(), None),
    ("fr.hospital", facts(), date(2040, 3, 1)),
    ("fr.hospital", facts(born=date(2019, 5, 1)), date(2047, 5, 1)),
    ("fr.hospital", facts(died_on=date(2035, 1, 1)), date(2045, 1, 1)),
    ("nl.wgbo", facts(), date(2040, 3, 1)),
    ("es.41_2002", facts(), date(2025, 3, 1)),
    ("it.iconografica", facts(), date(2030, 3, 1)),
    ("at.roentgen", facts(), date(2030, 3, 1)),
    ("on.hospital_imaging", facts(), date(2025, 3, 1)),
    ("on.hospital_imaging", facts(modalities=frozenset({"MG"})), date(2030, 3, 1)),
    ("on.hospital_imaging", facts(born=CHILD), date(2038, 5, 1)),
    ("on.hospital_imaging", facts(born=CHILD, modalities=frozenset({"MG"})), date(2043, 5, 1)),
    ("au.nsw", facts(born=CHILD), date(2040, 5, 1)),
    ("au.nsw", facts(), date(2027, 3, 1)),
    ("br.13787", facts(), date(2040, 3, 1)),
    ("vet.ca", facts(), date(2023, 3, 1)),
    ("vet.tx", facts(), date(2025, 3, 1)),
    ("vet.ny", facts(), date(2023, 3, 1)),
    ("vet.range", facts(), date(2023, 3, 1)),
    ("vet.range.seven", facts(), date(2027, 3, 1)),
    ("research.irb", facts(milestones={Milestone.PROJECT_ENDED: EXAMINED}), date(2023, 3, 1)),
    ("research.ctr", facts(milestones={Milestone.PROJECT_ENDED: EXAMINED}), date(2045, 3, 1)),
    ("research.ctr", facts(), None),
]  # fmt: skip


@pytest.mark.parametrize(("code", "known", "expected"), CASES)
def test_each_formula_gives_its_day(code: str, known: Facts, expected: date | None) -> None:
    assert last_day(code, known) == expected


def test_no_line_of_the_catalogue_is_untried() -> None:
    assert {code for code, *_ in CASES} == DUTIES.keys()


# Which duties bind whom ---------------------------------------------------------------------------
NY_HOSPITAL = Holder("US", "NY", frozenset({Setting.HOSPITAL}), frozenset({"hipaa"}))
MUNICH = Holder("DE", "BY", frozenset({Setting.CLINIC, Setting.PHYSICIAN}), frozenset({"gdpr"}))
VET = Holder("US", "NY", frozenset({Setting.VETERINARY}))


def codes_for(holder: Holder, known: Facts) -> set[str]:
    return {duty.code for duty in duties_over(holder, OF_STUDIES) if duty.concerns(known)}


@pytest.mark.parametrize(
    ("holder", "known", "codes"),
    [
        (NY_HOSPITAL, facts(), {"cms.radiology", "cms.records", "cms.nuclear", "ny.hospital"}),
        (
            NY_HOSPITAL,
            facts(modalities=frozenset({"MG"})),
            {"cms.radiology", "cms.records", "cms.nuclear", "ny.hospital", "mqsa.mammo"},
        ),
        (NY_HOSPITAL, facts(is_animal=True), set()),
        (
            MUNICH,
            facts(modalities=frozenset({"CT", "SR"})),
            {"de.strlschg.adult", "de.strlschg.minor", "de.bgb630f"},
        ),
        # Neither an MRI nor an ultrasound is ionising; what nobody knows, counts as if it were.
        (MUNICH, facts(modalities=frozenset({"MR", "SR"})), {"de.bgb630f"}),
        (MUNICH, facts(), {"de.strlschg.adult", "de.strlschg.minor", "de.bgb630f"}),
        (
            MUNICH,
            facts(modalities=frozenset({"RTDOSE"})),
            {"de.strlschg.adult", "de.strlschg.minor", "de.strlschg.therapy", "de.bgb630f"},
        ),
        (VET, facts(is_animal=True), {"vet.ny", "vet.range"}),
        (Holder("KE", "", frozenset({Setting.HOSPITAL})), facts(), set()),
    ],
)
def test_a_duty_binds_by_place_setting_kind_of_image_and_species(
    holder: Holder, known: Facts, codes: set[str]
) -> None:
    assert codes_for(holder, known) == codes


@pytest.mark.parametrize(
    "wrong",
    [
        {"terms": []},
        {"terms": [{"keep": "7 years"}]},
        {"terms": [{"from": "examination"}]},
        {"terms": [{"from": "birth", "keep": "7 years"}]},
        {"terms": [{"from": "examination", "keep": "7"}]},
        {"terms": [{"from": "examination", "keep": "7 years", "age": 5}]},
        {"terms": [{"age": 18, "when": ["tall"]}]},
        {"cites": ""},
        {"sure": "quite"},
        {"images": "blue"},
        {"covers": ["everything"]},
        {"colour": "red"},
    ],
)
def test_a_line_that_says_too_little_or_too_much_is_refused(wrong: dict[str, Any]) -> None:
    line = {
        "law": "x", "places": ["US"], "covers": ["images"], "cites": "1 X 2", "sure": "high",
        "terms": [{"from": "examination", "keep": "7 years"}],
    }  # fmt: skip
    assert read_duty("x", line).terms
    with pytest.raises(ValueError, match=r".+"):
        read_duty("x", line | wrong)


# Law and policy together --------------------------------------------------------------------------
SEVEN = Scheduled(Category.IMAGES, "examination", Period(7, "year"), "review")


def joined(known: Facts, holder: Holder = NY_HOSPITAL, *lines: Scheduled) -> Any:
    duties = duties_over(holder, OF_STUDIES)
    return keeping_of(known, duties=duties, schedule=lines or (SEVEN,))


def test_the_policy_wins_where_it_is_longer_and_the_floor_is_named() -> None:
    found = joined(facts())
    assert (found.until, found.longest.is_law) == (date(2027, 3, 1), False)
    assert found.floor.code == "ny.hospital"
    assert found.words == (
        "Kept until 2027-03-01: 7 years from the examination on 2020-03-01 (privacy policy)."
    )


def test_the_law_wins_where_it_is_longer_and_says_why() -> None:
    found = joined(facts(born=date(2013, 3, 2), modalities=frozenset({"CT"})), MUNICH)
    assert found.until == date(2041, 3, 1)
    assert found.words == (
        "Kept until 2041-03-01: born 2013, a minor at the examination (StrlSchG § 85(2) no. 2 b)."
    )


def test_a_later_examination_moves_the_day() -> None:
    assert joined(facts(later_on=date(2025, 1, 1))).until == date(2031, 1, 1)


def test_a_corrected_birth_date_moves_the_day() -> None:
    assert joined(facts(born=CHILD)).until == date(2036, 5, 1)
    assert joined(facts(born=ADULT)).until == date(2027, 3, 1)


def test_two_conditions_both_have_to_hold() -> None:
    """AVMI-7.3: the term is over, and the diagnostic process complete; the later day counts."""
    line = Scheduled(
        Category.IMAGES, "examination", Period(3, "year"), "delete", "diagnosis-complete"
    )
    known = facts(is_animal=True)
    waiting = joined(known, VET, line)
    assert not waiting.is_due(date(2030, 1, 1))
    assert "the diagnostic process is complete" in waiting.words
    early = replace(known, milestones={"diagnosis-complete": date(2020, 4, 1)})
    assert joined(early, VET, line).until == date(2023, 3, 1)
    late = replace(known, milestones={"diagnosis-complete": date(2024, 4, 1)})
    found = joined(late, VET, line)
    assert found.until == date(2024, 4, 1)
    assert not found.is_due(date(2024, 4, 1))
    assert found.is_due(date(2024, 4, 2))


@pytest.mark.parametrize(
    "known",
    [
        facts(born=date(2021, 1, 1)),
        facts(examined=date(2027, 1, 1)),
        facts(born=date(1880, 1, 1)),
        facts(is_settled=False),
    ],
)
def test_facts_that_cannot_be_true_are_for_a_person_to_look_at(known: Facts) -> None:
    found = joined(known)
    assert not found.is_due(date(2090, 1, 1))
    assert found.words.startswith("Kept until somebody has looked")


def test_of_several_lines_the_longest_and_the_mildest_counts() -> None:
    other = Scheduled(Category.REPORTS, "examination", Period(9, "year"), "delete")
    found = joined(facts(), NY_HOSPITAL, SEVEN, other)
    assert (found.until, found.action) == (date(2029, 3, 1), "review")


def test_every_shipped_pack_says_how_long_a_study_is_kept() -> None:
    for values in shipped_packs().values():
        assert {line.category for line in schedule_of(values)} == set(OF_STUDIES)


# What holds of all --------------------------------------------------------------------------------
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
periods = st.builds(Period, st.integers(1, 99_999), st.sampled_from(["day", "month", "year"]))
studies = st.builds(
    Facts,
    received_on=days,
    examined_on=st.none() | days,
    born_on=st.none() | days,
    died_on=st.none() | days,
    later_on=st.none() | days,
    modalities=st.frozensets(st.sampled_from(["CT", "MR", "MG", "RTDOSE", "SR"])),
    is_animal=st.booleans(),
)
duties = st.lists(st.sampled_from(sorted(DUTIES)), max_size=8).map(
    lambda codes: [DUTIES[code] for code in codes]
)


@given(studies, duties, st.sampled_from(sorted(DUTIES)))
def test_one_more_duty_never_shortens(known: Facts, some: list[Duty], more: str) -> None:
    before = keeping_of(known, duties=some, schedule=[SEVEN])
    after = keeping_of(known, duties=[*some, DUTIES[more]], schedule=[SEVEN])
    assert after.until >= before.until
    assert all(claim.until <= after.until for claim in after.claims)


@given(studies, duties, days)
def test_a_later_examination_never_shortens(known: Facts, some: list[Duty], later: date) -> None:
    """But for mammograms, where one that follows is what lets the first go after five years."""
    moved = replace(known, later_on=max(later, known.last_contact))
    some = [duty for duty in some if duty.code != "uk.nhs.child"]
    before = keeping_of(known, duties=some, schedule=[SEVEN])
    assert keeping_of(moved, duties=some, schedule=[SEVEN]).until >= before.until


@given(studies, duties)
def test_no_birth_date_is_never_kept_shorter_than_any(known: Facts, some: list[Duty]) -> None:
    if known.born_on and known.born_on > known.examination:
        return
    unknown = keeping_of(replace(known, born_on=None), duties=some, schedule=[SEVEN])
    told = keeping_of(known, duties=some, schedule=[SEVEN])
    if not {"uk.nhs.child"} & {duty.code for duty in some}:
        assert unknown.until >= told.until


@given(periods, days)
def test_a_period_ends_after_it_began(period: Period, start: date) -> None:
    assert period.after(start) > start
    assert Period.read(period.words) == period


@given(days, st.integers(0, 1200))
def test_months_keep_the_day_or_take_the_last(start: date, months: int) -> None:
    found = months_after(start, months)
    assert (found.year - start.year) * 12 + found.month - start.month == months
    assert found.day == start.day or (found + timedelta(days=1)).day == 1


@given(days, st.integers(0, 120))
def test_an_age_is_reached_on_the_birthday_and_not_before(born: date, age: int) -> None:
    reached = birthday(born, age)
    assert age_on(born, reached) == age
    assert age_on(born, reached - timedelta(days=1)) == age - 1
