"""What a walk knows at any moment: bounds, findings, output, and what it is inside of."""

from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

from orjson import dumps

from .charsets import DEFAULT, CharacterSet, character_set
from .elements import BULK_LIMIT, PIXEL_DATA, Entry, Header, header_of
from .keys import KEYS, read_shape
from .pixels import PixelLayout, check_native
from .reasons import SENTENCES, Reason, refuse
from .syntaxes import SYNTAXES, Syntax

ENDLESS: Final = 1 << 62
OPENING: Final = ord("{")
IMPLICIT: Final = header_of(SYNTAXES["1.2.840.10008.1.2"])
EXTENDED_TABLE: Final = 0x7FE00001
_CHARSET, _PIXEL_SIGN, _LUT = 0x00080005, 0x00280103, 0x00283002
WATCHED: Final = frozenset(KEYS) | {_CHARSET, _PIXEL_SIGN, _LUT}
DATASET, SEQUENCE, FRAGMENTS, PADDING = range(4)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one object; the defaults leave room for every real object known to us."""

    depth: int = 64
    elements: int = 250_000
    items: int = 100_000
    json_bytes: int = 16 << 20
    object_bytes: int = 8 << 30
    offset_table_bytes: int = 4 << 20
    findings: int = 100


class Bulk(NamedTuple):
    """A value left out of the JSON: its path, VR, and where it lies (see `PixelLayout`)."""

    path: str
    vr: str
    offset: int
    length: int
    encapsulated: bool = False


@dataclass(slots=True)
class Container:
    """What the walk is inside of; `end` is ENDLESS or where the container must end."""

    mode: int
    end: int
    header: Header
    charset: CharacterSet
    signed: bool
    undefined: bool = False
    last: int = -1
    items: int = 0
    lut_single: bool = False


class WalkState:
    """The state of one walk and the acts that every part of it shares."""

    def __init__(
        self, syntax: Syntax, base: int, *, limits: Limits, size: int | None, bulk_prefix: str
    ) -> None:
        self.syntax, self.limits, self.bulk_prefix = syntax, limits, bulk_prefix
        self.json = bytearray(b"{")
        self.keys: dict[int, tuple[str, bytes]] = {}
        self.bulk: list[Bulk] = []
        self.pixels: PixelLayout | None = None
        self.findings: dict[tuple[str, str], Reason] = {}
        self.charset: CharacterSet = DEFAULT
        self._order = ">" if syntax.big_endian else "<"
        self._buf, self._pos, self._base, self._skip, self._want = b"", 0, base, 0, 0
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._at = self._elements = self._items = 0
        self._path: list[str] = []
        self._stack: list[Container] = []
        end = ENDLESS if size is None else size
        self._in = Container(DATASET, end, header_of(syntax), DEFAULT, signed=False)

    @property
    def position(self) -> int:
        """The offset of the next byte that the walk has not passed."""
        return self._base + self._pos

    def path(self, tag: int) -> str:
        """Return the path of a tag in the container that the walk is inside of."""
        return "/".join([*self._path, f"{tag:08X}"])

    def note(self, code: str, tag: str | None = None) -> None:
        """Keep one finding a code and tag, up to the limit, so that a file cannot flood us."""
        key = (code, tag if tag is not None else self.path(self._at))
        if key not in self.findings and len(self.findings) < self.limits.findings:
            self.findings[key] = Reason(code, SENTENCES[code], key[1])

    def _wait(self, pos: int, want: int) -> bool:
        self._pos, self._want = pos, want
        return False

    def _emit(self, tag: int, entry: Entry, raw: bytes) -> None:
        """Write one element to the JSON and remember it if something depends on it."""
        out = self.json
        self._elements += 1
        if self._elements > self.limits.elements or len(out) > self.limits.json_bytes:
            self._refuse_size()
        if tag in WATCHED or entry.finding:
            self._watch(tag, entry, raw)
        if not entry.prefix:
            return
        if out[-1] != OPENING:
            out += b","
        out += entry.prefix
        if raw and entry.encode:
            out += entry.encode(raw, self._in.charset, self.note, self._order)
        out += b"}"

    def _refuse_size(self) -> NoReturn:
        many = self._elements > self.limits.elements
        refuse("too-many-elements" if many else "header-too-large", self.path(self._at))

    def _watch(self, tag: int, entry: Entry, raw: bytes) -> None:
        """Remember what something depends on, and note what is odd."""
        inside = self._in
        if entry.finding:
            self.note(entry.finding)
        if tag == _CHARSET:
            inside.charset = character_set(raw)
            if inside.charset.misspelt:
                self.note("charset-misspelt")
        elif tag == _PIXEL_SIGN:
            inside.signed = raw[:1] == b"\1" or raw[1:] == b"\1"
        elif tag == _LUT:
            inside.lut_single = raw[:2] in (b"\1\0", b"\0\1")
        if not self._stack and tag in KEYS:
            self.keys[tag] = (entry.vr, raw)
            if tag == _CHARSET:
                self.charset = inside.charset

    def _pass_bulk(self, tag: int, entry: Entry, length: int, value: int) -> None:
        if length > BULK_LIMIT.get(entry.vr, 0):
            refuse("value-too-long", self.path(tag))
        path, offset = self.path(tag), self._base + value
        if tag == PIXEL_DATA and not self._stack:
            self._place_native(offset, length)
        else:
            self.bulk.append(Bulk(path, entry.vr, offset, length))
        self._write_bulk(entry, path)
        self._advance(value + length)

    def _place_native(self, offset: int, length: int) -> None:
        if self.syntax.encapsulated:
            refuse("pixel-encoding", "7FE00010")
        if not length:
            self.note("pixel-without-size", "7FE00010")
            return
        shape = read_shape(self.keys, self._order, self.note)
        check_native(shape, length, self.note)
        self.pixels = PixelLayout(shape, self.syntax, offset, length)

    def _write_bulk(self, entry: Entry, path: str) -> None:
        out = self.json
        if out[-1] != OPENING:
            out += b","
        out += entry.prefix + b',"BulkDataURI":' + dumps(self.bulk_prefix + path) + b"}"

    def _advance(self, stop: int) -> None:
        """Pass to `stop`, which may lie behind the bytes at hand; nothing of it is kept."""
        self._skip = max(0, stop - len(self._buf))
        self._pos = min(stop, len(self._buf))

    def _enter(self, mode: int, end: int, header: Header, *, undefined: bool) -> None:
        inside = self._in
        self._stack.append(inside)
        if len(self._stack) > 2 * self.limits.depth:
            refuse("too-deep", self.path(self._at)[:200])
        self._in = Container(
            mode,
            end,
            header,
            inside.charset,
            inside.signed,
            undefined,
            lut_single=inside.lut_single,
        )
