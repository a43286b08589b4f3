"""The value representation of a tag, for data sets that do not carry it (DICOM PS3.6)."""

from functools import lru_cache
from pathlib import Path
from typing import Final


def _unpack() -> tuple[dict[int, str], list[tuple[int, int, str]]]:
    exact: dict[int, str] = {}
    masked: list[tuple[int, int, str]] = []
    text = Path(__file__).with_name("dictionary.txt").read_text(encoding="ascii")
    for line in text.splitlines()[1:]:
        vr, tags = line.split("\t")
        for tag in tags.split():
            if "x" not in tag:
                exact[int(tag, 16)] = vr
                continue
            mask = int("".join("0" if digit == "x" else "F" for digit in tag), 16)
            masked.append((mask, int(tag.replace("x", "0"), 16), vr))
    return exact, masked


_EXACT, _MASKED = _unpack()
UNKNOWN: Final = "UN"


@lru_cache(maxsize=4096)
def _rare(tag: int) -> str:
    if not tag & 0xFFFF:
        return "UL"  # group length
    if tag & 0x10000:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else UNKNOWN  # private creator, or private
    return next((vr for mask, value, vr in _MASKED if tag & mask == value), UNKNOWN)


def vr_of(tag: int) -> str:
    """Return the VR of a tag as PS3.6 has it: `US or SS` where it depends, `UN` if unknown.

    Private creators are `LO`, private attributes `UN`, group lengths `UL`.
    """
    return _EXACT.get(tag) or _rare(tag)
