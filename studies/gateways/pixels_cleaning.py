"""Black text in the frames of an object, in place: only for a process with limits.

What is found in any frame that is looked at is blacked in all of them: text of a device stands
still. Of many frames, some are looked at, and the brightest and darkest value that each pixel has
in all the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from studies.gateways.reading_text import TextEngine
from studies.rules.deidentification.assess import Doubt
from studies.rules.deidentification.regions import Box, always_blacked, area, merged

# So many parts of a cine are looked at; a shorter one frame by frame.
LOOKS: Final = 24
LARGEST_DECODED: Final = 1 << 30
_MOST_PIXELS: Final = 1 << 26
# Others are written without compression: there is no encoder, or the picture was not the same.
_ENCODED_AGAIN: Final = frozenset({JPEGLSLossless, JPEG2000Lossless, RLELossless})
_LOSSLESS: Final = _ENCODED_AGAIN | {
    JPEGLossless, JPEGLosslessSV1, UID("1.2.840.10008.1.2.4.201"), UID("1.2.840.10008.1.2.4.202"),
}  # fmt: skip
_COLOURS: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"})
_GREYS: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})
_PALETTE: Final = "PALETTE COLOR"
# End of image or codestream (ISO/IEC 10918-1 B.1.1.3, 15444-1 A.4.4).
_END: Final = b"\xff\xd9"
# Letters of a device are at most so many pixels high, or this share of the frame's shorter side.
# A larger box is mostly a bone or a vessel; it is text if it can be read with this confidence.
_LETTERS: Final = (40, 0.1)
_PERHAPS: Final = 0.5
_FAINT_SIDE: Final = 640
# A viewer can make letters visible that are nearly black: the darker, the more it is raised.
_RAISED: Final = (255 * np.log1p(np.arange(256)) / np.log(256)).round().astype(np.uint8)
# Faint letters in many bits are seen when the rare extremes are cut off.
_RARE: Final = (1.0, 99.0)


class PixelsInDoubt(Exception):
    """Raised when the pixels cannot be cleaned: the object is put aside for this reason."""

    def __init__(self, doubt: Doubt) -> None:
        self.doubt = doubt
        super().__init__(doubt)


@dataclass(frozen=True, slots=True)
class Blacked:
    """What was done: the boxes, in each of so many frames, and their share of a frame's area."""

    boxes: tuple[Box, ...]
    found: int
    frames: int
    share: float


class PixelCleaner:
    """Cleans the pixels of objects, with one engine for all of them."""

    def __init__(self, engine: TextEngine) -> None:
        self._engine = engine

    def clean(self, dataset: FileDataset) -> Blacked:
        """Black text in every frame. Raises `PixelsInDoubt`; the data set may be half done then."""
        try:
            return self._cleaned(dataset)
        except (MemoryError, PixelsInDoubt):
            raise
        except Exception as error:
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE) from error

    def _cleaned(self, dataset: FileDataset) -> Blacked:
        frames = frames_of(dataset)
        rows, columns = frames.rows, frames.columns
        found: list[Box] = []
        for shown in _looks(frames):
            for picture in pictures(shown):
                found += self._found(picture)
                found += self._found_faint(picture)
        padded = [box.padded(rows, columns) for box in found]
        boxes = merged([*padded, *always_blacked(dataset)], rows, columns)
        frames.black(boxes)
        dataset.BurnedInAnnotation = "NO"
        share = area(boxes) / (rows * columns)
        return Blacked(tuple(boxes), len(padded), frames.count, share)

    def _found(self, picture: np.ndarray) -> Iterator[Box]:
        """Boxes of text. Larger ones than letters of a device must say something, or hold some."""
        rows, columns = picture.shape[:2]
        letters = max(_LETTERS[0], round(_LETTERS[1] * min(rows, columns)))
        for box in self._engine.boxes(picture):
            if min(box.width, box.height) <= letters or self._says_something(picture, box):
                yield box
                continue
            part = np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
            for inner in self._engine.boxes(part):
                if min(inner.width, inner.height) <= letters:
                    yield inner.moved(box.left, box.top)

    def _found_faint(self, picture: np.ndarray) -> Iterator[Box]:
        """Boxes that only raised contrast shows; much looks like text there, so it must be read.

        The picture is turned for it: finding knows the ends of upright lines less well.
        """
        turned = np.ascontiguousarray(np.rot90(_RAISED[picture]))
        for box in self._engine.boxes(turned, _FAINT_SIDE):
            if self._says_something(turned, box):
                yield box.turned_back(picture.shape[1])

    def _says_something(self, picture: np.ndarray, box: Box) -> bool:
        reading = self._engine.read(picture, box)
        # A ring is read as an O; one letter names nobody.
        letters = sum(map(str.isalnum, reading.text))
        return letters > 1 and reading.confidence >= _PERHAPS


