"""Look whether anything of the original is left in a result. Shares no code with the cleaning.

The original's values are searched in the result's bytes as they lie in the file, in every
encoding they can have there, and the people's names in its decoded values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from .identity import COMMON
from .profile import Profile
from .table import Action, row_of

_ENCODINGS: Final = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
# Those of PS3.3 C.12.1.1.2 for other letters: a value may lie where another code is declared.
_LETTERS: Final = (
    "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8",
    "iso8859-9", "tis-620", "shift_jis", "euc_jp", "euc_kr", "gb18030", "gbk",
)  # fmt: skip
# Japanese in seven bits looks like Latin letters: it is known by the escape before or behind it.
_JAPANESE, _IN, _OUT = "iso2022_jp", b"\x1b$B", b"\x1b(B"
# In compressed pixels, shorter ones are found by chance.
_FEWEST_BYTES: Final = 3
_NAME_VR, _TEXT_VRS = "PN", frozenset({"LO", "LT", "SH", "ST", "UC", "UT", "AE", "UR"})
_MOMENT_VRS = frozenset({"DA", "DT"})
_WORDLESS: Final = frozenset("AT FL FD OB OD OF OL OV OW SL SS SV UL US UV".split())
# Shorter values stand in every file by chance.
_SHORTEST: Final = {"PN": 4, "UI": 12, "DA": 8, "DT": 8}
_SHORTEST_TEXT: Final = 6
# Text of a content item: no row speaks of it, and what stands in it is never just kept. Shorter
# ones are words that stand in any report.
_TEXT_VALUE, _SHORTEST_CONTENT = 0x0040A160, 12
# PS3.5 6.1.3 allows tab, line and page breaks, and escape. Padding is no part of a value.
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BOUNDED: Final = re.compile(rb"[0-9A-Za-z]")
# Three letters of UTF-16, in either order of bytes: the shortest value that counts has four.
_WIDE: Final = re.compile(rb"(?:[\x20-\x7e]\0){3}")
_ONE_VALUE: Final = frozenset({"LT", "ST", "UT", "UR"})
_PLAIN: Final = _ONE_VALUE | frozenset("AE AS CS DA DS DT IS LO PN SH TM UC UI".split())


class Held(NamedTuple):
    """What an attribute of the original held."""

    tag: int
    vr: str
    values: tuple[str, ...]


def held_by(original: Dataset) -> list[Held]:
    """Write down what an object holds, at every depth, before anything is changed."""
    return list(_held(original))


def _held(dataset: Dataset) -> Iterator[Held]:
    for tag, stored in list(dataset.items()):
        if isinstance(stored, RawDataElement):
            vr = stored.VR or _usual_vr(int(tag))
            # As it was read; numbers and bytes are no words, and need not be understood.
            if vr in _WORDLESS:
                continue
            if vr in _PLAIN and (plain := _plain(stored.value)) is not None:
                if values := tuple(_split(vr, plain)):
                    yield Held(int(tag), vr, values)
                continue
        element = dataset[tag] if isinstance(stored, RawDataElement) else stored
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _held(item)
        elif values := tuple(_strings(element)):
            yield Held(int(tag), element.VR, values)


@lru_cache(maxsize=1 << 14)
def _usual_vr(tag: int) -> str:
    """Of an attribute that was read without its VR; of one of several VRs, or unknown: none."""
    return dictionary_VR(tag) if dictionary_has_tag(tag) else ""


def _plain(value: object) -> str | None:
    """Text that is the same in every character set (PS3.5 6.1); None: it is no such."""
    if isinstance(value, bytes) and value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    return None


def _split(vr: str, text: str) -> Iterator[str]:
    for one in [text] if vr in _ONE_VALUE else text.split("\\"):
        yield from _parts(vr, one)


def has_swallowed(held: Iterable[Held]) -> bool:
    """Has a text bytes within that stand in no text? Then its length is wrong: others lie in it."""
    return any(_NO_TEXT.search("\n".join(one.values)) for one in held)


def remains(
    held: Iterable[Held], result: bytes, profile: Profile, new_values: set[str]
) -> list[str]:
    """Name the attributes of the original whose values are found in the result's bytes.

    `new_values` are what the cleaning wrote: a moved date may well be another date's old value.
    """
    leave: list[Held] = []
    stay: list[Held] = []
    for one in held:
        if not _stays(one.tag, one.vr, profile):
            leave.append(one)
        elif one.vr != _NAME_VR:
            stay.append(one)
    # A maker's name may also be the institution's: then it is no trace of the institution. But a
    # person's name stays nowhere.
    names = {value for one in leave if one.vr == _NAME_VR for value in one.values}
    let_pass = {value for one in stay for value in one.values} - names | new_values
    looks = _Looks(result)
    return [
        str(BaseTag(one.tag))
        for one in leave
        if any(
            value not in let_pass and _counts(one, value) and looks.find(value, one.vr)
            for value in one.values
        )
    ]


class _Looks:
    """Looks for each value once: a UID stands in many places."""

    def __init__(self, result: bytes) -> None:
        self._result = result
        self._seen: dict[str, bool] = {}
        # Most results have no text of two bytes a letter, and none has to be looked for.
        self._wide = _WIDE.search(result) is not None

    def find(self, value: str, vr: str) -> bool:
        # A name in other letters counts within a word too: nobody knows where words end in them.
        anywhere = vr == _NAME_VR and not value.isascii()
        key = f"{vr if anywhere else ''}{value}"
        if key not in self._seen:
            needles = [value.encode()] if value.isascii() and not self._wide else _needles(value)
            self._seen[key] = any(
                _occurs(needle, self._result, anywhere=anywhere) for needle in needles
            )
        return self._seen[key]


@lru_cache(maxsize=1 << 14)
def _stays(tag: int, vr: str, profile: Profile) -> bool:
    """Does the profile leave values of this attribute as they are?"""
    row = row_of(tag)
    if row is None:
        return vr != _NAME_VR and tag != _TEXT_VALUE
    return row.action(profile) is Action.KEEP


def _strings(element: DataElement) -> Iterator[str]:
    value = element.value
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return
    for one in value if isinstance(value, MultiValue | list | tuple) else [value]:
        yield from _parts(element.VR, str(one))


def _parts(vr: str, value: str) -> Iterator[str]:
    text = value.strip(" \0")
    if vr == _NAME_VR:
        for group in text.split("="):
            yield from (part.strip() for part in group.split("^") if part.strip())
    elif text:
        yield text


def _counts(one: Held, value: str) -> bool:
    vr = one.vr
    if one.tag == _TEXT_VALUE:
        return len(value) >= _SHORTEST_CONTENT
    if vr == _NAME_VR:
        return (len(value) >= _SHORTEST["PN"] or not value.isascii()) and (
            value.casefold() not in COMMON
        )
    if vr == "UI":
        return len(value) >= _SHORTEST["UI"] and not value.startswith("1.2.840.10008.")
    if vr in _MOMENT_VRS:
        return len(value) >= _SHORTEST["DA"] and len(set(value)) > 2
    if vr in _TEXT_VRS:
        return len(value) >= _SHORTEST_TEXT and value.replace("0", "").strip(". ") != ""
    return False


def _needles(value: str) -> set[bytes]:
    encodings = _ENCODINGS if value.isascii() else _ENCODINGS + _LETTERS
    found = set()
    for text in (value, unicodedata.normalize("NFC", value)):
        for encoding in encodings:
            with suppress(UnicodeEncodeError):
                found.add(text.encode(encoding))
        if not text.isascii():
            with suppress(UnicodeEncodeError):
                found |= _japanese(text.encode(_JAPANESE))
    return {one for one in found if len(one) >= _FEWEST_BYTES}


def _japanese(needle: bytes) -> set[bytes]:
    """A needle that begins with an escape, and one that ends with it."""
    if not (needle.startswith(_IN) and needle.endswith(_OUT)):
        return {needle}
    return {needle.removesuffix(_OUT), needle.removeprefix(_IN)}


def _occurs(needle: bytes, result: bytes, *, anywhere: bool) -> bool:
    """Find it anywhere, or standing alone: not as part of a longer number, name or UID."""
    place = result.find(needle)
    if anywhere:
        return place >= 0
    while place >= 0:
        before = result[max(0, place - 1) : place]
        after = result[place + len(needle) : place + len(needle) + 1]
        if not (_BOUNDED.fullmatch(before) or _BOUNDED.fullmatch(after)):
            return True
        place = result.find(needle, place + 1)
    return False
