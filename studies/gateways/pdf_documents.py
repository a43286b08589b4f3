"""A PDF's words, and a PDF of words: for processes with limits, never for the web process."""

from __future__ import annotations

import io
import logging
import re
import textwrap
from typing import Any, Final

from pypdf import PdfReader

_MOST_PAGES, _MOST_LETTERS = 200, 1_000_000
# Courier at 10 points is 6 points wide: 90 letters and 70 lines fit on A4.
_WIDTH, _LINES, _SIZE, _LEADING, _LEFT, _TOP = 90, 70, 10, 11, 28, 805
_FORMS_DEEP: Final = 5
_ENCODINGS: Final = frozenset({"/WinAnsiEncoding", "/MacRomanEncoding", "/StandardEncoding"})
# Names of glyphs that say nothing but their place.
_NUMBERED: Final = re.compile(r"/(?:[a-z]{1,2}|cid|glyph|index|char)?\d+", re.IGNORECASE)


class PdfUnreadable(ValueError):
    """Encrypted, without words, too long, or no PDF: what stands in it cannot be known."""


def pages_of(content: bytes) -> list[list[str]]:
    """The lines of each page, without empty ones. Raises `PdfUnreadable`."""
    # It tells of faults in files, and may quote them.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise PdfUnreadable("encrypted")
        if len(reader.pages) > _MOST_PAGES:
            raise PdfUnreadable("too many pages")
        for page in reader.pages:
            _check_fonts(page.get("/Resources"), _FORMS_DEEP)
        pages = [_lines(page.extract_text() or "") for page in reader.pages]
    except (MemoryError, PdfUnreadable):
        raise
    except Exception as error:
        raise PdfUnreadable(type(error).__name__) from error
    if not any(pages) or sum(len(line) for page in pages for line in page) > _MOST_LETTERS:
        raise PdfUnreadable("no words, or too many")
    return pages


def _check_fonts(resources: Any, deeper: int) -> None:
    """Refuse fonts that number their letters in an order of their own and do not tell it."""
    resources = resources.get_object() if resources is not None else {}
    for font in _values(resources.get("/Font")):
        if not _tells_its_letters(font):
            raise PdfUnreadable("a font of its own")
    for drawn in _values(resources.get("/XObject")):
        if drawn.get("/Subtype") == "/Form" and "/Resources" in drawn:
            if not deeper:
                raise PdfUnreadable("forms within forms")
            _check_fonts(drawn["/Resources"], deeper - 1)


def _values(found: Any) -> list[Any]:
    return [] if found is None else [one.get_object() for one in found.get_object().values()]


def _tells_its_letters(font: Any) -> bool:
    """By a map to Unicode, or a code of letters that everybody knows (PDF 32000-1, 9.6.6, 9.10)."""
    if "/ToUnicode" in font:
        return True
    if font.get("/Subtype") not in {"/Type1", "/TrueType", "/MMType1"}:
        return False
    encoding = font.get("/Encoding")
    encoding = encoding.get_object() if encoding is not None else None
    if encoding is None:
        # A part of a font has a name with a plus sign; its letters may stand anywhere.
        return "+" not in str(font.get("/BaseFont", "+"))
    if isinstance(encoding, str):
        return encoding in _ENCODINGS
    names = [str(one) for one in encoding.get("/Differences", ()) if isinstance(one, str)]
    return not any(_NUMBERED.fullmatch(one) for one in names)


def _lines(text: str) -> list[str]:
    return [line for line in (" ".join(one.split()) for one in text.splitlines()) if line]


def pdf_of(pages: list[list[str]]) -> bytes:
    """A plain PDF of lines: no pictures, attachments, forms, links or data about it.

    The same lines give the same bytes. Raises `PdfUnreadable` for letters it cannot write.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    # Without compression, so that whoever searches the bytes finds the words.
    canvas = Canvas(buffer, pagesize=A4, pageCompression=0, invariant=1)
    for page in pages:
        lines = [part for line in page for part in _wrapped(line)]
        for start in range(0, max(1, len(lines)), _LINES):
            text = canvas.beginText(_LEFT, _TOP)
            text.setFont("Courier", _SIZE, _LEADING)
            for line in lines[start : start + _LINES]:
                text.textLine(line)
            canvas.drawText(text)
            canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _wrapped(line: str) -> list[str]:
    try:
        line.encode("cp1252")
    except UnicodeEncodeError as error:
        # Fonts of other letters would have to be brought along.
        raise PdfUnreadable("letters of another alphabet") from error
    return textwrap.wrap(line, _WIDTH, break_on_hyphens=False)
