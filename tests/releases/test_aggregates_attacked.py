"""No combination of answers tells of a small group (XENRAD-3.10, LIFEIMAGE-9.1)."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.rules.aggregates.blocks import Block, Blocks, blocks_of
from releases.rules.aggregates.tables import lines_of
from releases.rules.aggregates.vocabulary import Dimension, Facts
from tests.releases.attacker import (
    Space,
    as_usual,
    by_subtraction,
    determines,
    never_parted,
    tables_of,
    told,
)
from tests.releases.populations import groups, hospital

K = 5
SEX_AGE = (Dimension.SEX, Dimension.AGE)
OPEN = settings(max_examples=60, deadline=None)


@st.composite
def asked(draw: st.DrawFn) -> tuple[Space, int]:
    at_least = draw(st.integers(5, 14))
    people, dimensions = draw(groups(at_least))
    return Space(dimensions, people), at_least


def answers(space: Space, at_least: int) -> dict[int, int]:
    blocks = blocks_of(space.people, at_least=at_least, dimensions=space.dimensions)
    return told(space, tables_of(blocks, at_least))


@OPEN
@given(asked())
def test_every_number_is_true_and_of_a_large_group(given_: tuple[Space, int]) -> None:
    space, at_least = given_
    for region, people in answers(space, at_least).items():
        assert people == space.people_in(region) >= at_least


@OPEN
@given(asked())
def test_whatever_answers_part_has_many_people_in_it(given_: tuple[Space, int]) -> None:
    """Any combination with any factors, of any number of tables; empty places are not told of."""
    space, at_least = given_
    numbers = answers(space, at_least)
    for group in never_parted(space, numbers):
        assert space.people_in(group) >= at_least


@settings(max_examples=25, deadline=None)
@given(asked())
def test_no_pair_and_no_three_tables_show_a_small_group_by_subtraction(
    given_: tuple[Space, int],
) -> None:
    space, at_least = given_
    numbers = answers(space, at_least)
    for region, people in by_subtraction(dict(list(numbers.items())[:40])).items():
        assert people == space.people_in(region)
        assert people >= at_least


@OPEN
@given(asked(), st.randoms(use_true_random=False))
def test_who_stands_where_in_a_block_changes_no_answer(
    given_: tuple[Space, int], chance: random.Random
) -> None:
    """So nothing that is told tells of less than a whole block, whatever else one knows."""
    space, at_least = given_
    blocks = blocks_of(space.people, at_least=at_least, dimensions=space.dimensions)
    moved = [_somewhere(blocks.blocks[blocks.place_of(facts)], chance) for facts in space.people]
    places = Counter(blocks.place_of(facts) for facts in moved)
    again = Blocks(
        blocks.dimensions,
        tuple(Block(one.box, places[place]) for place, one in enumerate(blocks.blocks)),
        at_least,
    )
    assert tables_of(again, at_least) == tables_of(blocks, at_least)


def _somewhere(block: Block, chance: random.Random) -> Facts:
    return Facts(
        **{
            dimension.replace("-", "_"): chance.choice(sorted(span))
            for dimension, span in block.box.items()
        }
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_few_people_are_determined_by_the_system_of_all_answers(seed: int) -> None:
    """Solved in fractions, for every choice of one to k - 1 of sixteen people."""
    space = Space((Dimension.SEX, Dimension.SPECIES), _sixteen(seed))
    numbers = answers(space, K)
    rows = [[region >> place & 1 for place in space.at] for region in numbers]
    for few in _every_few(len(space.people)):
        assert not determines(rows, few)


def test_that_solving_finds_few_people_where_small_cells_alone_are_hidden() -> None:
    space = Space((Dimension.SEX, Dimension.SPECIES), _sixteen(0))
    rows = [[region >> place & 1 for place in space.at] for region in as_usual(space, K)]
    assert any(determines(rows, few) for few in _every_few(len(space.people)))


def _sixteen(seed: int) -> list[Facts]:
    chance = random.Random(seed)
    rare = [Facts(sex="male", species="cat")] * 2
    return rare + [
        Facts(sex=chance.choice(["female", "male"]), species=chance.choice(["dog", "dog", "cat"]))
        for _ in range(14)
    ]


def _every_few(people: int) -> list[list[int]]:
    return [
        [int(one in few) for one in range(people)]
        for size in range(1, K)
        for few in combinations(range(people), size)
    ][::7]


# What others do would be found out ---------------------------------------------------------------
def test_hiding_only_small_cells_shows_them_by_subtraction() -> None:
    """The attack works, so the tests above can fail."""
    people = [Facts(sex="female", age="90")] * 3 + [Facts(sex="male", age="90")] * 20
    people += [Facts(sex="female", age="40")] * 40 + [Facts(sex="male", age="40")] * 30
    space = Space(SEX_AGE, people)
    usual = as_usual(space, 11)
    old_women = space.where(Dimension.SEX, ["female"]) & space.where(Dimension.AGE, ["90"])
    assert old_women not in usual
    assert 3 in by_subtraction(usual, depth=1).values()
    assert any(space.people_in(group) in range(1, 11) for group in never_parted(space, usual))
    assert min(by_subtraction(answers(space, 11)).values()) >= 11


THREE = (Dimension.SEX, Dimension.SPECIES, Dimension.MODALITY)
YES_NO = (("female", "male"), ("dog", "cat"), ("CT", "MR"))


def test_three_tables_without_any_small_cell_still_show_one_person() -> None:
    """Of three yes-or-no questions, all pairs together tell how many gave three equal answers.

    So tables that are each safe, and safe in pairs, are not safe together; blocks are.
    """
    kinds = [kind for kind in product((0, 1), repeat=3) if 0 < sum(kind) < 3]
    answered = [kind for kind in kinds for _ in range(12)] + [(0, 0, 0)]
    pairs = Counter(
        (i, j, kind[i], kind[j]) for kind in answered for i, j in combinations(range(3), 2)
    )
    assert len(pairs) == 12 and min(pairs.values()) >= 12
    # Whoever did not answer all alike differs in just two of the three pairs.
    unequal = sum(people for (_, _, one, other), people in pairs.items() if one != other) // 2
    assert len(answered) - unequal == 1

    people = [
        Facts(sex=YES_NO[0][a], species=YES_NO[1][b], modality=YES_NO[2][c]) for a, b, c in answered
    ]
    space = Space(THREE, people)
    for group in never_parted(space, answers(space, 11)):
        assert space.people_in(group) >= 11


def test_a_hospital_with_all_dimensions_is_told_of_in_large_groups_only() -> None:
    people = hospital(1500)
    blocks = blocks_of(people, at_least=11)
    standing = Counter(blocks.place_of(facts) for facts in people)
    assert [one.people for one in blocks.blocks] == [standing[at] for at in range(len(standing))]
    assert min(standing.values()) >= 11
    for table in tables_of(blocks, 11):
        assert min(table.counts) >= 11
        assert lines_of(table)
