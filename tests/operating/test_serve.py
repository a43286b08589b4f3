"""`make run` keeps the portal up, starts again what dies, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from config.stack import free_port

pytestmark = pytest.mark.slow
# The viewer is fetched from a registry, which is not what is tested here.
PROGRAM = "import config.serve as s; s._make_viewer = lambda: None; raise SystemExit(s.main())"


class Served:
    """One portal of the test's own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                cwd=settings.BASE_DIR,
                env=kept | {"STATE_DIR": str(folder / "state"), "PORT": str(port)},
                stdout=output,
                stderr=output,
            )

    def told(self) -> str:
        return self.output.read_text(errors="replace")

    def status(self, path: str) -> int:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request("GET", path, headers={"Host": "localhost"})
            return link.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            link.close()

    def child(self, word: str) -> psutil.Process | None:
        for one in psutil.Process(self.process.pid).children():
            # One that has just died is still listed, and has no words any more.
            with contextlib.suppress(psutil.NoSuchProcess):
                if word in " ".join(one.cmdline()):
                    return one
        return None

    def everybody(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    portal = Served(tmp_path, free_port())
    try:
        wait_for(lambda: "Ctrl-C" in portal.told() or portal.process.poll() is not None)
        assert portal.process.poll() is None, portal.told()
        yield portal
    finally:
        portal.process.terminate()
        portal.process.wait(timeout=40)


def _mode_of(path: Path) -> int:
    """What the owner lets others do with it; nothing, of what was taken away meanwhile."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


def test_it_is_told_where_to_go_and_what_dies_comes_back_and_all_of_it_ends(served: Served) -> None:
    assert f"http://localhost:{served.port}" in served.told()
    links = re.findall(r"http://localhost:\d+(/sign-in/demo/\S+)", served.told())
    assert len(links) == 10
    assert (served.status(links[0]), served.status(links[0])) == (302, 403)

    for name in ("gunicorn", "celery"):
        wait_for(lambda name=name: served.child(name))
        dead = served.child(name)
        assert dead is not None
        dead.kill()
        wait_for(lambda name=name, dead=dead: (now := served.child(name)) and now.pid != dead.pid)
    wait_for(lambda: served.status("/readyz") == 200)

    state = served.folder / "state"
    assert state.stat().st_mode & 0o077 == 0
    # What is served to everybody need not be hidden.
    hidden = [path for path in state.rglob("*") if "static" not in path.relative_to(state).parts]
    assert [path.name for path in hidden if _mode_of(path) & 0o077] == []

    processes = served.everybody()
    assert len(processes) >= 4
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=40) == 0
    # One that has ended and waits for its parent to ask is gone.
    left = [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert left == []


def test_a_port_that_is_taken_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        portal = Served(tmp_path, taken.getsockname()[1])
        assert portal.process.wait(timeout=30) == 1
    assert len(portal.told().strip().splitlines()) == 1
    assert "is taken" in portal.told()
    assert not (tmp_path / "state").exists()
