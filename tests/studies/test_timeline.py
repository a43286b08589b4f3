"""The trail in words: repeated looks are counted, other people's acts never hide in a count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consent.rules.decision import Reason
from studies.timeline import _REASONS, Line, _gathered

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def line(minute: int, what: str, who: str = "Clara", *, refused: bool = False) -> Line:
    return Line(NOW - timedelta(minutes=minute), what, who, "", refused)


def told(lines: list[Line]) -> list[tuple[str, str, int]]:
    return [(one.who, one.what, one.times) for one in _gathered(lines)]


def test_one_look_at_many_images_is_one_line() -> None:
    lines = [line(0, "looked"), line(0, "opened"), line(1, "looked"), line(1, "opened")]
    assert told(lines) == [("Clara", "looked", 2), ("Clara", "opened", 2)]


def test_a_look_hours_later_is_another_look() -> None:
    assert told([line(0, "looked"), line(60, "looked")]) == [("Clara", "looked", 1)] * 2


def test_somebody_else_in_between_is_never_hidden() -> None:
    lines = [line(0, "looked"), line(1, "looked", "Jonas"), line(2, "looked")]
    assert told(lines) == [("Clara", "looked", 1), ("Jonas", "looked", 1), ("Clara", "looked", 1)]


def test_a_refusal_is_not_counted_among_permits() -> None:
    assert len(told([line(0, "looked"), line(0, "looked", refused=True)])) == 2


def test_no_act_is_lost_in_the_counting() -> None:
    lines = [
        line(n, "looked" if n % 3 else "opened", "Clara" if n % 5 else "Jonas") for n in range(40)
    ]
    assert sum(one.times for one in _gathered(lines)) == 40


def test_every_reason_of_the_decision_has_words_for_the_trail() -> None:
    assert set(_REASONS) == set(Reason)
