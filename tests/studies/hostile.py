"""Small objects, good and hostile, built byte by byte; everything in them is invented."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
JPEG, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
CAPTURE, ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.104.1"
DICOMDIR = "1.2.840.10008.1.3.10"
ROOT = "1.2.826.0.1.3680043.10.8888."
UNDEFINED = 0xFFFFFFFF
MB = 1 << 20
LONG = set("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
Value = tuple[str, str | bytes] | bytes | None


def element(
    tag: int,
    vr: str,
    value: str | bytes = b"",
    *,
    length: int | None = None,
    syntax: str = EXPLICIT,
) -> bytes:
    """Encode one element; `length` lies about the value's."""
    raw = value.encode() if isinstance(value, str) else value
    if len(raw) % 2 and length is None:
        raw += b"\0" if vr in ("UI", "OB", "UN") else b" "
    size = len(raw) if length is None else length
    order = ">" if syntax == BIG else "<"
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if syntax == IMPLICIT:
        return head + struct.pack("<I", size) + raw
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", size) + raw
    return head + vr.encode() + struct.pack(order + "H", size & 0xFFFF) + raw


def word(number: int, syntax: str = EXPLICIT) -> bytes:
    return struct.pack(">H" if syntax == BIG else "<H", number)


def item(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value) if length is None else length) + value


ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def meta(
    syntax: str | None = EXPLICIT,
    *,
    sop_class: str = CAPTURE,
    instance: str = ROOT + "3",
    length: int | None = None,
) -> bytes:
    body = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class)
    body += element(0x00020003, "UI", instance)
    if syntax:
        body += element(0x00020010, "UI", syntax)
    size = struct.pack("<I", len(body) if length is None else length)
    return element(0x00020000, "UL", size) + body


def dataset(changes: dict[int, Value] | None = None, syntax: str = EXPLICIT) -> bytes:
    """A valid secondary capture of 8 by 8 pixels; `changes` replaces, adds or (None) drops."""
    values: dict[int, Value] = {
        0x00080005: ("CS", "ISO_IR 192"),
        0x00080016: ("UI", CAPTURE), 0x00080018: ("UI", ROOT + "3"),
        0x00080020: ("DA", "20200101"), 0x00080030: ("TM", "010203"), 0x00080050: ("SH", "ACC1"),
        0x00080060: ("CS", "OT"), 0x00100010: ("PN", "Test^Invented"), 0x00100020: ("LO", "P-1"),
        0x00100030: ("DA", "19700101"),
        0x0020000D: ("UI", ROOT + "1"), 0x0020000E: ("UI", ROOT + "2"),
        0x00200011: ("IS", "1"), 0x00200013: ("IS", "1"), 0x00280002: ("US", word(1, syntax)),
        0x00280004: ("CS", "MONOCHROME2"), 0x00280010: ("US", word(8, syntax)),
        0x00280011: ("US", word(8, syntax)), 0x00280100: ("US", word(8, syntax)),
        0x00280101: ("US", word(8, syntax)), 0x00280102: ("US", word(7, syntax)),
        0x00280103: ("US", word(0, syntax)), 0x7FE00010: ("OB", bytes(range(64))),
    }  # fmt: skip
    values |= changes or {}
    parts = []
    for tag, value in sorted(values.items()):
        if isinstance(value, bytes):
            parts.append(value)
        elif value is not None:
            parts.append(element(tag, value[0], value[1], syntax=syntax))
    return b"".join(parts)


def part10(
    body: bytes | None = None,
    *,
    syntax: str = EXPLICIT,
    preamble: bytes = b"",
    opening: bytes | None = None,
    tail: bytes = b"",
    **changes: Value,
) -> bytes:
    """A whole object; keywords such as `t00100010=("PN", "x")` change its data set."""
    if body is None:
        body = dataset({int(name[1:], 16): value for name, value in changes.items()})
    opening = meta(syntax) if opening is None else opening
    return preamble.ljust(128, b"\0") + b"DICM" + opening + body + tail


