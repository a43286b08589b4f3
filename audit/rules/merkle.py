"""Hash, grow and prove the Merkle tree of RFC 9162, section 2.1 (SHA-256).

A *hash* is always 32 bytes. A *proof* is a list of hashes from the bottom of the
tree to its top. Every verifier answers False, and never raises, on what is malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash an entry as a leaf (RFC 9162, 2.1.1: prefix 0x00)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 9162, 2.1.1: prefix 0x01)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """Hold the compact range of a tree: all that is needed to append and to know the root.

    ``hashes`` are the roots of the perfect subtrees that make up ``size`` leaves,
    the largest first; there are as many as ``size`` has one-bits.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError("a compact range has one hash for each one-bit of its size")
        if any(len(one) != HASH_SIZE for one in self.hashes):
            raise ValueError("a hash of the compact range is not 32 bytes")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash; amortised cost of one node hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """Return the root (RFC 9162, 2.1.1); that of no leaves is SHA-256 of nothing."""
        if not self.hashes:
            return EMPTY_ROOT
        result = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            result = node_hash(left, result)
        return result

    def copy(self) -> Frontier:
        return Frontier(self.size, list(self.hashes))

    def spans(self) -> list[range]:
        """Return the leaf numbers under each hash, in the order of ``hashes``."""
        return subtree_spans(self.size)


def subtree_spans(size: int) -> list[range]:
    """Return the leaf numbers of the perfect subtrees of a tree of ``size``, largest first."""
    spans, start = [], 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            spans.append(range(start, start + (1 << bit)))
            start += 1 << bit
    return spans


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than ``size`` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


# ``subtree(start, end)`` gives the root over the leaves [start, end): from leaves, from tiles.
Subtree = Callable[[int, int], bytes]


def over(leaves: Sequence[bytes]) -> Subtree:
    """Return the subtree function of a list of leaf hashes."""
    return lambda start, end: root_of(leaves[start:end])


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Prove that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162, 2.1.3.1).

    Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError("there is no such leaf in a tree of this size")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Prove that the tree of ``new`` leaves begins with that of ``old`` (RFC 9162, 2.1.4.1).

    Raises ValueError unless 0 < old <= new: nothing can be proved about an empty tree.
    """
    if not 0 < old <= new:
        raise ValueError("a consistency proof needs 0 < old size <= new size")
    proof, start, end, known = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start, known = middle, False
    if not known:
        proof.append(subtree(start, end))
    return proof[::-1]


def _well_formed(*hashes: bytes) -> bool:
    return all(isinstance(one, bytes) and len(one) == HASH_SIZE for one in hashes)


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Say whether ``proof`` puts the leaf hash at ``index`` under ``root`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed(leaf, root, *proof):
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(
    *, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Say whether ``proof`` leads from the old root to the new one (RFC 9162, 2.1.4.2).

    An empty old tree is refused: every tree follows from it, so it proves nothing.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if not proof or not _well_formed(old_root, new_root, *proof):
        return False
    # Where the old tree is one perfect subtree its root is the first, unsent, hash.
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    return _climb(old, new, path) == (old_root, new_root)


def _climb(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_result = new_result = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old_result = node_hash(sibling, old_result)
            new_result = node_hash(sibling, new_result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_result = node_hash(new_result, sibling)
        node, last = node >> 1, last >> 1
    return (old_result, new_result) if last == 0 else None
