"""What may be released, who is left out, and how easily somebody could be told: tables."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.controls.purposes import pack_with
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose
from policies.selectors import shipped_packs
from releases.rules.exclusions import Candidate, Exclusion, exclusion_of
from releases.rules.report import note_text, report_bytes, totals
from releases.rules.risk import risk_of
from releases.rules.states import Act, State, can_be_done, refusal_of_act
from releases.rules.terms import (
    NEEDS_EXPERT,
    Method,
    Plan,
    needed_options,
    needs_consent,
    options_of,
    purposes_under,
    refusal_of_plan,
)
from studies.rules.deidentification.profile import Option, ProfileRefused

PACKS = {code: pack_with(values) for code, values in shipped_packs().items()}
PLANNING, SYSTEM = PACKS["surgical-planning"], PACKS["radiology-information-system"]
EXCHANGE = PACKS["image-exchange"]
GOOD = Plan(
    purpose=Purpose.AI_TRAINING, is_external=False, ethics_reference="E-1",
    method=Method.SAFE_HARBOR, method_reference="", options=frozenset(), has_agreement=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "purposes"),
    [
        ("image-exchange", []),
        ("image-share", []),
        ("radiology-information-system", [Purpose.AI_TRAINING]),
        ("surgical-planning", [Purpose.RESEARCH, Purpose.AI_TRAINING]),
        ("veterinary-teleradiology", []),
    ],
)
def test_each_policy_says_what_images_may_be_released_for(
    code: str, purposes: list[Purpose]
) -> None:
    assert purposes_under(PACKS[code]) == purposes


REFUSED: list[tuple[dict[str, Any], Pack, Pack | None, str]] = [
    ({}, EXCHANGE, None, "does not let images be used"),
    ({"purpose": Purpose.RESEARCH}, SYSTEM, None, "does not let images be used"),
    ({"is_external": True, "has_agreement": True}, SYSTEM, EXCHANGE, "recipient's privacy policy"),
    ({"is_external": True, "has_agreement": True}, SYSTEM, None, "recipient's privacy policy"),
    ({"is_external": True}, SYSTEM, PLANNING, "no data use agreement"),
    ({"ethics_reference": "  "}, SYSTEM, None, "ethics review"),
    ({"method": Method.EXPERT}, SYSTEM, None, "expert's determination"),
]


@pytest.mark.parametrize(("changes", "owner", "recipient", "words"), REFUSED)
def test_a_plan_that_lacks_something_is_refused_with_what_to_do(
    changes: dict[str, Any], owner: Pack, recipient: Pack | None, words: str
) -> None:
    assert words in refusal_of_plan(replace(GOOD, **changes), owner, recipient)


def test_a_plan_that_lacks_nothing_is_not_refused() -> None:
    assert refusal_of_plan(GOOD, SYSTEM, None) == ""
    abroad = replace(GOOD, is_external=True, has_agreement=True)
    assert refusal_of_plan(abroad, SYSTEM, PLANNING) == ""


@pytest.mark.parametrize("option", list(Option))
def test_safe_harbor_lets_nothing_stay_that_its_list_names(option: Option) -> None:
    """45 CFR 164.514(b)(2)(i)."""
    kept = replace(GOOD, options=frozenset({option}))
    assert bool(refusal_of_plan(kept, SYSTEM, None)) == (option in NEEDS_EXPERT)
    expert = replace(kept, method=Method.EXPERT, method_reference="X-1")
    assert refusal_of_plan(expert, SYSTEM, None) == ""


def test_the_stricter_of_two_policies_asks_for_consent() -> None:
    assert not needs_consent(Purpose.AI_TRAINING, SYSTEM)
    assert needs_consent(Purpose.AI_TRAINING, SYSTEM, PLANNING)
    assert needs_consent(Purpose.AI_TRAINING, PLANNING, SYSTEM)


def test_what_is_cleaned_is_what_policy_and_agreement_ask_for_together() -> None:
    pack = pack_with({**SYSTEM.values, "deid.options": ["clean-pixel-data"]})
    assert needed_options(pack) == {Option.CLEAN_PIXEL_DATA}
    assert needed_options(pack, ["clean-graphics"]) == {
        Option.CLEAN_PIXEL_DATA, Option.CLEAN_GRAPHICS,
    }  # fmt: skip


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ProfileRefused, match="Choose one of the two"):
        options_of(["full-dates", "modified-dates"])
    with pytest.raises(ProfileRefused, match="There is no option 'nonsense'"):
        options_of(["nonsense"])


# Who is left out ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "asked", "why"),
    [
        ((False, True, True, False), False, Exclusion.GONE),
        ((True, False, True, False), False, Exclusion.UNSETTLED),
        ((True, True, False, False), True, Exclusion.NO_CONSENT),
        ((True, True, False, True), True, Exclusion.NO_CONSENT),
        ((True, True, False, True), False, Exclusion.COLLECTED_BEFORE),
        ((True, True, False, False), False, None),
        ((True, True, True, True), True, None),
        ((True, True, True, True), False, None),
    ],
)
def test_who_is_left_out(
    facts: tuple[bool, bool, bool, bool], asked: bool, why: Exclusion | None
) -> None:
    assert exclusion_of(Candidate(*facts), needs_consent=asked) is why


def test_who_said_no_is_left_out_whatever_else_speaks_for_it() -> None:
    barred = Candidate(True, True, True, False, is_barred=True)
    for asked in (True, False):
        assert exclusion_of(barred, needs_consent=asked) is Exclusion.DIRECTIVE


# How easily somebody could be told ---------------------------------------------------------------
def test_where_nothing_of_people_stays_nobody_can_be_told() -> None:
    risk = risk_of({"A": [{"modality": "CT"}], "B": [{"modality": "MR"}]}, threshold=11)
    assert (risk.smallest, risk.is_too_high, risk.people) == (None, False, 2)


def test_who_stands_out_is_named_by_pseudonym() -> None:
    people = {f"P{number}": [{"sex": "F", "age": "041Y"}] for number in range(11)}
    assert not risk_of(people, threshold=11).is_too_high
    people["Q"] = [{"sex": "M", "age": "041Y"}]
    risk = risk_of(people, threshold=11)
    assert (risk.smallest, risk.exposed) == (1, ("Q",))


def test_two_objects_of_one_person_tell_more_than_either() -> None:
    """Sex in one and age in the other: together they narrow it down."""
    people = {f"P{number}": [{"sex": "F"}] for number in range(12)}
    people["P0"] = [{"sex": "F"}, {"age": "041Y"}]
    assert risk_of(people, threshold=2).exposed == ("P0",)


PEOPLE = st.dictionaries(
    st.text("ABCDEFGH", min_size=1, max_size=3),
    st.lists(
        st.fixed_dictionaries({}, optional={"sex": st.sampled_from("FMO"), "age": st.just("1")}),
        max_size=3,
    ),
    max_size=12,
)


@given(PEOPLE, st.integers(1, 12))
def test_whoever_is_not_exposed_has_as_many_like_them_as_was_asked_for(
    people: dict[str, list[dict[str, str]]], threshold: int
) -> None:
    risk = risk_of(people, threshold=threshold)
    assert risk.is_too_high == bool(risk.exposed)
    looks = {code: frozenset((k, v) for one in facts for k, v in one.items())
             for code, facts in people.items()}  # fmt: skip
    if risk.smallest is not None:
        for code in people.keys() - set(risk.exposed):
            alike = [other for other, look in looks.items() if look == looks[code]]
            assert len(alike) >= threshold


# States and reports ------------------------------------------------------------------------------
def test_every_act_is_possible_somewhere_and_refused_elsewhere_in_words() -> None:
    for act in Act:
        possible = [state for state in State if can_be_done(act, state)]
        assert 0 < len(possible) < len(State)
        for state in State:
            assert bool(refusal_of_act(act, state)) == (state not in possible)


def test_a_report_is_written_in_one_way_only() -> None:
    one, other = {"b": 1, "a": ["ü"]}, {"a": ["ü"], "b": 1}
    assert report_bytes(one) == report_bytes(other)
    assert note_text(report_bytes(one), project="x/1/1", released_at="now").splitlines()[3] == (
        f"sha256 {sha256(report_bytes(other)).hexdigest()}"
    )
    assert totals([{"removed": 2, "kept": 1}, {"removed": 3}]) == {"kept": 1, "removed": 5}
