"""ZIP archives, good and hostile, built byte by byte."""

import io
import struct
import zipfile
import zlib

from .hostile import HOSTILE, MB, deflate, part10

FILE = part10()


def packed(*files: tuple[str, bytes], mode: int = 0o100644) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, data in files:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = mode << 16, 3
            info.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(info, data)
    return out.getvalue()


def raw(
    *files: tuple[bytes, bytes, int, int], method: int = 0, flags: int = 0, shared: int = 1
) -> bytes:
    """Entries (name, stored bytes, CRC, told size); `shared` table entries point at each file."""
    out, table = b"", b""
    for name, data, crc, size in files:
        fixed = struct.pack("<5H3I2H", 20, flags, method, 0, 33, crc, len(data), size, len(name), 0)
        for number in range(shared):
            shown = name + (b"%d" % number if shared > 1 else b"")
            entry = fixed[:22] + struct.pack("<2H", len(shown), 0)
            table += b"PK\1\2\x14\3" + entry + struct.pack("<3H2I", 0, 0, 0, 0, len(out)) + shown
        out += b"PK\3\4" + fixed + name + data
    count = len(files) * shared
    return (
        out
        + table
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(table), len(out), 0)
    )


def stored(*names: bytes) -> bytes:
    return raw(*((name, FILE, zlib.crc32(FILE), len(FILE)) for name in names))


BOMB = deflate(zeros=64 * MB)
KERNEL = deflate(zeros=MB)
# Promise of the case -> the archive, and the codes it may be refused with.
HOSTILE_ARCHIVES = {
    "climbing": (packed(("../../tmp/evil.dcm", FILE)), "archive-name"),
    "absolute": (packed(("/etc/cron.d/x", FILE)), "archive-name"),
    "drive": (packed(("C:\\evil.dcm", FILE)), "archive-name"),
    "share": (packed(("\\\\host\\share\\x.dcm", FILE)), "archive-name"),
    "header in a name": (stored(b"a\r\nSet-Cookie: x=1\r\n.dcm"), "archive-name"),
    "endless name": (stored(b"A" * 20_000), "archive-name"),
    "NUL in a name": (stored(b"ok.dcm\0.exe"), "archive-name"),
    "link": (packed(("lnk", b"/etc/passwd"), mode=0o120777), "archive-link"),
    "bomb": (raw((b"b.dcm", BOMB, 0, 64 * MB), method=8), "archive-ratio"),
    "archive inside": (packed(("inner.zip", packed(("a.dcm", FILE)))), "archive-nested"),
    "archive inside under another name": (packed(("a.dcm", packed(("a", FILE)))), "archive-nested"),
    "overlap": (
        raw((b"k", KERNEL, zlib.crc32(bytes(MB)), MB), method=8, shared=50),
        "archive-overlap",
    ),
    "encrypted": (raw((b"e.dcm", bytes(40), 1, 28), flags=1), "archive-encrypted"),
    "no table of contents": (packed(("a.dcm", FILE))[:-30], "archive-broken"),
    "empty": (b"", "archive-broken"),
    "same name twice": (stored(b"x.dcm", b"X.dcm"), "archive-duplicate"),
    "unknown method": (raw((b"m.dcm", bytes(10), 0, 10), method=99), "archive-method"),
    "bad checksum": (raw((b"c.dcm", FILE, 0xDEADBEEF, len(FILE))), "archive-broken"),
    "lying size": (raw((b"l.dcm", BOMB, 0, 10), method=8), "archive-broken archive-lies"),
    "program in front": (b"MZ" + bytes(510) + packed(("a.dcm", FILE)), "archive-prefix"),
    "something behind": (packed(("a.dcm", FILE)) + b"<html>", "archive-prefix archive-broken"),
    "60,000 entries": (
        raw(*((b"e%05d" % n, b"", 0, 0) for n in range(60_000))),
        "archive-too-many",
    ),
}


# Two that are refused and one that is not, in one archive.
MIXED = packed(
    ("ok.dcm", FILE),
    ("bomb.dcm", HOSTILE["deflate bomb"][0]()),
    ("deep.dcm", HOSTILE["300 sequences deep"][0]()),
)
