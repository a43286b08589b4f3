"""Snapshots of SQLite by its own backup interface: consistent, beside whoever reads and writes."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connections

from backups.rules.refusals import BackupRefused, CopyDamaged, PlaceFull
from config.restoring import MARK

PIECE = 1024 * 1024
PATIENCE = 60.0


def dump(alias: str) -> Iterator[bytes]:
    """Copy into a file beside the state, hand it on in pieces, and remove it."""
    with _draft() as path:
        try:
            _copy(alias, path)
        except sqlite3.OperationalError as error:
            raise _full(error) from error
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


def _copy(alias: str, path: Path) -> None:
    with closing(_connect(alias)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        # One file without a log beside it.
        target.execute("PRAGMA journal_mode=DELETE")


def load(alias: str, pieces: Iterator[bytes]) -> None:
    """Put a snapshot in the place of what is there, in one transaction of SQLite's own.

    It carries the mark of a restore already, so that nobody sees it without.
    """
    mark = MARK if alias == "default" else 0
    with _draft() as path:
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        with closing(sqlite3.connect(path)) as source:
            _check(source)
            source.execute(f"PRAGMA user_version = {mark}")
            source.commit()
            # Django's own connection would go on with what it knows of the old tables.
            if "mode=memory" not in str(connections[alias].settings_dict["NAME"]):
                connections[alias].close()
            with closing(_connect(alias)) as target:
                target.execute("PRAGMA secure_delete=ON")
                try:
                    source.backup(target)
                except sqlite3.OperationalError as error:
                    raise _full(error) from error


def _check(snapshot: sqlite3.Connection) -> None:
    try:
        said = snapshot.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError:
        said = ""
    if said != "ok":
        raise CopyDamaged("The dump opens, but holds no whole SQLite database.")


def _connect(alias: str) -> sqlite3.Connection:
    name = str(connections[alias].settings_dict["NAME"])
    return sqlite3.connect(name, uri=name.startswith("file:"), timeout=PATIENCE)


@contextmanager
def _draft() -> Iterator[Path]:
    """A file of our own for as long as it is needed. What it holds lies beside it anyway."""
    folder = Path(settings.STATE_DIR) / "backup"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _full(error: sqlite3.OperationalError) -> BackupRefused:
    if "full" in str(error):
        return PlaceFull(f"{settings.STATE_DIR} has no room for a snapshot. Make room.")
    return BackupRefused(f"SQLite gives no snapshot: {error}.")
