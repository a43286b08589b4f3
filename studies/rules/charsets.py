"""The character sets of DICOM (PS3.3 C.12.1.1.2, PS3.5 section 6.1): a closed table.

A name that is not in the table never reaches a codec, for Python has codecs that unpack, evaluate
escapes or take quadratic time.
"""

import re
from dataclasses import dataclass
from typing import Final

from .reasons import refuse

# Repertoire number of ISO 2022 or ISO_IR -> Python codec.
_SINGLE = {
    "6": "latin-1",
    "13": "jis-x-0201",
    "100": "latin-1",
    "101": "iso8859-2",
    "109": "iso8859-3",
    "110": "iso8859-4",
    "126": "iso8859-7",
    "127": "iso8859-6",
    "138": "iso8859-8",
    "144": "iso8859-5",
    "148": "iso8859-9",
    "166": "iso8859-11",
    "203": "iso8859-15",
}
_DOUBLE = {"87": "jis-x-0208", "159": "jis-x-0212", "149": "euc-kr", "58": "gb2312"}
_WHOLE = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
_NAMES: Final = (
    _WHOLE
    | {f"ISO_IR {number}": codec for number, codec in _SINGLE.items()}
    | {f"ISO 2022 IR {number}": codec for number, codec in (_SINGLE | _DOUBLE).items()}
    | {"": "latin-1"}
)
# Spellings that real devices write, after blanks, dashes and underscores are made one blank.
_MISSPELT: Final = (
    {name.replace("_", " "): codec for name, codec in _NAMES.items()}
    | {"ISO 2022 GBK": "gbk", "ISO 2022 58": "gb2312", "UTF 8": "utf-8", "UTF8": "utf-8"}
    | {f"ISO IR{number}": codec for number, codec in _SINGLE.items()}
    | {"ISO 8859 1": "latin-1", "ISO IR 192": "utf-8", "ASCII": "latin-1"}
)
# PS3.5 table 6.2-1 and PS3.3 tables C.12-3 and C.12-4: escape sequence -> codec.
_ESCAPES: Final = {
    b"\x1b(B": "latin-1",
    b"\x1b(J": "jis-x-0201",
    b"\x1b)I": "jis-x-0201",
    b"\x1b-A": "latin-1",
    b"\x1b-B": "iso8859-2",
    b"\x1b-C": "iso8859-3",
    b"\x1b-D": "iso8859-4",
    b"\x1b-F": "iso8859-7",
    b"\x1b-G": "iso8859-6",
    b"\x1b-H": "iso8859-8",
    b"\x1b-L": "iso8859-5",
    b"\x1b-M": "iso8859-9",
    b"\x1b-T": "iso8859-11",
    b"\x1b-b": "iso8859-15",
    b"\x1b$B": "jis-x-0208",
    b"\x1b$(D": "jis-x-0212",
    b"\x1b$)C": "euc-kr",
    b"\x1b$)A": "gb2312",
}
_PIECE = re.compile(rb"\x1b\$?[()\-]?.|[^\x1b]+|\x1b", re.DOTALL)
_DELIMITER = re.compile(rb"[\\^=\r\n\t\f]")
_G0_MULTIBYTE: Final = {"jis-x-0208": b"\x1b$B", "jis-x-0212": b"\x1b$(D"}
_KATAKANA = {byte: 0xFF61 + byte - 0xA1 for byte in range(0xA1, 0xE0)}
_JIS_X_0201 = "".join(
    chr(byte if byte < 0x80 else _KATAKANA.get(byte, 0xFFFD)) for byte in range(256)
)


def _decode_run(raw: bytes, codec: str) -> str:
    """Decode bytes of one character set; what cannot be read becomes U+FFFD."""
    if codec == "jis-x-0201":
        return "".join(map(_JIS_X_0201.__getitem__, raw))
    if codec in _G0_MULTIBYTE:
        name = "iso2022_jp" if codec == "jis-x-0208" else "iso2022_jp_2"
        return (_G0_MULTIBYTE[codec] + raw).decode(name, "replace")
    return raw.decode(codec, "replace")


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """The value of Specific Character Set, ready to decode text of its data set."""

    codecs: tuple[str, ...]
    declared: bool = True
    misspelt: bool = False

    def decode(self, raw: bytes) -> tuple[str, str]:
        """Return the text and the code of a finding ("" if none); never raises."""
        if raw.isascii() and b"\x1b" not in raw:
            return str(raw, "ascii"), ""
        if b"\x1b" in raw:
            return self._decode_switching(raw)
        finding = "" if self.declared else "charset-undeclared"
        text = _decode_run(raw, self.codecs[0])
        return text, "text-undecodable" if "\ufffd" in text else finding

    def _decode_switching(self, raw: bytes) -> tuple[str, str]:
        """Decode with ISO 2022 escapes; a delimiter returns to the first set (PS3.5 6.1.2.5.3)."""
        text, finding, codec = [], "", self.codecs[0]
        for piece in _PIECE.findall(raw):
            if piece[:1] == b"\x1b":
                switched = _ESCAPES.get(piece)
                if switched is None or not self._may_use(switched):
                    finding, switched = "charset-escape", None
                    text.append("\ufffd")
                codec = switched or self.codecs[0]
                continue
            text.append(self._decode_piece(piece, codec))
        joined = "".join(text)
        return joined, finding or ("text-undecodable" if "\ufffd" in joined else "")

    def _decode_piece(self, piece: bytes, codec: str) -> str:
        split = None if codec in _G0_MULTIBYTE else _DELIMITER.search(piece)
        if not split:
            return _decode_run(piece, codec)
        head, tail = piece[: split.start()], piece[split.start() :]
        return _decode_run(head, codec) + _decode_run(tail, self.codecs[0])

    def _may_use(self, codec: str) -> bool:
        return codec in self.codecs or codec in ("latin-1", "jis-x-0201")


DEFAULT: Final = CharacterSet(("latin-1",), declared=False)


def character_set(raw: bytes) -> CharacterSet:
    """Read the value of (0008,0005), several names parted by backslashes.

    Raises `Refused("charset-unknown")` for a name outside the table.
    """
    names = raw.rstrip(b" \0").decode("ascii", "replace").split("\\")
    if len(raw) > 1024 or len(names) > 16:
        refuse("charset-unknown", "00080005")
    codecs, misspelt = [], False
    for name in (name.strip() for name in names):
        codec = _NAMES.get(name)
        if codec is None:
            misspelt = True
            codec = _MISSPELT.get(re.sub(r"[ _\-]+", " ", name.upper()))
        if codec is None:
            refuse("charset-unknown", "00080005")
        codecs.append(codec)
    if codecs == ["latin-1"] and not any(names):
        return DEFAULT
    declared = names != ["ISO_IR 6"]
    return CharacterSet(tuple(codecs), declared=declared, misspelt=misspelt)
