"""Where in a frame devices write text: rules by device, what is no picture, and boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from pydicom.dataset import Dataset

# A box is made larger by this, and by a part of its height: marks over and under letters, and
# the ends of a line, are what finding text is least sure of.
_PADDING, _ABOVE, _BESIDE = 2, 0.2, 1.0


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle of pixels: `right` and `bottom` are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def moved(self, right: int, down: int) -> Box:
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def scaled(self, across: float, down: float) -> Box:
        """In another resolution, rounded outwards."""
        return Box(
            int(self.left * across), int(self.top * down),
            -int(-self.right * across // 1), -int(-self.bottom * down // 1),
        )  # fmt: skip

    def clipped(self, rows: int, columns: int) -> Box:
        return Box(
            min(max(self.left, 0), columns), min(max(self.top, 0), rows),
            min(max(self.right, 0), columns), min(max(self.bottom, 0), rows),
        )  # fmt: skip

    def turned_back(self, columns: int) -> Box:
        """Where it lay before the picture was turned to the left, once."""
        return Box(columns - self.bottom, self.left, columns - self.top, self.right)

    def padded(self, rows: int, columns: int) -> Box:
        line = min(self.width, self.height)
        along, across = _PADDING + round(line * _BESIDE), _PADDING + round(line * _ABOVE)
        if self.height > self.width:
            along, across = across, along
        grown = Box(self.left - along, self.top - across, self.right + along, self.bottom + across)
        return grown.clipped(rows, columns)

    def touches(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right
            and self.top < other.bottom and other.top < self.bottom
        )  # fmt: skip


def merged(boxes: Iterable[Box], rows: int, columns: int) -> list[Box]:
    """Boxes within the frame, without those that lie in others and without doubles."""
    whole = sorted(
        {one.clipped(rows, columns) for one in boxes}, key=lambda one: -one.width * one.height
    )
    kept: list[Box] = []
    for one in whole:
        inside = any(
            other.left <= one.left and other.top <= one.top
            and one.right <= other.right and one.bottom <= other.bottom
            for other in kept
        )  # fmt: skip
        if one.width > 0 and one.height > 0 and not inside:
            kept.append(one)
    return sorted(kept)


def area(boxes: Iterable[Box]) -> int:
    """The number of pixels in any of the boxes, each counted once."""
    boxes = list(boxes)
    total = 0
    edges = sorted({edge for one in boxes for edge in (one.left, one.right)})
    for left, right in pairwise(edges):
        reached = None
        spans = sorted((one.top, one.bottom) for one in boxes if one.left <= left < one.right)
        for top, bottom in spans:
            start = top if reached is None else max(top, reached)
            total += max(0, bottom - start) * (right - left)
            reached = bottom if reached is None else max(bottom, reached)
    return total


def always_blacked(dataset: Dataset) -> list[Box]:
    """What is blacked whether text is found there or not."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    return merged(
        [*_by_device(dataset, rows, columns), *outside_of_regions(dataset, rows, columns)],
        rows, columns,
    )  # fmt: skip


# By device ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Rule:
    """Which devices' frames, and the band at their upper edge that holds people's details."""

    modality: str
    manufacturer: re.Pattern[str]
    model: re.Pattern[str]
    rows: str
    columns: str
    box: tuple[int, int, int, int]

    def speaks_of(self, dataset: Dataset, rows: int, columns: int) -> bool:
        return (
            self.modality == str(dataset.get("Modality", "")).strip().upper()
            and self.manufacturer.search(str(dataset.get("Manufacturer", ""))) is not None
            and self.model.search(str(dataset.get("ManufacturerModelName", ""))) is not None
            and self.rows in {"*", str(rows)}
            and self.columns in {"*", str(columns)}
        )


@cache
def _rules() -> tuple[_Rule, ...]:
    text = (files(__package__) / "device_regions.tsv").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        modality, maker, model, rows, columns, box = line.split("\t")
        left, top, width, height = map(int, box.split(","))
        found.append(
            _Rule(
                modality, re.compile(maker, re.IGNORECASE), re.compile(model, re.IGNORECASE),
                rows, columns, (left, top, left + width, top + height),
            )
        )  # fmt: skip
    return tuple(found)


def _by_device(dataset: Dataset, rows: int, columns: int) -> Iterator[Box]:
    for rule in _rules():
        if rule.speaks_of(dataset, rows, columns):
            yield Box(*rule.box)


# Ultrasound regions -------------------------------------------------------------------------------
# A region of no use, such as one that is a line, says nothing about what lies outside.
_LEAST_SHARE: Final = 0.05


def outside_of_regions(dataset: Dataset, rows: int, columns: int) -> list[Box]:
    """What lies in none of the ultrasound regions (PS3.3 C.8.5.5): there devices write.

    None if the regions cannot be right: then only what is found is blacked.
    """
    regions = []
    for item in dataset.get("SequenceOfUltrasoundRegions", None) or ():
        try:
            # The last pixel is inside (PS3.3 C.8.5.5.1.1: locations of the region's corners).
            box = Box(
                int(item.RegionLocationMinX0), int(item.RegionLocationMinY0),
                int(item.RegionLocationMaxX1) + 1, int(item.RegionLocationMaxY1) + 1,
            )  # fmt: skip
        except (AttributeError, TypeError, ValueError):
            return []
        regions.append(box.clipped(rows, columns))
    if area(regions) < _LEAST_SHARE * rows * columns:
        return []
    return list(_complement(regions, rows, columns))


def _complement(regions: list[Box], rows: int, columns: int) -> Iterator[Box]:
    """Cut a frame into bands at the regions' edges, and give the gaps of each."""
    levels = sorted({0, rows, *(edge for one in regions for edge in (one.top, one.bottom))})
    for top, bottom in pairwise(levels):
        place = 0
        for one in sorted(one for one in regions if one.top <= top < one.bottom):
            if one.left > place:
                yield Box(place, top, one.left, bottom)
            place = max(place, one.right)
        if place < columns:
            yield Box(place, top, columns, bottom)