def _looks(frames: Frames) -> Iterator[np.ndarray]:
    """The pictures in which text is looked for; every frame is decoded on the way."""
    size = -(-frames.count // LOOKS)
    for start in range(0, frames.count, size):
        first = bright = dark = frames.shown(start)
        for number in range(start + 1, min(start + size, frames.count)):
            other = frames.shown(number)
            bright, dark = np.maximum(bright, other), np.minimum(dark, other)
        yield first
        if size > 1:
            yield bright
            yield dark


def pictures(shown: np.ndarray) -> Iterator[np.ndarray]:
    """Draw stored greys, or colours, in 8 bits: from least to most, and without rare extremes."""
    if shown.ndim == 3:
        yield shown
        return
    low, high = float(shown.min()), float(shown.max())
    yield _stretched(shown, low, high)
    if shown.dtype.itemsize > 1:
        rarely = np.percentile(shown, _RARE)
        if rarely[1] > rarely[0] and (rarely[0] - low) + (high - rarely[1]) > 0.2 * (high - low):
            yield _stretched(shown, float(rarely[0]), float(rarely[1]))


def _stretched(grey: np.ndarray, low: float, high: float) -> np.ndarray:
    values = (grey.astype(np.float32) - low) * (255 / ((high - low) or 1))
    return np.repeat(values.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


# Frames -------------------------------------------------------------------------------------------
def frames_of(dataset: FileDataset) -> Frames:
    """Open the frames of an object. Raises `PixelsInDoubt`."""
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if "PixelData" not in dataset or int(dataset.BitsAllocated) not in {8, 16}:
        raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
    return (_Compressed if syntax.is_encapsulated else _Native)(dataset, syntax)


class Frames(ABC):
    """The frames of an object as they are stored, one after the other."""

    def __init__(self, dataset: FileDataset, syntax: UID) -> None:
        self._dataset, self._syntax = dataset, syntax
        self.rows, self.columns = int(dataset.Rows), int(dataset.Columns)
        self.count = int(dataset.get("NumberOfFrames", None) or 1)
        self._samples = int(dataset.SamplesPerPixel)
        self._bits = int(dataset.BitsAllocated)
        self._stored = int(dataset.BitsStored)
        self._signed = bool(dataset.PixelRepresentation)
        self._photometric = str(dataset.PhotometricInterpretation)
        self._least = self._most = 0
        self._check()

    def _check(self) -> None:
        grey = self._photometric in _GREYS | {_PALETTE} and self._samples == 1
        colour = self._photometric in _COLOURS and self._samples == 3
        if not (grey or colour) or self.count < 1 or not 0 < self._stored <= self._bits:
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
        if not self.rows or not self.columns:
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
        if self.rows * self.columns > _MOST_PIXELS or self._length() > LARGEST_DECODED:
            raise PixelsInDoubt(Doubt.TOO_LARGE)

    def _length(self) -> int:
        return self.count * self.rows * self.columns * self._samples * self._bits // 8

    @abstractmethod
    def frame(self, number: int) -> np.ndarray:
        """A frame as it is stored: rows, columns and colours, if there are."""

    @abstractmethod
    def black(self, boxes: list[Box]) -> None:
        """Black boxes in all frames, and put the frames back into the object."""

    def shown(self, number: int) -> np.ndarray:
        """A frame as stored greys, or as RGB in 8 bits."""
        stored = self.frame(number)
        if self._photometric in _GREYS:
            self._least = min(self._least, int(stored.min()))
            self._most = max(self._most, int(stored.max()))
            return stored
        if self._photometric == _PALETTE:
            colours, bits = apply_color_lut(stored, self._dataset)[..., :3], 0
            bits = colours.dtype.itemsize * 8
        else:
            colours, bits = stored, self._stored
            if self._photometric.startswith("YBR_FULL"):
                colours = convert_color_space(np.ascontiguousarray(stored), "YBR_FULL", "RGB")
        return np.ascontiguousarray((colours >> max(0, bits - 8)).astype(np.uint8))

    @property
    def value(self) -> Any:
        """What black is here: of signed greys the least that there is, so that windows stay."""
        if self._photometric == "MONOCHROME2":
            return self._least
        if self._photometric == "MONOCHROME1":
            return self._most
        if self._photometric == _PALETTE:
            return self._darkest()
        if self._photometric.startswith("YBR_FULL"):
            return (0, 1 << (self._stored - 1), 1 << (self._stored - 1))
        return (0, 0, 0)

    def _darkest(self) -> int:
        entries, first, _ = self._dataset.RedPaletteColorLookupTableDescriptor
        numbers = np.arange(first, first + (int(entries) or 1 << 16)).astype(self._type())
        colours = apply_color_lut(numbers[None], self._dataset)[0, :, :3]
        return int(numbers[int(colours.astype(np.int64).sum(axis=1).argmin())])

    def _type(self) -> np.dtype[Any]:
        order = ">" if self._syntax == ExplicitVRBigEndian else "<"
        return np.dtype(f"{order}{'i' if self._signed else 'u'}{self._bits // 8}")

    def _blacken(self, frame: np.ndarray, boxes: list[Box]) -> None:
        for one in boxes:
            frame[one.top : one.bottom, one.left : one.right] = self.value


class _Native(Frames):
    """Not compressed: changed where they lie, bits and length stay."""

    def __init__(self, dataset: FileDataset, syntax: UID) -> None:
        super().__init__(dataset, syntax)
        # Two pixels share their colour there, in an order of its own.
        if self._photometric == "YBR_FULL_422":
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
        # Words of 16 bits, of which each is two pixels (PS3.5 8.1.1).
        self._swapped = (
            syntax == ExplicitVRBigEndian and self._bits == 8 and dataset["PixelData"].VR == "OW"
        )
        self._content = bytearray(self._in_order(dataset.PixelData))
        if not self._length() <= len(self._content) <= self._length() + 1:
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
        values = np.frombuffer(
            self._content, self._type(), count=self._length() // (self._bits // 8)
        )
        if self._samples == 3 and int(dataset.PlanarConfiguration):
            by_colour = values.reshape(self.count, 3, self.rows, self.columns)
            self._frames = by_colour.transpose(0, 2, 3, 1)
        else:
            more = (3,) if self._samples == 3 else ()
            self._frames = values.reshape(self.count, self.rows, self.columns, *more)

    def frame(self, number: int) -> np.ndarray:
        frame: np.ndarray = self._frames[number]
        if self._stored < self._bits:
            self._only_stored_bits(frame)
        return frame

    def _only_stored_bits(self, frame: np.ndarray) -> None:
        """Empty the bits beside the pixels: older overlays, which are words, lay there."""
        if int(self._dataset.HighBit) != self._stored - 1:
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
        beside = self._bits - self._stored
        if self._signed:
            frame[...] = (frame << beside) >> beside
        else:
            frame &= (1 << self._stored) - 1

    def black(self, boxes: list[Box]) -> None:
        for frame in self._frames:
            self._blacken(frame, boxes)
        self._dataset["PixelData"].value = self._in_order(bytes(self._content))

    def _in_order(self, content: bytes) -> bytes:
        return np.frombuffer(content, "<u2").byteswap().tobytes() if self._swapped else content


class _Compressed(Frames):
    """Compressed: decoded frame by frame, and encoded again where that is without loss."""

    def __init__(self, dataset: FileDataset, syntax: UID) -> None:
        super().__init__(dataset, syntax)
        self._refuse_what_is_cut_off()
        self._decoder = get_decoder(syntax)
        self._declared = self._photometric
        # Once decoded, colours are whole, and those of JPEG 2000 are red, green and blue.
        names = {"YBR_FULL_422": "YBR_FULL", "YBR_RCT": "RGB", "YBR_ICT": "RGB"}
        self._photometric = names.get(self._photometric, self._photometric)

    def _refuse_what_is_cut_off(self) -> None:
        """A decoder may draw a part of a picture; each code but RLE says where it ends."""
        frames = generate_frames(
            self._dataset.PixelData, number_of_frames=self.count,
            extended_offsets=_extended_offsets(self._dataset),
        )  # fmt: skip
        whole = [
            # Some pad what comes after it.
            self._syntax == RLELossless or _END in one[-16:]
            for one in frames
        ]
        if len(whole) != self.count or not all(whole):
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)

    def frame(self, number: int) -> np.ndarray:
        array, about = self._decoder.as_array(self._dataset, index=number, raw=True)
        expected = (self.rows, self.columns) + ((3,) if self._samples == 3 else ())
        if array.shape != expected or int(about["bits_allocated"]) != self._bits:
            raise PixelsInDoubt(Doubt.PIXELS_UNREADABLE)
        return np.array(array)

    def black(self, boxes: list[Box]) -> None:
        again = self._syntax in _ENCODED_AGAIN
        written = []
        for number in range(self.count):
            frame = self.frame(number)
            self._blacken(frame, boxes)
            written.append(self._encoded(frame) if again else frame.tobytes())
        self._put(written, again=again)

    def _encoded(self, frame: np.ndarray) -> bytes:
        encoded: bytes = get_encoder(self._syntax).encode(
            frame, rows=self.rows, columns=self.columns, number_of_frames=1,
            samples_per_pixel=self._samples, bits_allocated=self._bits, bits_stored=self._stored,
            pixel_representation=int(self._signed), photometric_interpretation=self._photometric,
            planar_configuration=0, use_mct=self._declared == "YBR_RCT",
        )  # fmt: skip
        return encoded

    def _put(self, frames: list[bytes], *, again: bool) -> None:
        dataset = self._dataset
        for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
            if keyword in dataset:
                del dataset[keyword]
        if again:
            content = encapsulate(frames)
        else:
            content = b"".join(frames)
            content += b"\0" * (len(content) % 2)
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.PhotometricInterpretation = self._photometric
            if self._syntax not in _LOSSLESS:
                dataset.LossyImageCompression = "01"
        if self._samples == 3:
            dataset.PlanarConfiguration = 0
        del dataset.PixelData
        dataset.add_new(0x7FE00010, "OB" if again or self._bits == 8 else "OW", content)
        dataset["PixelData"].is_undefined_length = again


def _extended_offsets(dataset: FileDataset) -> tuple[bytes, bytes] | None:
    if "ExtendedOffsetTable" not in dataset:
        return None
    return dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