def deflate(*pieces: bytes, zeros: int = 0) -> bytes:
    """Deflate the pieces, with `zeros` zero bytes behind them."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    out = [stream.compress(piece) for piece in pieces]
    out += [stream.compress(bytes(MB)) for _ in range(zeros // MB)]
    return b"".join([*out, stream.flush()])


def fragments(*pieces: bytes, table: bytes = b"", closed: bool = True) -> bytes:
    body = b"".join(item(piece + bytes(len(piece) % 2)) for piece in pieces)
    value = item(table) + body + (SEQUENCE_END if closed else b"")
    return element(0x7FE00010, "OB", value, length=UNDEFINED)


def size_of(rows: int, columns: int) -> dict[str, Value]:
    return {"t00280010": ("US", word(rows)), "t00280011": ("US", word(columns))}


def jpeg(columns: int, rows: int) -> bytes:
    """The head of a baseline JPEG that claims a size, and nothing to decode."""
    return (
        b"\xff\xd8\xff\xc0"
        + struct.pack(">HBHHBBBB", 11, 8, rows, columns, 1, 1, 0x11, 0)
        + (b"\xff\xd9")
    )


def jpeg_2000(columns: int, rows: int) -> bytes:
    size = (columns, rows, 0, 0, columns, rows, 0, 0)
    return b"\xff\x4f\xff\x51" + struct.pack(">HH8IHBBB", 41, 0, *size, 1, 7, 1, 1) + b"\xff\xd9"


def nested(depth: int) -> bytes:
    opening = element(0x0040A730, "SQ", length=UNDEFINED) + item(b"", UNDEFINED)
    return opening * depth + (ITEM_END + SEQUENCE_END) * depth


def _with_zip_behind() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("note.txt", "inert")
    return part10(tail=archive.getvalue())


def _dicomdir() -> bytes:
    record = element(0x00041430, "CS", "PATIENT") + element(0x00041500, "CS", "..\\..\\etc\\passwd")
    body = element(0x00041130, "CS", "X") + element(0x00041220, "SQ", item(record))
    return part10(body, opening=meta(sop_class=DICOMDIR, instance=ROOT + "9"))


def _tiny_elements() -> bytes:
    pack = struct.Struct("<HH2sH2s").pack
    tiny = [
        pack(group, e, b"LO", 2, b"x ")
        for group in range(0x29, 0x33, 2)
        for e in range(4096, 60000)
    ]
    return part10(dataset({0x7FE00010: None}) + b"".join(tiny))


def _implicit(changes: dict[int, Value] | None = None) -> bytes:
    return dataset(changes, IMPLICIT)


def _sop_as_bytes() -> bytes:
    return part10(
        t00100020=element(0x00100020, "SQ", item(element(0x00100020, "LO", "x"))),
        t00080018=element(0x00080018, "OB", b"\0\1\2\3"),
    )


def _two_patients() -> bytes:
    twice = element(0x00100020, "LO", "P-VICTIM") + element(0x00100010, "PN", "Other^Person")
    return part10(t00100020=twice + element(0x00100020, "LO", "P-1"))


def _flood() -> bytes:
    return part10(t00280002=("US", word(3)), t00280008=("IS", "9999"), **size_of(65535, 65535))


def _rle_bomb() -> bytes:
    runs = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 64
    return part10(syntax=RLE, t7FE00010=fragments(runs), **size_of(16384, 16384))


def _broken_table() -> bytes:
    table = struct.pack("<4I", 0, 0xFFFFFFF0, 5, 3)
    pixels = fragments(jpeg(8, 8), table=table, closed=False)
    return part10(syntax=JPEG, t00280008=("IS", "1000"), t7FE00010=pixels)


LONG_UID = "1." * 100 + "1"
# Promise of the case -> how to build it, and the codes it may be refused with.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty file": (lambda: b"", "not-dicom"),
    "cut inside the mark": (lambda: bytes(128) + b"DIC", "not-dicom"),
    "plain text": (lambda: b"hello, I am not DICOM\n" * 20, "not-dicom"),
    "the mark and nothing else": (lambda: bytes(128) + b"DICM", "meta-missing"),
    "absurd group length": (lambda: part10(opening=meta(length=0xFFFFFFF0)), "meta-length"),
    "cut inside a name": (lambda: part10()[: part10().index(b"Test^Inv") + 4], "truncated"),
    "cut inside the pixels": (lambda: part10()[:-54], "truncated"),
    "no transfer syntax": (lambda: part10(opening=meta(None)), "syntax-missing"),
    "unknown transfer syntax": (lambda: part10(syntax="1.2.3.4"), "syntax-unknown"),
    "explicit under implicit": (lambda: part10(syntax=IMPLICIT), "explicit-under-implicit"),
    "two patients by order": (_two_patients, "tag-out-of-order"),
    "two patients side by side": (
        lambda: part10(
            t00100020=element(0x00100020, "LO", "P-1") + element(0x00100020, "LO", "P-2")
        ),
        "duplicate-tag",
    ),
    "no study identifier": (lambda: part10(t0020000D=None), "identifier-missing"),
    "no series identifier": (lambda: part10(t0020000E=None), "identifier-missing"),
    "no instance identifier": (lambda: part10(t00080018=None), "identifier-missing"),
    "two instance identifiers": (
        lambda: part10(opening=meta(instance=ROOT + "666")),
        "identifier-differs",
    ),
    "opening inside the data set": (
        lambda: part10(dataset() + element(0x00020010, "UI", IMPLICIT)),
        "forbidden-group",
    ),
    "message inside the data set": (
        lambda: part10(element(0x00000100, "US", word(1)) + dataset()),
        "forbidden-group",
    ),
    "unknown VR": (lambda: part10(t00091001=element(0x00091001, "ZZ", b"\1\2\3\4")), "unknown-vr"),
    "identifiers of a wrong type": (_sop_as_bytes, "vr-mismatch"),
    "Windows program": (lambda: part10(preamble=b"MZ\x90\0"), "dangerous-preamble"),
    "Linux program": (lambda: part10(preamble=b"\x7fELF\2\1\1"), "dangerous-preamble"),
    "Mac program": (lambda: part10(preamble=b"\xcf\xfa\xed\xfe\7"), "dangerous-preamble"),
    "shell script": (lambda: part10(preamble=b"#!/bin/sh\nexit 0\n#"), "dangerous-preamble"),
    "web page": (lambda: part10(preamble=b" <html><script>x"), "dangerous-preamble"),
    "script later in the preamble": (
        lambda: part10(preamble=b"x" * 40 + b"<sCrIpT>"),
        "dangerous-preamble",
    ),
    "PDF": (lambda: part10(preamble=b"\n%PDF-1.7\n"), "dangerous-preamble"),
    "archive behind the image": (_with_zip_behind, "trailing-data"),
    "deflate bomb": (
        lambda: part10(
            deflate(
                dataset({0x7FE00010: None}),
                element(0x7FE00010, "OB", length=64 * MB),
                zeros=64 * MB,
            ),
            syntax=DEFLATED,
        ),
        "deflate-bomb",
    ),
    "broken deflate": (
        lambda: part10(deflate(dataset())[:40] + b"\xff" * 40, syntax=DEFLATED),
        "deflate-broken",
    ),
    "cut deflate": (lambda: part10(deflate(dataset())[:-4], syntax=DEFLATED), "truncated"),
    "data behind deflate": (
        lambda: part10(deflate(dataset()) + b"PK\3\4", syntax=DEFLATED),
        "trailing-data",
    ),
    "300 sequences deep": (lambda: part10(t0040A730=nested(300)), "too-deep"),
    "20,000 sequences deep": (lambda: part10(t0040A730=nested(20_000)), "too-deep"),
    "300,000 empty items": (
        lambda: part10(t00081140=element(0x00081140, "SQ", item(b"") * 300_000)),
        "too-many-items",
    ),
    "280,000 tiny elements": (_tiny_elements, "too-many-elements"),
    "two million numbers": (
        lambda: part10(
            _implicit({0x30060050: element(0x30060050, "DS", b"1\\" * 2_000_000, syntax=IMPLICIT)}),
            syntax=IMPLICIT,
        ),
        "value-too-long",
    ),
    "four gigabytes of pixels claimed": (
        lambda: part10(t7FE00010=element(0x7FE00010, "OW", bytes(16), length=0xFFFFFFFE)),
        "truncated pixel-data-short",
    ),
    "sequence never closed": (
        lambda: part10(
            dataset({0x7FE00010: None})
            + element(0x0040A730, "SQ", length=UNDEFINED)
            + item(element(0x00080050, "SH", "A"), UNDEFINED)
        ),
        "truncated bad-delimiter",
    ),
    "item longer than its sequence": (
        lambda: part10(t00081140=element(0x00081140, "SQ", item(bytes(8), length=4000))),
        "length-past-end",
    ),
    "value longer than its item": (
        lambda: part10(
            t00081140=element(0x00081140, "SQ", item(element(0x00080050, "SH", b"ab", length=90)))
        ),
        "length-past-end",
    ),
    "delimiter outside a sequence": (lambda: part10(t00091001=ITEM_END), "bad-delimiter"),
    "text without a length": (
        lambda: part10(t00104000=element(0x00104000, "UT", length=UNDEFINED) + SEQUENCE_END),
        "undefined-length",
    ),
    "pixel flood": (_flood, "pixel-flood"),
    "fewer pixels than described": (lambda: part10(**size_of(80, 80)), "pixel-data-short"),
    "run-length bomb": (_rle_bomb, "pixel-flood"),
    "run-length table outside its frame": (
        lambda: part10(
            syntax=RLE, t7FE00010=fragments(struct.pack("<16I", 2, 64, 9999, *[0] * 13))
        ),
        "codestream-broken",
    ),
    "JPEG 2000 of another size": (
        lambda: part10(syntax=JPEG_2000, t7FE00010=fragments(jpeg_2000(60000, 60000))),
        "codestream-size",
    ),
    "JPEG 2000 bomb with matching rows": (
        lambda: part10(
            syntax=JPEG_2000, t7FE00010=fragments(jpeg_2000(40000, 40000)), **size_of(40000, 40000)
        ),
        "pixel-flood",
    ),
    "JPEG of another size": (
        lambda: part10(syntax=JPEG, t7FE00010=fragments(jpeg(65500, 65500))),
        "codestream-size",
    ),
    "bomb in the second frame": (
        lambda: part10(
            syntax=JPEG, t00280008=("IS", "2"), t7FE00010=fragments(jpeg(8, 8), jpeg(65500, 65500))
        ),
        "codestream-size",
    ),
    "broken offset table, no end": (_broken_table, "truncated"),
    "fewer fragments than frames": (
        lambda: part10(syntax=JPEG, t00280008=("IS", "9"), t7FE00010=fragments(jpeg(8, 8))),
        "pixel-data-short",
    ),
    "fragments under a native syntax": (
        lambda: part10(t7FE00010=fragments(b"\1\2")),
        "pixel-encoding",
    ),
    "path instead of an identifier": (
        lambda: part10(t0020000D=("UI", "../../etc/passwd")),
        "identifier-invalid",
    ),
    "identifier of 200 digits": (
        lambda: part10(opening=meta(instance=LONG_UID), t00080018=("UI", LONG_UID)),
        "identifier-invalid",
    ),
    "identifier with a NUL": (lambda: part10(t0020000E=("UI", b"1.2\0.3")), "identifier-invalid"),
    "name with a NUL": (lambda: part10(t00100010=("PN", b"Doe\0^Jane")), "nul-in-identity"),
    "patient number of 60,000 letters": (
        lambda: part10(t00100020=("LO", "A" * 60_000)),
        "value-too-long",
    ),
    "endless instance number": (
        lambda: part10(t00200013=("IS", "1" + "0" * 30)),
        "number-invalid",
    ),
    "series number that is none": (lambda: part10(t00200011=("IS", "NaN")), "number-invalid"),
    "minus one frame": (lambda: part10(t00280008=("IS", "-1")), "number-invalid"),
    "no rows": (lambda: part10(t00280010=None), "pixel-description"),
    "study on an impossible day": (lambda: part10(t00080020=("DA", "99999999")), "date-impossible"),
    "codec as character set": (
        lambda: part10(t00080005=("CS", "unicode_escape"), t00100010=("PN", b"\\x3cscript\\x3e")),
        "charset-unknown",
    ),
    "decompressor as character set": (
        lambda: part10(t00080005=("CS", "zlib_codec\\undefined")),
        "charset-unknown",
    ),
    "quadratic character set": (lambda: part10(t00080005=("CS", "punycode")), "charset-unknown"),
    "table of contents of a disc": (_dicomdir, "dicomdir"),
}
