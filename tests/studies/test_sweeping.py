"""What a crash left is cleared away in time; what should be there and is not, is told."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from jobs.models import Job
from jobs.rules.kinds import schedules
from jobs.services import create_job, run_job
from studies.models import Blob, Study
from studies.sealing import blob_context
from studies.services.sweeping import StoreSwept, sweep_store
from vault.models import DataKey
from vault.services.blobs import seal_blob
from vault.services.data_keys import create_data_key

from .conftest import Portal
from .objects import an_object

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def leave_things(portal: Portal) -> None:
    """Leave behind what a killed submission may: a blob, half a file, keys of three kinds."""
    organisation = portal.organisation("hospital").pk
    for committed in (True, False):
        key = create_data_key(organisation_id=organisation, kind="study")
        writer = seal_blob(key=key.key, context=blob_context(organisation))
        writer.write(b"x" * 1000)
        if committed:
            writer.commit()
    for kind in ("subject", "grant"):
        create_data_key(organisation_id=organisation, kind=kind)


@pytest.fixture
def used(portal: Portal) -> Portal:
    portal.take(an_object(study="1"), an_object(study="2", patient="P-2"))
    return portal


def later(hours: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True)


def test_what_nothing_names_is_removed_after_a_day_and_not_before(used: Portal) -> None:
    before = used.kept()
    leave_things(used)
    with later(23):
        assert sweep_store() == StoreSwept()
    with later(25):
        assert sweep_store() == StoreSwept(blobs=1, leftovers=1, keys=4)
        assert sweep_store() == StoreSwept()
    assert used.kept() == before


def test_what_is_in_use_stays_and_still_opens(used: Portal) -> None:
    from consent.rules.decision import Item
    from consent.selectors import agreed_text

    from .objects import uid

    grant = used.share(Item(uid("1")))
    leave_things(used)
    with later(1000):
        sweep_store()
    client = used.client()
    for study in ("1", "2"):
        assert client.get(f"/dicom-web/studies/{uid(study)}/metadata").json()
    assert "I, Dr Clara Reyes" in agreed_text(grant)


def test_keys_of_kinds_that_are_not_ours_are_left_alone(used: Portal) -> None:
    organisation = used.organisation("hospital").pk
    other = create_data_key(organisation_id=organisation, kind="other")
    with later(1000):
        sweep_store()
    assert DataKey.objects.filter(pk=other.id, destroyed_at=None).exists()
    assert DataKey.objects.filter(kind="index", destroyed_at=None).exists()


def test_a_row_without_its_blob_raises_the_alarm_and_is_never_removed(used: Portal) -> None:
    blob = Blob.objects.order_by("pk")[0]
    (path,) = used.folder.rglob(blob.name)
    path.unlink()
    rows = used.kept().instances
    with later(25):
        for _ in range(2):
            assert sweep_store().missing == 1
    assert used.kept().instances == rows
    events = used.events("study.blob_missing")
    assert [event.target_uid for event in events] == [blob.study.uid] * 2
    assert {event.outcome for event in events} == {"failed"}


def test_the_command_prints_what_was_found_and_fails_where_something_is_missing(
    used: Portal,
) -> None:
    leave_things(used)
    told, warned = StringIO(), StringIO()
    with later(2):
        call_command("sweep_store", older_than=1, stdout=told, stderr=warned)
    assert "1 blobs that nothing names, 1 half-written files, 4 keys" in told.getvalue()
    for path in used.folder.rglob("*"):
        path.is_file() and path.unlink()
    with later(2), pytest.raises(SystemExit) as ended:
        call_command("sweep_store", older_than=1, stdout=told, stderr=warned)
    assert ended.value.code == 1
    assert "MISSING: 2 blobs" in warned.getvalue()


def test_the_sweep_is_a_job_that_is_due_every_few_hours(used: Portal) -> None:
    (schedule,) = [one for one in schedules() if one.kind == "studies.sweep"]
    assert schedule.every <= timedelta(hours=24)
    leave_things(used)
    with later(25):
        job = create_job(kind="studies.sweep", natural_key="test")
        run_job(job_id=job.id)
    assert Job.objects.get(pk=job.pk).state == "done"
    assert DataKey.objects.filter(kind="grant", destroyed_at=None).count() == 0
    assert Study.objects.count() == 2
