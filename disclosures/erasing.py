"""What an erasure does with cases of disclosure: they stay, for they account for what went out."""

from __future__ import annotations

from collections.abc import Iterator

from disclosures.holdings import told_of
from policies.rules.erasing import Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose


def _plan(whose: Whose) -> Iterator[Line]:
    if number := len(told_of(whose)):
        yield Line(
            Fate.STAYS, "Disclosures under law", number,
            "they account for what was given out (45 CFR 164.528; GDPR Art. 17(3)(b), (e))",
        )  # fmt: skip


def register() -> None:
    register_eraser(Eraser("disclosures", _plan, lambda _: None))
