"""Find text in a picture, and read it. For processes with limits: never for the web process.

The models are those of PP-OCRv4, out of the wheel `rapidocr-onnxruntime`; its code is not run,
since it would bring OpenCV. Finding is that of Liao et al., "Real-time scene text detection with
differentiable binarization" (2019): a map of probabilities, cut into pieces that touch.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from studies.rules.deidentification.regions import Box

# A shorter side below this is enlarged to it: small letters are found only so.
SHORT_SIDE: Final = 736
# Larger pictures are looked at in parts, since letters would vanish in a smaller copy.
_PART, _OVERLAP, _GRID = 1280, 160, 32
_PROBABLE, _SURE = 0.3, 0.5
# The map shows the core of a line of text: it is this much of its area to its circumference.
_UNCLIP: Final = 1.6
_SMALLEST: Final = 3
_LINE_HEIGHT, _WIDEST = 48, 3_200
_UPRIGHT: Final = 1.5


class NoTextEngine(RuntimeError):
    """The models or what runs them are not installed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a box says, and how sure that is (0 to 1)."""

    box: Box
    text: str
    confidence: float


class TextEngine:
    """The two models, loaded once in a process."""

    def __init__(self) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise NoTextEngine("onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        # Files are what is done at once; one of them has one thread.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False
        folder = models()

        def session(name: str) -> Any:
            return onnxruntime.InferenceSession(
                str(folder / name), options, providers=["CPUExecutionProvider"]
            )

        self._finder = session("ch_PP-OCRv4_det_infer.onnx")
        self._reader = session("ch_PP-OCRv4_rec_infer.onnx")
        letters = self._reader.get_modelmeta().custom_metadata_map["character"]
        self._letters = ["", *letters.splitlines(), " "]

    def boxes(self, picture: np.ndarray, short_side: int = SHORT_SIDE) -> list[Box]:
        """Boxes of text in a picture (rows, columns, RGB; uint8), unmerged."""
        found: list[Box] = []
        for top, left, part in _parts(picture):
            found += [box.moved(left, top) for box in self._in_part(part, short_side)]
        return found

    def _in_part(self, part: np.ndarray, short_side: int) -> Iterator[Box]:
        rows, columns = part.shape[:2]
        scale = max(1.0, short_side / min(rows, columns))
        # A strip is not enlarged beyond what a picture may have.
        scale = max(1.0, min(scale, 2 * _PART / max(rows, columns)))
        height, width = (max(_GRID, round(one * scale / _GRID) * _GRID) for one in (rows, columns))
        resized = Image.fromarray(part).resize((width, height), Image.Resampling.BILINEAR)
        chances = self._finder.run(None, {self._finder.get_inputs()[0].name: _fed(resized)})[0]
        for box in boxes_of(chances[0, 0]):
            yield box.scaled(columns / width, rows / height)

    def read(self, picture: np.ndarray, box: Box) -> Reading:
        """Read a box; one that stands upright is read upwards and downwards, the surer counts."""
        part = picture[box.top : box.bottom, box.left : box.right]
        if box.height > _UPRIGHT * box.width:
            lines = [np.rot90(part, 1), np.rot90(part, 3)]
        else:
            lines = [part]
        text, confidence = max((self._read_line(one) for one in lines), key=lambda one: one[1])
        return Reading(box, text, confidence)

    def _read_line(self, line: np.ndarray) -> tuple[str, float]:
        rows, columns = line.shape[:2]
        width = min(_WIDEST, max(_LINE_HEIGHT, round(columns * _LINE_HEIGHT / rows)))
        image = Image.fromarray(np.ascontiguousarray(line))
        fed = _fed(image.resize((width, _LINE_HEIGHT), Image.Resampling.BILINEAR))
        chances = self._reader.run(None, {self._reader.get_inputs()[0].name: fed})[0][0]
        best, sure = chances.argmax(1), chances.max(1)
        # One letter in several places that touch is one letter; between two equal ones is a blank.
        new = np.concatenate(([True], best[1:] != best[:-1])) & (best > 0)
        text = "".join(self._letters[int(one)] for one in best[new])
        return text.strip(), float(sure[new].mean()) if new.any() else 0.0


def models() -> Path:
    """The folder of the models. Raises `NoTextEngine`."""
    # To find a package is not to import it.
    spec = importlib.util.find_spec("rapidocr_onnxruntime")
    if spec is None or not spec.submodule_search_locations:
        raise NoTextEngine("rapidocr-onnxruntime is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "models"


def _parts(picture: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    rows, columns = picture.shape[:2]
    for top in _starts(rows):
        for left in _starts(columns):
            yield top, left, picture[top : top + _PART, left : left + _PART]


def _starts(length: int) -> list[int]:
    if length <= _PART + _OVERLAP:
        return [0] if length <= _PART else [0, length - _PART]
    return [*range(0, length - _PART, _PART - _OVERLAP), length - _PART]


def _fed(image: Image.Image) -> np.ndarray:
    """As the models were taught: from -1 to 1, colours first, blue before red."""
    values = np.asarray(image, np.float32)[:, :, ::-1] / 127.5 - 1
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def boxes_of(chances: np.ndarray) -> Iterator[Box]:
    """Boxes around the pieces of a map of probabilities, as large as the text that is there."""
    rows, columns = chances.shape
    for runs in _pieces(chances > _PROBABLE):
        top, bottom = min(one[0] for one in runs), max(one[0] for one in runs) + 1
        left, right = min(one[1] for one in runs), max(one[2] for one in runs)
        total = sum(float(chances[row, start:end].sum()) for row, start, end in runs)
        area = sum(end - start for _, start, end in runs)
        if min(bottom - top, right - left) < _SMALLEST or total / area < _SURE:
            continue
        width, height = right - left, bottom - top
        out = int(np.ceil(width * height * _UNCLIP / (2 * (width + height))))
        yield Box(left - out, top - out, right + out, bottom + out).clipped(rows, columns)


Run = tuple[int, int, int]


def _pieces(mask: np.ndarray) -> list[list[Run]]:
    """Runs (row, start, end) of a mask, grouped by whether they touch, corners too."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    runs = [
        (int(row), int(start), int(end))
        for (row, start), end in zip(starts, ends[:, 1], strict=True)
    ]
    leader = list(range(len(runs)))

    def first(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    rows: dict[int, list[int]] = {}
    for number, run in enumerate(runs):
        rows.setdefault(run[0], []).append(number)
    for upper, lower in pairwise(sorted(rows)):
        if lower != upper + 1:
            continue
        _join(rows[upper], rows[lower], runs, leader, first)
    pieces: dict[int, list[Run]] = {}
    for number, run in enumerate(runs):
        pieces.setdefault(first(number), []).append(run)
    return list(pieces.values())


def _join(
    above: list[int], below: list[int], runs: list[Run], leader: list[int], first: Any
) -> None:
    """Join the runs of two rows that touch; both go from left to right."""
    place = 0
    for one in below:
        _, start, end = runs[one]
        while place < len(above) and runs[above[place]][2] < start:
            place += 1
        look = place
        while look < len(above) and runs[above[look]][1] <= end:
            leader[first(one)] = first(above[look])
            look += 1
