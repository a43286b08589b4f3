"""De-identify objects one by one in a process with limits, for whoever has the bytes in memory.

The process starts with the first object and stays for the next; one that dies over an object is
replaced, and the object is put aside with the reason. Bytes travel over a socket, never a file;
what comes back is plain JSON and the clean object, never a pickle.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

from studies.gateways.deidentifying_limits import LARGEST, seconds_of
from studies.rules.deidentification.assess import Doubt
from studies.rules.deidentification.profile import Profile

_ROOT: Final = Path(__file__).resolve().parents[2]
_CHILD: Final = "studies.gateways.deidentifying_child"


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What came of an object: its clean bytes and what they say, or the doubts about it."""

    content: bytes | None
    doubts: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    fault: str = ""
    patient: str = ""
    uids: tuple[str, str, str] = ("", "", "")
    pixels: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class DeidentifierApart:
    """De-identifies for one project. Use as a context manager, so that the process ends."""

    def __init__(self, profile: Profile, key: bytes) -> None:
        self._seconds = seconds_of(profile)
        self._task = {"options": sorted(profile.options), "key": key.hex()}
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def deidentify(self, content: bytes, *, person: str) -> Deidentified:
        """Clean one object. `person` names whose it is in the project, whatever the file says."""
        if len(content) > LARGEST:
            return _aside(Doubt.TOO_LARGE)
        connection = self._running()
        try:
            connection.send_bytes(json.dumps({"person": person}).encode())
            connection.send_bytes(content)
            # The process stops itself before that; this is for one that cannot any more.
            if not connection.poll(self._seconds + 30):
                self._end()
                return _aside(Doubt.TOO_LONG)
            about = json.loads(connection.recv_bytes())
            clean = connection.recv_bytes(LARGEST + (1 << 20)) if about["clean"] else None
        except (OSError, EOFError, ValueError, KeyError):
            self._end()
            return _aside(Doubt.TOO_LARGE)
        return _read(about, clean)

    def _running(self) -> Connection:
        if self._connection is None or self._process is None or self._process.poll() is not None:
            self._end()
            self._start()
        assert self._connection is not None
        return self._connection

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and a number
                [sys.executable, "-m", _CHILD, str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._connection.send_bytes(json.dumps(self._task).encode())

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        self._connection = self._process = None


def _aside(doubt: Doubt) -> Deidentified:
    return Deidentified(None, (doubt.value,))


def _read(about: dict[str, Any], clean: bytes | None) -> Deidentified:
    return Deidentified(
        clean,
        tuple(about["doubts"]),
        about["counts"],
        tuple(about["left"]),
        about["fault"],
        about["patient"],
        tuple(about["uids"]),
        about["pixels"],
        about["facts"],
    )
