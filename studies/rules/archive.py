"""A ZIP archive as an upload: its members one by one, or a refusal before anything is inflated.

`zipfile` inflates; but it is silent about overlaps, links, names that climb, double names, things
glued in front, and takes sizes on trust. All of that is checked here first, against the archive's
own table of contents (PKWARE APPNOTE 4.3, 4.4).
"""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from .reasons import refuse

_STORED_OR_DEFLATED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL = struct.Struct("<4s5H3I2H")
_END: Final = b"PK\5\6"
_END_SIZE: Final = 22
_ARCHIVES: Final = (
    b"PK\3\4", b"PK\5\6", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF",
)  # fmt: skip
_ARCHIVE_SUFFIXES: Final = (".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".cab")
_BLOCK: Final = 1 << 16

# What zipfile raises for bytes that are no ZIP archive, or of a kind that it does not know. Every
# other error is a fault of ours, and goes on.
_BROKEN: Final = (zipfile.BadZipFile, NotImplementedError, OSError, struct.error)
# A date or an extra field that cannot be.
_BROKEN_DIRECTORY: Final = (*_BROKEN, ValueError)
# A damaged or cut stream; RuntimeError is how an encrypted member is told.
BROKEN_MEMBER: Final = (*_BROKEN, zlib.error, EOFError, RuntimeError)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bounds of one archive, all checked against its table of contents before inflating."""

    members: int = 20_000
    member_bytes: int = 4 << 30
    total_bytes: int = 64 << 30
    ratio: int = 200
    ratio_from: int = 16 << 20
    directory_bytes: int = 8 << 20
    name_length: int = 1024


class Member:
    """One file of the archive; `name` is safe to show and to write in a report, never a path.

    `chunks()` inflates it piece by piece and raises `Refused` if it is not what was promised.
    """

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, number: int) -> None:
        self._archive, self._info = archive, info
        self.number = number
        self.name = display_name(info.filename)
        self.size = info.file_size

    def chunks(self) -> Iterator[bytes]:
        """Yield the member's bytes, at most 64 KiB at a time."""
        given = 0
        try:
            with self._archive.open(self._info) as reader:
                while chunk := reader.read(_BLOCK):
                    if not given and chunk.startswith(_ARCHIVES):
                        refuse("archive-nested")
                    given += len(chunk)
                    if given > self.size:
                        refuse("archive-lies")
                    yield chunk
        except BROKEN_MEMBER:
            refuse("archive-broken")
        if given != self.size:
            refuse("archive-lies")


def display_name(name: str) -> str:
    """Return the last part of a member's name, without anything that is not plainly visible."""
    last = name.rsplit("/", 1)[-1]
    shown = "".join(
        letter if unicodedata.category(letter)[0] in "LNPS" or letter == " " else "\ufffd"
        for letter in unicodedata.normalize("NFC", last)
    )
    return shown[:120]


def members(source: BinaryIO, *, limits: ArchiveLimits | None = None) -> Iterator[Member]:
    """Check a ZIP archive and yield its files in the order of their bytes.

    `source` must be seekable and stay open. Every check that needs no inflating is made before the
    first member is yielded. Raises `Refused`.
    """
    limits = limits or ArchiveLimits()
    size = _check_frame(source, limits)
    try:
        archive = zipfile.ZipFile(source)
    except _BROKEN_DIRECTORY:
        refuse("archive-broken")
    with archive:
        infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
        _check_directory(infos, limits)
        _check_places(source, infos, min(archive.start_dir, size))
        files = [info for info in infos if not info.is_dir()]
        for number, info in enumerate(files, start=1):
            yield Member(archive, info, number)


def _check_frame(source: BinaryIO, limits: ArchiveLimits) -> int:
    """Refuse what does not begin with a file and end with a table of contents of sane size."""
    size = source.seek(0, 2)
    source.seek(0)
    first = source.read(4)
    if first not in (b"PK\3\4", b"PK\5\6"):
        refuse("archive-prefix" if size else "archive-broken")
    source.seek(max(0, size - _END_SIZE - 65_535))
    tail = source.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_SIZE:
        refuse("archive-broken")
    count, table, _offset, comment = struct.unpack_from("<10xHIIH", tail, at)
    if at + _END_SIZE + comment != len(tail):
        refuse("archive-prefix")
    zip64 = count == 0xFFFF or table == 0xFFFFFFFF
    if count > limits.members and not zip64:
        refuse("archive-too-many")
    if table > limits.directory_bytes and not zip64:
        refuse("archive-too-many")
    if zip64:
        _check_zip64(source, size - len(tail) + at, limits)
    return size - len(tail) + at


def _check_zip64(source: BinaryIO, end: int, limits: ArchiveLimits) -> None:
    """Check the large table's own count and size (APPNOTE 4.3.14, 4.3.15)."""
    source.seek(max(0, end - 20))
    locator = source.read(20)
    if len(locator) < 20 or locator[:4] != b"PK\6\7":
        refuse("archive-broken")
    source.seek(int.from_bytes(locator[8:16], "little"))
    record = source.read(56)
    if len(record) < 56 or record[:4] != b"PK\6\6":
        refuse("archive-broken")
    count, table = struct.unpack_from("<QQ", record, 32)
    if count > limits.members or table > limits.directory_bytes:
        refuse("archive-too-many")


def _check_directory(infos: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """Check every entry of the table of contents, and all of them together."""
    if len(infos) > limits.members:
        refuse("archive-too-many")
    seen: set[str] = set()
    for info in infos:
        _check_name(info, limits)
        _check_kind(info)
        _check_sizes(info, limits)
        folded = unicodedata.normalize("NFKC", info.filename).casefold()
        if folded in seen:
            refuse("archive-duplicate")
        seen.add(folded)
    if sum(info.file_size for info in infos) > limits.total_bytes:
        refuse("archive-too-large")


def _check_name(info: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    """Refuse names that climb, start at a root, or hold control characters (APPNOTE 4.4.17)."""
    # `orig_filename` is the name before zipfile cuts it at a NUL.
    name = info.orig_filename
    parts = name.replace("\\", "/").rstrip("/").split("/")
    rooted = name[:1] in ("/", "\\") or name[1:2] == ":" or "\\" in name
    hidden = any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)
    if not name or rooted or hidden or ".." in parts or len(name) > limits.name_length:
        refuse("archive-name")


def _check_kind(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x2041:  # encrypted, strongly encrypted, masked table
        refuse("archive-encrypted")
    if info.compress_type not in _STORED_OR_DEFLATED:
        refuse("archive-method")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        refuse("archive-link")
    if info.filename.casefold().endswith(_ARCHIVE_SUFFIXES):
        refuse("archive-nested")


def _check_sizes(info: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    if info.file_size > limits.member_bytes:
        refuse("archive-too-large")
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        refuse("archive-lies")
    allowed = max(limits.ratio_from, info.compress_size * limits.ratio)
    if info.file_size > allowed:
        refuse("archive-ratio")


def _check_places(source: BinaryIO, infos: list[zipfile.ZipInfo], end: int) -> None:
    """Refuse members that overlap, or whose own head disagrees with the table of contents."""
    free = 0
    for info in infos:
        if info.header_offset < free:
            refuse("archive-overlap")
        source.seek(info.header_offset)
        head = source.read(_LOCAL.size)
        if len(head) < _LOCAL.size:
            refuse("archive-broken")
        mark, _, flags, method, _, _, crc, packed, size, name, extra = _LOCAL.unpack(head)
        if mark != b"PK\3\4" or method != info.compress_type:
            refuse("archive-lies")
        told_here = not flags & 8 and 0xFFFFFFFF not in (packed, size)
        if told_here and (crc, packed, size) != (info.CRC, info.compress_size, info.file_size):
            refuse("archive-lies")
        free = info.header_offset + _LOCAL.size + name + extra + info.compress_size
    if free > end:
        refuse("archive-overlap")
