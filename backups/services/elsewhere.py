"""Run a restore in a process of its own, on databases and files that are not the portal's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from backups.gateways.databases import ALIASES, engine_of
from backups.gateways.postgresql import temporary_database
from backups.rules.refusals import BackupRefused
from backups.services.making import Places

SECRETS = ("SECRET_KEY", "MASTER_KEY", "AUDIT_SIGNING_KEY")
_NAMED_ELSEWHERE = (
    "DEPLOYED", "DATABASE_URL", "KEYS_DATABASE_URL", "STORAGE_URL", "REDIS_URL", "EMAIL_URL",
    "BACKUP_URL", "BACKUP_KEYS_URL",
)  # fmt: skip


def keep_secrets(state: Path) -> None:
    """Put the secrets of this portal into another's state, where it looks for them."""
    folder = state / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SECRETS:
        handle = os.open(folder / name.lower(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(getattr(settings, name))


def environment_of(state: Path) -> dict[str, str]:
    """Give the environment in which the embedded default lives in another folder."""
    dropped = {*SECRETS, *_NAMED_ELSEWHERE}
    dropped |= {f"{name}_FILE" for name in dropped}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {
        **{name: getattr(settings, name) for name in SECRETS},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATE_DIR": str(state),
        "MASTER_KEY_PREVIOUS": settings.MASTER_KEY_PREVIOUS,
        "PUBLIC_URL": settings.PUBLIC_URL,
    }


@contextmanager
def databases_apart() -> Iterator[dict[str, str]]:
    """Name two databases of the same kind that are there for as long as they are needed."""
    if engine_of() == "sqlite":
        yield {}
        return
    name = f"collimate_drill_{uuid4().hex[:12]}"
    with (
        temporary_database(ALIASES[0], name) as data,
        temporary_database(ALIASES[1], f"{name}_keys") as keys,
    ):
        yield {"DATABASE_URL": data, "KEYS_DATABASE_URL": keys}


def restore_elsewhere(places: Places, environment: dict[str, str], *options: str) -> str:
    """Restore in a process of its own; returns what it printed. Raises `BackupRefused`."""
    command = [
        sys.executable, "manage.py", "restore", str(places.data), "--keys-from", str(places.keys),
        *options,
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BackupRefused(said[-1][-300:] if said else f"it ended with {done.returncode}")
    return done.stdout
