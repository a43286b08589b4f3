"""The register: what was begun, what is whole, what failed; and what the places themselves say."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Notification, Organisation
from accounts.rules import Role
from accounts.selectors import people_with
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from backups.gateways.databases import engine_of
from backups.gateways.place import Place
from backups.models import Artefact, Generation
from backups.rules.keeping import State, expiry
from backups.rules.manifest import Manifest
from backups.rules.messages import FAILED
from backups.rules.names import Kind, name_of


@transaction.atomic
def begin(*, data: Place, keys: Place, trail_size: int, made_by: str) -> Generation:
    """Enter a generation and its parts, before anything of it is read."""
    row = Generation(
        data_place=str(data), keys_place=str(keys), engine=engine_of(), trail_size=trail_size,
        made_by=made_by,
    )  # fmt: skip
    row.name = name_of(row.begun_at, row.id)
    row.save(force_insert=True)
    Artefact.objects.bulk_create(
        Artefact(
            generation=row, kind=kind.value, begun_at=row.begun_at,
            expires_at=expiry(
                row.begun_at, kind, keep_data=settings.BACKUP_KEEP_DATA_DAYS,
                keep_keys=settings.BACKUP_KEEP_KEYS_DAYS,
            ),
        )
        for kind in Kind
    )  # fmt: skip
    return row


@transaction.atomic
def enter(manifest: Manifest, *, data: Place, keys: Place, files_new: int = 0) -> Generation:
    """Enter what a signed manifest says of a whole generation; safe to repeat."""
    row, _ = Generation.objects.update_or_create(
        name=manifest.generation,
        defaults={
            "state": State.GOOD.value, "begun_at": manifest.begun_at,
            "finished_at": manifest.finished_at, "data_place": str(data), "keys_place": str(keys),
            "engine": manifest.engine, "release": manifest.release,
            "trail_size": manifest.trail_size, "files": manifest.files, "bytes": manifest.bytes,
            "failure": "", "files_new": files_new,
        },
    )  # fmt: skip
    for kind, part in manifest.parts.items():
        Artefact.objects.update_or_create(
            generation=row, kind=kind.value,
            defaults={
                "begun_at": manifest.begun_at, "expires_at": part.expires_at, "size": part.size,
                "digest": part.digest,
            },
        )  # fmt: skip
    return row


@transaction.atomic
def note_made(row: Generation) -> None:
    record(
        action="backup.made", actor=system_ref(), target=("backup", row.name),
        details={
            "files": row.files, "files_new": row.files_new, "bytes": row.bytes,
            **{f"{one.kind}_digest": one.digest for one in row.artefacts.all()},
        },
    )  # fmt: skip


@transaction.atomic
def note_failed(row: Generation, why: str) -> None:
    """Write down that a generation came to nothing, and tell the administrators once a day."""
    now = timezone.now()
    row.state, row.failure, row.finished_at = State.FAILED.value, why[:200], now
    row.save(update_fields=["state", "failure", "finished_at"])
    row.artefacts.update(key_destroyed_at=now, destroyed_at=now)
    record(
        action="backup.failed", actor=system_ref(), outcome="failed", target=("backup", row.name),
    )  # fmt: skip
    tell_administrators(FAILED, at_most_every=timedelta(days=1))


def tell_administrators(template: str, *, at_most_every: timedelta) -> bool:
    """Tell the administrators of all organisations, unless they were told lately."""
    since = timezone.now() - at_most_every
    if Notification.objects.filter(template=template, created_at__gt=since).exists():
        return False
    active = Organisation.objects.filter(is_active=True).values_list("pk", flat=True)
    return bool(notify(users=people_with(list(active), Role.ADMINISTRATOR), template=template))
