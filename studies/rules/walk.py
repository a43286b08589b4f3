"""One iterative walk over a data set: bounds, DICOM JSON and byte ranges in a single pass.

Nothing recurses and nothing is allocated by a length that a file claims. What is dangerous raises
`Refused`; what is odd is noted. The JSON text is written as the bytes go by, so that a header costs
its own size and a value on its way to the bulk costs nothing.
"""

from collections.abc import Callable
from typing import Final

from .dictionary import vr_of
from .elements import (
    ENCAPSULATING,
    INLINE_LIMIT,
    ITEM,
    ITEM_END,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Entry,
    entry_of,
    looks_explicit,
    looks_implicit,
    settle,
)
from .keys import IDENTITY
from .reasons import refuse
from .syntaxes import Syntax
from .walk_fragments import FragmentWalk
from .walk_state import (
    DATASET,
    EXTENDED_TABLE,
    FRAGMENTS,
    IMPLICIT,
    OPENING,
    PADDING,
    SEQUENCE,
    Limits,
)

INLINE: Final = 1024
_ENTRIES: dict[tuple[int, str], Entry] = {}
_ENTRIES_LIMIT: Final = 8192


class Walk(FragmentWalk):
    """Take a data set piece by piece (`feed`, then `finish`); results are public attributes.

    `base` is the offset of the data set in the object, `size` the object's length if known.
    """

    def __init__(
        self, syntax: Syntax, base: int, *, limits: Limits, size: int | None, bulk_prefix: str
    ) -> None:
        super().__init__(syntax, base, limits=limits, size=size, bulk_prefix=bulk_prefix)
        self._steps: tuple[Callable[[], bool], ...] = (
            self._read_elements,
            self._read_item,
            self._read_fragment,
            self._read_padding,
        )

    def feed(self, chunk: bytes) -> None:
        """Walk on as far as the bytes reach. Raises `Refused`."""
        if self._skip:
            passed = min(self._skip, len(chunk))
            self._skip -= passed
            self._base += passed
            if self._skip:
                return
            chunk = chunk[passed:]
        self._pending.append(chunk)
        self._pending_size += len(chunk)
        if len(self._buf) + self._pending_size < self._want:
            return
        self._buf = b"".join((self._buf, *self._pending)) if self._buf else b"".join(self._pending)
        self._pending, self._pending_size, self._want = [], 0, 0
        while self._steps[self._in.mode]():
            pass
        self._base += self._pos
        self._buf, self._pos = self._buf[self._pos :], 0

    def finish(self) -> None:
        """Say that the bytes are at an end. Raises `Refused` if the data set is not."""
        rest = len(self._buf) + self._pending_size
        if self._skip or rest or self._stack or self._in.mode == FRAGMENTS:
            refuse("truncated", self.path(self._at))
        self.json += b"}"

    def _read_elements(self) -> bool:
        """Read elements until the container changes or the bytes end; the hot loop."""
        inside, buf, base, pos = self._in, self._buf, self._base, self._pos
        header, limit, entries, end = inside.header, len(buf), _ENTRIES, inside.end - base
        while pos < end:
            if limit - pos < 8:
                return self._wait(pos, 8)
            tag, vr, length, value = header(buf, pos)
            if value > limit:
                return self._wait(pos, 12)
            self._at = tag
            if tag <= inside.last or tag < 0x80000 or tag >= 0xFFFC0000 or inside.last < 0:
                changed = self._check_order(tag, length, pos)
                if changed is not None:
                    return changed
            entry = entries.get((tag, vr)) or self._entry(tag, vr)
            if entry.encode is None or length > INLINE:
                self._pos = pos
                if not self._take_large(tag, entry, length, value):
                    return False
                pos = self._pos
                if self._in is not inside or pos >= limit:
                    return True
                continue
            stop = value + length
            if stop > limit or stop > end:
                return self._lack(stop, end, pos)
            self._emit(tag, entry, buf[value:stop])
            inside.last, pos = tag, stop
        self._pos = pos
        return self._close(undefined=False)

    def _check_order(self, tag: int, length: int, pos: int) -> bool | None:
        """Deal with tags out of order, delimiters and first elements; None to read on."""
        inside = self._in
        if tag == ITEM_END and inside.undefined and length == 0:
            self._pos = pos + 8
            return self._close(undefined=True)
        if tag == 0 and not self._stack and self.pixels:
            self._pos, inside.mode = pos, PADDING
            self.note("trailing-zeros", "")
            return True
        if tag >> 16 == 0xFFFE:
            refuse("bad-delimiter", self.path(tag))
        if tag >> 16 in (0, 1, 2, 3, 4, 5, 6, 7, 0xFFFF):
            refuse("forbidden-group", self.path(tag))
        if tag == inside.last:
            refuse("duplicate-tag", self.path(tag))
        if tag < inside.last:
            behind = self.pixels is not None and not self._stack
            refuse("trailing-data" if behind else "tag-out-of-order", self.path(tag))
        if inside.last < 0:
            return self._check_first(pos)
        return None

    def _check_first(self, pos: int) -> bool | None:
        """Find out whether the first element of a container is written as the syntax says."""
        inside, head = self._in, self._buf[pos : pos + 8]
        if inside.header is IMPLICIT:
            if not self._stack and looks_explicit(head):
                refuse("explicit-under-implicit", self.path(self._at))
        elif inside.header(self._buf, pos)[1] == "" and looks_implicit(head, self._order):
            self.note("implicit-item")
            self._pos, inside.header = pos, IMPLICIT
            return True
        return None

    def _entry(self, tag: int, vr: str) -> Entry:
        """Look an element's entry up, or make it; raises `Refused` for a VR that does not exist."""
        inside = self._in
        if not vr:
            refuse("unknown-vr", self.path(tag))
        if tag in IDENTITY and vr not in IDENTITY[tag]:
            refuse("vr-mismatch", self.path(tag))
        if vr == "UN" and " or " in vr_of(tag):
            vr = vr_of(tag)
        if " or " in vr:
            vr = settle(vr, signed=inside.signed, single=inside.lut_single)
        elif vr == "NONE":
            vr = "UN"
        entry = entry_of(tag, vr)
        if len(_ENTRIES) < _ENTRIES_LIMIT:
            _ENTRIES[tag, vr] = entry
        return entry

    def _lack(self, stop: int, end: int, pos: int) -> bool:
        """Wait for a value that is not complete, or refuse one that cannot become so."""
        if stop > end:
            refuse("length-past-end", self.path(self._at))
        return self._wait(pos, stop - pos)

    def _take_large(self, tag: int, entry: Entry, length: int, value: int) -> bool:
        """Open a sequence, pass a bulk value by, or read a long text; False to wait for bytes."""
        inside, end = self._in, self._in.end - self._base
        if length == UNDEFINED:
            return self._take_undefined(tag, entry, value)
        stop = value + length
        if stop > end:
            refuse("length-past-end", self.path(tag))
        if entry.vr == "SQ":
            self._open_sequence(tag, entry, stop, undefined=False, value=value)
            return True
        if tag == PIXEL_DATA and not self._stack:
            self._pass_bulk(tag, entry, length, value)
        elif tag == EXTENDED_TABLE or length <= INLINE_LIMIT[entry.vr]:
            if length > self.limits.offset_table_bytes:
                refuse("too-many-fragments", self.path(tag))
            if stop > len(self._buf):
                return self._wait(self._pos, stop - self._pos)
            raw = self._buf[value:stop]
            self._emit(tag, entry, raw)
            self._pos = stop
        else:
            self._pass_bulk(tag, entry, length, value)
        inside.last = tag
        return True

    def _take_undefined(self, tag: int, entry: Entry, value: int) -> bool:
        """Open a sequence or an encapsulated value without a length (PS3.5 7.5.1, A.4)."""
        inside = self._in
        if tag == PIXEL_DATA and entry.vr in ENCAPSULATING:
            self._open_fragments(tag, entry, value)
            return True
        if entry.vr not in ("SQ", "UN"):
            refuse("undefined-length", self.path(tag))
        if entry.vr == "UN":
            entry = entry._replace(prefix=entry.prefix.replace(b'"UN"', b'"SQ"'))
        self._open_sequence(tag, entry, inside.end, undefined=True, value=value)
        return True

    def _open_sequence(
        self, tag: int, entry: Entry, stop: int, *, undefined: bool, value: int
    ) -> None:
        inside, out = self._in, self.json
        inside.last, self._pos = tag, value
        if out[-1] != OPENING:
            out += b","
        out += entry.prefix
        end = stop + self._base if not undefined else stop
        header = IMPLICIT if entry.implicit else inside.header
        self._enter(SEQUENCE, end, header, undefined=undefined)
        self._path.append(f"{tag:08X}")

    def _read_item(self) -> bool:
        """Read the head of an item, or the end of the sequence."""
        inside, buf, pos = self._in, self._buf, self._pos
        if self._base + pos >= inside.end:
            return self._close(undefined=False)
        if len(buf) - pos < 8:
            return self._wait(pos, 8)
        tag, _, length, value = inside.header(buf, pos)
        self._pos = value
        if tag == SEQUENCE_END and inside.undefined and not length:
            return self._close(undefined=True)
        if tag != ITEM:
            refuse("bad-delimiter", self.path(tag))
        undefined = length == UNDEFINED
        end = inside.end if undefined else self._base + value + length
        if end > inside.end:
            refuse("length-past-end", self.path(tag))
        self._items += 1
        if self._items > self.limits.items:
            refuse("too-many-items", self.path(tag))
        self.json += b",{" if inside.items else b',"Value":[{'
        inside.items += 1
        self._enter(DATASET, end, inside.header, undefined=undefined)
        self._path.append(str(inside.items))
        return True

    def _close(self, *, undefined: bool) -> bool:
        """Leave an item or a sequence; False at the end of the whole data set."""
        inside = self._in
        if not self._stack:
            return False
        if inside.undefined != undefined:
            refuse("bad-delimiter", self.path(self._at))
        if inside.mode == DATASET:
            self.json += b"}"
        else:
            self.json += b"]}" if inside.items else b"}"
        self._path.pop()
        self._in = self._stack.pop()
        return True

    def _read_padding(self) -> bool:
        """Let zeros behind the last element pass, and nothing else."""
        if self._buf[self._pos :].strip(b"\0"):
            refuse("trailing-data")
        self._pos = len(self._buf)
        return False
