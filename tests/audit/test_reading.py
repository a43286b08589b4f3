"""A reader pages through what was done, and sees only what was asked for."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from audit import selectors, services
from audit.configuration import MASK, register_configuration
from audit.models import Event
from audit.selectors import Page, PositionRefused
from audit.services import recording
from audit.services.recording import TargetRef
from tests.audit.conftest import CLINICIAN

pytestmark = pytest.mark.django_db


def happen(count: int = 1, **values: object) -> list[Event]:
    return [
        services.record(action="test.viewed", actor=CLINICIAN, **values)  # type: ignore[arg-type]
        for _ in range(count)
    ]


def ids(page: Page) -> list[object]:
    return [event.id for event in page.events]


def test_pages_go_from_the_latest_backwards_and_miss_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All at one moment: the order is then that of the ids, and must still be complete.
    now = timezone.now()
    monkeypatch.setattr(recording.timezone, "now", lambda: now)
    events = happen(7, organisation_id="org-1")
    seen, after = [], ""
    for expected in (3, 3, 1):
        page = selectors.events_of_organisation(organisation_id="org-1", after=after, limit=3)
        assert len(page.events) == expected
        seen += ids(page)
        after = page.next
    assert after == "" and seen == sorted((event.id for event in events), reverse=True)


def test_pages_do_not_shift_when_more_happens() -> None:
    happen(4, organisation_id="org-1")
    first = selectors.events_of_organisation(organisation_id="org-1", limit=2)
    happen(3, organisation_id="org-1")
    second = selectors.events_of_organisation(organisation_id="org-1", limit=2, after=first.next)
    assert not set(ids(first)) & set(ids(second)) and len(second.events) == 2


@pytest.mark.parametrize("position", ["!", "bm9uc2Vuc2U=", "MjAyNi0wMS0wMSB4"])
def test_a_position_that_no_page_gave_out_is_refused(position: str) -> None:
    with pytest.raises(PositionRefused):
        selectors.events_of_organisation(organisation_id="org-1", after=position)


def test_one_organisation_does_not_see_what_another_did() -> None:
    (ours,) = happen(organisation_id="org-1", subject_id="s-1", target=TargetRef("study", "7"))
    (theirs,) = happen(organisation_id="org-2", subject_id="s-1", target=TargetRef("study", "7"))
    for read, values in (
        (selectors.events_for_subject, {"subject_id": "s-1"}),
        (selectors.events_for_target, {"kind": "study", "target_id": 7}),
    ):
        assert ids(read(**values, organisation_id="org-1")) == [ours.id]
        assert set(ids(read(**values))) == {ours.id, theirs.id}
    assert ids(selectors.events_of_organisation(organisation_id="org-2")) == [theirs.id]


def test_a_target_is_found_by_its_dicom_uid() -> None:
    (event,) = happen(target=TargetRef("study", "7", "1.2.840.1"))
    happen(target=TargetRef("study", "8", "1.2.840.2"))
    assert ids(selectors.events_for_target(kind="study", uid="1.2.840.1")) == [event.id]
    with pytest.raises(ValueError, match="which target"):
        selectors.events_for_target(kind="study")


def test_a_persons_own_acts_and_one_action_can_be_asked_for() -> None:
    happen(2, organisation_id="org-1")
    other = services.record(
        action="test.released", actor=services.ActorRef("user", "18"), organisation_id="org-1"
    )
    assert len(selectors.events_by_actor(actor_id=17).events) == 2
    page = selectors.events_of_organisation(organisation_id="org-1", action="test.released")
    assert ids(page) == [other.id]


def test_the_history_of_configuration_masks_the_whole_of_a_personal_field() -> None:
    register_configuration(ContentType, mask_fields=["model"])
    try:
        row = ContentType.objects.create(app_label="clinic", model="janeroe")
        entry = LogEntry.objects.get_for_object(row).get()
    finally:
        auditlog.unregister(ContentType)
    assert entry.changes["model"][1] == MASK
    assert entry.changes["app_label"][1] == "clinic"


def test_a_field_that_a_configuration_model_does_not_have_cannot_be_masked() -> None:
    with pytest.raises(ValueError, match="no field nickname"):
        register_configuration(ContentType, mask_fields=["nickname"])
    assert not auditlog.contains(ContentType)
