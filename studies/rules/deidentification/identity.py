"""Whom an object is about, in every spelling it gives: what has to be found in no text of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

# Values of these name a person or lead to one; so do all person names.
IDENTIFIERS: Final = frozenset({
    0x00080050, 0x00080080, 0x00080081, 0x00080092, 0x00080094, 0x00081010, 0x00081040,
    0x00100020, 0x00100021, 0x00100050, 0x00101000, 0x00101040, 0x00101090, 0x00102154,
    0x00102155, 0x00380010, 0x00380060, 0x00401001, 0x00402016, 0x00402017, 0x00181000,
})  # fmt: skip
BIRTH_DATE: Final = 0x00100030
# Shorter ones are found in every other word.
_SHORTEST_NAME, _SHORTEST_CODE = 3, 4
# Words that stand in names and identifiers and say nothing about anybody.
COMMON: Final = frozenset(
    "and anon anonymous anonymized clinic department der des die dr dummy female for hospital "
    "imaging institute institution klinik male medical mrs non none not null other patient phantom "
    "prof radiology removed research room room1 scanner station study subject test the und "
    "universitatsklinikum university unknown von van view center centre health general".split()
)
_WORD: Final = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """A text without accents and case, as it is compared."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text)
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


@dataclass
class Known:
    """What identifies the people of one object: words of names, and codes as a whole."""

    words: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def add_name(self, value: str) -> None:
        """Take a PN apart: groups by =, components by ^, words by anything else (PS3.5 6.2.1)."""
        for word in _WORD.findall(folded(value)):
            # One ideogram is a name; one letter is none.
            shortest = _SHORTEST_NAME if word.isascii() else 1
            if len(word) >= shortest and word not in COMMON and not word.isdigit():
                self.words.add(word)

    def add_code(self, value: str) -> None:
        tidy = folded(value).strip()
        if len(tidy) >= _SHORTEST_CODE and tidy not in COMMON and not set(tidy) <= set("0- ."):
            self.codes.add(tidy)

    def add_birth_date(self, value: str) -> None:
        digits = re.sub(r"\D", "", value)
        if len(digits) == 8:
            year, month, day = digits[:4], digits[4:6], digits[6:]
            self.codes |= {
                digits, f"{year}-{month}-{day}", f"{day}.{month}.{year}", f"{month}/{day}/{year}",
                f"{day}/{month}/{year}",
            }  # fmt: skip

    def forget(self, pseudonym: str) -> None:
        """Of an object that is clean already, what the person is called names nobody."""
        self.words.discard(folded(pseudonym))
        self.codes.discard(folded(pseudonym))

    def found_in(self, text: str) -> bool:
        """Does a text hold any of it: a word of a name as a word, a code anywhere?"""
        if not (self.words or self.codes):
            return False
        plain = folded(text)
        if any(code in plain for code in self.codes):
            return True
        return any(word in self.words for word in _WORD.findall(plain)) or any(
            # Glued to others, as in a file's name; short names would be found in any word.
            len(word) >= 6 and word in plain
            for word in self.words
        )

    def update(self, others: Iterable[Known]) -> None:
        for other in others:
            self.words |= other.words
            self.codes |= other.codes
