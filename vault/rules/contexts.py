"""Build contexts: the bytes that tie a sealed thing to what it is and to whom it belongs."""

from __future__ import annotations

from uuid import UUID

Part = str | bytes | int | UUID


def bind(purpose: str, *parts: Part) -> bytes:
    """Encode a purpose and its parts so that no two different lists give the same bytes.

    Each part is preceded by its length in 4 bytes, big-endian. A UUID counts as its
    canonical text and an integer as its decimal text, so that ``UUID(x)`` and ``str(UUID(x))``
    are the same part. Raises ``ValueError`` for a part of 4 GiB or more.
    """
    encoded = [_bytes_of(part) for part in (purpose, *parts)]
    if any(len(item) >= 1 << 32 for item in encoded):
        raise ValueError("a context part must be shorter than 4 GiB")
    return b"".join(len(item).to_bytes(4, "big") + item for item in encoded)


def _bytes_of(part: Part) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()
