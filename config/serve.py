"""Run the portal on one machine: prepare, start web server and worker, keep them running.

    python -m config.serve

What dies is started again; SIGINT and SIGTERM end everything and leave no process behind.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 60.0
# Longer than the web server gives its requests, and the worker its jobs, to come to an end.
STOPS_WITHIN = 25.0
SLOWEST_RESTART = 30.0
STEADY_AFTER = 60.0
_PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Stopped(Exception):
    """Raised by a signal, wherever the supervisor is."""


@dataclass
class Kept:
    """A process that is to run; it has a group of its own, so that nothing of it is left."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_after: float = 0.0
    pause: float = 0.5

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the supervisor has one thread
        )
        self.started_at = time.monotonic()

    def look(self) -> None:
        """Start it again if it died: at once, then after longer and longer pauses."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_after:
                self.start()
            return
        if self.process.poll() is None:
            if now - self.started_at > STEADY_AFTER:
                self.pause = 0.5
            return
        say(f"The {self.name} ended with {self.process.returncode}; starting it again")
        self.signal_group(signal.SIGKILL)
        self.process, self.start_after = None, now + self.pause
        self.pause = min(self.pause * 2, SLOWEST_RESTART)

    def signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def terminate(self) -> None:
        # Only the parent: it tells its own children, in the order it wants.
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


def _end_with_parent() -> None:
    """On Linux, have the kernel end this process if the supervisor is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> int:
    port = int(os.environ.get("PORT", "8000"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    os.umask(0o077)  # what the portal writes is for whoever runs it, and for nobody else
    kept = _processes()
    try:
        if not _is_free(port):
            say(f"Port {port} is taken; choose another: make run PORT=8001")
            return 1
        _make_viewer()
        web, worker = kept
        # The web server looks once, when it starts, which static files there are.
        _run_prepare("--static")
        # It answers "not ready" until the databases are; starting both at once saves seconds.
        web.start()
        people = _prepare()
        if not _wait_until_ready(port, web):
            return 1
        worker.start()
        _print_welcome(port, people)
        _watch(kept)
    except Stopped:
        say("\nStopping")
    except subprocess.CalledProcessError as error:
        say(f"Preparing failed ({error.returncode}); the reason stands above.")
        return 1
    finally:
        _stop_all(kept)
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    # A second signal while stopping changes nothing: the end is bounded in time anyway.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def _processes() -> list[Kept]:
    python = sys.executable
    return [
        Kept("web server", [python, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]),
        Kept(
            "worker",
            [
                python, "-m", "celery", "--quiet", "--app", "config", "worker", "--beat",
                "--concurrency", "2", "--loglevel", "WARNING", "--without-gossip",
                "--without-mingle", "--without-heartbeat",
            ],
        ),
    ]  # fmt: skip


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the web server binds: the remains of closed connections do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("BIND", "127.0.0.1"), port))
        except OSError:
            return False
    return True


def _make_viewer() -> None:
    """Build the viewer once. Without it the plain page with rendered frames remains."""
    from config.viewer import CannotBuild, build, is_built

    if is_built():
        return
    try:
        build(say)
    except (CannotBuild, OSError) as reason:
        say(f"{reason}\nUntil the next start, images are shown on plain pages.")


def _prepare() -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = json.loads(_run_prepare())
    return people


def _run_prepare(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "config.prepare", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout


def _wait_until_ready(port: int, web: Kept) -> bool:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if _answers(port):
            return True
        web.look()
        time.sleep(0.1)
    say(f"The portal was not ready within {READY_WITHIN:.0f} s; the reason stands above.")
    return False


def _answers(port: int) -> bool:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/readyz", headers={"Host": "localhost"})
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def _print_welcome(port: int, people: list[dict[str, Any]]) -> None:
    lines = ["", f"Collimate is at http://localhost:{port}", "", "Sign in with one of these links,"]
    lines[-1] += " each good for one time (another: manage.py demo_link --user EMAIL):"
    for person in people:
        lines += ["", f"  {person['email']}  {person['name']}, {person['what']}"]
        lines.append(f"    {person['link']}")
    lines += ["", "Ctrl-C stops it."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _watch(kept: list[Kept]) -> None:
    starter = os.getppid()
    while True:
        for one in kept:
            one.look()
        # Where make was killed and could not tell, nobody is left who could stop the portal.
        if "MAKELEVEL" in os.environ and os.getppid() != starter:
            raise Stopped
        time.sleep(0.5)


def _stop_all(kept: list[Kept]) -> None:
    for one in kept:
        one.terminate()
    deadline = time.monotonic() + STOPS_WITHIN
    while time.monotonic() < deadline and not all(one.has_ended() for one in kept):
        time.sleep(0.05)
    for one in kept:
        # What was left by a parent that died, too.
        one.signal_group(signal.SIGKILL)
        if one.process is not None:
            one.process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
