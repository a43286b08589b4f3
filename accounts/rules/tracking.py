"""What a browser says of tracking in its headers: GPC and DNT, which are not the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class HasHeaders(Protocol):
    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class SignalFlags:
    """Which signals count. The defaults are those of the policies: GPC does, DNT does not."""

    gpc: bool = True
    dnt: bool = False


@dataclass(frozen=True, slots=True)
class Signals:
    """What the browser sent, and whether it is an opt-out of sale and sharing: by a signal, or as
    somebody pressed the link in this browser."""

    gpc: bool
    dnt: bool
    opts_out: bool
    pressed: bool = False

    @property
    def source(self) -> str:
        if self.pressed:
            return "link"
        return "gpc" if self.gpc else "dnt"


# What the session of a visitor keeps once they have pressed the link at the foot of a page.
PRESSED = "opted_out"


def signals_of(request: HasHeaders, flags: SignalFlags, *, pressed: bool = False) -> Signals:
    """Read a request's signals (GPC specification, 3.1: only `1` counts; MEDDIM-7.4, 7.16)."""
    gpc = request.headers.get("Sec-GPC", "").strip() == "1"
    dnt = request.headers.get("DNT", "").strip() == "1"
    counts = pressed or (gpc and flags.gpc) or (dnt and flags.dnt)
    return Signals(gpc=gpc, dnt=dnt, opts_out=counts, pressed=pressed)


def tracking_statement(flags: SignalFlags) -> tuple[str, ...]:
    """Say in the notice what is done, from the same flags that do it (MEDDIM-9.1, CalOPPA)."""
    gpc = (
        "Global Privacy Control (GPC) is honoured: it counts as your opt-out of sale and sharing,"
        " and is kept with your account when you are signed in. No record of use is written with"
        " it."
        if flags.gpc
        else "Global Privacy Control (GPC) is not acted on."
    )
    dnt = (
        "Do Not Track (DNT) is honoured in the same way."
        if flags.dnt
        else "Do Not Track (DNT) signals are not acted on: there is no agreed meaning of them."
    )
    return gpc, dnt
