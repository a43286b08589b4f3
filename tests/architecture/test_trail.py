"""Whatever the code writes into the trail is an action that somebody registered with a label."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from audit.rules.vocabulary import known_actions
from tests.architecture.test_layers import OURS, ROOT

# Calls that write an event, and the argument that names its action.
WRITERS = {
    "record": "action",
    "record_event": "action",
    "record_refusal": "action",
    "authorise": "event",
}


def actions_written(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        for keyword in node.keywords:
            literal = isinstance(keyword.value, ast.Constant)
            if keyword.arg == WRITERS.get(name) and literal:
                yield str(keyword.value.value), node.lineno  # type: ignore[attr-defined]


def test_every_action_that_is_written_is_registered() -> None:
    known = {action.name for action in known_actions()}
    written = {
        action: f"{path.relative_to(ROOT)}:{line}"
        for path in OURS
        for action, line in actions_written(path)
    }
    assert len(written) > 20, "the writers have other names now"
    assert {action: place for action, place in written.items() if action not in known} == {}


def test_every_action_has_words_for_people() -> None:
    for action in known_actions():
        assert action.label.strip() == action.label != ""
        assert action.label[0].isupper(), action.name
