"""The ledger of what was disposed of, as a file: one line of JSON for each study. Pure.

By keys and names of files, all of them random: it says nothing of anybody, so it may be kept for
as long as there are backups, and apart from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

_FIELDS = frozenset({"organisation", "run", "study_key", "keys", "files", "at"})


class LedgerRefused(ValueError):
    """A line that is no entry of a ledger; names it by number."""


@dataclass(frozen=True, slots=True)
class Entry:
    organisation_id: UUID
    run_id: UUID
    study_key_id: UUID
    key_ids: tuple[UUID, ...]
    blob_names: tuple[str, ...]
    disposed_at: datetime

    def to_line(self) -> str:
        return json.dumps({
            "organisation": str(self.organisation_id), "run": str(self.run_id),
            "study_key": str(self.study_key_id), "keys": [str(one) for one in self.key_ids],
            "files": list(self.blob_names), "at": self.disposed_at.isoformat(),
        })  # fmt: skip


def read_entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Read a ledger line by line. Raises `LedgerRefused`."""
    for number, line in enumerate(lines, start=1):
        try:
            yield _entry(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LedgerRefused(f"line {number} is no entry of a ledger") from None


def _entry(found: dict[str, object]) -> Entry:
    if found.keys() != _FIELDS:
        raise ValueError
    keys, files = found["keys"], found["files"]
    if not isinstance(keys, list) or not isinstance(files, list):
        raise TypeError
    return Entry(
        UUID(str(found["organisation"])), UUID(str(found["run"])), UUID(str(found["study_key"])),
        # A name of a file is a UUID as well, and becomes a path.
        tuple(UUID(one) for one in keys), tuple(str(UUID(one)) for one in files),
        datetime.fromisoformat(str(found["at"])),
    )  # fmt: skip
