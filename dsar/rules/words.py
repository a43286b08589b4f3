"""What people write, made safe to keep and to show. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST_TEXT: Final = 4000
SHORTEST_TEXT: Final = 10


def readable(text: str) -> str:
    """Drop what cannot be seen and can deceive: control characters, and those that turn the
    direction of text around (Unicode TR36). Lines stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        one
        for one in lines
        if one == "\n" or unicodedata.category(one) not in {"Cc", "Cf", "Co", "Cs"}
    )
    return unicodedata.normalize("NFC", kept).strip()


def one_line(text: str) -> str:
    return " ".join(readable(text).split())
