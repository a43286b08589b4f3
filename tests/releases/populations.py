"""People to count: a hospital as it might be, and small groups at random."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

from releases.rules.aggregates.vocabulary import VOCABULARY, Dimension, Facts

Picked = TypeVar("Picked")


def _shares(**shares: int) -> tuple[list[str], list[int]]:
    return [one.replace("_", "-") for one in shares], list(shares.values())


SEXES = _shares(female=104, male=92, other=1, not_stated=3)
AGES = ([*VOCABULARY[Dimension.AGE]], [3, 4, 6, 9, 12, 17, 20, 17, 9, 2, 1])
MODALITIES = _shares(CT=33, MR=25, XR=18, US=12, MG=4, NM=2, PT=1, several=7)
PARTS = {
    "CT": _shares(head=30, chest=30, abdomen=25, pelvis=5, neck=5, several=9),
    "MR": _shares(head=40, spine=25, leg=20, pelvis=10, abdomen=5, several=5),
    "XR": _shares(chest=60, leg=25, spine=10, several=5),
    "US": _shares(abdomen=60, pelvis=20, neck=15, several=5),
    "MG": _shares(breast=1),
    "NM": _shares(chest=1, head=1),
    "PT": _shares(whole_body=1),
    "several": _shares(several=50, chest=30, head=20),
}
YEARS = (["2020", "2021", "2022", "2023", "2024", "2025"], [5, 15, 20, 25, 22, 13])


def hospital(size: int, seed: int = 1) -> list[Facts]:
    """People of an invented hospital: few of some kinds, and body parts that go with modality."""
    chance = random.Random(seed)

    def one_of(shares: tuple[Sequence[Picked], Sequence[int]]) -> Picked:
        return chance.choices(*shares)[0]

    people = []
    for _ in range(size):
        modality = one_of(MODALITIES)
        people.append(
            Facts(one_of(SEXES), one_of(AGES), "human", modality, one_of(PARTS[modality]),
                  one_of(YEARS))
        )  # fmt: skip
    return people


# Of dimensions whose space is small enough to look at every place of it.
LOOKED_AT = (
    (Dimension.SEX, Dimension.AGE),
    (Dimension.SEX, Dimension.MODALITY),
    (Dimension.SEX, Dimension.AGE, Dimension.SPECIES),
    (Dimension.SPECIES, Dimension.MODALITY),
    (Dimension.MODALITY, Dimension.BODY_PART),
)


@st.composite
def groups(draw: st.DrawFn, least: int) -> tuple[list[Facts], tuple[Dimension, ...]]:
    """Some kinds of people, many of some and few of others, at least `least` in all."""
    dimensions = draw(st.sampled_from(LOOKED_AT))
    kinds = st.builds(
        Facts,
        **{one.replace("-", "_"): st.sampled_from([*VOCABULARY[one]][:5]) for one in dimensions},
    )
    counted = draw(
        st.lists(st.tuples(kinds, st.integers(1, 3 * least)), min_size=1, max_size=14).filter(
            lambda found: sum(count for _, count in found) >= least
        )
    )
    return [facts for facts, count in counted for _ in range(count)], dimensions
