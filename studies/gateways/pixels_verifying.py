"""Look again at the frames of a result: is there text that anybody could read?

No code of the cleaning is used: frames are decoded from the written bytes, by pydicom's way for
showing them, and looked at in another resolution. Only the models are the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from studies.gateways.reading_text import Reading, TextEngine
from studies.rules.deidentification.identity import Known

SHORT_SIDE: Final = 832
FRAMES: Final = 12
# Two letters or digits, read with this much confidence, are text.
_SURE, _LEAST = 0.6, 2


def text_left(written: bytes, known: Known, engine: TextEngine) -> bool:
    """Is there text in the frames of a file, blacked or not?

    Raises whatever decoding raises, for then the file is not right.
    """
    return any(
        _says_something(engine.read(picture, box), known)
        for picture in _pictures(dcmread(io.BytesIO(written)))
        for box in engine.boxes(picture, SHORT_SIDE)
    )


def _says_something(reading: Reading, known: Known) -> bool:
    letters = sum(one.isalnum() for one in reading.text)
    if letters >= _LEAST and reading.confidence >= _SURE:
        return True
    return known.found_in(reading.text)


def _pictures(dataset: Dataset) -> Iterator[np.ndarray]:
    """Frames in 8-bit RGB: all of a few; of many some, and the extremes of all the others."""
    count = int(dataset.get("NumberOfFrames", None) or 1)
    step = -(-count // FRAMES)
    bright = dark = None
    seen = 0
    for number, frame in enumerate(iter_pixels(dataset)):
        seen += 1
        shown = _colours(dataset, frame)
        if number % step == step // 2 or number == count - 1:
            yield from _drawn(shown)
        if step > 1:
            bright = shown if bright is None else np.maximum(bright, shown)
            dark = shown if dark is None else np.minimum(dark, shown)
    if seen != count:
        raise ValueError("Frames are missing.")
    for extreme in (bright, dark):
        if extreme is not None:
            yield from _drawn(extreme)


def _colours(dataset: Dataset, frame: np.ndarray) -> np.ndarray:
    if dataset.PhotometricInterpretation != "PALETTE COLOR":
        return frame
    colours: np.ndarray = apply_color_lut(frame, dataset)[..., :3]
    return colours


def _drawn(frame: np.ndarray) -> Iterator[np.ndarray]:
    """Colours as they are; greys from least to most, and of many bits with dark ones raised."""
    if frame.ndim == 3:
        yield np.ascontiguousarray((frame >> 8 * (frame.dtype.itemsize - 1)).astype(np.uint8))
        return
    values = frame.astype(np.float32)
    values -= values.min()
    values /= values.max() or 1
    for shown in (values, np.sqrt(values)) if frame.dtype.itemsize > 1 else (values,):
        yield np.repeat((shown * 255).astype(np.uint8)[..., None], 3, axis=2)
