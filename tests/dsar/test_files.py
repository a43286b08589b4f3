"""Strangers' files: what is taken, as what, and what is refused (C29, hostile attachments)."""

from __future__ import annotations

import io
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsar.gateways.examining import examined
from dsar.rules.documents import LARGEST, FileType
from dsar.rules.files import DAMAGED, NOT_TAKEN, TWO_THINGS, FileRefused, looked_at
from tests.dsar.papers import archive, pdf, picture, with_chunk, with_segment

PLACE = b"Exif\0\0II*\0MARKER 40.7128 N, 74.0060 W"
NOT_PLAIN = "runs programs or holds other files"


def pixels(content: bytes) -> bytes:
    with warnings.catch_warnings():
        # What is noted beside it is no right note of a camera.
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content)) as image:
            return image.tobytes()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture("PNG"), FileType.PNG),
        (picture("JPEG"), FileType.JPEG),
        (picture("JPEG", progressive=True, quality=95), FileType.JPEG),
        (pdf(), FileType.PDF),
        (pdf(pages=3), FileType.PDF),
    ],
)
def test_a_plain_file_is_taken_as_what_its_bytes_are(content: bytes, kind: FileType) -> None:
    taken = examined(content)
    assert taken.file_type is kind
    if kind is not FileType.PDF:
        assert pixels(taken.content) == pixels(content)


@pytest.mark.parametrize(
    "content",
    [
        with_chunk(picture("PNG"), b"eXIf", PLACE),
        with_chunk(picture("PNG"), b"tEXt", PLACE),
        picture("PNG") + b"MARKER behind the end",
        with_segment(picture("JPEG"), 0xE1, PLACE),
        with_segment(picture("JPEG"), 0xFE, PLACE),
        with_segment(picture("JPEG"), 0xE0, b"JFXX\0" + PLACE),
        picture("JPEG") + b"MARKER behind the end",
    ],
)
def test_what_a_camera_noted_beside_the_picture_is_left_out(content: bytes) -> None:
    taken = examined(content)
    assert b"MARKER" not in taken.content
    assert pixels(taken.content) == pixels(content)


@pytest.mark.parametrize("foreign", [pdf(), archive(), b"<!DOCTYPE html><script>x()</script>",
                                     b"\x7fELF\x02\x01", b"<svg onload=x()>"])  # fmt: skip
@pytest.mark.parametrize(
    "hide",
    [
        lambda more: picture("PNG") + more,
        lambda more: picture("JPEG") + more,
        lambda more: with_chunk(picture("PNG"), b"tEXt", more),
        lambda more: with_segment(picture("JPEG"), 0xFE, more),
        lambda more: with_segment(picture("JPEG"), 0xE1, more),
        lambda more: pdf() + more,
    ],
)
def test_a_picture_that_is_something_else_too_is_refused(hide: object, foreign: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        examined(hide(foreign))  # type: ignore[operator]
    assert str(refused.value) == TWO_THINGS


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"MZ\x90\0", NOT_TAKEN),
        (archive(), NOT_TAKEN),
        (b"<html>", NOT_TAKEN),
        (b"GIF89a", NOT_TAKEN),
        (b"   " + pdf(), NOT_TAKEN),
        (b"\x89PNG\r\n\x1a\n", DAMAGED),
        (picture("PNG")[:-20], DAMAGED),
        (picture("JPEG")[:-20], DAMAGED),
        (b"\xff\xd8\xff\xd9", DAMAGED),
        (pdf()[:-30], DAMAGED),
        (b"%PDF-1.7\n%%EOF", DAMAGED),
        (pdf(password="secret"), "locked by a password"),
        (pdf(script="app.alert(1)"), NOT_PLAIN),
        (pdf(attached=b"MZ"), NOT_PLAIN),
        (pdf(hidden=True), NOT_PLAIN),
        (pdf(pages=201), "too many"),
        (picture("PNG")[:16] + b"\x7f\xff\xff\xff" + picture("PNG")[20:], DAMAGED),
        (b"\x89PNG" + b"0" * LARGEST, "too large"),
    ],
)  # fmt: skip
def test_what_is_no_plain_file_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(FileRefused, match=why.partition(".")[0]):
        examined(content)


def test_a_pdf_that_hides_its_script_in_numbers_is_refused() -> None:
    """A name can be written with numbers for letters, which readers read all the same."""
    hidden = pdf(script="app.alert(1)").replace(b"/JavaScript", b"/J#61vaScript")
    assert b"/JavaScript" not in hidden
    with pytest.raises(FileRefused, match=NOT_PLAIN):
        looked_at(hidden)


def test_a_picture_of_more_pixels_than_anybody_needs_is_refused() -> None:
    wide = picture("JPEG")
    at = wide.index(b"\xff\xc0") + 5
    with pytest.raises(FileRefused, match="too large"):
        examined(wide[:at] + b"\xff\xff\xff\xff" + wide[at + 4 :])


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0",
                                                 b"%PDF-1.7\n"]))  # fmt: skip
def test_whatever_comes_is_taken_or_refused_and_nothing_else(rest: bytes, head: bytes) -> None:
    try:
        taken = looked_at(head + rest)
    except FileRefused:
        return
    assert len(taken.content) <= len(head + rest)
