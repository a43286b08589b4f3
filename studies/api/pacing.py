"""How slowly a body may come: a few threads wait for slow senders, never all of them.

A body is read by a thread. Whoever sends a byte now and then would hold one for hours, and two
hundred of them would hold them all. So a sender has a small credit of waiting, which bytes earn
back; and of those that make us wait at all, only half as many are let in as there are threads.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from socket import SHUT_RD, socket
from typing import Any
from weakref import WeakSet

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

# Seconds of waiting at once, and the bytes that earn one second back.
PATIENCE = 8.0
BYTES_PER_SECOND = 1024
# A sender is slow once we have waited for it so long in all; less where many are.
SLOW_AFTER = 0.5
SLOW_AFTER_IN_A_CROWD = 0.1


class BodyBroken(UnreadablePostError):
    """The body ended before it should, or is not what its framing says."""


class BodyTooSlow(BodyBroken, TimeoutError):
    """The sender went below the least pace."""


class TooManySlowBodies(BodyBroken, TimeoutError):
    """As many slow senders as may be are being waited for already."""


class SlowBodies:
    """The bodies of this process that are being waited for."""

    def __init__(self) -> None:
        # Weak, so that a request that ends in whatever way gives its place back.
        self._waited_for: WeakSet[PacedSocket] = WeakSet()
        self._lock = threading.Lock()

    @property
    def most(self) -> int:
        return max(1, int(getattr(settings, "WEB_THREADS", 8)) // 2)

    @property
    def is_crowded(self) -> bool:
        return len(self._waited_for) >= self.most

    def join(self, body: PacedSocket) -> None:
        with self._lock:
            if body not in self._waited_for and self.is_crowded:
                raise TooManySlowBodies("Too many slow connections are being served.")
            self._waited_for.add(body)

    def leave(self, body: PacedSocket) -> None:
        with self._lock:
            self._waited_for.discard(body)


slow_bodies = SlowBodies()


class PacedSocket:
    """Stand before a connection's socket while a body is read from it."""

    def __init__(self, plain: socket) -> None:
        self.plain = plain
        self._credit = PATIENCE
        self._waited = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def recv(self, size: int) -> bytes:
        """Receive as a socket does; raise `BodyTooSlow` or `TooManySlowBodies`."""
        while True:
            piece = self._try(size)
            if piece is not None:
                return piece
            try:
                if self._credit <= 0:
                    slow_bodies.leave(self)
                    raise BodyTooSlow("The body comes too slowly.")
                slow_bodies.join(self)
            except BodyBroken:
                self._stop_listening()
                raise

    def _try(self, size: int) -> bytes | None:
        """Wait for bytes until the sender counts as slow, or its credit is used up."""
        started, before = time.monotonic(), self.plain.gettimeout()
        try:
            self.plain.settimeout(self._next_look())
            piece = self.plain.recv(size)
        except TimeoutError:
            self._spend(time.monotonic() - started)
            return None
        finally:
            self.plain.settimeout(before)
        self._spend(time.monotonic() - started)
        self._credit = min(PATIENCE, self._credit + len(piece) / BYTES_PER_SECOND)
        return piece

    def _next_look(self) -> float:
        until_slow = (
            SLOW_AFTER_IN_A_CROWD if slow_bodies.is_crowded else SLOW_AFTER
        ) - self._waited
        wait = min(self._credit, until_slow) if until_slow > 0 else self._credit
        return max(0.01, wait)

    def _spend(self, seconds: float) -> None:
        self._waited += seconds
        self._credit -= seconds

    def _stop_listening(self) -> None:
        """Close the reading half: the server would wait two seconds more for each such sender.

        It lingers so in the one thread that accepts connections, so nobody would be served.
        """
        with suppress(OSError):
            self.plain.shutdown(SHUT_RD)

    def close_pace(self) -> None:
        """The body is at its end."""
        slow_bodies.leave(self)


def pace(request: HttpRequest) -> PacedSocket | None:
    """Watch over the pace of this request's body; None where the server is not gunicorn."""
    reader = getattr(request.environ["wsgi.input"], "reader", None)
    unreader = getattr(reader, "unreader", None)
    plain = getattr(unreader, "sock", None)
    if plain is None:
        return None
    # Of the request before this one on the same connection.
    if isinstance(plain, PacedSocket):
        plain = plain.plain
    paced = PacedSocket(plain)
    unreader.sock = paced
    return paced
