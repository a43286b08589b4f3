"""Kill workers, pool processes and the broker: no job is lost and no effect made twice.

The verdict does not hang on timing: kills are spread over the progress of the work, and
what is judged is the state after the last one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.jobs.chaos import STEPS
from tests.jobs.chaos.stack import Stack, free_port, wait_for

Query = Callable[[str], list[tuple[Any, ...]]]
WORK = "kind = 'chaos.work'"


def environment(folder: Path, **values: str) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    }
    settings = {"DJANGO_SETTINGS_MODULE": "tests.jobs.chaos.settings", "STATE_DIR": str(folder)}
    return inherited | settings | values


def states(query: Query) -> dict[str, int]:
    return dict(query(f"SELECT state, count(*) FROM jobs_job WHERE {WORK} GROUP BY state"))


def assert_nothing_lost_and_nothing_twice(query: Query, jobs: int) -> None:
    assert states(query) == {"done": jobs}
    effects = query(
        "SELECT job_id, step, count(*) FROM chaos_effect JOIN jobs_job ON jobs_job.id = job_id"
        f" WHERE {WORK} GROUP BY job_id, step"
    )
    assert len(effects) == jobs * STEPS
    assert {times for _, _, times in effects} == {1}
    # Two beats, and no due time made twice, nor its effect.
    assert query("SELECT 1 FROM jobs_duejob GROUP BY schedule, due_at HAVING count(*) > 1") == []
    ticks = query(
        "SELECT count(*) FROM chaos_effect JOIN jobs_job ON jobs_job.id = job_id"
        " WHERE kind = 'chaos.tick' GROUP BY job_id"
    )
    assert ticks and {times for (times,) in ticks} == {1}


def torment(stack: Stack, acts: list[Callable[[], None]], *, jobs: int, patience: float) -> None:
    """Do one act of violence after each share of the work, or when patience runs out."""
    for number, act in enumerate(acts):
        share = jobs * 0.9 * number / len(acts)
        deadline = time.monotonic() + patience
        while stack.count_states().get("done", 0) < share and time.monotonic() < deadline:
            time.sleep(0.05)
        act()


def finish(stack: Stack, *, jobs: int, seconds: float) -> None:
    try:
        wait_for(lambda: stack.count_states().get("done", 0) == jobs, seconds=seconds)
    except TimeoutError:
        pytest.fail(f"{stack.count_states()} after {stack.kills}\n{stack.log()}")


# The embedded default: SQLite and a broker that is a folder --------------------------------------


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[tuple[Stack, Query]]:
    path = tmp_path / "data.sqlite3"

    def query(statement: str) -> list[tuple[Any, ...]]:
        link = sqlite3.connect(path, timeout=30)
        try:
            return link.execute(statement).fetchall()
        finally:
            link.close()

    stack = Stack(tmp_path, environment(tmp_path), lambda: states(query))
    stack.run("manage.py", "migrate", "--run-syncdb", "-v0")
    try:
        yield stack, query
    finally:
        stack.stop()


def test_six_kills_on_the_embedded_default_lose_nothing(embedded: tuple[Stack, Query]) -> None:
    stack, query = embedded
    stack.run("-m", "tests.jobs.chaos.create", "0", "30")
    stack.start_worker()
    for number in range(2):
        stack.start_beat(number)
    acts = [stack.kill_child, stack.kill_child, stack.kill_parent] * 2
    torment(stack, acts, jobs=30, patience=1.5)
    finish(stack, jobs=30, seconds=40)
    assert sum(stack.kills.values()) == 6
    assert_nothing_lost_and_nothing_twice(query, 30)


# PostgreSQL and Redis ----------------------------------------------------------------------------


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Stack, Query]]:
    server = os.environ.get("STACK_DATABASE_URL") or os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        pytest.fail("set STACK_DATABASE_URL to a PostgreSQL on which databases may be created")
    if not shutil.which("redis-server"):
        pytest.fail("this test kills a Redis of its own: install redis-server")
    address, _, options = server.partition("?")
    name = f"chaos_{uuid.uuid4().hex[:12]}"
    own = f"{address.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")

    def connect(url: str) -> Any:
        link = psycopg2.connect(url.replace("postgres://", "postgresql://", 1))
        link.autocommit = True
        return link

    def administer(statement: str) -> None:
        link = connect(server)
        link.cursor().execute(statement)
        link.close()

    def query(statement: str) -> list[tuple[Any, ...]]:
        cursor = reader.cursor()
        cursor.execute(statement)
        return cursor.fetchall()

    administer(f"CREATE DATABASE {name}")
    port = free_port()
    values = {"DATABASE_URL": own, "REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    stack = Stack(tmp_path, environment(tmp_path, **values), lambda: states(query), port)
    stack.run("manage.py", "migrate", "--run-syncdb", "-v0")
    reader = connect(own)
    try:
        yield stack, query
    finally:
        stack.stop()
        reader.close()
        administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.stack
def test_fifty_kills_over_five_hundred_jobs_lose_nothing(deployed: tuple[Stack, Query]) -> None:
    stack, query = deployed
    # Created while there is no broker at all: every first ring is lost.
    stack.run("-m", "tests.jobs.chaos.create", "0", "400")
    stack.start_redis()
    for number in range(2):
        stack.start_worker()
        stack.start_beat(number)
    kills = [stack.kill_child] * 36 + [stack.kill_parent] * 9 + [stack.kill_redis] * 5
    stack.random.shuffle(kills)
    kills.insert(17, stack.flush_redis)
    kills.insert(41, stack.flush_redis)
    kills.insert(30, lambda: stack.run("-m", "tests.jobs.chaos.create", "400", "100"))
    torment(stack, kills, jobs=500, patience=3)
    finish(stack, jobs=500, seconds=80)
    assert stack.kills == {"child": 36, "parent": 9, "redis": 5, "flush": 2}
    assert_nothing_lost_and_nothing_twice(query, 500)
