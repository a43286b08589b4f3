"""The controls of this room: backups are made and sealed, and they end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from backups.gateways.folder import Folder
from backups.gateways.place import Place
from backups.gateways.places import refuse_together
from backups.gateways.sealing import destroy_key, make_key, open_dump, open_key, seal_dump
from backups.models import Generation
from backups.rules.keeping import ROTATED_WITHIN, State, expiry
from backups.rules.names import Kind, artefact_path, name_of
from backups.rules.refusals import BackupRefused, CopyDamaged, KeyGone
from backups.selectors import last_good, last_good_drill, overdue_artefacts
from backups.tasks import LEDGERS, MAKE, ROTATE
from jobs.rules.kinds import schedules
from policies.rules.controls import control, must_refuse, require

GUARD = "config.restoring.RestoringMiddleware"
# Backups are made each night; one that fails is looked at the day after.
LATE = timedelta(days=2)
TRIED = b"A name that nobody has: Marker Control."


@contextmanager
def _a_sealed_dump() -> Iterator[tuple[Folder, Folder, str]]:
    """Two places of a moment, with a dump in the one and its key in the other."""
    folder = Path(settings.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="control-", dir=folder) as here:
        data, keys = Folder(Path(here) / "data"), Folder(Path(here) / "keys")
        name = name_of(timezone.now(), UUID(int=0))
        key = make_key(keys, name, Kind.DATA)
        seal_dump(data, name, Kind.DATA, key=key, pieces=[TRIED])
        yield data, keys, name


def _opened(data: Place, keys: Place, name: str) -> bytes:
    key = open_key(keys, name, Kind.DATA)
    return b"".join(open_dump(data, name, Kind.DATA, key=key))


def _require_scheduled(*kinds: str) -> None:
    scheduled = {one.kind for one in schedules()}
    require(scheduled >= set(kinds), "Nothing makes backups, ends them or writes their ledgers.")


def _unpractised() -> timedelta:
    """How long no restore has been practised, though there was something to practise with."""
    first = Generation.objects.exclude(state=State.FAILED).order_by("begun_at").first()
    drill, now = last_good_drill(), timezone.now()
    since = drill.began_at if drill else first.begun_at if first else now
    return now - since


@control("backups.sealed-apart", "Backups are made, and sealed under keys that lie apart from them")
def sealed_apart() -> str:
    require(
        settings.BACKUP_URL and settings.BACKUP_KEYS_URL,
        "This portal makes no backups itself: BACKUP_URL and BACKUP_KEYS_URL are not set.",
    )
    _require_scheduled(MAKE, LEDGERS)
    last = last_good()
    if last is not None:
        require(
            timezone.now() - last.begun_at <= LATE,
            f"The last whole backup is of {last.begun_at:%d %B %Y}.",
        )
    require(
        _unpractised() <= timedelta(days=settings.BACKUP_DRILL_DAYS),
        f"No restore has been practised for more than {settings.BACKUP_DRILL_DAYS} days.",
    )
    with _a_sealed_dump() as (data, keys, name):
        with must_refuse(BackupRefused, "A place of keys within that of data"):
            refuse_together(data, Folder(data.folder / "keys"))
        written = b"".join(data.read(artefact_path(name, Kind.DATA)))
        require(TRIED not in written, "A backup holds what it holds in the clear.")
        require(_opened(data, keys, name) == TRIED, "A backup does not open with its own key.")
        with must_refuse(CopyDamaged, "Opening a backup with another key"):
            list(open_dump(data, name, Kind.DATA, key=bytes(32)))
    made = f"the last is of {last.begun_at:%d %B %Y}" if last else "the first is made tonight"
    return f"Backups are made each night, and {made}. One of a moment opened with its key only."


@control("backups.end", "Backups rotate, and end with their keys; what was erased stays erased")
def backups_end() -> str:
    _require_scheduled(ROTATE, LEDGERS)
    require(GUARD in settings.MIDDLEWARE, "The portal would answer during a restore.")
    now = timezone.now()
    days = {
        "keep_data": settings.BACKUP_KEEP_DATA_DAYS,
        "keep_keys": settings.BACKUP_KEEP_KEYS_DAYS,
    }
    for kind in Kind:
        lasts = expiry(now, kind, **days) - now
        require(
            timedelta(0) < lasts <= timedelta(days=366), f"{kind} is kept for {lasts.days} days."
        )
    late = overdue_artefacts(now - ROTATED_WITHIN).count()
    require(not late, f"Parts of backups that outlast their time: {late}.")
    with _a_sealed_dump() as (data, keys, name):
        require(_opened(data, keys, name) == TRIED, "A backup does not open with its own key.")
        destroy_key(keys, name, Kind.DATA)
        with must_refuse(KeyGone, "Opening a backup whose key was destroyed"):
            _opened(data, keys, name)
    return (
        f"Keys end after {min(days.values())} days, data after {days['keep_data']}; none outlasts"
        " its time. One of a moment did not open any more once its key was destroyed."
    )
