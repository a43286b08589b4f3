"""What an erasure does with the account of whoever asks: nothing, it is not one organisation's."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose


def _plan(whose: Whose) -> Iterator[Line]:
    if whose.user_id is not None:
        yield Line(
            Fate.STAYS, "The account of whoever asks", 1,
            "its person closes it, on the account's page; this answer is read with it",
        )  # fmt: skip


def _carry_out(_erased: Erased) -> None:
    return


def register() -> None:
    register_eraser(Eraser("accounts", _plan, _carry_out))
