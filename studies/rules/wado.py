"""What a retrieval asks for (DICOM PS3.18 sections 8.7 and 10.4), checked and typed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from studies.rules.multipart import parameters_of

MAX_FRAMES_ASKED: Final = 64
DICOM: Final = "application/dicom"
OCTETS: Final = "application/octet-stream"
DICOM_JSON: Final = "application/dicom+json"
MULTIPART: Final = "multipart/related"

EXPLICIT: Final = "1.2.840.10008.1.2.1"
# PS3.18 table 8.7.3-2 and -5: transfer syntax -> media type of a frame as it is stored.
FRAME_TYPES: Final = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.4.100": "video/mpeg",
    "1.2.840.10008.1.2.4.102": "video/mp4",
    "1.2.840.10008.1.2.4.103": "video/mp4",
}


class RetrievalInvalid(ValueError):
    """What is wrong with the request, in a sentence for whoever asks."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One media range of an Accept header that concerns us."""

    media_type: str
    multipart: bool
    syntax: str  # a transfer syntax UID, "*" or "" for the default
    unwanted: frozenset[str] = frozenset()


def parse_accept(header: str) -> tuple[Accepted, ...]:
    """Read the media ranges, in the order of their weights (RFC 9110 section 12.5.1).

    One with the weight 0 is what must not be sent; it takes that out of the ranges around it.
    """
    found: list[tuple[float, int, Accepted]] = []
    unwanted: list[Accepted] = []
    for position, item in enumerate(_items(header or "*/*")[:50]):
        kind, parameters = parameters_of(item)
        weight = _weight(parameters.get("q", "1"))
        syntax = parameters.get("transfer-syntax", "")
        multipart = kind == MULTIPART
        named = parameters.get("type", "*/*").lower() if multipart else kind
        if weight <= 0:
            unwanted.append(Accepted(named, multipart, syntax))
        else:
            found.append((-weight, position, Accepted(named, multipart, syntax)))
    ordered = [accepted for _, _, accepted in sorted(found, key=lambda one: one[:2])]
    return tuple(replace(one, unwanted=_narrower(unwanted, one)) for one in ordered)


def _narrower(unwanted: list[Accepted], accepted: Accepted) -> frozenset[str]:
    return frozenset(
        one.media_type
        for one in unwanted
        if one.multipart == accepted.multipart and one.media_type != accepted.media_type
    )


def _items(header: str) -> list[str]:
    # Commas inside quotes do not separate.
    return [item.strip() for item in re.findall(r'(?:[^,"]|"[^"]*")+', header) if item.strip()]


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def takes(accepted: Accepted, media_type: str) -> bool:
    wanted = accepted.media_type
    if media_type in accepted.unwanted:
        return False
    return wanted in {"*/*", media_type} or (
        wanted.endswith("/*") and media_type.startswith(wanted[:-1])
    )


def parse_frames(text: str) -> list[int]:
    """Read a frame list such as `1,3,5`: at most 64 frames, counted from 1."""
    items = text.split(",")
    if len(items) > MAX_FRAMES_ASKED:
        raise RetrievalInvalid(f"Ask for at most {MAX_FRAMES_ASKED} frames at a time.")
    if not all(re.fullmatch(r"[1-9]\d{0,8}", item) for item in items):
        raise RetrievalInvalid("Frames are whole numbers from 1 on, parted by commas.")
    return [int(item) for item in items]
