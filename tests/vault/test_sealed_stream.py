"""A sealed stream opens whole and unaltered, under its own key and name, or not at all."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault import second_implementation as second
from vault.rules import sealed_stream
from vault.rules.errors import SealError, Tampered, Truncated, UnknownVersion, WrongKey
from vault.rules.sealed_stream import (
    CHUNK,
    HEADER,
    SEAL_BUFFER,
    SEALED_CHUNK,
    Opener,
    RangeOpener,
    Sealer,
    open_bytes,
    open_range,
    opened_size,
    seal_bytes,
    sealed_size,
)

KEY = bytes(range(32))
CONTEXT = b"study 1, series 2, instance 3"
GOLDEN = Path(__file__).parent / "golden"
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]


def reader(sealed: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: sealed[offset : offset + length]


def open_streamed(sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    return open_bytes(sealed, key, context)


def open_ranged(sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    opener = RangeOpener(reader(sealed), len(sealed), key, context)
    return opener.read(0, opener.size)


def open_unprefetched(sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    """Open as large blobs are: chunk by chunk, not from one read of the whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_stream, "SMALL", -1)
        return open_ranged(sealed, key, context)


OPENERS = [open_streamed, open_ranged, open_unprefetched]


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("open_all", OPENERS)
def test_what_was_sealed_opens_unchanged(open_all: Callable[[bytes], bytes], size: int) -> None:
    plaintext = os.urandom(size)
    sealed = seal_bytes(plaintext, KEY, CONTEXT)
    assert open_all(sealed) == plaintext
    assert len(sealed) == sealed_size(size)
    assert opened_size(len(sealed)) == size


@pytest.mark.parametrize("size", EDGES)
def test_two_other_implementations_open_what_we_seal(size: int) -> None:
    plaintext = os.urandom(size)
    sealed = seal_bytes(plaintext, KEY, CONTEXT)
    assert second.unseal(sealed, KEY, CONTEXT) == plaintext
    library = Cobblestone256Decryptor(KEY, b"CLMSEAL\x01" + CONTEXT)
    assert library.update(sealed[8:]) + library.finalize() == plaintext


@pytest.mark.parametrize("blob", json.loads((GOLDEN / "stream_v1.json").read_text()))
@pytest.mark.parametrize("open_all", OPENERS)
def test_blobs_of_every_release_open_for_ever(
    open_all: Callable[[bytes, bytes, bytes], bytes], blob: dict[str, str]
) -> None:
    sealed = base64.b64decode(blob["sealed"])
    key, context = bytes.fromhex(blob["key"]), bytes.fromhex(blob["context"])
    assert open_all(sealed, key, context) == second.pattern(int(blob["length"]))


def test_the_published_format_is_the_golden_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sealed-format.md").read_text()
    for blob in json.loads((GOLDEN / "stream_v1.json").read_text())[:2]:
        assert blob["key"] in text
        assert base64.b64decode(blob["sealed"]).hex() in "".join(text.split())


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 50_000), max_size=8), size=st.integers(0, 50_000))
def test_the_sizes_of_the_pieces_do_not_matter(cuts: list[int], size: int) -> None:
    plaintext = second.pattern(size)
    bounds = [0, *sorted(min(cut, size) for cut in cuts), size]
    pieces: list[bytes] = []
    sealer = Sealer(KEY, CONTEXT, lambda view: pieces.append(bytes(view)))
    for low, high in pairwise(bounds):
        sealer.write(plaintext[low:high])
    sealer.finish()
    sealed = b"".join(pieces)
    assert sealer.size == size
    assert second.unseal(sealed, KEY, CONTEXT) == plaintext

    opener, opened = Opener(KEY, CONTEXT), b""
    bounds = [0, *sorted(min(cut, len(sealed)) for cut in cuts), len(sealed)]
    for low, high in pairwise(bounds):
        opened += opener.update(sealed[low:high])
    assert opened + opener.finish() == plaintext


def test_streams_larger_than_the_buffer_survive() -> None:
    plaintext = os.urandom(5 * 1024 * 1024 + 3)
    sizes: list[int] = []
    pieces: list[bytes] = []

    def sink(view: memoryview) -> None:
        sizes.append(len(view))
        pieces.append(bytes(view))

    sealer = Sealer(KEY, CONTEXT, sink)
    for start in range(0, len(plaintext), 100_003):
        sealer.write(memoryview(plaintext)[start : start + 100_003])
    sealer.finish()
    assert open_ranged(b"".join(pieces)) == plaintext
    assert min(sizes[:-1]) >= SEAL_BUFFER


