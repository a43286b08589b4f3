"""The text of a certificate of destruction: what a machine can check, and a person can read. Pure.

It names people and studies by number, so that it can be handed on and never needs redaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from retention.rules.disposal import KEPT_LABELS, Kept

METHOD = (
    "cryptographic erase of each study's own keys (NIST SP 800-88 Rev. 2), then deletion of its "
    "sealed files, entries and search hashes; read back afterwards"
)
METHOD_BESIDE = (
    "deletion of the entries named below, and of what signs in; no study was among what goes"
)
BACKUPS = (
    "This portal makes no backups itself. Copies of keys that the operator's backups of the keys "
    "database hold can open copies of the files until the last of those backups has ended. When "
    "that is, the operator says; it is not known here."
)
BACKUPS_ENDED = (
    "The last backup of this portal that was made before these keys were destroyed has ended; its "
    "own key was destroyed, then its bytes, and it was read back."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One study of a certificate: its number, the digest of its objects, when its key went."""

    study_uid: str
    digest: str
    key_destroyed_at: datetime


def digest_of(lines: Iterable[Line]) -> str:
    """SHA-256 over one line for each study, in order: UID, digest of its objects, time."""
    text = "".join(
        f"{one.study_uid} {one.digest} {moment(one.key_destroyed_at)}\n"
        for one in sorted(lines, key=lambda one: one.study_uid)
    )
    return sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Facts:
    number: int
    issued_at: datetime
    organisation_id: str
    run: int
    version_id: str
    studies: int
    objects: int
    bytes: int
    keys: int
    files: int
    # None where no study went.
    first_key_at: datetime | None
    last_key_at: datetime | None
    verified_at: datetime | None
    digest: str
    approvals: tuple[tuple[str, datetime], ...]
    kept: Mapping[str, int]
    # Studies that left a copy without the person, and how many objects could not be made so.
    anonymous: int = 0
    copies: int = 0
    left_out: int = 0
    # What the room of backups says of them, if the portal makes its own.
    backups: str = BACKUPS
    # Of a person's request: what became of what is no study, as it was approved.
    beside: tuple[str, ...] = ()


def _anonymous_lines(facts: Facts) -> list[str]:
    if not facts.anonymous:
        return []
    return [
        f"made anonymous before: {facts.anonymous}, of which {facts.copies} objects stay",
        f"could not be made anonymous: {facts.left_out} of their objects",
        "way back from what stays: none, its key is destroyed",
    ]


def _times(facts: Facts) -> list[str]:
    named = (
        ("first key destroyed", facts.first_key_at),
        ("last key destroyed", facts.last_key_at),
        ("verified", facts.verified_at),
    )
    return [f"{name}: {moment(at)}" for name, at in named if at is not None]


def text_of(facts: Facts) -> str:
    """The signed text, a fact a line."""
    lines = [
        "Collimate certificate of destruction",
        f"certificate: {facts.number}",
        f"issued: {moment(facts.issued_at)}",
        f"organisation: {facts.organisation_id}",
        f"run: {facts.run}",
        f"policy version: {facts.version_id}",
        f"method: {METHOD if facts.studies else METHOD_BESIDE}",
        f"studies: {facts.studies}",
        f"objects: {facts.objects}",
        f"bytes: {facts.bytes}",
        *_anonymous_lines(facts),
        f"keys destroyed: {facts.keys}",
        f"files deleted: {facts.files}",
        *_times(facts),
        f"digest: {facts.digest}",
        *(f"approved: account {who} at {moment(at)}" for who, at in facts.approvals),
        *(f"kept: {count}, {KEPT_LABELS[Kept(why)]}" for why, count in sorted(facts.kept.items())),
        *(f"beside: {one}" for one in facts.beside),
        f"backups: {facts.backups}",
    ]
    return "\n".join(lines) + "\n"


def addendum_of(*, number: int, digest: str, issued_at: datetime, named_on: date) -> str:
    """The signed text that the last backup has ended, by the number and digest of a certificate."""
    lines = [
        "Collimate addendum to a certificate of destruction",
        f"certificate: {number}",
        f"digest: {digest}",
        f"issued: {moment(issued_at)}",
        f"last day named: {named_on}",
        f"backups: {BACKUPS_ENDED}",
    ]
    return "\n".join(lines) + "\n"
