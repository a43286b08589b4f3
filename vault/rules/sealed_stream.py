"""Seal and open byte streams: C2SP *chunked-encryption*, instance Cobblestone-256.

Source: https://c2sp.org/chunked-encryption (HKDF-Expand with SHA-512, AES-256-GCM).
Sealing is the ``cryptography`` library's own encryptor. Opening is written here, because the
library neither opens ranges nor says *why* it refuses. Layout in ``docs/sealed-format.md``::

    magic 7 | version 1 | salt 24 | commitment 32 | chunk 0 | chunk 1 | ... | last chunk

Every chunk but the last holds 16 KiB of plaintext and a 16-byte tag; the last is always shorter.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vault.rules.errors import Tampered, Truncated, UnknownVersion, WrongKey

MAGIC = b"CLMSEAL"
VERSION = 1
PREFIX = MAGIC + bytes([VERSION])
KEY_BYTES = 32
SALT_BYTES = 24
COMMITMENT_BYTES = 32
TAG_BYTES = 16
CHUNK = 16 * 1024
SEALED_CHUNK = CHUNK + TAG_BYTES
HEADER = len(PREFIX) + SALT_BYTES + COMMITMENT_BYTES
MAX_CHUNKS = 1 << 38
# Sealed bytes are handed on in pieces of about this size, from one buffer that is used again.
BUFFER = 1024 * 1024
# A submission of many studies seals as many streams at once, so each one's room counts.
SEAL_BUFFER = 256 * 1024
# At or below this size a blob is fetched whole: one trip to the object store instead of three.
SMALL = 4 * SEALED_CHUNK

Bytes = bytes | bytearray | memoryview
ReadAt = Callable[[int, int], Bytes]
"""``read_at(offset, length)``: sealed bytes; fewer than ``length`` only at the end."""

_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


def sealed_size(size: int) -> int:
    """Give the sealed size in bytes of a plaintext of ``size`` bytes."""
    return HEADER + size + (size // CHUNK + 1) * TAG_BYTES


def opened_size(sealed: int) -> int:
    """Give the plaintext size in bytes of ``sealed`` bytes; raise ``Truncated`` if none fits.

    It is arithmetic, not evidence: trust it only after the final chunk was authenticated.
    """
    full, last = divmod(sealed - HEADER, SEALED_CHUNK)
    if sealed < HEADER or last < TAG_BYTES or full >= MAX_CHUNKS:
        raise Truncated(f"no sealed stream is {sealed} bytes long")
    return full * CHUNK + last - TAG_BYTES


class Sealer:
    """Seal one stream; hand the sealed bytes to ``sink`` in large pieces.

    ``key`` is 32 uniformly random bytes. ``sink`` gets views of a buffer that is used again:
    it must be done with one (or have copied it) when it returns. Memory: about 512 KiB.
    """

    def __init__(self, key: bytes, context: bytes, sink: Callable[[memoryview], object]) -> None:
        self._encryptor = Cobblestone256Encryptor(key, PREFIX + context)
        # The library wants room for the worst case of a piece: see its update_into().
        self._buffer = memoryview(
            bytearray(2 * SEAL_BUFFER + SEAL_BUFFER // 1024 + 2 * SEALED_CHUNK)
        )
        self._sink = sink
        self._buffer[: len(PREFIX)] = PREFIX
        self._filled = len(PREFIX)
        self.size = 0
        """Plaintext bytes taken in so far."""

    def write(self, data: Bytes) -> int:
        """Seal the next bytes, in pieces of any size; return how many were taken."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), SEAL_BUFFER):
            self._seal(view[start : start + SEAL_BUFFER])
        self.size += len(view)
        return len(view)

    def _seal(self, piece: memoryview) -> None:
        self._filled += self._encryptor.update_into(piece, self._buffer[self._filled :])
        if self._filled >= SEAL_BUFFER:
            self._flush()

    def _flush(self) -> None:
        self._sink(self._buffer[: self._filled])
        self._filled = 0

    def finish(self) -> None:
        """Seal the last chunk. What came before it is no valid stream without it."""
        last = self._encryptor.finalize()
        self._buffer[self._filled : self._filled + len(last)] = last
        self._filled += len(last)
        self._flush()


class _Chunks:
    """Open single chunks of one stream, once its header has proved the key and context."""

    def __init__(self, header: Bytes, key: bytes, context: bytes) -> None:
        header = bytes(header)
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key is {KEY_BYTES} bytes")
        if header[: len(PREFIX)] != PREFIX[: len(header)]:
            raise UnknownVersion("not a sealed stream of a version known here")
        if len(header) < HEADER:
            raise Truncated("the stream ends within its header")
        salt, commitment = header[len(PREFIX) :][:SALT_BYTES], header[-COMMITMENT_BYTES:]
        info = _INFO + salt + PREFIX + context
        derived = HKDFExpand(SHA512(), KEY_BYTES + 12 + COMMITMENT_BYTES, info).derive(key)
        if not hmac.compare_digest(derived[-COMMITMENT_BYTES:], commitment):
            raise WrongKey("key and context do not belong to this stream")
        self._cipher = AESGCM(derived[:KEY_BYTES])
        self._base_nonce = int.from_bytes(derived[KEY_BYTES : KEY_BYTES + 12], "big")

    def open(self, number: int, sealed: Bytes) -> bytes:
        nonce = (self._base_nonce ^ number).to_bytes(12, "big")
        try:
            return self._cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise Tampered(f"chunk {number} failed authentication") from None

    def open_run(self, first: int, sealed: Bytes) -> bytearray:
        """Open neighbouring chunks, the last of which may be short."""
        view = memoryview(sealed)
        starts = range(0, len(view), SEALED_CHUNK)
        # Into one buffer: a piece for each chunk, joined afterwards, took three times as long.
        opened = bytearray(len(view) - len(starts) * TAG_BYTES)
        room, number = memoryview(opened), first
        try:
            for i, at in enumerate(starts):
                number = first + i
                self._cipher.decrypt_into(
                    (self._base_nonce ^ number).to_bytes(12, "big"),
                    view[at : at + SEALED_CHUNK],
                    None,
                    room[i * CHUNK : (i + 1) * CHUNK],
                )
        except InvalidTag:
            raise Tampered(f"chunk {number} failed authentication") from None
        return opened


