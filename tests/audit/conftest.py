from __future__ import annotations

import pytest

from audit import services
from audit.models import Event
from audit.rules.vocabulary import register_action
from audit.services import ActorRef
from config.celery import app
from tests.audit.append_only import append_only_yields_to_flush

__all__ = ["append_only_yields_to_flush"]

CLINICIAN = ActorRef("user", "17", "clinician")
register_action("test.viewed", "Test viewed", verb="R", dicom="DICOM Instances Accessed")
register_action("test.released", "Test released", dicom="Export")


@pytest.fixture(autouse=True)
def rings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what would have been sent to the broker."""
    heard: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: heard.append(name))
    return heard


@pytest.fixture
def trail() -> list[Event]:
    """Three checkpoints over 20 events, and two events that wait."""
    events: list[Event] = []
    for size in (8, 7, 5):
        events += [
            services.record(
                action="test.viewed",
                actor=CLINICIAN,
                organisation_id="org-1",
                details={"number": number},
            )
            for number in range(size)
        ]
        services.seal_events()
    for _ in range(2):
        services.record(action="test.viewed", actor=CLINICIAN)
    return events
