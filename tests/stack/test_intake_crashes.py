"""Whatever happens in mid-upload, what was acknowledged is there, and what is there is whole."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

# ext4's FS_IOC_SHUTDOWN; 2 stops at once and writes neither data nor log: a power cut.
SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2
CUTS = 5


def environment(state: Path, **more: str) -> dict[str, str]:
    """A new embedded portal under one folder, whatever the tests themselves run on."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"STATE_DIR": str(state), "DJANGO_SETTINGS_MODULE": "config.settings"} | more


def host(mode: str, env: dict[str, str], *, told: str = "") -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.stack.crash_host", mode],
        env=env, input=told, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


@contextmanager
def postgresql(state: Path) -> Iterator[dict[str, str]]:
    """Two databases of this test's own on the stack's server."""
    url = os.environ["DATABASE_URL"]
    server = psycopg2.connect(urlsplit(url)._replace(path="/postgres").geturl())
    server.autocommit = True
    names = [f"crash_{uuid.uuid4().hex[:12]}" for _ in range(2)]
    with server.cursor() as cursor:
        for name in names:
            cursor.execute(f"CREATE DATABASE {name}")
    data, keys = (urlsplit(url)._replace(path=f"/{name}").geturl() for name in names)
    try:
        yield environment(state, DATABASE_URL=data, KEYS_DATABASE_URL=keys)
    finally:
        with server.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.close()


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=pytest.mark.embedded),
        pytest.param("postgresql", marks=pytest.mark.stack),
    ]
)
def portal_env(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    if request.param == "sqlite":
        yield environment(tmp_path)
        return
    with postgresql(tmp_path) as env:
        yield env


@pytest.mark.slow
def test_an_upload_killed_at_any_step_is_there_whole_or_not_at_all(portal_env) -> None:
    host("prepare", portal_env)
    seen = host("kill", portal_env)
    assert seen["problems"] == []
    assert seen["killed"] > 60
    # Some died before their rows were committed and some after: both were tried.
    assert 0 < seen["kept"] < seen["steps"]


@pytest.mark.slow
def test_processes_that_submit_the_same_at_the_same_moment_store_it_once(portal_env) -> None:
    host("prepare", portal_env)
    seen = host("race", portal_env)
    assert seen["problems"] == []
    assert sorted(seen["outcomes"]) == [["repeated"]] * 18 + [["stored"]] * 6


@contextmanager
def mounted(kind: str, what: str, where: Path, options: str) -> Iterator[None]:
    where.mkdir()
    subprocess.run(["mount", "-t", kind, "-o", options, what, str(where)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 200_000, 3_000_000, 9_000_000])
def test_a_full_disk_is_said_so_and_loses_nothing(tmp_path: Path, room: int) -> None:
    assert os.geteuid() == 0, "a disk of a few megabytes is mounted, which only root may"
    disk = tmp_path / "disk"
    with mounted("tmpfs", "tmpfs", disk, "size=48m"):
        env = environment(disk)
        host("prepare", env)
        # Fill it but for some room, so that blobs and databases run out of it in turn.
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        with (disk / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, free - 16_000_000 - room)
        seen = host("fill", env)
    assert seen["problems"] == []
    assert seen["refused"] >= 8
    assert seen["acknowledged"] >= 4
    assert seen["after"] == ["stored"]


@pytest.mark.powercut
def test_what_was_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    assert os.geteuid() == 0, "a disk of its own is mounted and stopped, which only root may"
    image, disk = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        os.truncate(file.fileno(), 400 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    env = environment(disk)
    with mounted("ext4", str(image), disk, "loop"):
        host("prepare", env)
        subprocess.run(["sync"], check=True)
    told: list[str] = []
    for cut in range(CUTS):
        with mounted_again(image, disk):
            told += acknowledged_until_the_cut(disk, env, first=cut * 1000, after=1.0 + cut / 3)
        with mounted_again(image, disk):
            seen = host("look", env, told="\n".join(told))
            assert seen["problems"] == [], f"cut {cut}"
    assert len(told) >= CUTS


@contextmanager
def mounted_again(image: Path, disk: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "ext4", "-o", "loop", str(image), str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def acknowledged_until_the_cut(
    disk: Path, env: dict[str, str], *, first: int, after: float
) -> list[str]:
    """Upload, cut the power some time after the first acknowledgement, return what was told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stack.crash_host", "upload"],
        env=env | {"FIRST": str(first)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    time.sleep(after)
    folder = os.open(disk, os.O_RDONLY)
    fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
    os.close(folder)
    # What it told before the cut is in the pipe; afterwards nothing can succeed.
    rest, _ = process.communicate(timeout=60)
    return [line for line in [*lines, *rest.splitlines()] if line.startswith("{")]
