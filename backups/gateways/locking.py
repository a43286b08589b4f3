"""One backup or rotation at a time, for places that know no locks of their own."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections

from backups.gateways.databases import DATA, engine_of
from backups.rules.refusals import BackupRefused


@contextmanager
def portal_lock(name: str, *, said: str) -> Iterator[None]:
    """Keep other processes of this portal out meanwhile, on whichever machine; it ends with its
    process. On SQLite all of them are on one machine, and a file does.

    Raises `BackupRefused`.
    """
    digest = hashlib.sha256(name.encode()).digest()
    lock = _of_database if engine_of() == "postgresql" else _of_file
    with lock(digest) as is_free:
        if not is_free:
            raise BackupRefused(f"Another backup or rotation is at work in {said}.")
        yield


@contextmanager
def _of_database(digest: bytes) -> Iterator[bool]:
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connections[DATA].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        is_free = bool(cursor.fetchone()[0])
    try:
        yield is_free
    finally:
        if is_free:
            with connections[DATA].cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


@contextmanager
def _of_file(digest: bytes) -> Iterator[bool]:
    folder = Path(settings.STATE_DIR) / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(folder / digest.hex()[:32], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
