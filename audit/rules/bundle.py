"""Write and read a bundle: a whole trail as lines of JSON, to be verified anywhere.

The first line names the format and the key. Then come the checkpoints, the leaves with
their events in order, the events that wait to be sealed, and a last line that counts them,
so that a file that was cut short is seen to be. A bundle holds no personal value: salts and
values of commitments stay where they can be erased.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from audit.rules.notes import NoteRefused, VerifierKey
from audit.rules.verification import SealedLeaf, SignedCheckpoint, Unsealed

FORMAT = "collimate/audit-bundle/1"


class BundleRefused(ValueError):
    """Raised for a file that is not a whole bundle."""


def write_bundle(
    *,
    keys: Iterable[VerifierKey],
    checkpoints: Iterable[SignedCheckpoint],
    leaves: Iterable[SealedLeaf],
    waiting: Iterable[dict[str, Any]],
) -> Iterator[str]:
    """Yield the lines of a bundle, each with its newline."""
    yield _line({"type": "bundle", "format": FORMAT, "keys": [str(key) for key in keys]})
    counts = {"checkpoint": 0, "leaf": 0, "waiting": 0}
    for checkpoint in checkpoints:
        counts["checkpoint"] += 1
        yield _line(_checkpoint_row(checkpoint))
    for leaf in leaves:
        counts["leaf"] += 1
        yield _line(_leaf_row(leaf))
    for entry in waiting:
        counts["waiting"] += 1
        yield _line({"type": "waiting", "event": entry})
    yield _line({"type": "end", "counts": counts})


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _checkpoint_row(checkpoint: SignedCheckpoint) -> dict[str, Any]:
    return {
        "type": "checkpoint",
        "size": checkpoint.size,
        "note": checkpoint.note,
        "frontier": [one.hex() for one in checkpoint.frontier],
    }


def _leaf_row(leaf: SealedLeaf) -> dict[str, Any]:
    return {
        "type": "leaf",
        "number": leaf.number,
        "event_id": leaf.event_id,
        "hash": leaf.leaf_hash.hex(),
        "event": leaf.entry,
    }


class Bundle:
    """Read a bundle from its lines, once, from the first to the last.

    Iterate ``leaves`` to the end before ``unsealed``. Raises BundleRefused.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._rows = _rows(lines)
        self._seen = {"checkpoint": 0, "leaf": 0, "waiting": 0}
        head = next(self._rows, {})
        if head.get("type") != "bundle" or head.get("format") != FORMAT:
            raise BundleRefused("the file does not begin as a bundle of this format")
        try:
            self.keys = [VerifierKey.parse(one) for one in head["keys"]]
        except (NoteRefused, KeyError, TypeError, AttributeError) as error:
            raise BundleRefused(f"the keys of the bundle cannot be read: {error}") from error
        self._next: dict[str, Any] = next(self._rows, {})
        self.checkpoints = [_checkpoint(row) for row in self._of("checkpoint")]

    def leaves(self) -> Iterator[SealedLeaf]:
        for row in self._of("leaf"):
            yield _leaf(row)

    def unsealed(self) -> Iterator[Unsealed]:
        """Yield what waits, and insist on the last line and its counts."""
        for row in self._of("waiting"):
            yield Unsealed(str(row["event"]["id"]), waiting=True, present=True)
        if self._next.get("type") != "end" or self._next.get("counts") != self._seen:
            raise BundleRefused("the bundle was cut short or lines of it are missing")

    def _of(self, kind: str) -> Iterator[dict[str, Any]]:
        while self._next.get("type") == kind:
            self._seen[kind] += 1
            yield self._next
            self._next = next(self._rows, {})


def _rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BundleRefused(f"line {number} is not JSON") from error
        if not isinstance(row, dict):
            raise BundleRefused(f"line {number} is not an object")
        yield row


def _checkpoint(row: dict[str, Any]) -> SignedCheckpoint:
    try:
        frontier = tuple(bytes.fromhex(one) for one in row["frontier"])
        return SignedCheckpoint(int(row["size"]), str(row["note"]), frontier)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleRefused("a checkpoint cannot be read") from error


def _leaf(row: dict[str, Any]) -> SealedLeaf:
    try:
        digest = bytes.fromhex(row["hash"])
        return SealedLeaf(int(row["number"]), str(row["event_id"]), digest, row["event"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleRefused("a leaf cannot be read") from error
