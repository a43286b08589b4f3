"""How the controls of backups are broken."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.models import Artefact, Generation
from backups.rules.keeping import State
from tests.governance.tools import (
    Breaking,
    Tools,
    gives,
    middleware_without,
    patched,
    setting,
)


def entered(days_ago: float) -> None:
    begun_at = timezone.now() - timedelta(days=days_ago)
    row = Generation.objects.create(
        name=f"days-{days_ago}", state=State.GOOD.value, begun_at=begun_at, data_place="/nowhere",
        keys_place="/nowhere/else", engine="sqlite",
    )  # fmt: skip
    Artefact.objects.create(
        generation=row, kind="keys", begun_at=begun_at, expires_at=begun_at + timedelta(days=14)
    )


def no_backup_for_days(_: Tools) -> None:
    entered(3)


def never_practised(_: Tools) -> None:
    entered(91)
    entered(1)


def outlasting(_: Tools) -> None:
    entered(16)
    entered(1)


BACKUPS: list[tuple[str, Breaking]] = [
    ("backups.sealed-apart", setting("BACKUP_URL", "")),
    ("backups.sealed-apart", setting("BACKUP_KEYS_URL", "")),
    ("backups.sealed-apart", gives("backups.controls.schedules", [])),
    ("backups.sealed-apart", no_backup_for_days),
    ("backups.sealed-apart", never_practised),
    ("backups.sealed-apart", gives("backups.controls.refuse_together", None)),
    ("backups.sealed-apart", gives("backups.controls.open_dump", [b"anything"])),
    (
        "backups.sealed-apart",
        patched(
            "backups.controls.seal_dump",
            lambda place, name, kind, *, key, pieces: place.write(
                f"generations/{name}/{kind}", lambda sink: sink(b"".join(pieces))
            ),
        ),
    ),
    ("backups.end", gives("backups.controls.schedules", [])),
    ("backups.end", gives("backups.controls.destroy_key", True)),
    ("backups.end", middleware_without("RestoringMiddleware")),
    ("backups.end", setting("BACKUP_KEEP_DATA_DAYS", 4000)),
    ("backups.end", setting("BACKUP_KEEP_KEYS_DAYS", 0)),
    ("backups.end", outlasting),
]
