"""SQLite's writers stand in line; it is a courtesy that can neither block nor lose a write."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.utils import load_backend
from pytest_django import DjangoDbBlocker

from config.sqlite.base import DatabaseWrapper, Line

WITHIN = 20.0
# Takes its turn, says so, and never ends.
HOLDER = "import sys, time; from config.sqlite.base import Line; Line(sys.argv[1]).enter(5);"
HOLDER += "print('in', flush=True); time.sleep(60)"


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[DatabaseWrapper]:
    settings = {
        "ENGINE": "config.sqlite", "NAME": str(tmp_path / "data.sqlite3"),
        "OPTIONS": {"timeout": 0.2, "transaction_mode": "IMMEDIATE"},
        "TIME_ZONE": None, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False, "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "TEST": {},
    }  # fmt: skip
    made = load_backend("config.sqlite").DatabaseWrapper(settings, "line")
    with django_db_blocker.unblock():
        with made.cursor() as cursor:
            cursor.execute("CREATE TABLE written (by TEXT)")
        yield made
        made.close()


def write(database: DatabaseWrapper, by: str) -> None:
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        with database.cursor() as cursor:
            cursor.execute("INSERT INTO written VALUES (%s)", [by])
        database.commit()
    finally:
        database.set_autocommit(True)


def written(database: DatabaseWrapper) -> int:
    with database.cursor() as cursor:
        return int(cursor.execute("SELECT COUNT(*) FROM written").fetchone()[0])


def test_whoever_comes_second_waits_until_the_first_has_ended(tmp_path: Path) -> None:
    first, second = Line(str(tmp_path / "line")), Line(str(tmp_path / "line"))
    entered = threading.Event()
    assert first.enter(1)
    assert not second.enter(0.05), "two were let in at once"
    waiting = threading.Thread(target=lambda: second.enter(WITHIN) and entered.set())
    waiting.start()
    assert not entered.wait(0.05)
    first.leave()
    waiting.join(WITHIN)
    assert entered.is_set()


def test_a_transaction_gives_its_turn_back_whatever_its_end(
    database: DatabaseWrapper, tmp_path: Path
) -> None:
    other = Line(f"{database.settings_dict['NAME']}-line")
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert not other.enter(0.05)
    database.rollback()
    assert other.enter(1)
    other.leave()
    database.close()
    write(database, "after a rollback")
    assert other.enter(1) and written(database) == 1


def test_a_process_that_is_killed_in_its_turn_holds_nobody_up(database: DatabaseWrapper) -> None:
    path = f"{database.settings_dict['NAME']}-line"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"in\n"
    line = Line(path)
    assert not line.enter(0.05)
    holder.send_signal(signal.SIGKILL)
    holder.wait(WITHIN)
    holder.stdout.close()
    assert line.enter(1)


def test_whoever_waited_too_long_goes_on_to_the_lock_of_sqlite_itself(
    database: DatabaseWrapper,
) -> None:
    stuck = Line(f"{database.settings_dict['NAME']}-line")
    assert stuck.enter(1)
    write(database, "in spite of the line")
    assert written(database) == 1


def test_a_program_that_knows_of_no_line_is_kept_out_by_sqlite(database: DatabaseWrapper) -> None:
    stranger = sqlite3.connect(database.settings_dict["NAME"], timeout=0.05, isolation_level=None)
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        stranger.execute("BEGIN IMMEDIATE")
    stranger.close()
    database.rollback()
