"""Ultrasound objects with details of a patient in their frames, in every kind of storage."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.pixels.processing import convert_color_space
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.studies.deidentification.objects import ct, part10

ROWS, COLUMNS = 256, 384
LINES = ("QUIXADA, Marlene", "HVH-778812  17.03.1942")
# Where they stand: left, top, right, bottom; and a part of the picture without any text.
PLACES = ((12, 6, 175, 26), (12, 226, 232, 246))
QUIET = (slice(60, 200), slice(80, 300))


def grey(lines: tuple[str, ...] = LINES, *, bright: int = 255, seed: int = 1) -> np.ndarray:
    """A frame of noise with lines above and below it."""
    noise = np.random.default_rng(seed).rayleigh(25, (ROWS, COLUMNS)).clip(0, 120)
    noise[:50] = noise[210:] = 0
    picture = Image.fromarray(noise.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for text, place in zip(lines, PLACES, strict=False):
        draw.text(place[:2], text, bright, ImageFont.load_default(16))
    return np.asarray(picture).copy()


def rgb(lines: tuple[str, ...] = LINES) -> np.ndarray:
    """The same in colours: yellow letters, tissue with a tint."""
    shades = grey(lines)
    return np.stack([shades, (shades * 0.9).astype(np.uint8), shades // 2], axis=-1)


def ultrasound(pixels: np.ndarray, photometric: str, **attributes: Any) -> Dataset:
    """An ultrasound object of these frames: (frames,) rows, columns(, colours)."""
    colours = photometric.startswith(("RGB", "YBR"))
    frames = pixels.shape[0] if pixels.ndim == (4 if colours else 3) else 1
    dataset = ct(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1" if frames == 1 else "1.2.840.10008.5.1.4.1.1.3.1",
        Modality="US", Rows=ROWS, Columns=COLUMNS, PhotometricInterpretation=photometric,
        SamplesPerPixel=3 if colours else 1, BitsAllocated=8 * pixels.itemsize,
        BitsStored=8 * pixels.itemsize, HighBit=8 * pixels.itemsize - 1,
        PixelRepresentation=int(pixels.dtype.kind == "i"),
    )  # fmt: skip
    if colours:
        dataset.PlanarConfiguration = 0
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def region(left: int, top: int, right: int, bottom: int) -> Sequence:
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    return Sequence([item])


def compressed(dataset: Dataset, syntax: str) -> bytes:
    """A file of it in a syntax without loss."""
    frames = int(dataset.get("NumberOfFrames", 1))
    size = len(dataset.PixelData) // frames
    about = {
        "rows": ROWS, "columns": COLUMNS, "number_of_frames": 1,
        "samples_per_pixel": dataset.SamplesPerPixel, "bits_allocated": dataset.BitsAllocated,
        "bits_stored": dataset.BitsStored, "pixel_representation": dataset.PixelRepresentation,
        "photometric_interpretation": dataset.PhotometricInterpretation,
        "planar_configuration": 0, "use_mct": syntax == JPEG2000Lossless,
    }  # fmt: skip
    encoder = get_encoder(syntax)
    parts = [
        encoder.encode(dataset.PixelData[number * size : (number + 1) * size], **about)
        for number in range(frames)
    ]
    if syntax == JPEG2000Lossless and dataset.SamplesPerPixel == 3:
        dataset.PhotometricInterpretation = "YBR_RCT"
    return _encapsulated(dataset, parts, syntax)


def jpeg(pixels: np.ndarray) -> bytes:
    """A file with loss, colours at half the width."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, subsampling=1)
    dataset = ultrasound(
        pixels, "YBR_FULL_422", LossyImageCompression="01", LossyImageCompressionRatio="9.5"
    )
    return _encapsulated(dataset, [buffer.getvalue()], JPEGBaseline8Bit)


def _encapsulated(dataset: Dataset, frames: list[bytes], syntax: str) -> bytes:
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    return part10(dataset, syntax)


def palette() -> Dataset:
    """Colours by number: 0 is white and 255 black."""
    dataset = ultrasound(255 - grey(), "PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        table = (np.arange(255, -1, -1) * 257).astype("<u2")
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    return dataset


def planar() -> Dataset:
    dataset = ultrasound(rgb(), "RGB", PlanarConfiguration=1)
    dataset.PixelData = rgb().transpose(2, 0, 1).tobytes()
    return dataset


def big_endian() -> Dataset:
    dataset = ultrasound(grey(), "MONOCHROME2")
    dataset.PixelData = grey().view("<u2").byteswap().tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def signed() -> np.ndarray:
    return (grey().astype(np.int16) - 100) * 16


STORED: dict[str, Any] = {
    "grey": lambda: part10(ultrasound(grey(), "MONOCHROME2")),
    "white is least": lambda: part10(ultrasound(255 - grey(), "MONOCHROME1")),
    "16 bits": lambda: part10(ultrasound(grey().astype(np.uint16) * 16, "MONOCHROME2")),
    "signed": lambda: part10(ultrasound(signed(), "MONOCHROME2")),
    "colours": lambda: part10(ultrasound(rgb(), "RGB")),
    "big end first": lambda: part10(big_endian(), ExplicitVRBigEndian),
    "by plane": lambda: part10(planar()),
    "luminance": lambda: part10(
        ultrasound(convert_color_space(rgb(), "RGB", "YBR_FULL"), "YBR_FULL")
    ),
    "palette": lambda: part10(palette()),
    "frames": lambda: part10(ultrasound(np.stack([grey((), seed=2), grey()]), "MONOCHROME2")),
    "JPEG-LS": lambda: compressed(ultrasound(rgb(), "RGB"), JPEGLSLossless),
    "JPEG 2000": lambda: compressed(ultrasound(rgb(), "RGB"), JPEG2000Lossless),
    "RLE": lambda: compressed(
        ultrasound(grey().astype(np.uint16) * 16, "MONOCHROME2"), RLELossless
    ),
}
NATIVE = ExplicitVRLittleEndian
