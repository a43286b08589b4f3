"""A job is run once in effect, whatever happens to whoever runs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from celery import Celery
from django.db import connection, transaction
from django.utils import timezone

import config.celery
from config.celery import PUBLISHING
from jobs import services
from jobs.models import Job
from jobs.rules import kinds
from jobs.rules.kinds import UnknownKind, job_kind
from jobs.rules.states import State
from jobs.services import run as running
from tests.jobs.chaos.stack import free_port

pytestmark = pytest.mark.django_db
Handler = Callable[[services.Run], None]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, kinds.JobKind]]:
    known: dict[str, kinds.JobKind] = {}
    monkeypatch.setattr(kinds, "_kinds", known)
    monkeypatch.setattr(kinds, "_schedules", {})
    return known


@pytest.fixture
def kind(registered: dict, rings: list) -> Callable[..., str]:
    """Register a handler as the kind ``test.work`` and return the name."""

    def register(handler: Handler, **options: object) -> str:
        registered.pop("test.work", None)
        job_kind("test.work", label="Work", **options)(handler)  # type: ignore[arg-type]
        return "test.work"

    return register


def make(kind_name: str, key: str = "one", **values: object) -> Job:
    return services.create_job(kind=kind_name, natural_key=key, **values)  # type: ignore[arg-type]


def test_a_job_is_written_once_for_a_natural_key(kind) -> None:
    name = kind(lambda run: None)
    assert make(name).id == make(name).id
    assert Job.objects.count() == 1


def test_a_job_rings_only_after_its_cause_is_committed(
    kind, rings: list, django_capture_on_commit_callbacks
) -> None:
    name = kind(lambda run: None)
    with django_capture_on_commit_callbacks(execute=True):
        job = make(name)
        assert rings == []
    assert rings == [("jobs.run", (str(job.id),))]


def test_a_job_whose_cause_is_rolled_back_never_was(kind, rings: list) -> None:
    name = kind(lambda run: None)
    with pytest.raises(RuntimeError), transaction.atomic():
        make(name)
        raise RuntimeError
    assert not Job.objects.exists()


def test_a_broker_that_is_down_costs_the_ring_and_not_the_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # In earnest, at a port where nobody answers.
    nobody = Celery("nobody", broker=f"redis://127.0.0.1:{free_port()}/0")
    nobody.conf.broker_transport_options = PUBLISHING
    monkeypatch.setattr(config.celery, "app", nobody)
    started = time.monotonic()
    config.celery.ring("jobs.run", ("id",))
    assert time.monotonic() - started < 2
    assert "was lost: OperationalError" in caplog.text


@pytest.mark.parametrize(
    "payload",
    [
        {"patient": "Jane Roe"},
        {"patient_name": "x"},
        {"on": 1.5},
        {"to": "jane@example.org"},
        {"value": "19800131"},
        {"Key": "x"},
    ],
)
def test_a_payload_that_may_say_something_of_a_person_is_refused(kind, payload: dict) -> None:
    with pytest.raises(services.PayloadRefused):
        make(kind(lambda run: None), payload=payload)


def test_a_kind_that_nobody_registered_is_refused(registered: dict) -> None:
    with pytest.raises(UnknownKind):
        make("test.unknown")


def test_a_job_that_ran_is_done_and_does_not_run_again(kind) -> None:
    ran: list[int] = []
    job = make(kind(lambda run: ran.append(1)))
    assert services.run_job(job_id=job.id) == "done"
    assert services.run_job(job_id=job.id) == "not_claimed"
    job.refresh_from_db()
    assert (ran, job.state, job.lease_until) == ([1], State.DONE, None)
    assert job.finished_at is not None


def test_a_step_saves_cursor_and_progress_with_its_effect(kind) -> None:
    def work(run: services.Run) -> None:
        with run.step(cursor={"last": 3}, advance=3, total=10, message="copied") as step:
            step.fail_item(what="item-9", why="unreadable")
            step.save(advance=1)

    job = make(kind(work))
    services.run_job(job_id=job.id)
    job.refresh_from_db()
    assert (job.cursor, job.done, job.total, job.message) == ({"last": 3}, 4, 10, "copied")
    assert job.failures == [{"what": "item-9", "why": "unreadable"}]


def test_a_step_that_fails_leaves_neither_effect_nor_cursor(kind) -> None:
    def work(run: services.Run) -> None:
        with run.step(cursor={"last": 1}, advance=1):
            Job.objects.create(
                kind="effect", natural_key="x", not_before=timezone.now(), created_at=timezone.now()
            )
            raise RuntimeError("half way")

    job = make(kind(work))
    assert services.run_job(job_id=job.id) == "retry"
    job.refresh_from_db()
    assert (job.cursor, job.done, job.state, job.message) == ({}, 0, "waiting", "RuntimeError")
    assert not Job.objects.filter(kind="effect").exists()


def test_the_next_attempt_takes_up_where_the_last_step_ended(kind) -> None:
    seen: list[dict] = []

    def work(run: services.Run) -> None:
        seen.append(dict(run.cursor))
        if not run.cursor:
            with run.step(cursor={"last": 7}, advance=7):
                pass
            raise RuntimeError

    job = make(kind(work))
    services.run_job(job_id=job.id)
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    assert services.run_job(job_id=job.id) == "done"
    assert seen == [{}, {"last": 7}]


def test_a_worker_that_lost_its_lease_commits_nothing(kind) -> None:
    def work(run: services.Run) -> None:
        with run.step(cursor={"last": 1}, advance=1):
            pass
        _let_another_worker_claim(run)
        with run.step(cursor={"last": 2}, advance=1):
            raise AssertionError("the effect must not happen")

    job = make(kind(work))
    assert services.run_job(job_id=job.id) == "lost"
    job.refresh_from_db()
    assert (job.cursor, job.done, job.fencing_token, job.state) == ({"last": 1}, 1, 2, "running")


def test_a_worker_that_lost_its_lease_in_the_middle_of_its_last_act_does_not_finish(kind) -> None:
    job = make(kind(_let_another_worker_claim))
    assert services.run_job(job_id=job.id) == "lost"
    assert Job.objects.get(pk=job.pk).state == State.RUNNING


def _let_another_worker_claim(run: services.Run) -> None:
    Job.objects.filter(pk=run.job_id).update(lease_until=timezone.now() - timedelta(1))
    assert running.claim_job(job_id=run.job_id) is not None


def test_a_lease_that_is_alive_cannot_be_taken(kind) -> None:
    job = make(kind(lambda run: None))
    assert running.claim_job(job_id=job.id) is not None
    assert running.claim_job(job_id=job.id) is None


def test_a_failing_job_waits_longer_each_time_and_ends_in_the_dead_letter_box(kind) -> None:
    def work(run: services.Run) -> None:
        raise ValueError("Jane Roe has no such study")

    job = make(kind(work, max_attempts=3))
    outcomes, waits = [], []
    for _ in range(3):
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
        outcomes.append(services.run_job(job_id=job.id))
        job.refresh_from_db()
        waits.append(job.not_before - timezone.now())
    assert outcomes == ["retry", "retry", "failed"]
    assert timedelta(0) < waits[0] <= timedelta(seconds=2) <= waits[1] + timedelta(seconds=0.2)
    # Only the kind of error is kept: its words may name a person.
    assert (job.state, job.message) == (State.FAILED, "ValueError")


def test_a_handler_may_give_up_at_once(kind) -> None:
    def work(run: services.Run) -> None:
        raise services.JobAborted("study_gone")

    job = make(kind(work))
    assert services.run_job(job_id=job.id) == "failed"
    job.refresh_from_db()
    assert (job.state, job.message, job.attempts) == (State.FAILED, "study_gone", 1)


def test_progress_starts_the_count_of_attempts_anew(kind) -> None:
    def work(run: services.Run) -> None:
        with run.step(cursor={"last": run.cursor.get("last", 0) + 1}):
            pass
        if run.cursor["last"] < 8:
            raise RuntimeError

    job = make(kind(work, max_attempts=2))
    for _ in range(8):
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
        outcome = services.run_job(job_id=job.id)
    assert outcome == "done"


def test_a_job_of_one_step_is_done_by_the_commit_of_its_effect(kind) -> None:
    def work(run: services.Run) -> None:
        with run.step(finish=True, advance=1):
            pass
        raise RuntimeError("killed just after the commit")

    job = make(kind(work))
    assert services.run_job(job_id=job.id) == "lost"
    job.refresh_from_db()
    assert (job.state, job.done) == (State.DONE, 1)


def test_cancelling_stops_a_running_job_before_its_next_step(kind) -> None:
    def work(run: services.Run) -> None:
        services.cancel_job(job_id=run.job_id)
        with run.step(advance=1):
            raise AssertionError("the effect must not happen")

    job = make(kind(work))
    assert services.run_job(job_id=job.id) == "lost"
    job.refresh_from_db()
    assert (job.state, job.done) == (State.CANCELLED, 0)
    with pytest.raises(services.JobStateRefused):
        services.cancel_job(job_id=job.id)


def test_a_paused_job_is_left_alone_until_it_is_resumed(kind) -> None:
    job = make(kind(lambda run: None))
    services.pause_job(job_id=job.id)
    assert services.run_job(job_id=job.id) == "not_claimed"
    services.resume_job(job_id=job.id)
    assert services.run_job(job_id=job.id) == "done"
    with pytest.raises(services.JobStateRefused):
        services.resume_job(job_id=job.id)


def test_a_dead_letter_can_be_tried_again(kind) -> None:
    wrong = [True]

    def work(run: services.Run) -> None:
        if wrong:
            raise RuntimeError

    job = make(kind(work, max_attempts=1))
    assert services.run_job(job_id=job.id) == "failed"
    wrong.clear()
    services.retry_job(job_id=job.id)
    assert services.run_job(job_id=job.id) == "done"


def test_a_worker_that_does_not_know_the_kind_leaves_it_to_another(kind, registered) -> None:
    job = make(kind(lambda run: None))
    known = dict(registered)
    registered.clear()
    assert services.run_job(job_id=job.id) == "retry"
    registered.update(known)
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    assert services.run_job(job_id=job.id) == "done"


def test_the_list_of_failures_is_bounded_and_the_count_is_not(kind) -> None:
    def work(run: services.Run) -> None:
        with run.step() as step:
            for number in range(130):
                step.fail_item(what=number, why="unreadable")

    job = make(kind(work))
    services.run_job(job_id=job.id)
    job.refresh_from_db()
    assert (len(job.failures), job.failure_count, job.unlisted_failures) == (100, 130, 30)


@pytest.mark.django_db(transaction=True)
def test_the_lease_of_a_busy_handler_is_renewed(kind) -> None:
    leases: list = []

    def work(run: services.Run) -> None:
        first = Job.objects.get(pk=run.job_id).lease_until
        deadline = threading.Event()
        for _ in range(100):
            deadline.wait(0.02)
            if (later := Job.objects.get(pk=run.job_id).lease_until) != first:
                leases.extend([first, later])
                return

    job = make(kind(work, lease=timedelta(seconds=0.3)))
    assert services.run_job(job_id=job.id) == "done"
    assert len(leases) == 2 and leases[1] > leases[0]


# On the stack: SQLite in memory does not wait for a lock. For SQLite in a file, see the chaos test.
@pytest.mark.stack
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_hear_one_ring_exactly_one_runs_the_job(kind) -> None:
    ran: list[int] = []
    job = make(kind(lambda run: ran.append(1)))
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def worker() -> None:
        barrier.wait()
        try:
            outcomes.append(services.run_job(job_id=job.id))
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "not_claimed", "not_claimed", "not_claimed"]
    assert ran == [1]
