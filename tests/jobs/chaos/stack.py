"""Start, kill and restart real workers, beats and a Redis of the test's own."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Stack:
    """Hold the processes of one test; every one of them was started here."""

    folder: Path
    environment: dict[str, str]
    count_states: Callable[[], dict[str, int]]
    redis_port: int = 0
    concurrency: int = 2
    redis: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    beats: list[subprocess.Popen[bytes]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    random: random.Random = field(default_factory=lambda: random.Random(20))

    def run(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            timeout=120,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                arguments,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                # A group of its own, so that what a killed parent leaves behind can be ended too.
                start_new_session=True,
            )
        self.groups.append(process.pid)
        return process

    def celery(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "celery", "-A", "config", *arguments)

    def start_worker(self) -> None:
        name = f"w{len(self.groups)}@chaos"
        self.workers.append(
            self.celery(
                "worker", "-n", name, f"--concurrency={self.concurrency}", "--loglevel=WARNING",
                "--without-gossip", "--without-mingle",
            )
        )  # fmt: skip

    def start_beat(self, number: int) -> None:
        schedule = str(self.folder / f"beat-{number}")
        self.beats.append(self.celery("beat", "-s", schedule, "--pidfile=", "--loglevel=WARNING"))

    def start_redis(self) -> None:
        self.redis = self.start(
            "redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(self.folder),
        )  # fmt: skip
        wait_for(lambda: _answers(self.redis_port), seconds=10)

    def flush_redis(self) -> None:
        with socket.create_connection(("127.0.0.1", self.redis_port), timeout=5) as link:
            link.sendall(b"FLUSHALL\r\n")
            assert link.recv(16).startswith(b"+OK")
        self._count("flush")

    def kill_parent(self) -> None:
        """Kill the parent of a pool; its children may go on with what they hold."""
        worker = self.random.choice(self.workers)
        self.workers.remove(worker)
        worker.kill()
        worker.wait()
        self._count("parent")
        self.start_worker()

    def kill_child(self) -> None:
        """Kill one process of a pool in the middle of whatever it does."""
        children: list[psutil.Process] = []

        def some() -> bool:
            for worker in self.workers:
                with contextlib.suppress(psutil.NoSuchProcess):
                    children.extend(psutil.Process(worker.pid).children())
            return bool(children)

        wait_for(some, seconds=30)
        with contextlib.suppress(psutil.NoSuchProcess):
            self.random.choice(children).kill()
        self._count("child")

    def kill_redis(self) -> None:
        """Kill Redis with all that it holds; it comes back empty."""
        assert self.redis is not None
        self.redis.kill()
        self.redis.wait()
        self._count("redis")
        time.sleep(0.3)
        self.start_redis()

    def _count(self, what: str) -> None:
        self.kills[what] = self.kills.get(what, 0) + 1

    def stop(self) -> None:
        for group in self.groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        for process in [*self.workers, *self.beats, *([self.redis] if self.redis else [])]:
            process.wait()

    def log(self) -> str:
        return (self.folder / "processes.log").read_text(errors="replace")[-4000:]


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
