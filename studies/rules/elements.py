"""How the head of one element is read, and what its tag and VR mean (DICOM PS3.5 section 7)."""

import struct
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from .dictionary import vr_of
from .syntaxes import Syntax
from .values import ENCODERS, Encoder

UNDEFINED: Final = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA: Final = 0x7FE00010
PADDING: Final = 0xFFFCFFFC
ENCAPSULATING: Final = frozenset({"OB", "OW", "UN", "OB or OW"})
# PS3.5 section 7.1.2: VRs whose explicit length has 32 bits.
_LONG: Final = frozenset(
    b.encode() for b in "OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
)  # fmt: skip
_VRS: Final = {vr.encode(): vr for vr in [*ENCODERS, "SQ"]}
_AMBIGUOUS: Final = {
    "US or SS": ("US", "SS"),
    "OB or OW": ("OB", "OW"),
    "US or OW": ("US", "OW"),
    "US or SS or OW": ("US", "SS", "OW"),
}
# PS3.18 table F.2.3-1 and F.2.6: the longest value (bytes) of a VR that stays in the JSON; longer
# ones become bulk data where a VR may be bulk, and are refused where it may not.
_BINARY: Final = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")
INLINE_LIMIT: Final = dict.fromkeys(ENCODERS, 65536) | dict.fromkeys(_BINARY, 1024)
BULK_LIMIT: Final = dict.fromkeys((*_BINARY, "UT", "UC"), 1 << 40) | {
    "DS": 2 << 20,
    "IS": 2 << 20,
    "LT": 2 << 20,
    "ST": 2 << 20,
    **dict.fromkeys(("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"), 256 << 20),
}

Head = tuple[int, str, int, int]
# (buffer, position) -> tag, VR, length of the value, position of the value. The position lies
# behind the buffer's end where the head is not complete. A VR that is none comes as "".
Header = Callable[[bytes, int], Head]


class Entry(NamedTuple):
    """What the walk needs of one tag and VR.

    `prefix` is empty for what the JSON leaves out, `encode` is None for what is never inline, and
    `implicit` says that a sequence was sent as UN, so that its items carry no VR (PS3.5 6.2.2).
    """

    prefix: bytes
    vr: str
    encode: Encoder | None
    finding: str
    implicit: bool = False


def header_of(syntax: Syntax) -> Header:
    """Return the reader of element heads for a syntax."""
    if not syntax.explicit:
        return _implicit_head
    return _explicit_reader(">" if syntax.big_endian else "<")


_IMPLICIT_HEAD = struct.Struct("<HHI")


def _implicit_head(buf: bytes, pos: int) -> Head:
    group, element, length = _IMPLICIT_HEAD.unpack_from(buf, pos)
    tag = group << 16 | element
    return tag, vr_of(tag), length, pos + 8


def _explicit_reader(order: str) -> Header:
    unpack = struct.Struct(order + "HH2sH").unpack_from
    wide: Literal["little", "big"] = "little" if order == "<" else "big"

    def explicit_head(buf: bytes, pos: int) -> Head:
        group, element, vr, length = unpack(buf, pos)
        if vr in _LONG:
            length = int.from_bytes(buf[pos + 8 : pos + 12], wide)
            return group << 16 | element, _VRS[vr], length, pos + 12
        if group == 0xFFFE:
            length = int.from_bytes(buf[pos + 4 : pos + 8], wide)
            return group << 16 | element, "", length, pos + 8
        return group << 16 | element, _VRS.get(vr, ""), length, pos + 8

    return explicit_head


def looks_explicit(head: bytes) -> bool:
    """Whether eight bytes read as implicit carry a VR all the same."""
    return head[4:6] in _VRS


def looks_implicit(head: bytes, order: str) -> bool:
    """Whether eight bytes read as explicit make sense without a VR (length below 1 MiB)."""
    group, element, length = struct.unpack(order + "HHI", head)
    return vr_of(group << 16 | element) != "UN" and length < 1 << 20


def settle(vr: str, *, signed: bool, single: bool) -> str:
    """Choose between the VRs that PS3.6 leaves open (PS3.5 annex A, PS3.3 C.7.6.3, C.11.1)."""
    if vr == "US or SS":
        return "SS" if signed else "US"
    if vr == "US or OW":
        return "US" if single else "OW"
    return "OW" if " or " in vr else vr


def entry_of(tag: int, sent: str) -> Entry:
    """Make the entry of a tag sent with a VR; a known attribute sent as UN gets its own VR."""
    known = vr_of(tag)
    vr, finding = sent, ""
    if sent == "UN" and " or " not in known and known != "NONE":
        vr = known
    elif known not in ("UN", "NONE", sent) and sent not in _AMBIGUOUS.get(known, ()):
        finding = "" if sent == "UN" else "vr-unexpected"
    if not tag & 0xFFFF:
        return Entry(b"", vr, ENCODERS.get(vr), "group-length")
    encode = None if tag == PIXEL_DATA else ENCODERS.get(vr)
    prefix = b'"%08X":{"vr":"%s"' % (tag, vr.encode())
    return Entry(prefix, vr, encode, finding, implicit=sent == "UN")
