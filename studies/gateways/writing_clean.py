"""Write a clean object, and give the part of its bytes in which words can stand.

Native pixels are written as they are, behind the rest: nobody has touched them, and nobody needs
to look through half a megabyte for a name.
"""

from __future__ import annotations

import io
import zlib
from typing import Final, NamedTuple

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from studies.gateways.writing_elements import NotAsRead, data_set_bytes
from studies.rules.dicomdir import IMPLEMENTATION

_PIXEL_DATA: Final = 0x7FE00010
_EXPLICIT: Final = {True: ExplicitVRLittleEndian, False: ExplicitVRBigEndian}
_LONGEST: Final = (1 << 32) - 2


class Written(NamedTuple):
    """A file's bytes, and those of them (inflated) in which words can stand."""

    content: bytes
    searched: bytes


def syntax_of(dataset: FileDataset) -> UID | None:
    """The transfer syntax that a file names; None: it has no meta information."""
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    return UID(syntax) if syntax else None


def give_meta(dataset: FileDataset) -> None:
    """Give an object a preamble of zeros and file meta information of our own (PS3.10 7.1)."""
    implicit, little = dataset.original_encoding
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    as_it_looks: UID = ImplicitVRLittleEndian if implicit else _EXPLICIT[bool(little)]
    meta.TransferSyntaxUID = syntax_of(dataset) or as_it_looks
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = "COLLIMATE"
    dataset.file_meta, dataset.preamble = meta, bytes(128)


def written(dataset: FileDataset) -> Written:
    """Write a file that says nothing of who made it before."""
    give_meta(dataset)
    pixels = _native_pixels_at_the_end(dataset)
    if pixels is None:
        content = _bytes_of(dataset)
        return Written(content, searched(content, dataset))
    # It stays in the object, whose pixels may be wanted; only the writer does not see it.
    element = dataset.get_item(_PIXEL_DATA)
    del dataset[_PIXEL_DATA]
    words = _without_its_pixels(dataset)
    dataset[_PIXEL_DATA] = element
    return Written(words + pixels[0] + pixels[1], words + pixels[0])


def _bytes_of(dataset: FileDataset) -> bytes:
    buffer = DicomBytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _without_its_pixels(dataset: FileDataset) -> bytes:
    """A file with native pixels, but for these."""
    try:
        implicit = bool(dataset.file_meta.TransferSyntaxUID.is_implicit_VR)
        if not dataset.file_meta.TransferSyntaxUID.is_little_endian:
            return _bytes_of(dataset)
        words = data_set_bytes(dataset, implicit=implicit)
    except NotAsRead:
        return _bytes_of(dataset)
    buffer = DicomBytesIO(bytes(128) + b"DICM")
    buffer.seek(0, io.SEEK_END)
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_file_meta_info(buffer, dataset.file_meta, enforce_standard=True)
    return buffer.getvalue() + words


def _native_pixels_at_the_end(dataset: FileDataset) -> tuple[bytes, bytes] | None:
    """The head of the element of the pixels, and their bytes; None: pydicom has to write them."""
    syntax: UID = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated or syntax == DeflatedExplicitVRLittleEndian:
        return None
    if _PIXEL_DATA not in dataset or max(dataset.keys()) != _PIXEL_DATA:
        return None
    element = dataset.get_item(_PIXEL_DATA)
    value, vr = element.value, element.VR
    if not isinstance(value, bytes) or len(value) % 2 or len(value) > _LONGEST:
        return None
    tag, size = _tag_and_size(len(value), little=bool(syntax.is_little_endian))
    if syntax.is_implicit_VR:
        return tag + size, value
    return (tag + str(vr).encode() + b"\0\0" + size, value) if vr in {"OB", "OW"} else None


def _tag_and_size(length: int, *, little: bool) -> tuple[bytes, bytes]:
    tag = b"\xe0\x7f\x10\x00" if little else b"\x7f\xe0\x00\x10"
    return tag, length.to_bytes(4, "little" if little else "big")


def searched(content: bytes, dataset: FileDataset) -> bytes:
    """Of a whole file, the bytes in which words can stand: all but native pixels."""
    syntax: UID = dataset.file_meta.TransferSyntaxUID
    if syntax == DeflatedExplicitVRLittleEndian:
        start = 132 + 12 + int.from_bytes(content[140:144], "little")
        return content[:start] + zlib.decompress(content[start:], -zlib.MAX_WBITS)
    if syntax.is_encapsulated or "PixelData" not in dataset:
        return content
    # Their place is where their element begins: a frame's first bytes may stand anywhere.
    length = len(dataset.PixelData)
    tag, size = _tag_and_size(length, little=bool(syntax.is_little_endian))
    heads = (tag + b"OW\0\0" + size, tag + b"OB\0\0" + size, tag + size)
    place = max(content.rfind(head) for head in heads)
    if place < 0:
        return content
    start = content.index(size, place) + 4
    return content[:start] + content[start + length :]
