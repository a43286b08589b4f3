"""What no worker looks after is rung for; what is due is made once, by however many beats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from jobs import services
from jobs.models import DueJob, Job
from jobs.rules import kinds
from jobs.rules.kinds import Schedule, job_kind, schedule_job
from jobs.rules.states import State
from jobs.services.run import claim_job
from jobs.services.sweep import KEEP_SCHEDULED

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch, rings: list) -> None:
    monkeypatch.setattr(kinds, "_kinds", {})
    monkeypatch.setattr(kinds, "_schedules", {})
    job_kind("test.work", max_attempts=2)(lambda run: None)


@pytest.fixture
def heard(rings: list, django_capture_on_commit_callbacks):
    """Sweep, and return the ids that were rung for."""

    def sweep() -> list[str]:
        rings.clear()
        with django_capture_on_commit_callbacks(execute=True):
            services.sweep_jobs()
        return [arguments[0] for _, arguments in rings]

    return sweep


def make(**values: object) -> Job:
    return services.create_job(kind="test.work", natural_key="one", **values)  # type: ignore[arg-type]


def long_ago(job: Job, **values: object) -> None:
    past = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(rung_at=past, **values)


def test_a_ring_that_was_lost_is_rung_again(heard) -> None:
    job = make()
    assert heard() == []  # its first ring may still be on its way
    long_ago(job)
    assert heard() == [str(job.id)]


def test_a_second_beat_does_not_ring_again(heard) -> None:
    long_ago(make())
    assert len(heard()) == 1
    assert heard() == []


def test_a_job_of_a_dead_worker_is_rung_for_when_its_lease_runs_out(heard) -> None:
    job = make()
    claim_job(job_id=job.id)
    long_ago(job)
    assert heard() == []
    long_ago(job, lease_until=timezone.now() - timedelta(seconds=1))
    assert heard() == [str(job.id)]


def test_a_job_for_later_is_not_rung_for_before(heard) -> None:
    job = make(not_before=timezone.now() + timedelta(hours=1))
    long_ago(job)
    assert heard() == []
    long_ago(job, not_before=timezone.now())
    assert heard() == [str(job.id)]


@pytest.mark.parametrize("state", ["done", "failed", "cancelled", "paused"])
def test_what_needs_no_worker_is_not_rung_for(heard, state: str) -> None:
    long_ago(make(), state=state)
    assert heard() == []


def test_a_job_that_kills_each_of_its_workers_ends_in_the_dead_letter_box(heard) -> None:
    job = make()
    for _ in range(2):
        assert claim_job(job_id=job.id) is not None
        long_ago(job, lease_until=timezone.now() - timedelta(seconds=1))
    assert heard() == []
    job.refresh_from_db()
    assert (job.state, job.message) == (State.FAILED, "worker_died")


def test_two_beats_make_one_job_of_one_due_time() -> None:
    schedule_job("daily", kind="test.work", every=timedelta(days=1))
    assert [services.sweep_jobs().scheduled for _ in range(3)] == [1, 0, 0]
    assert Job.objects.count() == DueJob.objects.count() == 1


def test_a_schedule_does_not_pile_up_behind_a_job_that_is_not_finished() -> None:
    schedule_job("often", kind="test.work", every=timedelta(seconds=10))
    services.sweep_jobs()
    DueJob.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert services.sweep_jobs().scheduled == 0
    assert Job.objects.count() == 1


def test_a_schedule_with_nothing_to_do_makes_no_job() -> None:
    schedule_job("idle", kind="test.work", every=timedelta(days=1), wanted=lambda: False)
    assert services.sweep_jobs().scheduled == 0
    assert not DueJob.objects.exists()


def test_scheduled_jobs_that_went_well_are_forgotten_and_failures_are_kept() -> None:
    schedule_job("often", kind="test.work", every=timedelta(seconds=10))
    old = timezone.now() - KEEP_SCHEDULED - timedelta(hours=1)
    for number, state in enumerate(["done", "failed", "done"]):
        job = services.create_job(kind="test.work", natural_key=f"often@{number}")
        Job.objects.filter(pk=job.pk).update(state=state)
        DueJob.objects.create(
            schedule="often", due_at=old + timedelta(seconds=number), job_id=job.id
        )
    services.sweep_jobs()
    assert sorted(Job.objects.values_list("state", flat=True)) == ["failed", "waiting"]
    assert DueJob.objects.count() == 1


def test_the_command_says_what_it_did() -> None:
    long_ago(make())
    out = StringIO()
    call_command("sweep_jobs", stdout=out)
    assert out.getvalue() == "rung 1, buried 0, created on schedule 0\n"


@pytest.mark.parametrize(
    ("every", "offset", "expected"),
    [
        (timedelta(days=1), timedelta(0), datetime(2026, 3, 5, tzinfo=UTC)),
        (timedelta(days=1), timedelta(hours=3), datetime(2026, 3, 4, 3, tzinfo=UTC)),
        (timedelta(seconds=10), timedelta(0), datetime(2026, 3, 5, 2, 10, 50, tzinfo=UTC)),
    ],
)
def test_the_last_due_time_is_the_same_for_every_beat(every, offset, expected) -> None:
    schedule = Schedule("s", "k", every, offset, None)
    assert schedule.last_due(datetime(2026, 3, 5, 2, 10, 55, 123, tzinfo=UTC)) == expected
    assert schedule.last_due(expected) == expected
