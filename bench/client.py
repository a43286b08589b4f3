"""A neutral client: knows DICOMweb (PS3.18) and nothing of the servers it measures."""

from __future__ import annotations

import http.client
import json
import multiprocessing as mp
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

BOUNDARY = "benchBoundary7MA4YWxkTrZu0gW"
STORE = {
    "Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}',
    "Accept": "application/dicom+json",
}
OBJECTS = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
FRAMES = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
JSON = {"Accept": "application/dicom+json"}


@dataclass
class Server:
    """One server under measurement: where it is, how to be let in, and its process."""

    label: str
    port: int
    pid: int
    headers: dict[str, str] = field(default_factory=dict)
    peak_mb: float = 0.0
    peak_shared_mb: float = 0.0
    looks: int = 0

    def memory_mb(self) -> float:
        """Sum of the resident memory of the server and its children, in MB.

        What processes share is counted once for each of them. Now and then the sum that counts it
        once in all is taken as well; the kernel walks through all pages for it.
        """
        total = 0
        main = psutil.Process(self.pid)
        everyone = [main, *main.children(recursive=True)]
        for process in everyone:
            with suppress(psutil.Error):
                total += process.memory_info().rss
        self.peak_mb = max(self.peak_mb, total / 1e6)
        self.looks += 1
        if self.looks % 10 == 1:
            shared = sum(map(_proportional, everyone)) / 1e6
            self.peak_shared_mb = max(self.peak_shared_mb, shared)
        return total / 1e6


def _proportional(process: psutil.Process) -> int:
    """Proportional set size in bytes: each page divided by how many processes share it."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return int(next(one for one in lines if one.startswith("Pss:")).split()[1]) * 1024
    return 0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    # A function gives the body piece by piece: one of 2 GiB is not kept in memory.
    body: bytes | Callable[[], Iterator[bytes]] | None = None


@dataclass(frozen=True)
class Measured:
    """Wall time of all requests in seconds, each one's time in milliseconds, last answer."""

    wall: float
    times: list[float]
    answers: list[bytes]

    def percentile(self, share: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, round((len(ordered) - 1) * share))]

    @property
    def median(self) -> float:
        return statistics.median(self.times)


class WrongAnswer(AssertionError):
    """A fast wrong answer is no win."""


def multipart(parts: Sequence[bytes]) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def store(objects: Sequence[bytes]) -> Request:
    return Request("POST", "/dicom-web/studies", STORE, multipart(objects))


def store_streamed(size: int, pieces: Callable[[], Iterator[bytes]]) -> Request:
    """One object of `size` bytes that is made as it is sent."""
    before, after = multipart([b"|"]).split(b"|")

    def body() -> Iterator[bytes]:
        yield before
        yield from pieces()
        yield after

    length = {"Content-Length": str(len(before) + size + len(after))}
    return Request("POST", "/dicom-web/studies", STORE | length, body)


def get(path: str, headers: dict[str, str]) -> Request:
    return Request("GET", f"/dicom-web{path}", headers)


def measure(
    server: Server,
    lists: Sequence[Sequence[Request]],
    check: Callable[[bytes], bool] = bool,
) -> Measured:
    """Send each list over a connection of its own, from a process of its own, all at once."""
    barrier = mp.Barrier(len(lists) + 1)
    pipes = []
    for requests in lists:
        ours, theirs = mp.Pipe(duplex=False)
        process = mp.Process(target=_send, args=(server, requests, barrier, theirs))
        process.start()
        pipes.append((process, ours))
    barrier.wait()
    results: list[Any] = []
    for process, pipe in pipes:
        while not pipe.poll(0.05):
            server.memory_mb()
        results += pipe.recv()
        process.join()
    for status, _, _, answer in results:
        if status not in {200, 202, 206} or not check(answer):
            raise WrongAnswer(f"{server.label}: {status} {answer[:200]!r}")
    wall = max(end for _, _, end, _ in results) - min(start for _, start, _, _ in results)
    times = [(end - start) * 1000 for _, start, end, _ in results]
    return Measured(wall, times, [answer for _, _, _, answer in results])


def _send(server: Server, requests: Sequence[Request], barrier: Any, pipe: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    connection.connect()
    barrier.wait()
    results = []
    for request in requests:
        start = time.monotonic()
        body = request.body() if callable(request.body) else request.body
        connection.request(
            request.method, request.path, body, {**server.headers, **request.headers}
        )
        answer = connection.getresponse()
        kept, size = b"", 0
        while piece := answer.read(1 << 20):
            size += len(piece)
            if size <= 8 << 20 and (request.method == "POST" or request.headers is JSON):
                kept += piece
        results.append((answer.status, start, time.monotonic(), kept or str(size).encode()))
        if answer.will_close:
            connection.close()
    pipe.send(results)


def stored(answer: bytes, count: int) -> bool:
    return len(json.loads(answer).get("00081199", {}).get("Value", [])) == count
