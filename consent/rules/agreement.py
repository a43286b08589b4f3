"""The exact words that a person agrees to when they share. Pure; the digest is the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.rules.decision import Item


@dataclass(frozen=True, slots=True)
class OfferedItem:
    """One item with the words that describe it to the person who agrees."""

    item: Item
    words: str
    instances: int
    digest: str


@dataclass(frozen=True, slots=True)
class Agreement:
    grantor: str
    owner: str
    recipient: str
    subject: str
    purpose: str
    may_download: bool
    expires_at: datetime
    items: tuple[OfferedItem, ...]
    notice: str
    # On what the images cross a border; empty where none counts.
    abroad: str = ""

    def text(self) -> str:
        may = "look at and download" if self.may_download else "look at, but not download,"
        lines = [
            f"I, {self.grantor}, for {self.owner}, release images of {self.subject}.",
            f"{self.recipient} may {may} exactly these items:",
            *(f"  {number}. {item.words}" for number, item in enumerate(self.items, 1)),
            f"The purpose is: {self.purpose}.",
            f"This ends on {self.expires_at:%d %B %Y at %H:%M} UTC, or when it is revoked.",
            "What is added to the study later is not part of this.",
            *filter(None, [self.abroad]),
            f"The notice in force is {self.notice}.",
        ]
        return "\n".join(lines)


def digest_of_text(text: str) -> str:
    """SHA-256 of the words in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_contents(digests: Sequence[bytes]) -> str:
    """SHA-256 over the sorted digests of what an item holds, in hexadecimal."""
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()
