"""Write a data set in little endian as pydicom does, byte for byte, and several times as fast.

Most of an object is bytes as they were read, and words in ASCII. Whatever else there is, pydicom
writes, element by element; where it would write the whole anew, so it does.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.multival import MultiValue
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

_UNDEFINED: Final = 0xFFFFFFFF
_LONGEST_SHORT: Final = 0xFFFF
# One value or several in letters; DS and IS have an own way of being written.
_LETTERS: Final = frozenset("AE AS CS DA DT LO LT PN SH ST TM UC UI UR UT".split())
_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0" + bytes(4)
_SEQUENCE_END: Final = b"\xfe\xff\xdd\xe0" + bytes(4)
_ISO_646: Final = "iso8859"


class NotAsRead(ValueError):
    """Raised when bytes as they were read are in another encoding than is to be written."""


def data_set_bytes(dataset: Dataset, *, implicit: bool, letters: Any = _ISO_646) -> bytes:
    """The elements of a data set in the order of tags. Raises `NotAsRead`.

    `letters`: the character set of what is around it.
    """
    as_read = (
        dataset.original_encoding == (implicit, True)
        and dataset.original_character_set == dataset._character_set
    )
    letters = dataset.get("SpecificCharacterSet", letters)
    written = []
    for tag in sorted(dataset.keys()):
        element = dataset.get_item(tag)
        if tag & 0xFFFF == 0 and tag >> 16 > 6:
            continue
        if isinstance(element, RawDataElement):
            if not as_read:
                raise NotAsRead
            written.append(_raw(element, implicit=implicit, letters=letters))
        elif element.VR == "SQ":
            written.append(_sequence(element, implicit=implicit, letters=letters))
        else:
            written.append(_words(element, implicit=implicit, letters=letters))
    return b"".join(written)


def _head(tag: int, vr: str | None, length: int, *, implicit: bool) -> bytes:
    numbers = tag >> 16, tag & 0xFFFF
    if implicit:
        return struct.pack("<HHL", *numbers, length)
    assert vr is not None
    if vr in EXPLICIT_VR_LENGTH_32:
        return struct.pack("<HH2s2xL", *numbers, vr.encode("ascii"), length)
    return struct.pack("<HH2sH", *numbers, vr.encode("ascii"), length)


def _raw(element: RawDataElement, *, implicit: bool, letters: Any) -> bytes:
    value, vr = element.value, element.VR
    if element.length == _UNDEFINED or not isinstance(value, bytes):
        return _by_pydicom(element, implicit=implicit, letters=letters)
    if not (implicit or vr in EXPLICIT_VR_LENGTH_32) and len(value) > _LONGEST_SHORT:
        return _by_pydicom(element, implicit=implicit, letters=letters)
    return _head(int(element.tag), vr, len(value), implicit=implicit) + value


def _words(element: DataElement, *, implicit: bool, letters: Any) -> bytes:
    vr, value = element.VR, element.value
    if vr not in _LETTERS:
        return _by_pydicom(element, implicit=implicit, letters=letters)
    if value is None:
        text = ""
    elif isinstance(value, MultiValue | list):
        text = "\\".join(map(str, value))
    else:
        text = str(value)
    if not text.isascii() or (len(text) >= _LONGEST_SHORT and vr not in EXPLICIT_VR_LENGTH_32):
        return _by_pydicom(element, implicit=implicit, letters=letters)
    encoded = text.encode("ascii")
    if len(encoded) % 2:
        encoded += b"\0" if vr == "UI" else b" "
    return _head(int(element.tag), vr, len(encoded), implicit=implicit) + encoded


def _sequence(element: DataElement, *, implicit: bool, letters: Any) -> bytes:
    items = []
    for item in element.value or ():
        body = data_set_bytes(item, implicit=implicit, letters=letters)
        if getattr(item, "is_undefined_length_sequence_item", False):
            items += [_ITEM, struct.pack("<L", _UNDEFINED), body, _ITEM_END]
        else:
            items += [_ITEM, struct.pack("<L", len(body)), body]
    content = b"".join(items)
    if element.is_undefined_length:
        head = _head(int(element.tag), "SQ", _UNDEFINED, implicit=implicit)
        return head + content + _SEQUENCE_END
    return _head(int(element.tag), "SQ", len(content), implicit=implicit) + content


def _by_pydicom(element: DataElement | RawDataElement, *, implicit: bool, letters: Any) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
    write_data_element(buffer, element, letters)
    return buffer.getvalue()
