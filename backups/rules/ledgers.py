"""Ledgers beside the backups: what a restore has to destroy and to revoke once more. Pure.

One file holds title, time, count, lines and signature, so that half a ledger is none: what is cut
off or added is found, and one that is older than the backup is refused. Lines are JSON and name
rows by number; they say nothing of anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from backups.rules.manifest import moment, read_moment
from backups.rules.refusals import CopyDamaged

DISPOSAL_TITLE = "Collimate ledger of disposals"
REVOCATION_TITLE = "Collimate ledger of revocations"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger as it was written: when, how long the trail was then, and its lines."""

    title: str
    written_at: datetime
    trail_size: int
    lines: tuple[str, ...]

    def to_text(self) -> str:
        head = [
            self.title, f"written: {moment(self.written_at)}", f"trail: {self.trail_size}",
            f"entries: {len(self.lines)}",
        ]  # fmt: skip
        return "\n".join([*head, *self.lines]) + "\n"


def read_ledger(text: str, *, title: str) -> Ledger:
    """Read a text whose signature was verified; raises `CopyDamaged`."""
    try:
        found, written, trail, entries, *lines = text.splitlines()
        at = read_moment(written.removeprefix("written: "))
        size, count = int(trail.removeprefix("trail: ")), int(entries.removeprefix("entries: "))
    except ValueError:
        raise CopyDamaged("A ledger is not of a form that this release knows.") from None
    if found != title or count != len(lines):
        raise CopyDamaged("A ledger is not the one that belongs here, or not all of it.")
    return Ledger(found, at, size, tuple(lines))


class What(StrEnum):
    """What can have been taken back since a backup."""

    KEY = "key"
    GRANT = "grant"
    CONSENT = "consent"
    DIRECTIVE = "directive"
    # A study that was rejected as wrongly sent, by the number of its key.
    REJECTED = "rejected"
    # A study that went to the legal archive, by the number of its key.
    ARCHIVED = "archived"
    ERASURE = "erasure"
    AGREEMENT = "agreement"
    POLICY = "policy"
    MEMBERSHIP = "membership"
    ACCOUNT = "account"
    PASSWORD = "password"  # noqa: S105 - that it was changed, not what it is
    ADVERTISING = "advertising"
    SALE = "sale"


# Of a directive: whose, what it bars, and how it came.
DIRECTIVE_SAYS = (
    "organisation_id", "subject_id", "user_id", "kind", "purposes", "studies", "recipients",
    "source", "case_number", "version_id",
)  # fmt: skip
# What each line says beside `what` and `id`.
_FIELDS: dict[What, frozenset[str]] = {
    What.KEY: frozenset(),
    What.GRANT: frozenset({"at", "by", "reason"}),
    What.CONSENT: frozenset({"at"}),
    What.DIRECTIVE: frozenset({"at", "until", *DIRECTIVE_SAYS}),
    What.REJECTED: frozenset({"at", "by", "why"}),
    What.ARCHIVED: frozenset({"at"}),
    What.ERASURE: frozenset({"organisation", "subjects", "user"}),
    What.AGREEMENT: frozenset({"on"}),
    What.POLICY: frozenset({"at", "by"}),
    What.MEMBERSHIP: frozenset({"active", "roles"}),
    What.ACCOUNT: frozenset(),
    What.PASSWORD: frozenset({"at"}),
    What.ADVERTISING: frozenset({"at", "source"}),
    What.SALE: frozenset({"at", "source"}),
}
# What later lines say as well: a ledger of before is still read.
_SINCE = {What.ACCOUNT: frozenset({"at"}), What.ERASURE: frozenset({"account"})}
_NUMBERED = {What.ACCOUNT, What.PASSWORD, What.ADVERTISING, What.SALE}


@dataclass(frozen=True, slots=True)
class Revocation:
    """One line: what was taken back, by its row's number, and what doing it again needs."""

    what: What
    id: UUID | int
    said: dict[str, Any] = field(default_factory=dict)

    def to_line(self) -> str:
        return json.dumps({"what": self.what.value, "id": str(self.id), **self.said})

    def at(self, name: str = "at") -> datetime | None:
        text = self.said.get(name)
        return datetime.fromisoformat(text) if text else None


def read_revocations(lines: Iterable[str]) -> Iterator[Revocation]:
    """Read lines; raises `CopyDamaged` with the number of the first that is none."""
    for number, line in enumerate(lines, start=1):
        try:
            yield _revocation(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CopyDamaged(f"Line {number} of the ledger of revocations is none.") from None


def _revocation(found: dict[str, Any]) -> Revocation:
    what, number = What(found.pop("what")), found.pop("id")
    if not _FIELDS[what] <= found.keys() <= _FIELDS[what] | _SINCE.get(what, frozenset()):
        raise ValueError
    read = Revocation(what, int(number) if what in _NUMBERED else UUID(number), found)
    for name in found.keys() & {"at", "until"}:
        read.at(name)
    if "on" in found:
        date.fromisoformat(found["on"])
    return read
