"""Older overlays that lie in the bits beside the pixels: emptied, for anything can be drawn there.

PS3.3 C.9.2 of 2003 and before: Overlay Bit Position names a bit of Pixel Data, and there is no
Overlay Data. The attributes of an overlay go with its group; its bits would stay.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRBigEndian

from studies.gateways.writing_clean import syntax_of
from studies.rules.deidentification.assess import Doubt
from studies.rules.deidentification.table import OVERLAY_GROUPS

_ALLOCATED, _POSITION, _DATA = 0x0100, 0x0102, 0x3000


class OverlayInDoubt(Exception):
    """Raised when the bits of an overlay cannot be emptied: the object is put aside."""

    doubt: Final = Doubt.OVERLAY_IN_PIXELS


def empty_overlays(dataset: FileDataset) -> int:
    """Empty the planes of overlays within Pixel Data in place, and say how many there were.

    Raises `OverlayInDoubt`.
    """
    planes = _planes(dataset)
    if not planes:
        return 0
    bits = int(dataset.get("BitsAllocated", 0))
    high, stored = int(dataset.get("HighBit", -1)), int(dataset.get("BitsStored", 0))
    syntax = syntax_of(dataset)
    of_the_picture = range(high - stored + 1, high + 1)
    if (
        bits not in {8, 16}
        or (syntax is not None and syntax.is_encapsulated)
        or any(one in of_the_picture or one >= bits for one in planes)
        or len(dataset.PixelData) % (bits // 8)
    ):
        raise OverlayInDoubt
    little = dataset.original_encoding[1] and syntax != ExplicitVRBigEndian
    values = np.frombuffer(dataset.PixelData, f"{'<' if little else '>'}u{bits // 8}")
    mask = (1 << bits) - 1 & ~sum(1 << one for one in planes)
    # numpy gives a result in the machine's own order of bytes.
    emptied = (values & values.dtype.type(mask)).astype(values.dtype)
    dataset["PixelData"].value = emptied.tobytes()
    return len(planes)


def _planes(dataset: FileDataset) -> set[int]:
    """The bits of overlays that have none of their own."""
    if "PixelData" not in dataset:
        return set()
    found = set()
    for group in OVERLAY_GROUPS:
        place = group << 16
        if place | _POSITION not in dataset or place | _DATA in dataset:
            continue
        position = int(dataset[place | _POSITION].value or 0)
        allocated = dataset.get(place | _ALLOCATED)
        if position or (allocated is not None and int(allocated.value or 1) > 1):
            found.add(position)
    return found
