"""Whatever happens in mid-disposal, each study is in the end wholly there or wholly gone."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stack.test_disposal_faults import STORES, portal
from tests.stack.test_intake_crashes import environment, postgresql


def host(mode: str, env: dict[str, str]) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.stack.disposal_host", mode],
        env=env, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def check(env: dict[str, str], *, every: int = 1) -> None:
    """Kill at each step, or at every third, say, beginning with any of the first."""
    offset = random.randrange(every)
    host("prepare", env)
    seen = host("kill", env | {"STRIDE": str(every), "OFFSET": str(offset)})
    assert seen["problems"] == [], f"beginning with step {offset}"
    assert seen["steps"] > 100
    assert seen["killed"] == len(range(offset, seen["steps"], every))
    # Of those that were held after the kill, some had lost their key by then and some had not.
    assert seen["kept"] > 10 // every
    assert seen["gone_although_held_later"] > 10 // every


@pytest.mark.embedded
@pytest.mark.slow
def test_a_disposal_killed_at_any_step_ends_whole_or_gone_on_sqlite(tmp_path: Path) -> None:
    check(environment(tmp_path), every=3)


@pytest.mark.thorough
@pytest.mark.parametrize("store", STORES)
def test_a_disposal_killed_at_each_step_ends_whole_or_gone(tmp_path: Path, store: str) -> None:
    with portal(store, tmp_path) as env:
        check(env)


@pytest.mark.embedded
@pytest.mark.slow
def test_a_study_made_anonymous_under_kills_leaves_one_whole_copy_or_none(tmp_path: Path) -> None:
    # Some of the steps only: each kill starts a process that de-identifies anew.
    env = environment(tmp_path) | {"ANONYMISE": "1", "STRIDE": "23"}
    host("prepare", env)
    seen = host("kill", env)
    assert seen["problems"] == []
    assert seen["killed"] > 10
    assert seen["kept"] > 2


@pytest.mark.stack
@pytest.mark.slow
def test_a_disposal_killed_at_any_step_ends_whole_or_gone_on_postgresql(tmp_path: Path) -> None:
    with postgresql(tmp_path) as env:
        check(env, every=3)
