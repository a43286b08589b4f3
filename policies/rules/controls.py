"""Controls: what keeps a promise of the policies, and shows at any time that it still does. Pure.

A control's check looks at this running installation, now, and changes nothing: it reads
settings, tries out a rule on invented facts, or has the database refuse something. It returns
what it saw, in a sentence, or raises `Broken` with what is wrong. A check that cannot be carried
out has not passed.

Each app registers its own in `<app>/controls.py`, called from `AppConfig.ready`; those of the
rooms below the policies are registered here, as the inventory is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_CODE: Final = re.compile(r"(?P<room>[a-z]+)\.[a-z]+(?:-[a-z]+)*")

Values = Mapping[str, Any]
Check = Callable[..., str]


class Broken(Exception):
    """The control is not in force; the sentence says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check saw: whether the control is in force now, and how that shows."""

    passed: bool
    says: str


@dataclass(frozen=True, slots=True)
class Control:
    """`of_policy`: its check takes the values of a policy, and can differ from one to another."""

    code: str
    title: str
    room: str
    of_policy: bool
    look: Check

    def check(self, values: Values) -> Evidence:
        """Look whether the control is in force under a policy with these values."""
        try:
            says = self.look(values) if self.of_policy else self.look()
        except Broken as broken:
            return Evidence(False, str(broken))
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being seen, it was not
            return Evidence(False, f"It could not be checked ({type(error).__name__}).")
        return Evidence(True, says)


_controls: dict[str, Control] = {}


def control(code: str, title: str, *, of_policy: bool = False) -> Callable[[Check], Check]:
    """Register a check. Raises ValueError for a code that is malformed or taken."""
    named = _CODE.fullmatch(code)
    if named is None or not title:
        raise ValueError(f"{code!r} must be room.words-of-it, and have a title")

    def register(look: Check) -> Check:
        made = Control(code, title, named["room"], of_policy, look)
        known = _controls.setdefault(code, made)
        if known.look.__qualname__ != look.__qualname__ or known.title != title:
            raise ValueError(f"{code} is registered with another meaning")
        return look

    return register


def control_named(code: str) -> Control | None:
    return _controls.get(code)


def known_controls() -> list[Control]:
    """Every registered control, by code."""
    return sorted(_controls.values(), key=lambda one: one.code)


def require(holds: object, otherwise: str) -> None:
    """Raise `Broken` with what is wrong, unless it holds."""
    if not holds:
        raise Broken(otherwise)


def must_refuse(refusal: type[Exception] | tuple[type[Exception], ...], tried: str) -> _MustRefuse:
    """Stand around something that has to be refused; what goes through is `Broken`."""
    return _MustRefuse(refusal, tried)


class _MustRefuse:
    def __init__(self, refusal: type[Exception] | tuple[type[Exception], ...], tried: str) -> None:
        self._refusal, self._tried = refusal, tried

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        if kind is None:
            raise Broken(f"{self._tried} was not refused.")
        return issubclass(kind, self._refusal)
