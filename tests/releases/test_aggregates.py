"""Counts of people: by what, in which words, what is refused, and what may follow them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules.schema import KEY
from releases.rules.aggregates.blocks import (
    GROUP_KEY,
    AggregateRefused,
    Blocks,
    blocks_of,
    coarser,
)
from releases.rules.aggregates.scan import OutputRefused
from releases.rules.aggregates.succession import joined_by, refusal_to_replace, touched_by
from releases.rules.aggregates.tables import label_of, lines_of, table_of
from releases.rules.aggregates.vocabulary import (
    VOCABULARY,
    Dimension,
    Facts,
)
from tests.releases.attacker import tables_of
from tests.releases.populations import groups, hospital

SEX, AGE, MODALITY = Dimension.SEX, Dimension.AGE, Dimension.MODALITY
WOMEN, MEN = [Facts(sex="female")] * 30, [Facts(sex="male")] * 20


def told_by(blocks: Blocks, *dimensions: str) -> list[list[str]]:
    return lines_of(table_of(blocks, *dimensions, at_least=blocks.at_least))


# What is refused ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("people", "at_least", "dimensions", "says"),
    [
        (WOMEN, 4, [SEX], "the least is 5 people"),
        (WOMEN, 0, [SEX], "too small"),
        ([], 11, [SEX], "nobody"),
        (WOMEN[:10], 11, [SEX], "fewer than 11 people"),
        (WOMEN, 11, [SEX, SEX], "named twice"),
        (WOMEN, 11, [], "at least one"),
        (WOMEN, 11, ["hair"], "no dimension 'hair'"),
    ],
)
def test_no_blocks_are_made_of_what_cannot_be_told_of(
    people: list[Facts], at_least: int, dimensions: list[Dimension], says: str
) -> None:
    with pytest.raises(AggregateRefused, match=says):
        blocks_of(people, at_least=at_least, dimensions=dimensions)


@pytest.mark.parametrize(
    ("by", "across", "at_least", "says"),
    [
        ("hair", "", 11, "no dimension 'hair'"),
        ("", "", 11, "no dimension"),
        ("sex", "sex", 11, "two different"),
        ("sex", "year", 11, "counted by: sex, age"),
        ("sex", "", 4, "the least is 5"),
        ("sex", "", 20, "now asks for 20"),
    ],
)
def test_no_answer_is_given_to_a_question_that_has_none(
    by: str, across: str, at_least: int, says: str
) -> None:
    blocks = blocks_of(WOMEN + MEN, at_least=11, dimensions=[SEX, AGE])
    with pytest.raises(AggregateRefused, match=says):
        table_of(blocks, by, across, at_least=at_least)


def test_the_least_group_is_what_every_policy_keeps() -> None:
    floor = KEY[GROUP_KEY].floor
    assert floor is not None and floor.broken(4) and not floor.broken(5)
    assert blocks_of(WOMEN, at_least=5).people == 30


# Answers -----------------------------------------------------------------------------------------
def test_a_table_adds_up_and_says_what_it_hides() -> None:
    people = [
        *[Facts(sex="female", age="40")] * 30,
        *[Facts(sex="male", age="40")] * 25,
        *[Facts(sex="female", age="60")] * 20,
        *[Facts(sex="male", age="60")] * 8,
    ]
    blocks = blocks_of(people, at_least=5, dimensions=[SEX, AGE])
    assert told_by(blocks, "sex", "age") == [
        ["Sex", "0 to 59", "60 or older or not stated", "All"],
        ["Female", "30", "20", "50"],
        ["Male, other or not stated", "25", "8", "33"],
        ["All", "55", "28", "83"],
    ]
    hidden = blocks_of(people, at_least=11, dimensions=[SEX, AGE])
    assert told_by(hidden, "sex", "age") == [
        ["Sex", "0 to 59", "60 or older or not stated", "All"],
        ["Female", "30", "20", "50"],
        ["Male, other or not stated", "not shown", "not shown", "33"],
        ["All", "not shown", "not shown", "83"],
    ]
    table = table_of(hidden, "sex", "age", at_least=11)
    assert table.hides and not table_of(hidden, "sex", at_least=11).hides
    assert table.share_shown == pytest.approx(50 / 83)
    assert table.title == "People by sex and age when first examined"


def test_one_dimension_is_told_without_columns() -> None:
    blocks = blocks_of(WOMEN + MEN, at_least=11)
    assert told_by(blocks, "sex") == [
        ["Sex", "People"], ["Female", "30"], ["Male, other or not stated", "20"], ["All", "50"],
    ]  # fmt: skip
    assert told_by(blocks, "age") == [
        ["Age when first examined", "People"], ["Everybody", "50"], ["All", "50"],
    ]  # fmt: skip


def test_an_empty_place_is_not_told_of_either() -> None:
    """Whether nobody or one person is a man: the answers are the same, but for the sum."""
    nobody = blocks_of(WOMEN, at_least=11, dimensions=[SEX])
    somebody = blocks_of([*WOMEN[1:], MEN[0]], at_least=11, dimensions=[SEX])
    assert told_by(nobody, "sex") == told_by(somebody, "sex")


@settings(max_examples=40, deadline=None)
@given(groups(5), st.randoms(use_true_random=False))
def test_the_same_people_are_told_of_in_the_same_way_in_whatever_order(
    given_: tuple[list[Facts], tuple[Dimension, ...]], chance: random.Random
) -> None:
    people, dimensions = given_
    shuffled = chance.sample(people, len(people))
    assert blocks_of(people, at_least=5, dimensions=dimensions) == blocks_of(
        shuffled, at_least=5, dimensions=[*reversed(dimensions)]
    )


@settings(max_examples=40, deadline=None)
@given(groups(5))
def test_boxes_cover_everything_once(
    given_: tuple[list[Facts], tuple[Dimension, ...]],
) -> None:
    people, dimensions = given_
    blocks = blocks_of(people, at_least=5, dimensions=dimensions)
    places = [Facts(**{dimensions[0].replace("-", "_"): one}) for one in VOCABULARY[dimensions[0]]]
    for facts in [*people, *places]:
        assert sum(block.holds(facts) for block in blocks.blocks) == 1


# How many people, by what: the share of them in shown cells, the mean of all tables.
WORTH = [
    (500, tuple(Dimension), 0.88),
    (2000, tuple(Dimension), 0.90),
    (500, (SEX, AGE), 0.94),
    (2000, (SEX, AGE, MODALITY), 0.92),
]


@pytest.mark.parametrize(("size", "dimensions", "share"), WORTH)
def test_tables_of_a_hospital_are_worth_reading(
    size: int, dimensions: tuple[Dimension, ...], share: float
) -> None:
    shares = [
        table.share_shown
        for seed in (1, 2, 3)
        for table in tables_of(
            blocks_of(hospital(size, seed), at_least=11, dimensions=dimensions), 11
        )
    ]
    assert sum(shares) / len(shares) >= share
    # Not by telling of everybody as one: sex is told apart, and ten parts at least.
    blocks = blocks_of(hospital(size), at_least=11, dimensions=dimensions)
    assert len(blocks.blocks) >= 10
    assert len(table_of(blocks, "sex", "age", at_least=11).lines) >= 2


# Labels ------------------------------------------------------------------------------------------
LABELS = [
    (AGE, {"20"}, "20 to 29"),
    (AGE, {"20", "30", "40"}, "20 to 49"),
    (AGE, {"70", "80", "90"}, "70 or older"),
    (AGE, {"90", "not-stated"}, "90 or older or not stated"),
    (AGE, {"not-stated"}, "Not stated"),
    (Dimension.YEAR, {"before", "1990", "1991"}, "Until 1991"),
    (Dimension.YEAR, {"2059", "after"}, "2059 or later"),
    (Dimension.YEAR, {"2020"}, "2020"),
    (Dimension.YEAR, {"after", "several", "not-stated"}, "After 2059, several years or not stated"),
    (MODALITY, {"CT"}, "CT"),
    (MODALITY, {"US", "CT", "PT"}, "CT, ultrasound or PET"),
    (MODALITY, {"US", "CT", "PT", "MR"}, "Any other"),
    (SEX, set(VOCABULARY[SEX]), "Everybody"),
]


@pytest.mark.parametrize(("dimension", "values", "label"), LABELS)
def test_groups_of_values_have_a_name(dimension: Dimension, values: set[str], label: str) -> None:
    bits = sum(1 << at for at, one in enumerate(VOCABULARY[dimension]) if one in values)
    assert label_of(dimension, bits) == label


def test_a_label_that_is_none_blocks_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a vocabulary ever hold such a text, it does not go out."""
    table = table_of(blocks_of(WOMEN + MEN, at_least=11), "sex", at_least=11)
    first = table.lines[0]
    heading = replace(first.heading, label="Chest of jo@clinic.example")
    broken = replace(table, lines=(replace(first, heading=heading), *table.lines[1:]))
    with pytest.raises(OutputRefused, match="e-mail"):
        lines_of(broken)


