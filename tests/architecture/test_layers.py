"""The tower stands: an app imports from the apps below it, and a room's files from below too."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = [name for name in settings.INSTALLED_APPS if (ROOT / name).is_dir()]
TOO_LONG = 400
NOT_A_NAME = {"utils", "helpers", "common", "core", "mixins", "signals"}
OURS = sorted(
    path
    for place in ("config", *APPS)
    for path in (ROOT / place).rglob("*.py")
    if "migrations" not in path.parts
)


def test_the_contracts_of_the_layers_are_kept() -> None:
    code = (
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_every_app_is_in_the_tower() -> None:
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    tower = contracts["contracts"][0]["layers"]
    assert sorted(tower) == sorted(APPS)
    assert set(tower) < set(contracts["root_packages"])


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_named_after_what_it_holds(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= TOO_LONG
    assert path.stem not in NOT_A_NAME
    assert path.parent.name not in NOT_A_NAME


def test_nobody_listens_to_signals() -> None:
    listening = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in OURS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("dispatch")
    ]
    assert listening == []
