"""Overlays, curves and annotations: their words and bits go, the picture stays (PS3.15 E.3.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.studies.deidentification.objects import ct, deidentifier, part10, released

GRAPHICS = "clean-graphics"
BITS = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}


def overlay(dataset: Dataset, *, position: int = 0, group: int = 0x6000) -> Dataset:
    """An overlay whose bits lie in those of the pixels, if it has a position there."""
    for element, vr, value in (
        (0x0010, "US", 4), (0x0011, "US", 4), (0x0022, "LO", "Bed of Somebody"),
        (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]), (0x0100, "US", 16 if position else 1),
        (0x0102, "US", position), (0x1500, "LO", "Bed of Somebody"),
    ):  # fmt: skip
        dataset.add_new(group << 16 | element, vr, value)
    if not position:
        dataset.add_new(group << 16 | 0x3000, "OW", b"\xff\xff")
    return dataset


def with_bits(mask: int, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> Dataset:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    values = np.arange(16, dtype=f"{order}u2") * 250 % 4096
    return ct(PixelData=(values | mask).astype(f"{order}u2").tobytes(), **BITS, **attributes)


@pytest.mark.parametrize("options", [[], [GRAPHICS], [GRAPHICS, "clean-descriptors"]])
def test_an_overlay_goes_as_a_whole(options: list[str]) -> None:
    made = overlay(overlay(ct()), group=0x6002)
    made.add_new(0x50000005, "US", 2)
    made.add_new(0x50000022, "LO", "Bed of Somebody")
    made.add_new(0x50003000, "OW", b"\1\2")
    after = released(part10(made), *options)
    assert [tag for tag in after.keys() if tag >> 24 in {0x50, 0x60}] == []  # noqa: SIM118
    assert after.PixelData == made.PixelData


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_bits_of_an_overlay_within_the_pixels_are_emptied(syntax: str) -> None:
    made = overlay(overlay(with_bits(0xA000, syntax), position=15), position=13, group=0x6002)
    after = released(part10(made, syntax))
    assert after.PixelData == with_bits(0, syntax).PixelData
    assert [tag for tag in after.keys() if tag >> 24 == 0x60] == []  # noqa: SIM118


def test_bits_that_no_overlay_claims_stay() -> None:
    """Signed values reach into them, and the pixels of others are not ours to change."""
    made = overlay(with_bits(0xA000), position=15)
    after = released(part10(made))
    assert after.PixelData == with_bits(0x2000).PixelData


@pytest.mark.parametrize("position", [11, 16])
def test_an_overlay_in_the_picture_itself_puts_the_object_aside(position: int) -> None:
    outcome = deidentifier().deidentify(part10(overlay(with_bits(0), position=position)))
    assert [one.value for one in outcome.doubts] == ["overlay-in-pixels"]


def test_an_overlay_in_compressed_pixels_puts_the_object_aside() -> None:
    made = overlay(ct(PixelData=encapsulate([bytes(64)]), **BITS), position=15)
    outcome = deidentifier().deidentify(part10(made, RLELossless))
    assert [one.value for one in outcome.doubts] == ["overlay-in-pixels"]


def presentation() -> Dataset:
    made = ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1", Modality="PR")
    del made.PixelData
    text, layer, drawn, one = Dataset(), Dataset(), Dataset(), Dataset()
    text.UnformattedTextValue = "Nodule, told to Dr. Oberhuber"
    text.AnchorPoint, text.AnchorPointVisibility = [1.0, 1.0], "Y"
    drawn.GraphicType, drawn.GraphicData = "POLYLINE", [1.0, 1.0, 2.0, 2.0]
    drawn.NumberOfGraphicPoints, drawn.GraphicDimensions = 2, 2
    one.GraphicLayer = "L1"
    one.TextObjectSequence, one.GraphicObjectSequence = Sequence([text]), Sequence([drawn])
    layer.GraphicLayer, layer.GraphicLayerDescription = "L1", "Drawn by Dr. Oberhuber"
    made.GraphicAnnotationSequence, made.GraphicLayerSequence = Sequence([one]), Sequence([layer])
    return made


@pytest.mark.parametrize(
    ("options", "said", "drawn"),
    [
        ([], "REMOVED", False),
        ([GRAPHICS], "REMOVED", True),
        ([GRAPHICS, "clean-descriptors"], "Nodule, told to REMOVED", True),
    ],
)
def test_annotations_keep_what_is_drawn_only_if_asked(
    options: list[str], said: str, drawn: bool
) -> None:
    after = released(part10(presentation()), *options)
    (one,) = after.GraphicAnnotationSequence
    assert one.TextObjectSequence[0].UnformattedTextValue == said
    assert "Oberhuber" not in after.GraphicLayerSequence[0].GraphicLayerDescription
    points = list(one.GraphicObjectSequence[0].GraphicData)
    assert (points == [1.0, 1.0, 2.0, 2.0]) is drawn
