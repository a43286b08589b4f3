"""Slow senders are waited for by a few threads, for a while; never by all, nor for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from studies.api import pacing
from studies.api.pacing import BodyTooSlow, PacedSocket, SlowBodies, TooManySlowBodies

Pair = tuple[socket.socket, PacedSocket]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "PATIENCE", 0.4)
    monkeypatch.setattr(pacing, "SLOW_AFTER", 0.05)
    monkeypatch.setattr(pacing, "SLOW_AFTER_IN_A_CROWD", 0.02)
    monkeypatch.setattr(pacing, "slow_bodies", SlowBodies())


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = []
    for _ in range(6):
        sender, receiver = socket.socketpair()
        made.append((sender, PacedSocket(receiver)))
    yield made
    for sender, paced in made:
        sender.close()
        paced.plain.close()


def test_a_sender_that_keeps_pace_is_never_refused(pairs: list[Pair]) -> None:
    sender, paced = pairs[0]
    sent = bytes(range(256)) * 4000
    thread = threading.Thread(target=sender.sendall, args=(sent,))
    thread.start()
    received = b""
    while len(received) < len(sent):
        received += paced.recv(65536)
    thread.join()
    assert received == sent
    assert paced.plain.gettimeout() is None


def test_a_silent_sender_is_given_up_when_its_patience_is_spent(pairs: list[Pair]) -> None:
    _, paced = pairs[0]
    started = time.monotonic()
    with pytest.raises(BodyTooSlow):
        paced.recv(100)
    assert 0.3 < time.monotonic() - started < 2
    # And the server, which would linger for what is still to come, finds the end at once.
    assert paced.plain.recv(1) == b""


def test_bytes_now_and_then_do_not_buy_time_for_ever(pairs: list[Pair]) -> None:
    sender, paced = pairs[0]
    started, ended = time.monotonic(), threading.Event()

    def drip() -> None:
        while not ended.wait(0.1):
            sender.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(BodyTooSlow):
            for _ in range(1000):
                paced.recv(100)
    finally:
        ended.set()
        thread.join()
    assert time.monotonic() - started < 3


def test_no_more_slow_senders_are_waited_for_than_half_the_threads(
    pairs: list[Pair], settings
) -> None:
    settings.WEB_THREADS = 8
    refused: list[type[Exception]] = []

    def wait(paced: PacedSocket) -> None:
        try:
            paced.recv(1)
        except (BodyTooSlow, TooManySlowBodies) as error:
            refused.append(type(error))

    threads = [threading.Thread(target=wait, args=(paced,)) for _, paced in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(refused, key=str) == [BodyTooSlow] * 4 + [TooManySlowBodies] * 2
    assert not pacing.slow_bodies.is_crowded


def test_a_quick_sender_is_served_though_slow_ones_have_every_place(
    pairs: list[Pair], settings
) -> None:
    settings.WEB_THREADS = 2
    pacing.slow_bodies.join(pairs[0][1])
    sender, paced = pairs[1]
    sender.sendall(b"all at once")
    assert paced.recv(100) == b"all at once"
