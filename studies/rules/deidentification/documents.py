"""Text of documents within objects: cleaned line by line as free text is (PS3.15 E.3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .identity import Known, folded
from .text import cleaned_text
from .values import REMOVED

# What stands behind such a word and a colon is about somebody, whatever it looks like.
_LABELLED: Final = re.compile(
    r"\b((?:patient|name|surname|vorname|nachname|nom|prenom|prénom|apellidos?|nombre|cognome"
    r"|born|birth ?date|date of birth|dob|geboren|geburtsdatum|geb|address|adresse|phone|tel"
    r"|telephone|telefon|fax|e-?mail|mrn|id|case|accession|insurance|ssn|physician|doctor|arzt"
    r"|médecin|medico|referred|referring|referrer|radiologist|signed|dictated|reported|operator"
    r"|hospital|clinic|institution|department|ward|station|owner|client|employer)"
    r"(?:'s)?(?: (?:by|name|no\.?|number|id|physician|doctor|date|of birth))*)\s*[:=#]\s*\S.*",
    re.IGNORECASE,
)
# Words that no text of some length does without, in languages that reports are written in.
_WORD: Final = re.compile(r"[^\W\d_]+")
_COMMON_WORDS: Final = frozenset(
    "the of and in is no to with for was are der die das und im mit von ist kein keine le la les "
    "de des du et un une el los las en con sin il di non per del het van een och med av".split()
)
# So many words are a text; of so many, one at least is common.
_TEXT, _ONE_OF = 12, 25


def cleaned_line(line: str, known: Known) -> str:
    """A line without what identifies: as a whole removed if it names somebody known."""
    if known.found_in(line):
        return REMOVED
    return cleaned_text(_LABELLED.sub(rf"\1: {REMOVED}", line), known)


def names_over_ends(lines: Iterable[str], known: Known) -> bool:
    """Is somebody named over the ends of lines, so that no single line says it?"""
    pieces = [one.strip() for one in lines]
    # With a hyphen where a word was broken, and without.
    return any(
        known.found_in(text)
        for text in ("".join(pieces), "".join(one.removesuffix("-") for one in pieces))
    )


def is_spoken(text: str) -> bool:
    """Is it written in letters that mean what they look like, as far as one can tell?

    A font may number its letters in an order of its own: what is read then is a cipher of what
    stands there, in which no name is found and which anybody can solve.
    """
    if any(not (one.isprintable() or one.isspace()) or one == "\ufffd" for one in text):
        return False
    words = _WORD.findall(folded(text))
    common = sum(one in _COMMON_WORDS for one in words)
    return len(words) < _TEXT or common * _ONE_OF >= len(words)