class Opener:
    """Open one stream from its beginning, fed in pieces of any size.

    What ``update`` returns is authentic, but only ``finish`` proves that nothing was cut off:
    act on streamed plaintext beforehand only if the act can be taken back.
    """

    def __init__(self, key: bytes, context: bytes) -> None:
        self._key, self._context = key, context
        self._chunks: _Chunks | None = None
        self._next = 0
        self._held = b""

    def update(self, data: Bytes) -> bytes:
        """Return the plaintext of all chunks that are complete by now."""
        view = memoryview(self._held + bytes(data) if self._held else data)
        if self._chunks is None:
            if len(view) < HEADER:
                self._held = bytes(view)
                return b""
            self._chunks = _Chunks(view[:HEADER], self._key, self._context)
            view = view[HEADER:]
        # A chunk of full length is never the last one, so it can be opened without looking ahead.
        full = len(view) // SEALED_CHUNK
        if self._next + full > MAX_CHUNKS:
            raise Tampered("more chunks than the format allows")
        plaintext = self._chunks.open_run(self._next, view[: full * SEALED_CHUNK])
        self._next += full
        self._held = bytes(view[full * SEALED_CHUNK :])
        return bytes(plaintext)

    def finish(self) -> bytes:
        """Return the rest of the plaintext, having proved that it is the end.

        Raises ``Truncated`` where no stream can end. A stream cut *within* a chunk cannot be
        told from an altered one and raises ``Tampered``.
        """
        if self._chunks is None:
            _Chunks(self._held, self._key, self._context)
        if self._chunks is None or len(self._held) < TAG_BYTES:
            raise Truncated("the stream ends before its final chunk")
        return self._chunks.open(self._next, self._held)


class RangeOpener:
    """Open any part of one stream, reading no more than the chunks that hold it.

    ``sealed`` is the size in bytes of the whole sealed stream. Making one checks the
    commitment and authenticates the final chunk, so that ``size`` can be trusted.
    """

    def __init__(self, read_at: ReadAt, sealed: int, key: bytes, context: bytes) -> None:
        self._read_at = _read_whole(read_at, sealed) if sealed <= SMALL else read_at
        self._chunks = _Chunks(self._read_at(0, min(HEADER, sealed)), key, context)
        self.size = opened_size(sealed)
        """Plaintext size in bytes."""
        self._last = self.size // CHUNK
        self._tail = self._open(self._last, 1)

    def stream(self, start: int, length: int, piece: int = BUFFER) -> Iterator[memoryview]:
        """Yield the plaintext of ``[start, start + length)`` as it is authenticated.

        A range that reaches beyond the end is shortened, as with files. ``piece`` is about how
        many bytes are read and held at once. Raises ``ValueError`` for a negative argument.
        """
        if start < 0 or length < 0 or piece < 1:
            raise ValueError("a range has no negative start, length or piece")
        stop = min(start + length, self.size)
        step = max(piece // CHUNK, 1)
        for first in range(start // CHUNK, -(-stop // CHUNK) if start < stop else 0, step):
            count = min(step, -(-stop // CHUNK) - first)
            base = first * CHUNK
            plaintext = self._plaintext(first, count)
            low, high = max(start - base, 0), min(stop - base, len(plaintext))
            yield memoryview(plaintext)[low:high]

    def read(self, start: int, length: int) -> bytes:
        """Return the plaintext of ``[start, start + length)``, shortened at the end."""
        return b"".join(self.stream(start, length))

    def _plaintext(self, first: int, count: int) -> bytearray:
        if first + count <= self._last:
            return self._open(first, count)
        head = self._open(first, count - 1) if count > 1 else bytearray()
        head += self._tail
        return head

    def _open(self, first: int, count: int) -> bytearray:
        at = HEADER + first * SEALED_CHUNK
        wanted = min(count * SEALED_CHUNK, sealed_size(self.size) - at)
        sealed = self._read_at(at, wanted)
        if len(sealed) != wanted:
            raise Truncated("the stored bytes are fewer than their known size")
        return self._chunks.open_run(first, sealed)


def _read_whole(read_at: ReadAt, sealed: int) -> ReadAt:
    whole = memoryview(read_at(0, sealed))
    return lambda offset, length: whole[offset : offset + length]


def open_range(
    read_at: ReadAt, sealed: int, key: bytes, context: bytes, start: int, length: int
) -> Iterator[memoryview]:
    """Yield the plaintext of one range; see ``RangeOpener`` for several."""
    yield from RangeOpener(read_at, sealed, key, context).stream(start, length)


def seal_bytes(plaintext: Bytes, key: bytes, context: bytes) -> bytes:
    """Seal something small in one go."""
    pieces: list[bytes] = []
    sealer = Sealer(key, context, lambda view: pieces.append(bytes(view)))
    sealer.write(plaintext)
    sealer.finish()
    return b"".join(pieces)


def open_bytes(sealed: Bytes, key: bytes, context: bytes) -> bytes:
    """Open something small in one go."""
    opener = Opener(key, context)
    return opener.update(sealed) + opener.finish()
