"""Restore the latest generation on trial, and sign what came of it.

It is the same restore as in an emergency, into databases and folders of its own, with some of the
sealed files instead of all; then these are opened, and the trail is verified.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.services.trail import record, system_ref
from audit.rules.notes import NoteRefused, open_note, sign_note
from audit.services.keys import signing_key, trusted_keys
from backups.models import Drill
from backups.rules.drill import text_of
from backups.rules.refusals import BackupRefused
from backups.services.elsewhere import databases_apart, environment_of, restore_elsewhere
from backups.services.making import Places
from backups.services.signing import whole_generations

SHARE = 0.05


def drill_restore(places: Places, *, share: float = SHARE) -> Drill:
    """Practise with the latest generation. A drill that fails is recorded as well."""
    whole = whole_generations(places.data)
    if not whole:
        raise BackupRefused(f"There is nothing to practise with in {places.data}.")
    generation, began_at, began = whole[-1].generation, timezone.now(), time.monotonic()
    row = Drill(generation_name=generation, began_at=began_at, is_good=False)
    try:
        seen = _try(places, generation, share)
    except BackupRefused as refusal:
        row.failure = str(refusal)[:200]
    else:
        row.files, row.files_tried, row.events = seen["files"], seen["tried"], seen["events"]
        row.failure = "The trail does not verify." if not seen["verified"] else ""
        row.is_good = not row.failure
    row.seconds = round(time.monotonic() - began)
    return _keep(row)


def _try(places: Places, generation: str, share: float) -> dict[str, Any]:
    folder = Path(settings.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="drill-", dir=folder) as state,
        databases_apart() as databases,
    ):
        said = restore_elsewhere(
            places, environment_of(Path(state)) | databases, "--generation", generation,
            "--share", str(share), "--json",
        )  # fmt: skip
    seen: dict[str, Any] = json.loads(said.splitlines()[-1])
    return seen


@transaction.atomic
def _keep(row: Drill) -> Drill:
    row.note = sign_note(
        text_of(
            generation=row.generation_name, began_at=row.began_at, seconds=row.seconds,
            is_good=row.is_good, files=row.files, tried=row.files_tried, events=row.events,
            failure=row.failure,
        ),
        signing_key(),
    )  # fmt: skip
    row.save(force_insert=True)
    record(
        action="backup.drilled", actor=system_ref(), target=("backup", row.generation_name),
        outcome="success" if row.is_good else "failed",
        details={
            "seconds": row.seconds, "files": row.files, "files_tried": row.files_tried,
            "events": row.events, "drill": row.pk,
        },
    )  # fmt: skip
    return row


def is_signed(drill: Drill) -> bool:
    """Is the record of a drill what was signed?"""
    try:
        text = open_note(drill.note, trusted_keys())
    except NoteRefused:
        return False
    outcome = "it worked" if drill.is_good else "it failed"
    return f"\nbackup: {drill.generation_name}\n" in text and f"\noutcome: {outcome}" in text
