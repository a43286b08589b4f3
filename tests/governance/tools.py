"""Ways to take away what a control watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connection

from dsar.rules.clocks import RULES


@dataclass
class Tools:
    patch: pytest.MonkeyPatch
    settings: Any
    values: dict[str, Any]


Breaking = Callable[[Tools], object]


def patched(path: str, value: Any) -> Breaking:
    return lambda tools: tools.patch.setattr(path, value)


def gives(path: str, value: Any) -> Breaking:
    """A function that answers the same whatever it is asked, and refuses nothing."""
    return patched(path, lambda *_, **__: value)


def setting(name: str, value: Any) -> Breaking:
    return lambda tools: setattr(tools.settings, name, value)


def pack(path: str, value: Any) -> Breaking:
    return lambda tools: tools.values.update({path: value})


def item(mapping: Any, key: Any, value: Any) -> Breaking:
    return lambda tools: tools.patch.setitem(mapping, key, value)


def without(mapping: Any, key: Any) -> Breaking:
    return lambda tools: tools.patch.delitem(mapping, key)


def rule(number: str, **changed: Any) -> Breaking:
    """A line of the table of clocks that says something else."""
    return item(RULES, number, replace(RULES[number], **changed))


def sql(*statements: str) -> Breaking:
    def run(_: Tools) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return run


def accepts_anything(model: Any) -> Breaking:
    """Stand for a table without its constraints."""
    return lambda tools: tools.patch.setattr(model.objects, "create", lambda **_: None)


def middleware_without(name: str) -> Breaking:
    return lambda tools: setattr(
        tools.settings, "MIDDLEWARE", [one for one in tools.settings.MIDDLEWARE if name not in one]
    )
