"""A drill restores for real, elsewhere; what fails is recorded; and one that is overdue is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Notification
from audit.models import Event
from backups.models import Drill, Generation
from backups.rules.names import blob_path
from backups.selectors import is_drill_overdue
from backups.services.drilling import drill_restore, is_signed
from backups.services.making import Places, make_backup
from jobs.rules.kinds import kind_named
from studies.models import Blob, Study
from tests.backups.cases import days_later
from tests.factories import Cast, actor_of, small_ct_object, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def drilled(days_ago: float, *, is_good: bool = True) -> Drill:
    return Drill.objects.create(
        generation_name="20261101t000000z-00000000", is_good=is_good, note="",
        began_at=timezone.now() - timedelta(days=days_ago),
    )  # fmt: skip


@pytest.mark.slow
def test_a_drill_restores_elsewhere_and_leaves_everything_as_it_was(
    cast: Cast, places: Places
) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    made = make_backup(places)
    events = Event.objects.count()
    drill = drill_restore(places)
    assert drill.failure == ""
    assert (drill.is_good, drill.files, drill.files_tried) == (True, 1, 1)
    assert drill.generation_name == made.name
    assert drill.events > 0
    assert is_signed(drill)
    assert Study.objects.count() == 1
    # One event, that of the drill: what the restore on trial wrote, it wrote elsewhere.
    assert Event.objects.count() == events + 1
    assert Event.objects.get(action="backup.drilled").details["files_tried"] == 1
    assert not is_drill_overdue()
    drill.note = drill.note.replace("it worked", "it failed")
    assert not is_signed(drill)


@pytest.mark.slow
def test_a_drill_with_a_damaged_file_fails_and_is_recorded(cast: Cast, places: Places) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    make_backup(places)
    file = places.data.folder / blob_path(Blob.objects.get().name)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(CommandError, match="not what was put there"):
        call_command("drill_restore", share=1.0)
    drill = Drill.objects.get()
    assert not drill.is_good
    assert is_signed(drill)
    assert Event.objects.get(action="backup.drilled").outcome == "failed"
    assert is_drill_overdue()


def test_there_has_to_be_something_to_practise_with(places: Places) -> None:
    with pytest.raises(CommandError, match="nothing to practise with"):
        call_command("drill_restore")
    with pytest.raises(CommandError, match="between"):
        call_command("drill_restore", share=0.01)
    assert not is_drill_overdue()
    assert not Generation.objects.exists()


def test_an_overdue_drill_is_told_to_administrators_once_a_week(cast: Cast, places: Places) -> None:
    make_backup(places)
    told = Notification.objects.filter(template="drill-due")
    drilled(89)
    kind_named("backups.rotate").handler(None)
    assert not told.exists()
    Drill.objects.all().delete()
    drilled(91)
    drilled(1, is_good=False)
    kind_named("backups.rotate").handler(None)
    people = set(told.values_list("user_id", flat=True))
    assert cast.administrator.pk in people
    assert not people & {cast.clinician.pk, cast.officer.pk, cast.auditor.pk, cast.patient.pk}
    before = told.count()
    kind_named("backups.rotate").handler(None)
    assert told.count() == before
    with days_later(8):
        kind_named("backups.rotate").handler(None)
    assert told.count() == 2 * before
