"""Where devices write: rules by device, what lies outside the ultrasound regions, boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from studies.rules.deidentification.regions import (
    Box,
    always_blacked,
    area,
    merged,
    outside_of_regions,
)
from tests.studies.deidentification.objects import ct
from tests.studies.deidentification.ultrasound import region

ROWS, COLUMNS = 40, 60


def covered(boxes: list[Box]) -> np.ndarray:
    mask = np.zeros((ROWS, COLUMNS), bool)
    for one in boxes:
        mask[one.top : one.bottom, one.left : one.right] = True
    return mask


@some.composite
def boxes(draw: some.DrawFn) -> list[Box]:
    made = []
    for _ in range(draw(some.integers(0, 5))):
        left, right = sorted(draw(some.tuples(*[some.integers(-9, COLUMNS + 9)] * 2)))
        top, bottom = sorted(draw(some.tuples(*[some.integers(-9, ROWS + 9)] * 2)))
        made.append(Box(left, top, right, bottom))
    return made


def drawn(made: list[Box]) -> np.ndarray:
    return covered([one.clipped(ROWS, COLUMNS) for one in made])


@given(boxes())
def test_merging_loses_nothing_and_adds_nothing(made: list[Box]) -> None:
    kept = merged(made, ROWS, COLUMNS)
    assert (covered(kept) == drawn(made)).all()
    assert area(kept) == drawn(made).sum()


@given(boxes())
def test_padding_covers_more_and_stays_in_the_frame(made: list[Box]) -> None:
    padded = [one.padded(ROWS, COLUMNS) for one in made]
    assert (covered(padded) >= drawn(made)).all()
    for one in padded:
        assert one == one.clipped(ROWS, COLUMNS)


@given(boxes())
def test_outside_of_regions_is_all_that_is_in_none(made: list[Box]) -> None:
    regions = [one.clipped(ROWS, COLUMNS) for one in made]
    regions = [one for one in regions if one.width and one.height]
    dataset = ct()
    items = [region(one.left, one.top, one.right - 1, one.bottom - 1)[0] for one in regions]
    dataset.SequenceOfUltrasoundRegions = items
    outside = outside_of_regions(dataset, ROWS, COLUMNS)
    if covered(regions).mean() < 0.05:
        assert outside == []
    else:
        assert (covered(outside) == ~covered(regions)).all()


def test_a_region_that_says_nothing_is_not_believed() -> None:
    dataset = ct(SequenceOfUltrasoundRegions=region(0, 0, 59, 39))
    assert outside_of_regions(dataset, ROWS, COLUMNS) == []
    del dataset.SequenceOfUltrasoundRegions[0].RegionLocationMaxY1
    assert outside_of_regions(dataset, ROWS, COLUMNS) == []


@pytest.mark.parametrize(
    ("maker", "model", "size", "band"),
    [
        ("GE Healthcare", "LOGIQE9", (720, 960), Box(0, 0, 960, 70)),
        ("Philips Medical Systems", "iU22", (480, 640), Box(0, 0, 640, 47)),
        ("Philips Medical Systems", "iU22", (481, 640), None),
        ("ACME", "iU22", (480, 640), None),
    ],
)
def test_bands_by_device(maker: str, model: str, size: tuple[int, int], band: Box | None) -> None:
    dataset = ct(
        Modality="US", Manufacturer=maker, ManufacturerModelName=model, Rows=size[0],
        Columns=size[1],
    )  # fmt: skip
    assert always_blacked(dataset) == ([band] if band else [])


def test_a_band_is_cut_to_the_frame() -> None:
    dataset = ct(
        Modality="US", Manufacturer="MINDRAY", ManufacturerModelName="M9", Rows=60, Columns=80
    )
    assert always_blacked(dataset) == [Box(0, 0, 80, 60)]


@given(boxes())
def test_a_turned_picture_is_turned_back(made: list[Box]) -> None:
    for one in (one.clipped(ROWS, COLUMNS) for one in made):
        turned = np.rot90(covered([one]))
        rows, columns = np.nonzero(turned)
        if rows.size:
            found = Box(
                int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
            )
            assert found.turned_back(COLUMNS) == one