# What may follow ---------------------------------------------------------------------------------
def people_named(prefix: str, *kinds: tuple[Facts, int]) -> dict[str, Facts]:
    all_of = [facts for facts, count in kinds for _ in range(count)]
    return {f"{prefix}{number}": facts for number, facts in enumerate(all_of)}


def test_newcomers_are_counted_once_there_are_enough_of_them() -> None:
    blocks = blocks_of(WOMEN + MEN, at_least=11, dimensions=[SEX])
    grown, places = joined_by(blocks, people_named("n", (WOMEN[0], 10), (MEN[0], 11)))
    assert told_by(grown, "sex")[1:] == [
        ["Female", "30"], ["Male, other or not stated", "31"], ["All", "61"],
    ]  # fmt: skip
    assert len(places) == 11
    later, all_places = joined_by(grown, people_named("m", (WOMEN[0], 11)))
    assert (later.people, len(all_places)) == (72, 11)


@settings(max_examples=40, deadline=None)
@given(groups(5), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_what_has_grown_may_follow_what_was_told(
    given_: tuple[list[Facts], tuple[Dimension, ...]], counts: list[int]
) -> None:
    people, dimensions = given_
    blocks = blocks_of(people, at_least=5, dimensions=dimensions)
    before = {f"p{at}": blocks.place_of(facts) for at, facts in enumerate(people)}
    newcomers = people_named("n", *zip(people, counts, strict=False))
    grown, entered = joined_by(blocks, newcomers)
    assert refusal_to_replace([before], before | entered, 5) == ""
    assert grown.people == len(people) + len(entered)


BEFORE = {f"p{at}": at // 20 for at in range(60)}
FOLLOWS = [
    ("nothing changed", BEFORE, True),
    ("one came", {**BEFORE, "n": 0}, False),
    ("eleven came", {**BEFORE, **{f"n{at}": 0 for at in range(11)}}, True),
    ("eleven came, to two blocks", {**BEFORE, **{f"n{at}": at % 2 for at in range(11)}}, False),
    ("one left", {one: at for one, at in BEFORE.items() if one != "p0"}, False),
    ("a whole block left", {one: at for one, at in BEFORE.items() if at}, True),
    ("one came as one left", {**{o: a for o, a in BEFORE.items() if o != "p0"}, "n": 0}, False),
    ("one moved", {**BEFORE, "p0": 1}, False),
    ("blocks joined", {one: min(at, 1) for one, at in BEFORE.items()}, True),
    ("cut elsewhere", {one: int(one[1:]) // 15 for one in BEFORE}, False),
]


@pytest.mark.parametrize(("new", "may"), [one[1:] for one in FOLLOWS], ids=[o[0] for o in FOLLOWS])
def test_a_snapshot_follows_only_where_no_difference_is_small(
    new: dict[str, int], may: bool
) -> None:
    refusal = refusal_to_replace([BEFORE], new, 11)
    assert (refusal == "") == may
    assert may or "fewer than 11 people" in refusal


def test_only_blocks_with_the_same_people_are_compared() -> None:
    assert touched_by({"p0": 0}, BEFORE) == {one: at for one, at in BEFORE.items() if at == 0}
    assert touched_by({"stranger": 0}, BEFORE) == {}


def test_every_earlier_snapshot_counts_not_the_last_alone() -> None:
    came = {f"n{at}": 0 for at in range(11)}
    second = BEFORE | came
    # Eleven leave again: ten who had come, and one who was there from the beginning.
    third = {one: at for one, at in second.items() if one not in {"p0", *list(came)[:10]}}
    assert refusal_to_replace([second], third, 11) == ""
    assert refusal_to_replace([BEFORE, second], third, 11) != ""


def test_blocks_are_put_together_where_the_policy_asks_for_more() -> None:
    blocks = blocks_of(hospital(800), at_least=11, dimensions=[SEX, AGE, MODALITY])
    larger = coarser(blocks, 40)
    assert larger.people == 800 and len(larger.blocks) > 4
    for one in larger.blocks:
        assert one.people >= 40
        inside = [each for each in blocks.blocks if one.covers(each)]
        assert sum(each.people for each in inside) == one.people
    with pytest.raises(AggregateRefused, match="fewer than 801"):
        coarser(blocks, 801)
