"""The part of the walk that passes encapsulated values by (DICOM PS3.5 A.4)."""

from .codestream import WIDE_WINDOW, WINDOW
from .elements import ITEM, PIXEL_DATA, SEQUENCE_END, UNDEFINED, Entry
from .keys import read_shape
from .pixels import Fragments
from .reasons import refuse
from .syntaxes import Syntax
from .walk_state import EXTENDED_TABLE, FRAGMENTS, Bulk, Limits, WalkState


class FragmentWalk(WalkState):
    """Read offset tables and the heads of fragments; their bytes go by unseen."""

    def __init__(
        self, syntax: Syntax, base: int, *, limits: Limits, size: int | None, bulk_prefix: str
    ) -> None:
        super().__init__(syntax, base, limits=limits, size=size, bulk_prefix=bulk_prefix)
        self._fragments: Fragments | None = None
        self._fragmented = Entry(b"", "OB", None, "")

    def _open_fragments(self, tag: int, entry: Entry, value: int) -> None:
        """Begin an encapsulated value (PS3.5 A.4); only the object's own pixels are described."""
        inside = self._in
        if not self.syntax.encapsulated:
            refuse("pixel-encoding", self.path(tag))
        top = not self._stack
        shape = read_shape(self.keys, self._order, self.note) if top else None
        self._fragments = Fragments(self.syntax, shape, self._base + value, self.note)
        self._fragmented = entry
        inside.last = tag
        self._enter(FRAGMENTS, inside.end, inside.header, undefined=True)
        self._pos = value

    def _read_fragment(self) -> bool:
        """Read the head of a fragment and as much of it as tells the image's size."""
        inside, buf, pos = self._in, self._buf, self._pos
        fragments = self._fragments
        if len(buf) - pos < 8 or fragments is None:
            return self._wait(pos, 8)
        tag, _, length, value = inside.header(buf, pos)
        if tag == SEQUENCE_END and not length:
            return self._close_fragments(fragments, value)
        if tag != ITEM or length == UNDEFINED:
            refuse("bad-delimiter", self.path(PIXEL_DATA))
        stop = value + length
        if self._base + stop > inside.end:
            refuse("length-past-end", self.path(PIXEL_DATA))
        if fragments.table is None:
            return self._take_table(fragments, value, stop)
        for window in (WINDOW, WIDE_WINDOW):
            known = value + min(window, length)
            if known > len(buf):
                return self._wait(pos, known - pos)
            if fragments.add(self._base + value, length, buf[value:known]):
                break
        self._advance(stop)
        return True

    def _take_table(self, fragments: Fragments, value: int, stop: int) -> bool:
        if stop - value > self.limits.offset_table_bytes:
            refuse("too-many-fragments", self.path(PIXEL_DATA))
        if stop > len(self._buf):
            return self._wait(self._pos, stop - self._pos)
        extended = self.keys.get(EXTENDED_TABLE, ("", b""))[1]
        fragments.take_table(self._buf[value:stop], extended if not self._path else b"")
        self._pos = stop
        return True

    def _close_fragments(self, fragments: Fragments, value: int) -> bool:
        layout = fragments.layout(self._base + value)
        self._in, self._fragments = self._stack.pop(), None
        path = self.path(PIXEL_DATA)
        if not self._stack:
            self.pixels = layout
        else:
            self.bulk.append(
                Bulk(path, self._fragmented.vr, layout.offset, layout.length, encapsulated=True)
            )
        self._write_bulk(self._fragmented, path)
        self._pos = value
        return True
