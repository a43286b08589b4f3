"""The size that a compressed image claims in its own first bytes, before any decoder sees it.

JPEG and JPEG-LS: ITU-T T.81 B.2.2 and T.87 C.2.2; JPEG 2000: T.800 A.5.1; RLE: DICOM PS3.5 annex G.
"""

import struct
from typing import Final, NamedTuple

from .reasons import refuse


class Size(NamedTuple):
    """What a codestream says of itself, in pixels."""

    rows: int
    columns: int
    components: int


WINDOW: Final = 512
WIDE_WINDOW: Final = 65_536
_FRAME_MARKERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_BARE_MARKERS: Final = frozenset(range(0xD0, 0xD9)) | {0x01}
_J2K_START: Final = b"\xff\x4f\xff\x51"
_JP2_START: Final = b"\0\0\0\x0cjP  "


def starts_image(codec: str, head: bytes) -> bool:
    """Whether a fragment that begins with `head` begins a compressed image."""
    if codec in ("jpeg", "jpeg-ls"):
        return head.startswith(b"\xff\xd8")
    if codec == "jpeg-2000":
        return head.startswith((_J2K_START, _JP2_START))
    return True


def read_size(codec: str, head: bytes) -> Size | None:
    """Return the size claimed in `head`, or None where it is not (or no longer) in these bytes."""
    if codec in ("jpeg", "jpeg-ls"):
        return _jpeg_size(head)
    if codec == "jpeg-2000":
        return _j2k_size(head)
    return None


def _jpeg_size(head: bytes) -> Size | None:
    pos = 2
    while pos + 9 < len(head) and head[pos] == 0xFF:
        marker = head[pos + 1]
        if marker in _FRAME_MARKERS:
            rows, columns, components = struct.unpack_from(">HHB", head, pos + 5)
            return Size(rows, columns, components) if rows else None
        if marker == 0xFF:
            pos += 1
        elif marker in _BARE_MARKERS:
            pos += 2
        else:
            pos += 2 + int.from_bytes(head[pos + 2 : pos + 4], "big")
    return None


def _j2k_size(head: bytes) -> Size | None:
    start = head.find(_J2K_START)
    if start < 0 or len(head) < start + 42:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", head, start + 8)
    (components,) = struct.unpack_from(">H", head, start + 40)
    return Size(max(bottom - top, 0), max(right - left, 0), components)


def check_rle(head: bytes, length: int, tag: str) -> None:
    """Refuse an RLE frame whose segment table does not lie within it (PS3.5 annex G.5)."""
    if len(head) < 64:
        refuse("codestream-broken", tag)
    count, *offsets = struct.unpack_from("<16I", head)
    used = offsets[:count]
    ascending = all(a < b for a, b in zip(used, [*used[1:], length], strict=False))
    if not 1 <= count <= 15 or used[0] != 64 or not ascending:
        refuse("codestream-broken", tag)
