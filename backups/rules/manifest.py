"""What a generation says of itself, to be signed: enough to restore on an empty machine. Pure.

A line each, `name: value`. It names no person and no organisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from backups.rules.names import Kind, checked_name
from backups.rules.refusals import CopyDamaged

TITLE = "Collimate backup"
# To the microsecond: two backups of one second have an order as well.
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Part:
    """One artefact as it lies in its place: bytes, SHA-256 over them, and until when it lasts."""

    size: int
    digest: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    generation: str
    begun_at: datetime
    finished_at: datetime
    # Of the databases: sqlite or postgresql. A dump of one does not load into the other.
    engine: str
    release: str
    # The latest migration of each app, as `app.migration`.
    migrations: tuple[str, ...]
    # The last signed head of the trail before the dump was begun; nothing before it may be lost.
    trail_size: int
    trail_root: str
    parts: dict[Kind, Part]
    files: int
    bytes: int

    def to_text(self) -> str:
        lines = [
            TITLE,
            f"generation: {self.generation}",
            f"begun: {moment(self.begun_at)}",
            f"finished: {moment(self.finished_at)}",
            f"engine: {self.engine}",
            f"release: {self.release}",
            f"migrations: {' '.join(self.migrations)}",
            f"trail: {self.trail_size} {self.trail_root or '-'}",
            *(
                f"{kind.value}: {part.size} {part.digest} {moment(part.expires_at)}"
                for kind, part in self.parts.items()
            ),
            f"sealed files: {self.files} {self.bytes}",
        ]
        return "\n".join(lines) + "\n"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_MOMENT)


def read_moment(text: str) -> datetime:
    return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)


def read_manifest(text: str) -> Manifest:
    """Read a text whose signature was verified; raises `CopyDamaged`."""
    try:
        return _read(text)
    except (ValueError, KeyError):
        raise CopyDamaged("This is not the manifest of a backup that this release knows.") from None


def _read(text: str) -> Manifest:
    title, *lines = text.splitlines()
    if title != TITLE:
        raise ValueError
    said = dict(line.split(": ", 1) for line in lines)
    size, root = said["trail"].split(" ")
    files, total = said["sealed files"].split(" ")
    return Manifest(
        generation=checked_name(said["generation"]), begun_at=read_moment(said["begun"]),
        finished_at=read_moment(said["finished"]), engine=said["engine"],
        release=said["release"], migrations=tuple(said["migrations"].split()),
        trail_size=int(size), trail_root="" if root == "-" else root,
        parts={kind: _part(said[kind.value]) for kind in Kind}, files=int(files), bytes=int(total),
    )  # fmt: skip


def _part(said: str) -> Part:
    size, digest, expires = said.split(" ")
    if len(digest) != 64:
        raise ValueError
    return Part(int(size), digest, read_moment(expires))
