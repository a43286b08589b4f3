"""The tree is RFC 9162's and nobody else's: known roots, published proofs, every small tree."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules import merkle

# The eight entries and roots of the Certificate Transparency reference tests (RFC 6962).
ENTRIES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
VECTORS = json.loads((Path(__file__).parent / "merkle_vectors.json").read_text())
LEAVES = [merkle.leaf_hash(number.to_bytes(2, "big")) for number in range(65)]


def textbook_root(leaves: list[bytes]) -> bytes:
    """Compute the root straight from the definition, to judge the incremental tree by."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(textbook_root(leaves[:split]), textbook_root(leaves[split:]))


def _hash(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_roots_are_reproduced(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[:size]]
    assert merkle.root_of(leaves).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.Frontier().root().hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_an_incremental_tree_agrees_with_the_definition_at_every_size() -> None:
    frontier = merkle.Frontier()
    for size, leaf in enumerate(LEAVES, start=1):
        frontier.append(leaf)
        assert frontier.root() == textbook_root(LEAVES[:size])
        assert len(frontier.hashes) == size.bit_count()


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda one: one["desc"])
def test_published_inclusion_proofs_are_judged_as_published(vector: dict) -> None:
    verdict = merkle.verify_inclusion(
        index=vector["leafIdx"],
        size=vector["treeSize"],
        leaf=_hash(vector["leafHash"]),
        proof=[_hash(one) for one in vector["proof"] or []],
        root=_hash(vector["root"]),
    )
    assert verdict is not vector["wantErr"]


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda one: one["desc"])
def test_published_consistency_proofs_are_judged_as_published(vector: dict) -> None:
    verdict = merkle.verify_consistency(
        old=vector["size1"],
        new=vector["size2"],
        proof=[_hash(one) for one in vector["proof"] or []],
        old_root=_hash(vector["root1"]),
        new_root=_hash(vector["root2"]),
    )
    assert verdict is not vector["wantErr"]


def test_every_inclusion_proof_of_every_small_tree_verifies_and_only_for_its_leaf() -> None:
    proofs = 0
    for size in range(1, 66):
        leaves = LEAVES[:size]
        root, subtree = merkle.root_of(leaves), merkle.over(leaves)
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, subtree)
            good = {"size": size, "proof": proof, "root": root}
            assert merkle.verify_inclusion(index=index, leaf=leaves[index], **good)
            other = (index + 1) % size
            if other != index:
                assert not merkle.verify_inclusion(index=other, leaf=leaves[index], **good)
                assert not merkle.verify_inclusion(index=index, leaf=leaves[other], **good)
            proofs += 1
    assert proofs == 65 * 66 // 2


def test_every_consistency_proof_of_every_small_tree_verifies_and_no_shorter_one() -> None:
    roots = [merkle.root_of(LEAVES[:size]) for size in range(66)]
    proofs = 0
    for new in range(1, 66):
        subtree = merkle.over(LEAVES[:new])
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, subtree)
            sizes = {"old": old, "new": new, "old_root": roots[old]}
            assert merkle.verify_consistency(**sizes, proof=proof, new_root=roots[new])
            assert not merkle.verify_consistency(**sizes, proof=proof, new_root=merkle.EMPTY_ROOT)
            if proof:
                assert not merkle.verify_consistency(**sizes, proof=proof[:-1], new_root=roots[new])
            proofs += 1
    assert proofs == 65 * 66 // 2


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=200), st.data())
def test_a_forged_history_has_no_consistency_proof(entries: list[bytes], data) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    old = data.draw(st.integers(1, len(leaves)))
    victim = data.draw(st.integers(0, old - 1))
    forged = list(leaves)
    forged[victim] = merkle.leaf_hash(b"forged" + entries[victim])
    proof = merkle.consistency_proof(old, len(forged), merkle.over(forged))
    assert not merkle.verify_consistency(
        old=old,
        new=len(forged),
        proof=proof,
        old_root=merkle.root_of(leaves[:old]),
        new_root=merkle.root_of(forged),
    )


@given(st.integers(0, 5000))
def test_the_spans_of_a_compact_range_cover_each_leaf_once(size: int) -> None:
    spans = merkle.subtree_spans(size)
    assert [number for span in spans for number in span] == list(range(size))
    assert all(len(span).bit_count() == 1 for span in spans)


@pytest.mark.parametrize(("size", "hashes"), [(1, []), (-1, []), (2, [b"short"])])
def test_a_compact_range_that_contradicts_itself_is_refused(size: int, hashes: list) -> None:
    with pytest.raises(ValueError, match="compact range"):
        merkle.Frontier(size, hashes)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_no_inclusion_proof_is_made_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_proof(index, size, merkle.over(LEAVES))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_no_consistency_proof_is_made_backwards_or_from_nothing(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="0 < old"):
        merkle.consistency_proof(old, new, merkle.over(LEAVES))
