"""Verify a trail from its rows alone: pure, so that a database and a bundle are judged alike.

Between two checkpoints lies a *batch*. If the signed root follows from the stored leaf
hashes, these are authentic and an event that does not match its own is named exactly. If
not, the compact range beside the checkpoint tells which subtrees differ, and the batch is
put to the test of each simple explanation (leaf rewritten, order changed) before all of
its suspect events are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from audit.rules.canonical import NotCanonical, canonical_json
from audit.rules.merkle import Frontier, leaf_hash
from audit.rules.notes import NoteRefused, VerifierKey, open_checkpoint

UNKNOWN = b"\x00" * 32


class Fault(StrEnum):
    """Name what is wrong; the value is what operators read and programs compare."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    LEAF_REWRITTEN = "leaf-rewritten"
    ALTERED = "altered"
    UNSIGNED = "unsigned"
    TRUNCATED = "truncated"
    BAD_CHECKPOINT = "bad-checkpoint"
    REWRITTEN = "rewritten"
    COMMITMENT = "commitment"


@dataclass(frozen=True, slots=True)
class SealedLeaf:
    """One leaf and the event it stands for, or None if that is gone."""

    number: int
    event_id: str
    leaf_hash: bytes
    entry: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """One checkpoint as stored: ``note`` alone is signed, the rest must agree with it."""

    size: int
    note: str
    frontier: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsealed:
    """One event without a leaf: ``waiting`` in the queue or not, its row there or not."""

    event_id: str
    waiting: bool
    present: bool


@dataclass(frozen=True, slots=True)
class Finding:
    fault: Fault
    words: str
    event_id: str = ""

    def __str__(self) -> str:
        which = f" event {self.event_id}:" if self.event_id else ""
        return f"{self.fault}:{which} {self.words}"


@dataclass(slots=True)
class Verdict:
    """Say what was read and what is wrong with it; verified when nothing is."""

    leaves: int = 0
    checkpoints: int = 0
    waiting: int = 0
    root: bytes = b""
    findings: list[Finding] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        return not self.findings

    def add(self, fault: Fault, words: str, event_id: str = "") -> None:
        self.findings.append(Finding(fault, words, event_id))


@dataclass(frozen=True, slots=True)
class _Member:
    """One leaf of a batch, with the hash that its event has now."""

    number: int
    event_id: str
    stored: bytes
    computed: bytes
    order: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Signed:
    root: bytes
    frontier: Frontier | None


def verify_trail(
    *,
    leaves: Iterable[SealedLeaf],
    checkpoints: Iterable[SignedCheckpoint],
    unsealed: Iterable[Unsealed],
    trusted: Sequence[VerifierKey],
    kept: Sequence[str] = (),
) -> Verdict:
    """Verify everything and say what does not hold.

    ``leaves`` come in order of their numbers. ``kept`` are checkpoints that someone kept
    elsewhere: only they show a tail, or a whole history, that was cut off or replaced
    together with its checkpoints.
    """
    verdict = Verdict()
    signed = _signed_roots(checkpoints, trusted, verdict)
    kept_roots = _kept_roots(kept, trusted, verdict)
    tree = _Tree(signed, kept_roots, verdict)
    for leaf in leaves:
        tree.take(leaf)
    tree.close()
    verdict.leaves, verdict.root = tree.frontier.size, tree.frontier.root()
    for one in unsealed:
        _judge_unsealed(one, verdict)
    return verdict


def _signed_roots(
    checkpoints: Iterable[SignedCheckpoint], trusted: Sequence[VerifierKey], verdict: Verdict
) -> dict[int, _Signed]:
    signed: dict[int, _Signed] = {}
    for checkpoint in checkpoints:
        verdict.checkpoints += 1
        try:
            body = open_checkpoint(checkpoint.note, trusted)
        except NoteRefused as error:
            verdict.add(Fault.BAD_CHECKPOINT, f"of size {checkpoint.size}: {error}")
            continue
        if body.size != checkpoint.size:
            verdict.add(
                Fault.BAD_CHECKPOINT, f"filed under {checkpoint.size}, signed for {body.size}"
            )
        signed[body.size] = _Signed(body.root, _authentic(checkpoint, body.root, verdict))
    return signed


def _authentic(checkpoint: SignedCheckpoint, root: bytes, verdict: Verdict) -> Frontier | None:
    try:
        frontier = Frontier(checkpoint.size, list(checkpoint.frontier))
    except ValueError:
        frontier = None
    if frontier is None or frontier.root() != root:
        verdict.add(
            Fault.BAD_CHECKPOINT,
            f"of size {checkpoint.size}: its compact range does not give the signed root",
        )
        return None
    return frontier


def _kept_roots(
    kept: Sequence[str], trusted: Sequence[VerifierKey], verdict: Verdict
) -> dict[int, bytes]:
    roots: dict[int, bytes] = {}
    for note in kept:
        try:
            body = open_checkpoint(note, trusted)
        except NoteRefused as error:
            verdict.add(Fault.BAD_CHECKPOINT, f"that was kept: {error}")
            continue
        if roots.setdefault(body.size, body.root) != body.root:
            verdict.add(Fault.REWRITTEN, f"two kept checkpoints of size {body.size} disagree")
    return roots


def _judge_unsealed(one: Unsealed, verdict: Verdict) -> None:
    if one.waiting and one.present:
        verdict.waiting += 1
    elif one.present:
        verdict.add(Fault.INSERTED, "it was neither sealed nor waits to be", one.event_id)
    else:
        verdict.add(Fault.DELETED, "it was deleted before it was sealed", one.event_id)


