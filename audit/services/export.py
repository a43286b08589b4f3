"""Export the whole trail into one file that verifies without the server."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.db import connection, transaction

from audit.rules.bundle import write_bundle
from audit.selectors import sealed_leaves, signed_checkpoints, waiting_entries
from audit.services.keys import trusted_keys
from audit.services.recording import ActorRef, record


class ExportRefused(ValueError):
    """Raised when the file cannot be put where it was asked for."""


def export_trail(*, out: Path, actor: ActorRef) -> int:
    """Write a bundle and return the number of its lines; the file appears whole or not at all.

    The export is itself an event, recorded before the first byte is read.
    """
    if not out.parent.is_dir():
        raise ExportRefused(f"{out.parent} is not a folder")
    record(action="audit.exported", actor=actor)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=".audit-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            lines = _write(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return lines


@transaction.atomic(durable=True)
def _write(file: object) -> int:
    """Read from one snapshot, or a seal half way through would look like a fault."""
    # An outer transaction (of a test) has chosen its isolation already.
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    lines = 0
    for line in write_bundle(
        keys=trusted_keys(),
        checkpoints=signed_checkpoints(),
        leaves=sealed_leaves(),
        waiting=waiting_entries(),
    ):
        file.write(line)  # type: ignore[attr-defined]
        lines += 1
    return lines
