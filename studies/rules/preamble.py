"""The 128 free bytes in front of a DICOM file: what may hide there, and how it is made harmless.

DICOM PS3.10 section 7.1 leaves them to anybody, so that a file can be a program or a web page as
well (CVE-2019-11687). A TIFF header is the one use that the standard itself describes.
"""

import re
from typing import Final

from .reasons import refuse

LENGTH: Final = 128
MAGIC: Final = b"DICM"

_STARTS = (
    b"MZ",  # DOS and Windows programs
    b"\x7fELF",
    b"\xfe\xed\xfa",  # Mach-O, both word sizes
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # Mach-O universal, Java class
    b"\xca\xfe\xba\xbf",
    b"#!",
    b"PK",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"MSCF",
    b"BZh",
    b"\xfd7zXZ",
    b"\x00asm",
    b"dex\n",
    b"\xd0\xcf\x11\xe0",  # OLE documents
    b"{\\rtf",
)
# Browsers and readers of PDF look past leading blanks, and further.
_ANYWHERE = re.compile(
    rb"%PDF-|%!PS|<\s*(?:!doctype|!--|\?|html|head|body|script|svg|iframe|img|a\s|meta|title)"
    rb"|javascript:|<%",
    re.IGNORECASE,
)


def check_preamble(preamble: bytes) -> bool:
    """Refuse a dangerous preamble (128 bytes); say whether a harmless one holds anything at all.

    Raises `Refused("dangerous-preamble")`. Source: DICOM PS3.10 section 7.1 and 7.5.
    """
    if not preamble.strip(b"\0"):
        return False
    if preamble.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(_STARTS) or _ANYWHERE.search(preamble):
        refuse("dangerous-preamble")
    return True


def neutralise_preamble(first_chunk: bytes) -> bytes:
    """Return the first chunk of a file with its preamble as zeros; all other bytes stay.

    The chunk must hold at least 132 bytes. The stored object then differs from the sent one in
    bytes 0 to 127 and in nothing else, its length and every offset are the same. Raises `Refused`
    for a chunk that is not DICOM or whose preamble is dangerous.
    """
    if first_chunk[LENGTH : LENGTH + 4] != MAGIC:
        refuse("not-dicom")
    if not check_preamble(first_chunk[:LENGTH]):
        return first_chunk
    return bytes(LENGTH) + first_chunk[LENGTH:]