@pytest.mark.parametrize("size", [0, 40, CHUNK + 9])
def test_no_flipped_byte_goes_unnoticed(size: int) -> None:
    sealed = seal_bytes(second.pattern(size), KEY, CONTEXT)
    # The long stream: every byte of header and edges, and a sample within chunks.
    positions = [at for at in range(len(sealed)) if size < CHUNK or at < 200 or at % 53 == 0]
    positions += [len(sealed) - n for n in range(1, 60)]
    for at in positions:
        altered = bytearray(sealed)
        altered[at] ^= 1 << (at % 8)
        expected = UnknownVersion if at < 8 else WrongKey if at < HEADER else Tampered
        for open_all in (open_streamed, open_ranged):
            with pytest.raises(expected):
                open_all(bytes(altered))


def test_every_byte_of_two_whole_chunks_is_protected() -> None:
    sealed = bytearray(seal_bytes(second.pattern(CHUNK + 100), KEY, CONTEXT))
    accepted = []
    for at in range(len(sealed)):
        sealed[at] ^= 0x80
        try:
            open_streamed(bytes(sealed))
        except SealError:
            pass
        else:
            accepted.append(at)
        sealed[at] ^= 0x80
    assert accepted == []
    assert open_streamed(bytes(sealed)) == second.pattern(CHUNK + 100)


@pytest.mark.parametrize("size", [0, 30, CHUNK, 2 * CHUNK + 5])
def test_no_truncation_goes_unnoticed(size: int) -> None:
    sealed = seal_bytes(second.pattern(size), KEY, CONTEXT)
    edges = {HEADER + n * SEALED_CHUNK + d for n in range(4) for d in range(-18, 19)}
    lengths = range(len(sealed)) if size < CHUNK else {*range(0, len(sealed), 97), *edges}
    for length in (n for n in lengths if 0 <= n < len(sealed)):
        for open_all in OPENERS:
            with pytest.raises(Tampered):
                open_all(sealed[:length])


def test_a_stream_cut_between_chunks_is_named_truncated() -> None:
    sealed = seal_bytes(second.pattern(2 * CHUNK + 5), KEY, CONTEXT)
    for open_all in OPENERS:
        with pytest.raises(Truncated):
            open_all(sealed[: HEADER + SEALED_CHUNK])


def test_fewer_stored_bytes_than_the_known_size_are_truncated() -> None:
    sealed = seal_bytes(second.pattern(6 * CHUNK), KEY, CONTEXT)
    with pytest.raises(Truncated):
        RangeOpener(reader(sealed[:-1]), len(sealed), KEY, CONTEXT)


@pytest.mark.parametrize("tail", [b"x", b"\0" * 16, b"\0" * SEALED_CHUNK])
def test_bytes_appended_are_refused(tail: bytes) -> None:
    for size in (0, 10, CHUNK):
        sealed = seal_bytes(second.pattern(size), KEY, CONTEXT)
        for open_all in OPENERS:
            with pytest.raises(Tampered):
                open_all(sealed + tail)


def _rearranged() -> dict[str, list[int]]:
    return {
        "swapped": [1, 0, 2, 3],
        "last first": [3, 0, 1, 2],
        "duplicated": [0, 1, 1, 2, 3],
        "dropped first": [1, 2, 3],
        "dropped middle": [0, 2, 3],
        "dropped last": [0, 1, 2],
        "final chunk twice": [0, 1, 2, 3, 3],
    }


@pytest.mark.parametrize("order", _rearranged().values(), ids=_rearranged())
@pytest.mark.parametrize("open_all", OPENERS)
def test_chunks_keep_their_places(open_all: Callable[[bytes], bytes], order: list[int]) -> None:
    sealed = seal_bytes(os.urandom(3 * CHUNK + 50), KEY, CONTEXT)
    starts = range(HEADER, len(sealed), SEALED_CHUNK)
    chunks = [sealed[at : at + SEALED_CHUNK] for at in starts]
    assert open_all(sealed[:HEADER] + b"".join(chunks))
    with pytest.raises(Tampered):
        open_all(sealed[:HEADER] + b"".join(chunks[n] for n in order))


