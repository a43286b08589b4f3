"""What an operator types: on an empty machine, by night, and for the ledgers alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from audit.models import Event
from backups.models import Device, Generation
from backups.rules.keeping import State
from backups.rules.names import DISPOSALS, Kind, artefact_path
from backups.services.elsewhere import environment_of
from backups.services.making import Places, make_backup
from jobs.models import Job
from jobs.rules.kinds import kind_named, schedules
from jobs.services import RunOutcome, create_job, run_job
from retention.models import DisposedStudy
from tests.backups.cases import back, made_days_ago
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


@pytest.mark.embedded
@pytest.mark.slow
def test_an_empty_machine_becomes_the_portal(cast: Cast, places: Places, tmp_path: Path) -> None:
    """With nothing but the two places and the three secrets; what was erased since is gone."""
    take_in(actor_of(cast.clinician), small_ct_object())
    take_in_old(cast)
    make_backup(places)
    carried_out(approved(cast))
    call_command("backup", ledgers=True)
    state = tmp_path / "new"
    call_command("restore", str(places.data), keys_from=str(places.keys), into=state)

    asked = "from studies.models import *; print(Study.objects.count(), Blob.objects.count())"
    environment = environment_of(state)
    for name in ("MASTER_KEY", "SECRET_KEY", "AUDIT_SIGNING_KEY"):
        environment.pop(name)  # they are in its state now
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", asked],
        cwd=django_settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["1", "1"]
    assert len([path for path in (state / "blobs").rglob("*") if path.is_file()]) == 1
    for path in state.rglob("*"):
        if path.is_file():
            assert not stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO), path
    with pytest.raises(CommandError, match="is not empty"):
        call_command("restore", str(places.data), keys_from=str(places.keys), into=state)


@pytest.mark.slow
def test_what_cannot_be_restored_elsewhere_leaves_no_secret_there(
    cast: Cast, places: Places, tmp_path: Path
) -> None:
    made = make_backup(places)
    (places.data.folder / artefact_path(made.name, Kind.DATA)).write_bytes(b"nothing")
    with pytest.raises(CommandError):
        call_command("restore", str(places.data), keys_from=str(places.keys), into=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_older_backup_is_migrated(cast: Cast, places: Places) -> None:
    call_command("migrate", "backups", "0001_first", verbosity=0)
    make_backup(places)
    call_command("migrate", "backups", verbosity=0)
    assert back(places).trail.verified
    assert not Device.objects.exists()  # its table is there


def test_the_ledgers_alone_are_written_beside_what_there_is(cast: Cast, places: Places) -> None:
    make_backup(places)
    take_in_old(cast)
    carried_out(approved(cast))
    before = places.data.read_text(DISPOSALS)
    call_command("backup", ledgers=True)
    written = places.data.read_text(DISPOSALS)
    assert written != before
    assert str(DisposedStudy.objects.get().study_key_id) in written
    assert places.keys.read_text(DISPOSALS) == written


def run_by_night(kind: str) -> RunOutcome:
    job = create_job(kind=kind, natural_key=f"test/{kind}")
    assert isinstance(job, Job)
    return run_job(job_id=job.pk)


def test_it_is_all_done_by_night(cast: Cast, places: Places) -> None:
    made_days_ago(places, 40)
    for kind in ("backups.make", "backups.ledgers", "backups.rotate"):
        assert run_by_night(kind) is RunOutcome.DONE
    newest = Generation.objects.get(state=State.GOOD)
    assert newest.made_by == "job"
    assert Event.objects.filter(action="backup.artefact_destroyed", reason="job").count() == 3


def test_a_nightly_backup_that_is_refused_has_failed(
    cast: Cast, places: Places, settings: Any
) -> None:
    settings.BACKUP_KEYS_URL = settings.BACKUP_URL
    assert run_by_night("backups.make") is RunOutcome.FAILED


def test_nothing_is_scheduled_where_no_place_is_named(db: None) -> None:
    ours = [one for one in schedules() if one.kind.startswith("backups.")]
    assert len(ours) == 3
    wanted = {one.kind for one in ours if one.wanted is None or one.wanted()}
    assert wanted == {"backups.rotate"}
    assert all(kind_named(one.kind).label for one in ours)
    assert os.environ.get("BACKUP_URL", "") == ""
