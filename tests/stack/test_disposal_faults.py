"""Full disks, broken stores, kills at any moment, power cuts: whole or gone, and said so.

Samples run with the suite; every step, hundreds of kills and the cuts with `make bench`.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import struct
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.prepare import make_bucket
from tests.stack.test_intake_crashes import (
    SHUTDOWN,
    WITHOUT_LOG,
    environment,
    mounted,
    mounted_again,
    postgresql,
)

CUTS = 25
KILLS = 500
STORES = ["sqlite, files", "postgresql, files", "postgresql, objects"]


def trials(mode: str, env: dict[str, str], told: str = "") -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.stack.disposal_trials", mode],
        env=env, input=told, capture_output=True, text=True, timeout=7200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def prepare(env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tests.stack.disposal_host", "prepare"]
    subprocess.run(command, env=env, check=True, capture_output=True)


@contextmanager
def portal(store: str, state: Path) -> Iterator[dict[str, str]]:
    """A new portal on one of the databases and one of the stores."""
    more = objects() if store.endswith("objects") else {}
    if store.startswith("postgresql"):
        with postgresql(state) as env:
            prepare(env | more)
            yield env | more
        return
    env = environment(state, **more)
    prepare(env)
    yield env


def objects() -> dict[str, str]:
    """A bucket of this test's own on the stack's server."""
    endpoint = os.environ["STORAGE_URL"].partition("?")[2]
    url = f"s3://disposal-{uuid.uuid4().hex[:12]}?{endpoint}"
    make_bucket(url)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {"STORAGE_URL": url, **{name: os.environ[name] for name in names}}


def shown(what: str, store: str, seen: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """For `make bench`: what was met."""
    figures = {name: value for name, value in seen.items() if name != "problems"}
    with capsys.disabled():
        sys.stdout.write(f"\n{what}, {store}: {figures}; wrong: {len(seen['problems'])}\n")


def check_errors(env: dict[str, str]) -> dict[str, Any]:
    seen = trials("fail", env)
    assert seen["problems"] == []
    assert seen["outcomes"]["done"] > 0
    return seen


def check_kills(env: dict[str, str]) -> dict[str, Any]:
    seen = trials("kill", env)
    assert seen["problems"] == []
    assert seen["kills"] >= int(env["KILLS"])
    assert seen["gone"] > seen["kills"] / 2
    return seen


# Samples ------------------------------------------------------------------------------------------
SAMPLE = {"STRIDE": "47", "KILLS": "5"}


@pytest.mark.embedded
@pytest.mark.slow
def test_errors_and_kills_leave_studies_whole_or_gone_on_sqlite(tmp_path: Path) -> None:
    with portal("sqlite, files", tmp_path) as env:
        check_errors(env | SAMPLE)
        check_kills(env | SAMPLE | {"SEED": str(random.randrange(10**6)), "FIRST": "1000"})


@pytest.mark.stack
@pytest.mark.slow
def test_errors_and_kills_leave_studies_whole_or_gone_on_the_stack(tmp_path: Path) -> None:
    with portal("postgresql, objects", tmp_path) as env:
        check_errors(env | SAMPLE)
        check_kills(env | SAMPLE | {"SEED": str(random.randrange(10**6)), "FIRST": "1000"})


# All of it ----------------------------------------------------------------------------------------
@pytest.mark.thorough
@pytest.mark.parametrize("store", STORES)
def test_an_error_at_any_step_leaves_studies_whole_or_gone(
    tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with portal(store, tmp_path) as env:
        seen = check_errors(env)
    shown("An error at each step", store, seen, capsys)
    assert sum(seen["met"].values()) == seen["faults"] > 250
    # Some errors end the job's attempt, and some only make it take studies one by one.
    assert min(seen["outcomes"][one] for one in ("retry", "done", "kept")) > 10


@pytest.mark.thorough
@pytest.mark.parametrize("store", STORES)
def test_kills_at_any_moment_leave_studies_whole_or_gone(
    tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.randrange(10**6)
    with portal(store, tmp_path) as env:
        seen = check_kills(env | {"KILLS": str(KILLS), "SEED": str(seed)})
    shown(f"Kills at random (seed {seed})", store, seen, capsys)
    # Holds came before some keys were destroyed, and after others.
    assert min(seen["kept"], seen["gone, held later"]) > KILLS / 50


@pytest.mark.powercut
def test_a_disposal_survives_power_cuts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert os.geteuid() == 0, "a disk of its own is mounted and stopped, which only root may"
    image, disk = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        os.truncate(file.fileno(), 1200 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    env = environment(disk)
    with mounted("ext4", str(image), disk, "loop"):
        prepare(env)
        subprocess.run(["sync"], check=True)
    chance, total = random.Random(), Counter[str]()
    for cut in range(CUTS):
        with mounted_again(image, disk):
            told = disposing_until_the_cut(disk, env | {"FIRST": str(cut * 10)}, chance.random())
        with mounted_again(image, disk):
            seen = trials("look", env, told)
        assert seen["problems"] == [], f"cut {cut}"
        total += Counter({f"at {step}": n for step, n in seen["stood"].items()})
        total += Counter({name: seen[name] for name in ("gone", "kept") if name in seen})
    shown(f"{CUTS} power cuts", "sqlite, files", {**total, "problems": []}, capsys)
    # They came at all sorts of moments.
    assert len([name for name in total if name.startswith("at ")]) > 2


def disposing_until_the_cut(disk: Path, env: dict[str, str], after: float) -> str:
    """Cut the power within the second after the disposal began; return what was told before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stack.disposal_trials", "dispose"],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    told = process.stdout.readline()
    time.sleep(after * LASTS)
    folder = os.open(disk, os.O_RDONLY)
    fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
    os.close(folder)
    # Its machine has no power any more.
    process.kill()
    process.communicate()
    return told


# About as long as it takes, so that cuts come at any step of it.
LASTS = 0.8