@pytest.mark.parametrize("open_all", OPENERS)
def test_a_chunk_of_another_stream_is_refused(open_all: Callable[[bytes], bytes]) -> None:
    one, other = (seal_bytes(second.pattern(2 * CHUNK), KEY, CONTEXT) for _ in range(2))
    mixed = one[: HEADER + SEALED_CHUNK] + other[HEADER + SEALED_CHUNK :]
    with pytest.raises(Tampered):
        open_all(mixed)


@pytest.mark.parametrize("open_all", OPENERS)
def test_another_name_or_key_is_refused_before_any_chunk(
    open_all: Callable[[bytes, bytes, bytes], bytes],
) -> None:
    sealed = seal_bytes(b"image", KEY, CONTEXT)
    for key, context in ((KEY, CONTEXT + b"x"), (KEY, b""), (bytes(32), CONTEXT)):
        with pytest.raises(WrongKey):
            open_all(sealed, key, context)


def test_other_files_and_later_versions_are_named_as_such() -> None:
    sealed = seal_bytes(b"image", KEY, CONTEXT)
    for foreign in (b"PK\x03\x04" + bytes(100), sealed[:7] + b"\x02" + sealed[8:]):
        for open_all in OPENERS:
            with pytest.raises(UnknownVersion):
                open_all(foreign)


@settings(max_examples=150, deadline=None)
@given(
    size=st.sampled_from([*EDGES, 7 * CHUNK + 1]),
    start=st.integers(0, 8 * CHUNK),
    length=st.integers(0, 8 * CHUNK),
    piece=st.sampled_from([1, CHUNK, 3 * CHUNK + 1, 1 << 20]),
)
def test_any_range_is_the_slice_of_the_whole(
    size: int, start: int, length: int, piece: int
) -> None:
    plaintext = second.pattern(size)
    sealed = second.seal(plaintext, KEY, bytes(24), CONTEXT)
    opener = RangeOpener(reader(sealed), len(sealed), KEY, CONTEXT)
    pieces = list(opener.stream(start, length, piece))
    assert b"".join(pieces) == plaintext[start : start + length]
    assert all(len(item) <= max(piece, CHUNK) for item in pieces)
    assert opener.size == size


def test_a_range_reads_only_its_own_chunks() -> None:
    sealed = seal_bytes(second.pattern(100 * CHUNK), KEY, CONTEXT)
    reads: list[tuple[int, int]] = []

    def read_at(offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return sealed[offset : offset + length]

    opener = RangeOpener(read_at, len(sealed), KEY, CONTEXT)
    reads.clear()
    opener.read(50 * CHUNK + 10, 64 * 1024)
    assert reads == [(HEADER + 50 * SEALED_CHUNK, 5 * SEALED_CHUNK)]


def test_a_range_is_refused_if_the_final_chunk_is_forged() -> None:
    sealed = bytearray(seal_bytes(second.pattern(10 * CHUNK), KEY, CONTEXT))
    sealed[-1] ^= 1
    with pytest.raises(Tampered):
        next(open_range(reader(bytes(sealed)), len(sealed), KEY, CONTEXT, 0, 10))


def test_plaintext_before_a_fault_is_released_and_none_after_it() -> None:
    plaintext = second.pattern(10 * CHUNK)
    sealed = bytearray(seal_bytes(plaintext, KEY, CONTEXT))
    sealed[HEADER + 4 * SEALED_CHUNK] ^= 1
    released = b""
    opener = RangeOpener(reader(bytes(sealed)), len(sealed), KEY, CONTEXT)
    with pytest.raises(Tampered):
        for piece in opener.stream(0, len(plaintext), CHUNK):
            released += piece
    assert released == plaintext[: 4 * CHUNK]


def test_no_two_seals_are_alike() -> None:
    assert len({seal_bytes(b"same", KEY, CONTEXT) for _ in range(100)}) == 100


@pytest.mark.parametrize(("start", "length", "piece"), [(-1, 1, 1), (0, -1, 1), (0, 1, 0)])
def test_a_nonsensical_range_is_refused(start: int, length: int, piece: int) -> None:
    sealed = seal_bytes(b"image", KEY, CONTEXT)
    opener = RangeOpener(reader(sealed), len(sealed), KEY, CONTEXT)
    with pytest.raises(ValueError, match="negative"):
        list(opener.stream(start, length, piece))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"key|32"):
        seal_bytes(b"image", bytes(length), CONTEXT)
    with pytest.raises(ValueError, match="32"):
        open_bytes(seal_bytes(b"image", KEY, CONTEXT), bytes(length), CONTEXT)
