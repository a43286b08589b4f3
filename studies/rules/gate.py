"""The gate: every object passes here before anything else reads it.

    gate = Gate()
    for chunk in upload:
        gate.feed(chunk)
    verdict = gate.finish()

Kept in memory: the header's JSON and a few kilobytes; pixels and bulk values pass by uncounted.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from .keys import Summary, check_uid, summarise
from .meta import Meta, name_in_meta, read_meta
from .pixels import PixelLayout
from .preamble import LENGTH, MAGIC, check_preamble
from .reasons import HELD, Reason, Refused, refuse
from .walk import Walk
from .walk_state import Bulk, Limits

DICOMDIR: Final = "1.2.840.10008.1.3.10"
META_LIMIT: Final = 1 << 17
_BLOCK: Final = 1 << 16
_LONGEST_REST: Final = 1 << 10
# A blank image deflates a thousandfold, so that proportion counts only from some size on.
INFLATED_FREELY: Final = 32 << 20
INFLATED_RATIO: Final = 100
INFLATED_LIMIT: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found in an object that may be kept.

    `header` is the DICOM JSON of the whole data set (one object, PS3.18 Annex F, UTF-8); bulk
    values are `BulkDataURI`s that begin with the gate's `bulk_prefix` and end in a path of `bulk`.
    Offsets count from the start of the object; for a deflated syntax, from the start of the object
    as it would be with its data set inflated. `length` is the number of bytes that came in.
    """

    summary: Summary
    header: bytes
    reasons: tuple[Reason, ...]
    remarks: tuple[Reason, ...]
    pixels: PixelLayout | None
    bulk: tuple[Bulk, ...]
    dataset_offset: int
    length: int
    preamble_changes: bool

    @property
    def quarantined(self) -> bool:
        """Whether a person has to look at the object before it is used."""
        return bool(self.reasons)


class _Inflater:
    """Inflate a raw deflate stream in bounded pieces (PS3.5 A.5)."""

    def __init__(self, walk: Walk) -> None:
        self._walk, self._stream = walk, zlib.decompressobj(-zlib.MAX_WBITS)
        self._taken = self._given = self._sum = 0
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        if self._stream.eof:
            self._keep_rest(chunk)
            return
        self._taken += len(chunk)
        while chunk:
            try:
                piece = self._stream.decompress(chunk, _BLOCK)
            except zlib.error as error:
                refuse("deflate-broken", detail=str(error))
            self._given += len(piece)
            self._sum = zlib.crc32(piece, self._sum)
            self._check_growth()
            self._walk.feed(piece)
            chunk = self._stream.unconsumed_tail
            if self._stream.eof:
                self._keep_rest(self._stream.unused_data)
                return

    def _check_growth(self) -> None:
        allowed = max(INFLATED_FREELY, INFLATED_RATIO * self._taken)
        if self._given > min(allowed, INFLATED_LIMIT):
            refuse("deflate-bomb")

    def _keep_rest(self, rest: bytes) -> None:
        self._rest = (self._rest + rest)[: _LONGEST_REST + 1]

    def _check_behind(self) -> None:
        """Allow zeros, or the checksum and length that gzip's habit puts behind the stream."""
        trailer = struct.pack("<II", self._sum, self._given & 0xFFFFFFFF)
        rest = self._rest.removeprefix(trailer)
        if len(rest) > _LONGEST_REST or rest.strip(b"\0"):
            refuse("trailing-data")

    def finish(self) -> None:
        if not self._stream.eof:
            refuse("truncated")
        self._check_behind()
        self._walk.finish()


