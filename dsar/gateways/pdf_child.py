"""Looks into one PDF and says what it found, in one word. A program of its own: no network, little
memory, few seconds. It stands alone, so that nothing of the portal is in its reach."""

import contextlib
import ctypes
import io
import logging
import resource
import sys
import warnings

_MEMORY = 512 << 20
_SECONDS = 10
_MOST_PAGES = 200
_MOST_OBJECTS = 100_000
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
# What makes a document do something (ISO 32000-2, 12.6), or carry something else (7.11).
_ACTIVE_KEYS = {
    "/AA", "/EmbeddedFiles", "/EF", "/JavaScript", "/JS", "/Launch", "/RichMedia",
    "/RichMediaContent", "/XFA",
}  # fmt: skip
_ACTIVE_KINDS = {
    "/JavaScript", "/Launch", "/GoToE", "/GoToR", "/SubmitForm", "/ImportData", "/Rendition",
    "/Movie", "/Sound", "/RichMediaExecute", "/EmbeddedFile", "/FileAttachment", "/RichMedia",
    "/3D", "/Screen",
}  # fmt: skip


def said_of(content: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        return "encrypted"
    if not 0 < len(reader.pages) <= _MOST_PAGES:
        return "pages"
    numbers = {(number, kind) for kind, table in reader.xref.items() for number in table}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > _MOST_OBJECTS:
        return "pages"
    waiting: list[object] = [reader.trailer]
    for number, kind in numbers:
        # An object that nobody can read does nothing either.
        with contextlib.suppress(Exception):
            waiting.append(reader.get_object(IndirectObject(number, kind, reader)))
    while waiting:
        one = waiting.pop()
        if isinstance(one, DictionaryObject):
            if _ACTIVE_KEYS & set(one) or {one.raw_get(key) for key in ("/S", "/Type", "/Subtype")
                                           if key in one} & _ACTIVE_KINDS:  # fmt: skip
                return "active"
            waiting += [one.raw_get(key) for key in one]
        elif isinstance(one, ArrayObject):
            waiting += list(one)
    return "plain"


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK)


if __name__ == "__main__":
    limit()
    warnings.simplefilter("ignore")
    # It tells of faults in files, and may quote them.
    logging.disable(logging.CRITICAL)
    try:
        word = said_of(sys.stdin.buffer.read())
    except Exception:  # noqa: BLE001 - a parser may raise anything at all
        word = "unreadable"
    sys.stdout.write(word)