class _Tree:
    """Grow the tree leaf by leaf and hold it against every signed root on the way."""

    def __init__(
        self, signed: dict[int, _Signed], kept: dict[int, bytes], verdict: Verdict
    ) -> None:
        self.frontier = Frontier()
        self._before = Frontier()  # as it was at the last checkpoint
        self._batch: list[_Member] = []
        self._signed, self._kept, self._verdict = signed, dict(kept), verdict

    def take(self, leaf: SealedLeaf) -> None:
        while self.frontier.size < leaf.number:
            self._verdict.add(Fault.DELETED, f"leaf {self.frontier.size} is not there")
            self._append(_Member(self.frontier.size, "", UNKNOWN, UNKNOWN, ("", "")))
        if leaf.number < self.frontier.size:
            self._verdict.add(Fault.INSERTED, f"leaf {leaf.number} is there twice", leaf.event_id)
            return
        self._append(_member(leaf, self._verdict))

    def _append(self, member: _Member) -> None:
        self._batch.append(member)
        self.frontier.append(member.stored)
        size = self.frontier.size
        if signed := self._signed.get(size):
            self._judge_batch(signed)
        kept_root = self._kept.pop(size, None)
        if kept_root is not None and kept_root != self.frontier.root():
            self._verdict.add(
                Fault.REWRITTEN, f"the first {size} leaves are not those of the kept checkpoint"
            )

    def _judge_batch(self, signed: _Signed) -> None:
        if self.frontier.root() == signed.root:
            _name_edited(self._batch, self._verdict)
        else:
            _explain(self._before, self._batch, signed, self.frontier, self._verdict)
            # Go on from what was signed, so that one fault is not reported for all that follows.
            if signed.frontier:
                self.frontier = signed.frontier.copy()
        self._before, self._batch = self.frontier.copy(), []

    def close(self) -> None:
        for member in self._batch:
            self._verdict.add(
                Fault.UNSIGNED, f"leaf {member.number} is under no checkpoint", member.event_id
            )
        size = self.frontier.size
        largest = max(self._signed, default=0)
        if largest > size:
            self._verdict.add(Fault.TRUNCATED, f"{largest} leaves were signed and {size} are there")
        for kept in sorted(self._kept):
            if kept > size:
                self._verdict.add(
                    Fault.TRUNCATED, f"a checkpoint of {kept} was kept and {size} are there"
                )


def _member(leaf: SealedLeaf, verdict: Verdict) -> _Member:
    if leaf.entry is None:
        verdict.add(
            Fault.DELETED, f"leaf {leaf.number} is sealed and its event gone", leaf.event_id
        )
        # Its stored hash may still be authentic; nothing else can be said of it.
        return _Member(leaf.number, leaf.event_id, leaf.leaf_hash, leaf.leaf_hash, ("", ""))
    try:
        computed = leaf_hash(canonical_json(leaf.entry))
    except NotCanonical:
        computed = UNKNOWN
    order = (str(leaf.entry.get("occurred_at")), leaf.event_id)
    stored = leaf.leaf_hash if len(leaf.leaf_hash) == 32 else UNKNOWN
    return _Member(leaf.number, leaf.event_id, stored, computed, order)


def _name_edited(batch: Sequence[_Member], verdict: Verdict) -> None:
    """Name the events that differ from their leaf, where the leaves are known to be authentic."""
    by_hash = {member.stored: member for member in batch}
    for member in batch:
        if member.computed == member.stored:
            continue
        if home := by_hash.get(member.computed):
            words = f"it stands at leaf {member.number} and was sealed as leaf {home.number}"
            verdict.add(Fault.REORDERED, words, member.event_id)
        else:
            words = f"it is not what was sealed as leaf {member.number}"
            verdict.add(Fault.EDITED, words, member.event_id)


def _explain(
    before: Frontier,
    batch: Sequence[_Member],
    signed: _Signed,
    found: Frontier,
    verdict: Verdict,
) -> None:
    """Find the simplest account of a batch whose leaf hashes do not give the signed root."""
    if _root_with(before, batch) == signed.root:
        for member in batch:
            if member.stored != member.computed:
                words = f"its leaf {member.number} was rewritten, the event is as sealed"
                verdict.add(Fault.LEAF_REWRITTEN, words, member.event_id)
        return
    ordered = sorted(batch, key=lambda member: member.order)
    if _root_with(before, ordered) == signed.root:
        for member, rightful in zip(batch, ordered, strict=True):
            if member.event_id != rightful.event_id:
                words = f"leaf {member.number} was sealed for event {rightful.event_id}"
                verdict.add(Fault.REORDERED, words, member.event_id)
        return
    for member in _suspects(batch, signed.frontier, found):
        if member.event_id:
            words = (
                f"leaf {member.number} is in a part of the tree that is not what was signed:"
                " edited, inserted or moved together with its leaf"
            )
            verdict.add(Fault.ALTERED, words, member.event_id)
    verdict.add(Fault.ALTERED, f"the tree of {found.size} leaves is not what was signed")


def _root_with(before: Frontier, batch: Sequence[_Member]) -> bytes:
    tree = before.copy()
    tree.extend(member.computed for member in batch)
    return tree.root()


def _suspects(
    batch: Sequence[_Member], authentic: Frontier | None, found: Frontier
) -> Iterator[_Member]:
    if authentic is None or authentic.size != found.size:
        yield from batch
        return
    differing = [
        span
        for span, ours, theirs in zip(found.spans(), found.hashes, authentic.hashes, strict=True)
        if ours != theirs
    ]
    for member in batch:
        if any(member.number in span for span in differing):
            yield member