class Gate:
    """Check one Part 10 object as its bytes come in.

    Give `size` where the length is known beforehand: false lengths are then refused at once rather
    than at the end. `bulk_prefix` begins every `BulkDataURI`. An object whose opening names another
    SOP Instance UID than its data set is refused; `hold_differing_identifier` holds it instead. Who
    keeps such an object lets it name itself first (`named_by_itself`). After `Refused` the gate is
    spent.
    """

    def __init__(
        self,
        *,
        size: int | None = None,
        bulk_prefix: str = "bulkdata/",
        limits: Limits | None = None,
        hold_differing_identifier: bool = False,
    ) -> None:
        self._hold_differing = hold_differing_identifier
        self._size, self._bulk_prefix, self._limits = size, bulk_prefix, limits or Limits()
        self._opening: bytes | None = b""
        self._length = 0
        self._preamble_changes = False
        self._dataset_offset = 0
        self._meta: Meta | None = None
        self._walk: Walk | None = None
        self._sink: Walk | _Inflater | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, of any number. Raises `Refused`."""
        self._length += len(chunk)
        if self._length > self._limits.object_bytes:
            refuse("object-too-large")
        if self._sink is None:
            self._open((self._opening or b"") + chunk, complete=False)
        else:
            self._sink.feed(chunk)

    def finish(self) -> Verdict:
        """Say that there are no more bytes and return the verdict. Raises `Refused`."""
        if self._sink is None:
            self._open(self._opening or b"", complete=True)
        walk, sink, meta = self._walk, self._sink, self._meta
        if walk is None or sink is None or meta is None:
            refuse("meta-missing")
        sink.finish()
        summary = summarise(walk.keys, walk.charset, meta.syntax.uid, walk.note)
        self._compare(meta, summary, walk)
        found = tuple(walk.findings.values())
        return Verdict(
            summary=summary,
            header=bytes(walk.json),
            reasons=tuple(reason for reason in found if reason.code in HELD),
            remarks=tuple(reason for reason in found if reason.code not in HELD),
            pixels=walk.pixels,
            bulk=tuple(walk.bulk),
            dataset_offset=self._dataset_offset,
            length=self._length,
            preamble_changes=self._preamble_changes,
        )

    def identifiers(self) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
        """Give SOP class and instance as the data set has them, and as the opening has them.

        None for what has not come yet, or is not there.
        """
        if self._walk is None or self._meta is None:
            return None, None
        found = [self._walk.keys.get(tag, ("", b""))[1] for tag in (0x00080016, 0x00080018)]
        own = [value.rstrip(b"\0 ").decode("latin-1") for value in found]
        other = self._meta.sop_class, self._meta.sop_instance
        return (own[0], own[1]) if all(own) else None, other if all(other) else None

    def _open(self, opening: bytes, *, complete: bool) -> None:
        """Read preamble and file meta information once they are there, then start the walk."""
        self._opening = opening
        if len(opening) < LENGTH + 4 and not complete:
            return
        if opening[LENGTH : LENGTH + 4] != MAGIC:
            refuse("not-dicom")
        self._preamble_changes = check_preamble(opening[:LENGTH])
        at_hand = len(opening) > META_LIMIT
        meta = read_meta(opening[: META_LIMIT + LENGTH], complete=complete or at_hand)
        if meta is None:
            return
        if meta.sop_class == DICOMDIR:
            refuse("dicomdir")
        self._start(meta)
        if self._sink is not None:
            self._sink.feed(opening[meta.end :])

    def _start(self, meta: Meta) -> None:
        size = None if meta.syntax.deflated else self._size
        walk = Walk(
            meta.syntax, meta.end, limits=self._limits, size=size, bulk_prefix=self._bulk_prefix
        )
        self._sink = _Inflater(walk) if meta.syntax.deflated else walk
        self._walk, self._meta, self._dataset_offset, self._opening = walk, meta, meta.end, None
        for code in meta.findings:
            walk.note(code, "00020000")
        if self._preamble_changes:
            walk.note("preamble-neutralised", "")
        if meta.syntax.big_endian:
            walk.note("big-endian", "")

    def _compare(self, meta: Meta, summary: Summary, walk: Walk) -> None:
        """Refuse an object under two identifiers; hold one whose class differs or is left out."""
        if meta.sop_instance:
            check_uid(meta.sop_instance, "00020003", walk.note)
            if meta.sop_instance != summary.sop_instance:
                if not self._hold_differing:
                    refuse("identifier-differs", "00020003")
                walk.note("meta-identifier-differs", "00020003")
        if not meta.sop_instance or not meta.sop_class:
            walk.note("meta-incomplete", "00020002")
        elif meta.sop_class != summary.sop_class:
            walk.note("meta-identifier-differs", "00020002")


def named_by_itself(beginning: bytes) -> bytes:
    """Return an object's beginning, its opening naming the object that the data set is.

    De-identifiers that forget the opening leave the identifier of another object there. What names
    itself already, and what the gate refuses, comes back as it is. `beginning` must reach to where
    the SOP Instance UID ends; it is looked at as far as the opening may be long.
    """
    gate = Gate(hold_differing_identifier=True)
    try:
        gate.feed(beginning[: META_LIMIT + LENGTH])
    except Refused:
        return beginning
    own, other = gate.identifiers()
    if not own or not other or own == other:
        return beginning
    sop_class, sop_instance = own
    return name_in_meta(beginning, sop_class=sop_class, sop_instance=sop_instance)


def inspect(
    data: bytes, *, bulk_prefix: str = "bulkdata/", limits: Limits | None = None
) -> Verdict:
    """Check a whole object that is in memory already. Raises `Refused`."""
    gate = Gate(size=len(data), bulk_prefix=bulk_prefix, limits=limits)
    gate.feed(data)
    return gate.finish()
