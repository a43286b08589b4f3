"""Why the gate refused, held back or remarked upon an object, in words a clinician understands.

Three weights: what is *refused* is dangerous and nothing of it is kept; what is *held* is stored
apart until a person has looked at it; a *remark* is harmless and only recorded.
"""

from dataclasses import dataclass
from typing import NoReturn

REFUSED = {
    "not-dicom": "This is not a DICOM file: the DICOM mark at byte 128 is missing.",
    "dangerous-preamble": "The file is also a program, web page, document or archive.",
    "meta-missing": "The file ends before it says what it is.",
    "meta-length": "The opening part of the file gives a length that cannot be true.",
    "meta-broken": "The opening part of the file cannot be read.",
    "syntax-missing": "The file does not say how it is encoded (no transfer syntax).",
    "syntax-unknown": "The file is encoded in a way that this service does not know.",
    "dicomdir": "This is a disc's table of contents (DICOMDIR). Images are filed without it.",
    "explicit-under-implicit": "The file is encoded otherwise than it says.",
    "truncated": "The file is cut off; please send it again.",
    "length-past-end": "A value claims to be longer than the file or the group it belongs to.",
    "duplicate-tag": "An attribute occurs twice, so readers could see two different patients.",
    "tag-out-of-order": "Attributes are out of order, so readers could see different patients.",
    "forbidden-group": "Attributes of the file's opening or of a message are misplaced.",
    "unknown-vr": "An attribute has a type that DICOM does not know.",
    "vr-mismatch": "An identifying attribute is of the wrong type.",
    "bad-delimiter": "A sequence is opened or closed in a place where it cannot be.",
    "undefined-length": "An attribute without a length is of a type that must have one.",
    "trailing-data": "Other data are attached behind the image.",
    "too-deep": "Sequences are nested deeper than any real object needs.",
    "too-many-elements": "The file holds more attributes than any real object needs.",
    "too-many-items": "The file holds more sequence items than any real object needs.",
    "header-too-large": "The descriptive part of the file is larger than any real object needs.",
    "value-too-long": "A value is far longer than its type allows.",
    "object-too-large": "The object is larger than this service accepts.",
    "deflate-bomb": "The compressed file grows out of all proportion when it is opened.",
    "deflate-broken": "The compressed file is damaged.",
    "charset-unknown": "The file names a character set that DICOM does not know.",
    "identifier-missing": "The file lacks an identifier that every DICOM object must have.",
    "identifier-invalid": "An identifier (UID) of the file is not a valid one.",
    "identifier-differs": "The file names two different object identifiers.",
    "nul-in-identity": "An identifying text contains a byte that is not text.",
    "number-invalid": "A number that the file is filed or drawn by cannot be read.",
    "date-impossible": "The study date or time does not exist.",
    "pixel-description": "The description of the image is missing or contradictory.",
    "pixel-flood": "The image claims a size that this service cannot show safely.",
    "pixel-data-short": "There are fewer pixels in the file than it describes.",
    "pixel-encoding": "The pixels are encoded otherwise than the file says.",
    "codestream-size": "The compressed image is of another size than the file says.",
    "codestream-broken": "The compressed image is damaged.",
    "too-many-fragments": "The image is cut into more pieces than this service accepts.",
    "archive-broken": "The ZIP archive is damaged or incomplete.",
    "archive-prefix": "Something else stands in front of the ZIP archive or behind it.",
    "archive-overlap": "Files inside the ZIP archive overlap each other.",
    "archive-too-large": "The ZIP archive unpacks to more than this service accepts.",
    "archive-too-many": "The ZIP archive holds more files than this service accepts.",
    "archive-ratio": "A file in the ZIP archive grows out of all proportion when unpacked.",
    "archive-nested": "The ZIP archive holds another archive; please unpack it first.",
    "archive-encrypted": "The ZIP archive is protected by a password.",
    "archive-method": "The ZIP archive is packed by a method that is not supported.",
    "archive-link": "The ZIP archive holds a link instead of a file.",
    "archive-name": "A file name in the ZIP archive is not acceptable.",
    "archive-duplicate": "Two files in the ZIP archive have the same name.",
    "archive-lies": "The ZIP archive's table of contents does not agree with its content.",
}

HELD = {
    "meta-length-wrong": "The length of the file's opening part is wrong or missing.",
    "meta-identifier-differs": "The file's opening names another identifier than the image does.",
    "meta-identifier-replaced": "The file's opening named another object; it names this one now.",
    "meta-incomplete": "The file's opening lacks the class or the identifier of the object.",
    "implicit-item": "The file, or a part of it, is encoded otherwise than it says.",
    "vr-unexpected": "An attribute is of another type than DICOM gives it.",
    "charset-misspelt": "The name of the character set is misspelt; the nearest one was taken.",
    "charset-undeclared": "Text has letters of a character set that the file does not name.",
    "charset-escape": "Text switches to a character set that the file does not name.",
    "text-undecodable": "Some letters cannot be read in the character set that the file names.",
    "text-nul": "A text contains a byte that is not text; it is shown as a replacement sign.",
    "text-too-long": "A text is longer than its type allows.",
    "uid-unusual": "An identifier (UID) is not written as DICOM demands.",
    "number-unreadable": "A number cannot be read; it is kept as text.",
    "number-length": "A binary number has an impossible length; it is kept as bytes.",
    "date-unusual": "A date or time is not written as DICOM demands.",
    "pixel-data-long": "There are more pixels in the file than it describes.",
    "pixel-without-size": "The image is described without pixels, or pixels without their type.",
    "offset-table-wrong": "The table of the image's frames is wrong; it was worked out anew.",
    "frames-not-separable": "The frames of this image cannot be told apart without decoding them.",
    "codestream-smaller": "The compressed image is smaller than the file says.",
    "codestream-unread": "The size of the compressed image could not be checked.",
    "trailing-zeros": "The file ends in empty bytes.",
    "minor-unattested": "Of a minor: no guardian who agreed has been named yet.",
    "pixels-blacked": "Text was looked for in its pixels and blacked. Look whether any is left.",
}

REMARKED = {
    "preamble-neutralised": "The first 128 bytes, which are free for any use, are stored as zeros.",
    "big-endian": "The file uses a retired byte order.",
    "group-length": "The file carries retired group lengths; they are left out of the description.",
}

SENTENCES = REFUSED | HELD | REMARKED


# Refused without anything being wrong: who sends a whole disc sends these along.
LEFT_OUT = {"dicomdir"}


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding: `code`, a `sentence` for people, and the tag path it was found at ("" if none).

    A path reads `00081140/2/00081155`: attribute, number of the item (from 1), attribute.
    """

    code: str
    sentence: str
    tag: str = ""


class Refused(Exception):
    """Raised when nothing of the input may be kept; carries one `Reason` as `reason`."""

    def __init__(self, code: str, tag: str = "", detail: str = "") -> None:
        self.reason = Reason(code, REFUSED[code], tag)
        self.detail = detail
        super().__init__(f"{code}: {REFUSED[code]}" + (f" [{tag}]" if tag else ""))

    @property
    def code(self) -> str:
        """The reason's code, stable over releases."""
        return self.reason.code

    @property
    def sentence(self) -> str:
        """The reason in one sentence for people."""
        return self.reason.sentence

    @property
    def tag(self) -> str:
        """The path of the attribute, or an empty text."""
        return self.reason.tag


def refuse(code: str, tag: str = "", detail: str = "") -> NoReturn:
    """Raise `Refused` with the code's sentence; `detail` is for operators and holds no values."""
    raise Refused(code, tag, detail)
