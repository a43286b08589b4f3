"""Lawful objects whose words mean to do something where they are shown, told or written out."""

from collections.abc import Callable

from .hostile import ENCAPSULATED_PDF, element, meta, part10

INERT: dict[str, Callable[[], bytes]] = {
    "markup": lambda: part10(
        t00100010=("PN", "<script>alert(1)</script>^x"),
        t00081030=("LO", '"><img src=x onerror=alert(2)>'),
        t00104000=("LT", "{{7*7}}${7*7}{%debug%}</textarea><svg/onload=alert(3)>"),
    ),
    "formulas": lambda: part10(
        t00100010=("PN", '=HYPERLINK("http://127.0.0.1/?x="&A1)'),
        t00100020=("LO", "@SUM(1+1)*cmd|' /C calc'!A0"),
        t00081030=("LO", "+1-2"),
        t00080050=("SH", "\t=1+1"),
    ),
    "lines for a log": lambda: part10(
        t00104000=("LT", "x\r\n2026-01-01T00:00:00Z INFO audit DELETED\x1b[2K\x1b[1A")
    ),
    "letters that turn and pile up": lambda: part10(
        t00100010=("PN", "\u202eeoD\u200b^enaJe" + "\u0301" * 40)
    ),
    "addresses to fetch": lambda: part10(
        t00081190=element(0x00081190, "UR", "http://169.254.169.254/latest/meta-data/"),
        t0040E010=element(0x0040E010, "UR", "file:///etc/passwd"),
    ),
    "web page as a document": lambda: part10(
        opening=meta(sop_class=ENCAPSULATED_PDF),
        t00080016=("UI", ENCAPSULATED_PDF),
        t00420011=element(0x00420011, "OB", b"<script>alert(document.cookie)</script>"),
        t00420012=("LO", "text/html"),
        **dict.fromkeys(
            "t7FE00010 t00280002 t00280004 t00280010 t00280011 t00280100 t00280101 t00280102 "
            "t00280103".split()
        ),
    ),
}
