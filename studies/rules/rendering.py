"""What a rendered retrieval asks for (DICOM PS3.18 sections 8.3.5 and 10.4.1.1.3). Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

from studies.rules.gate import META_LIMIT
from studies.rules.meta import read_meta
from studies.rules.wado import RetrievalInvalid, parse_accept, takes

ImageType = Literal["image/jpeg", "image/png"]
IMAGE_TYPES: Final[tuple[ImageType, ...]] = ("image/jpeg", "image/png")
PDF: Final = "application/pdf"
ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
LONGEST_SIDE: Final = 4096
THUMBNAIL_SIDE: Final = 128
FUNCTIONS: Final = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
ANNOTATIONS: Final = {"patient", "technique"}
# Uncompressed syntaxes whose bytes are not those of explicit little endian.
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
NATIVE: Final = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", DEFLATED, BIG_ENDIAN}
# Classes that only ever come in shades of grey (PS3.4 table B.5-1).
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
ALWAYS_GREY: Final = {
    _STORAGE + suffix
    for suffix in (
        "1", "1.1", "1.1.1", "1.2", "1.2.1", "2", "2.1", "4", "4.1", "12.1", "12.2", "13.1.3",
        "20", "128", "130", "481.2", "66.4",
    )
}  # fmt: skip
_PHOTOMETRIC_422: Final = re.compile(rb'("00280004":\{"vr":"CS","Value":\[")YBR_FULL_422("\]\})')
_INFLATED_AT_ONCE: Final = 1 << 20
_NUMBER: Final = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})([eE][+-]?\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window in the modality's units (PS3.3 C.11.2)."""

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class Picture:
    """How a frame is to be drawn; `region` is left, top, width and height in source pixels."""

    media_type: ImageType = "image/jpeg"
    width: int | None = None
    height: int | None = None
    region: tuple[int, int, int, int] | None = None
    window: Window | None = None
    quality: int = 85


def picture_of(query: Mapping[str, str], accept: str) -> Picture | None:
    """Read query and Accept header; None if no offered type is accepted.

    Raises `RetrievalInvalid` with a sentence for whoever asks.
    """
    quality = _whole(query.get("quality", "85"), 1, 100, "The quality is a number from 1 to 100.")
    if unknown := set(filter(None, query.get("annotation", "").split(","))) - ANNOTATIONS:
        raise RetrievalInvalid(f"There is no annotation {sorted(unknown)[0][:40]!r}.")
    size, region = _viewport(query.get("viewport", ""))
    window = _window(query["window"]) if "window" in query else None
    media_type = chosen_type(query.get("accept", "") or accept)
    if media_type is None:
        return None
    return Picture(media_type, *size, region, window, quality)


def chosen_type(accept: str) -> ImageType | None:
    """Return the picture type that a list of media ranges likes best."""
    for accepted in parse_accept(accept):
        for kind in IMAGE_TYPES:
            if takes(accepted, kind):
                return kind
    return None


def accepts_pdf(accept: str) -> bool:
    return any(takes(accepted, PDF) for accepted in parse_accept(accept))


def _viewport(
    text: str,
) -> tuple[tuple[int | None, int | None], tuple[int, int, int, int] | None]:
    """Read `width,height[,left,top,width,height]` (PS3.18 section 8.3.5.1.3)."""
    if not text:
        return (None, None), None
    parts = text.split(",")
    if len(parts) not in {2, 6}:
        raise RetrievalInvalid("A viewport has two numbers, or six with the part of the image.")
    sentence = f"A viewport's sides are whole numbers from 1 to {LONGEST_SIDE}."
    width, height = (_whole(part, 1, LONGEST_SIDE, sentence) for part in parts[:2])
    if len(parts) == 2:
        return (width, height), None
    sentence = "A part of the image is given in whole pixels, its sides at least 1."
    left, top = (_whole(part or "0", 0, 1 << 20, sentence) for part in parts[2:4])
    wide, high = (_whole(part, 1, 1 << 20, sentence) for part in parts[4:])
    return (width, height), (left, top, wide, high)


def _window(text: str) -> Window:
    """Read `center,width[,function]` (PS3.18 section 8.3.5.1.4)."""
    parts = text.split(",")
    if len(parts) not in {2, 3} or not all(_NUMBER.fullmatch(part) for part in parts[:2]):
        raise RetrievalInvalid("A window is a center and a width, and a function if wanted.")
    function = FUNCTIONS.get(parts[2].lower()) if len(parts) == 3 else "LINEAR"
    if function is None:
        raise RetrievalInvalid("A window's function is linear, linear-exact or sigmoid.")
    center, width = float(parts[0]), float(parts[1])
    if width < 1 and not (width > 0 and function != "LINEAR"):
        raise RetrievalInvalid("A window's width is 1 or more (PS3.3 C.11.2.1.2).")
    return Window(center, width, function)


def _whole(text: str, least: int, most: int, sentence: str) -> int:
    if not re.fullmatch(r"\d{1,7}", text) or not least <= int(text) <= most:
        raise RetrievalInvalid(sentence)
    return int(text)


# Frames that are not sent as they lie ------------------------------------------------------------
def served_header(header: bytes, syntax: str) -> bytes:
    """Describe an object's pixels as `/frames` sends them.

    Uncompressed 4:2:2 colour is sent as RGB: viewers do not unfold it. Only the description that
    is served changes; the object as it is stored, and its retrieval, do not.
    """
    return _PHOTOMETRIC_422.sub(rb"\1RGB\2", header) if syntax in NATIVE else header


def is_native_422(header: bytes, syntax: str) -> bool:
    return syntax in NATIVE and _PHOTOMETRIC_422.search(header) is not None


def inflated_range(pieces: Iterable[bytes | memoryview], offset: int, length: int) -> bytes:
    """Return a range of a deflated object, counted as if its data set were inflated.

    The gate has bounded what the object inflates to (PS3.5 A.5).
    """
    opening, rest = b"", iter(pieces)
    for piece in rest:
        opening += piece
        if len(opening) > META_LIMIT:
            break
    meta = read_meta(opening, complete=True)
    if meta is None:
        raise ValueError("the object has no file meta information")
    stream, found, at = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), meta.end
    for piece in chain([opening[meta.end :]], rest):
        packed: bytes = bytes(piece)
        while packed and at < offset + length:
            out = stream.decompress(packed, _INFLATED_AT_ONCE)
            found += out[max(0, offset - at) : max(0, offset + length - at)]
            at += len(out)
            packed = stream.unconsumed_tail
        if at >= offset + length or stream.eof:
            break
    return bytes(found)
