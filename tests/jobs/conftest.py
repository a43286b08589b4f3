from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.celery import app
from tests.audit.append_only import append_only_yields_to_flush

__all__ = ["append_only_yields_to_flush", "rings"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "stack: needs PostgreSQL and Redis on the loopback; slow (make test-stack)"
    )


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
    """Collect what would have been sent to the broker."""
    heard: list[tuple[str, tuple[str, ...]]] = []

    def send_task(name: str, args: tuple[str, ...] = (), **_: object) -> None:
        heard.append((name, tuple(args)))

    monkeypatch.setattr(app, "send_task", send_task)
    eager = app.conf.task_always_eager
    app.conf.task_always_eager = False
    yield heard
    app.conf.task_always_eager = eager
