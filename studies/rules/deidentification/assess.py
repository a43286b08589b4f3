"""What is not released without more than cleaning its header, and why."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import Final

from pydicom.datadict import dictionary_has_tag, dictionary_VM
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset


class Doubt(StrEnum):
    """Why an object is put aside. Never released, never dropped without a word."""

    NOT_DICOM = "not-dicom"
    BROKEN = "broken"
    CUT_OFF = "cut-off"
    WRONG_LENGTH = "wrong-length"
    TOO_DEEP = "too-deep"
    TOO_LONG = "too-long"
    TOO_LARGE = "too-large"
    DIRECTORY = "directory"
    DOCUMENT = "document"
    DOCUMENT_UNREADABLE = "document-unreadable"
    BURNED_IN = "burned-in"
    PIXELS_AT_RISK = "pixels-at-risk"
    PIXELS_UNREADABLE = "pixels-unreadable"
    TEXT_LEFT = "text-left"
    WORDS_IN_CODESTREAM = "words-in-codestream"
    OVERLAY_IN_PIXELS = "overlay-in-pixels"
    FACE = "face"
    STILL_THERE = "still-there"
    UNKNOWN_SYNTAX = "unknown-syntax"


DOUBT_WORDS: Final[dict[Doubt, str]] = {
    Doubt.NOT_DICOM: "This is no DICOM object.",
    Doubt.BROKEN: "It cannot be read and written again without a fault.",
    Doubt.CUT_OFF: "It ends before its last value does.",
    Doubt.WRONG_LENGTH: "A length in it is wrong: one attribute lies in the value of another.",
    Doubt.TOO_DEEP: "Its sequences lie deeper than anything that a device writes.",
    Doubt.TOO_LONG: "Cleaning it took too long.",
    Doubt.TOO_LARGE: "It needs more memory than one object may have.",
    Doubt.DIRECTORY: "A DICOMDIR names files and patients; it is made anew, not cleaned.",
    Doubt.DOCUMENT: "It holds a document (PDF, CDA, model), which is cleaned only if asked for.",
    Doubt.DOCUMENT_UNREADABLE: "The words of its document cannot be read, or not be written again.",
    Doubt.BURNED_IN: "It says itself that people's details are burned into its pixels.",
    Doubt.PIXELS_AT_RISK: "Devices of its kind write people's details into the pixels.",
    Doubt.PIXELS_UNREADABLE: "Its pixels cannot be decoded here, so nobody knows what they show.",
    Doubt.TEXT_LEFT: "Text could still be read in its pixels after they were cleaned.",
    Doubt.WORDS_IN_CODESTREAM: "Its compressed pixels carry a comment, where anything can stand.",
    Doubt.OVERLAY_IN_PIXELS: "An overlay lies in bits of its pixels that cannot be emptied here.",
    Doubt.FACE: "It may show a head: a face could be made of its slices, and stays in them.",
    Doubt.STILL_THERE: "Something of the original was still found in the result.",
    Doubt.UNKNOWN_SYNTAX: "It is in a transfer syntax that is not known here.",
}
_TEXT: Final = frozenset({Doubt.BURNED_IN, Doubt.PIXELS_AT_RISK})
_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_DOCUMENTS: Final = "1.2.840.10008.5.1.4.1.1.104."
# Kinds of objects into whose pixels devices write: ultrasound, angiography and fluoroscopy,
# secondary capture, photographs and video.
_AT_RISK: Final = frozenset({
    "US", "IVUS", "XA", "RF", "SC", "OT", "ES", "XC", "GM", "SM", "OP", "DOC", "BI", "IO", "TG",
    "ECG", "HD",
})  # fmt: skip
_SIZES: Final = {
    "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "AT": 4, "UV": 8, "SV": 8,
}  # fmt: skip
_UNDEFINED: Final = 0xFFFFFFFF
_SCREENS: Final = frozenset({"SCREEN SAVE", "SCREENSAVE", "SCREEN", "DOSE_INFO"})
_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"


def doubts_of(dataset: Dataset) -> list[Doubt]:
    """Say what speaks against releasing an object once its header is clean."""
    kind = str(dataset.get("SOPClassUID", ""))
    found = []
    if kind == _DIRECTORY or "DirectoryRecordSequence" in dataset:
        found.append(Doubt.DIRECTORY)
    if kind.startswith(_DOCUMENTS) or "EncapsulatedDocument" in dataset:
        found.append(Doubt.DOCUMENT)
    if has_pixels(dataset):
        burned_in = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
        if burned_in == "YES":
            found.append(Doubt.BURNED_IN)
        elif burned_in != "NO" and _is_at_risk(dataset, kind):
            found.append(Doubt.PIXELS_AT_RISK)
    return found


def pixels_may_be_cleaned(doubts: Collection[Doubt]) -> bool:
    """Is text in the pixels all that speaks against releasing an object?

    A comment beside compressed pixels goes as they are written anew.
    """
    return bool(_TEXT & set(doubts)) and set(doubts) <= _TEXT | {Doubt.WORDS_IN_CODESTREAM}


PDF_OBJECT: Final = f"{_DOCUMENTS}1"
CDA_OBJECT: Final = f"{_DOCUMENTS}2"


def document_may_be_cleaned(dataset: Dataset, doubts: Collection[Doubt]) -> bool:
    """Is a document with words in it all that speaks against releasing an object?"""
    kind = str(dataset.get("SOPClassUID", ""))
    return set(doubts) == {Doubt.DOCUMENT} and kind in {PDF_OBJECT, CDA_OBJECT}


def has_pixels(dataset: Dataset) -> bool:
    return any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


def is_cut_off(dataset: Dataset) -> bool:
    """Is the value that was read last shorter than its length says? Nothing else tells of it."""
    last = dataset.get_item(list(dataset.keys())[-1]) if len(dataset) else None
    if not isinstance(last, RawDataElement) or not isinstance(last.value, bytes):
        return False
    return last.length != _UNDEFINED and len(last.value) < last.length


def has_wrong_length(dataset: Dataset) -> bool:
    """Has a number of the top level more bytes than its multiplicity allows? (PS3.6)"""
    for stored in dataset.values():
        if isinstance(stored, RawDataElement) and stored.VR in _SIZES and stored.value:
            most = _most_bytes(int(stored.tag), stored.VR)
            if most is not None and len(stored.value) > most:
                return True
    return False


@lru_cache(maxsize=1 << 14)
def _most_bytes(tag: int, vr: str | None) -> int | None:
    """How long a value of fixed multiplicity and size can be; None: of any length."""
    if vr not in _SIZES or not dictionary_has_tag(tag):
        return None
    multiplicity = dictionary_VM(tag).rpartition("-")[2]
    return int(multiplicity) * _SIZES[vr] if multiplicity.isdecimal() else None


def _is_at_risk(dataset: Dataset, kind: str) -> bool:
    if str(dataset.get("Modality", "")).strip().upper() in _AT_RISK:
        return True
    image_type = {str(one).upper() for one in dataset.get("ImageType", None) or ()}
    return kind.startswith(_SECONDARY_CAPTURE) or bool(image_type & _SCREENS)


def words_in_codestream(fragment: bytes) -> bool:
    """Does a JPEG or JPEG 2000 frame carry a comment or application data beyond the usual?

    ISO/IEC 10918-1 B.2.4.5 (COM) and B.2.4.6 (APPn); 15444-1 A.9.2 (COM). Coders write their own
    names there too, which says nothing about a patient; those are let pass.
    """
    if fragment[:2] == b"\xff\xd8":
        return _jpeg_speaks(fragment)
    if fragment[:4] == b"\xff\x4f\xff\x51":
        return _jpeg2000_speaks(fragment)
    return False


_CODERS: Final = (b"JFIF", b"Adobe", b"Kakadu", b"OpenJPEG", b"Created by", b"LEAD", b"CREATOR",
                  b"JasPer", b"Aware", b"HP JPEG-LS", b"mrfx", b"ICC_PROFILE")  # fmt: skip


def _jpeg_speaks(data: bytes) -> bool:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xDA:  # the picture itself begins
            return False
        if marker == 0xFF:
            place += 1
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : place + 2 + length]
        speaks = marker == 0xFE or 0xE0 <= marker <= 0xEF
        if speaks and body.strip(b"\0 ") and not any(one in body[:64] for one in _CODERS):
            return True
        place += 2 + length
    return False


def _jpeg2000_speaks(data: bytes) -> bool:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in {0x90, 0xD9}:  # a tile begins
            return False
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : place + 2 + length]
        if marker == 0x64 and not any(one in body[:80] for one in _CODERS):
            return True
        place += 2 + length
    return False
