"""Damaged, endless and nonsensical input: put aside with the reason, and nothing half is left."""

from __future__ import annotations

import io
import json
import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.studies.deidentification import ultrasound as us
from tests.studies.deidentification.objects import ct, deidentifier, part10, released

MANAGE = Path(__file__).parents[3] / "manage.py"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def doubts(content: bytes, *options: str) -> list[str]:
    outcome = deidentifier(*options).deidentify(content)
    assert outcome.content is None
    return [one.value for one in outcome.doubts]


# Cut off ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_pixel_data_that_ends_early_is_put_aside(syntax: str) -> None:
    content = part10(ct(), syntax)
    for missing in (1, 10, 31):
        assert doubts(content[:-missing]) == ["cut-off"]
    assert released(content).PixelData == ct().PixelData


def test_compressed_pixel_data_that_ends_early_is_put_aside() -> None:
    made = ct(PixelData=encapsulate([bytes(500), bytes(500)]), NumberOfFrames=2)
    content = part10(made, RLELossless)
    for missing in (9, 300, 700):
        assert doubts(content[:-missing]) == ["cut-off"]


def test_deflated_bytes_that_end_early_are_put_aside() -> None:
    content = part10(ct(PixelData=os.urandom(32)), DeflatedExplicitVRLittleEndian)
    assert doubts(content[:-20]) in (["broken"], ["cut-off"])


@given(st.integers(1, 800))
def test_wherever_a_file_ends_nothing_of_it_leaves(missing: int) -> None:
    """What ends between two values cannot be told from what was meant to end there."""
    content = part10(ct(PatientComments="Told Marlene on the ward"))
    outcome = deidentifier().deidentify(content[:-missing] or b"\0")
    if outcome.content is None:
        assert outcome.doubts
    else:
        assert b"Marlene" not in outcome.content
        assert b"778812" not in outcome.content


# Wrong lengths ------------------------------------------------------------------------------------
def lengths_of(content: bytes) -> list[int]:
    """Where the lengths of two bytes lie, of every element but those of the meta information."""
    places, place = [], content.index(b"\x08\x00\x05\x00CS")
    while place + 8 <= len(content) and content[place + 4 : place + 6] not in {b"OW", b"SQ"}:
        places.append(place + 6)
        place += 8 + struct.unpack_from("<H", content, place + 6)[0]
    return places


WHOLE = part10(
    ct(
        Manufacturer="ACME", ReferringPhysicianName="Brandtner^Ute", StationName="QUIXADA-CT",
        OperatorsName="Oberhuber^Kreszenz", ConvolutionKernel="SOFT", PatientComments="Marlene",
    )
)  # fmt: skip
PLANTED = (b"Quixada", b"Marlene", b"778812", b"Brandtner", b"Oberhuber", b"19420317")


KEEPS = ("device", "institution", "patient-characteristics", "full-dates", "clean-descriptors")


@settings(max_examples=400)
@given(
    st.sampled_from(lengths_of(WHOLE)), st.integers(0, 300), st.sets(st.sampled_from(KEEPS))
)  # fmt: skip
@example(406, 174, {"device", "clean-descriptors"})
def test_a_wrong_length_lets_nothing_out(place: int, length: int, options: set[str]) -> None:
    """A value that is too long swallows the attributes behind it, names among them."""
    content = bytearray(WHOLE)
    struct.pack_into("<H", content, place, length)
    outcome = deidentifier(*options).deidentify(bytes(content))
    if outcome.content is None:
        assert outcome.doubts
    else:
        for name in PLANTED:
            kept = name == b"19420317" and "full-dates" in options
            assert kept or name not in outcome.content, (place, length)


def test_a_number_that_swallows_a_name_is_put_aside() -> None:
    made = ct(RequestingPhysician="Brandtner^Ute")
    content = bytearray(part10(made))
    place = content.index(b"\x28\x00\x03\x01US") + 6
    name = content.index(b"\x32\x00\x32\x10PN")
    struct.pack_into("<H", content, place, name + 8 + 14 - place - 2)
    assert doubts(bytes(content)) == ["wrong-length"]


# What cannot be decoded ---------------------------------------------------------------------------
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.999", "1.2.3.4", "1.2.840.10008.1.1"])
def test_an_unknown_transfer_syntax_is_put_aside(syntax: str) -> None:
    content = part10(ct(), "1.2.840.10008.1.2.1")
    wrong = syntax.encode().ljust(26, b"\0")[:26]
    at = content.index(b"\x02\x00\x10\x00UI")
    longer = content[: at + 6] + struct.pack("<H", 26) + wrong + content[at + 28 :]
    meta = longer.index(b"\x02\x00\x00\x00UL") + 8
    size = struct.unpack_from("<I", longer, meta)[0] + 26 - 20
    assert doubts(longer[:meta] + struct.pack("<I", size) + longer[meta + 4 :]) == [
        "unknown-syntax"
    ]


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
def test_a_frame_that_is_none_holds_nobody(syntax: str) -> None:
    """Frames of objects that are not at risk are not decoded, but searched."""
    frame = b"Quixada, Marlene was here " * 3
    content = part10(ct(PixelData=encapsulate([frame])), syntax)
    assert doubts(content) == ["still-there"]


def test_a_frame_that_does_not_decode_is_put_aside() -> None:
    pytest.importorskip("onnxruntime")
    made = us.ultrasound(us.grey(), "MONOCHROME2")
    made.PixelData = encapsulate([os.urandom(3000) + b"\xff\xd9"])
    content = part10(made, JPEGLSLossless)
    assert doubts(content, "clean-pixel-data") == ["pixels-unreadable"]


# Large --------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_cine_of_ten_thousand_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each of them is looked at, and each is cleaned."""
    pytest.importorskip("onnxruntime")
    import numpy as np

    monkeypatch.setattr("studies.gateways.pixels_cleaning.LOOKS", 2)
    monkeypatch.setattr("studies.gateways.pixels_verifying.FRAMES", 2)
    small = us.grey()[:30, :250]
    frames = np.broadcast_to(small, (10_000, *small.shape))
    content = part10(us.ultrasound(frames, "MONOCHROME2", Rows=30, Columns=250))
    outcome = deidentifier("clean-pixel-data").deidentify(content)
    assert outcome.content is not None, outcome.doubts
    after = dcmread(io.BytesIO(outcome.content))
    left, top, right, bottom = us.PLACES[0]
    assert after.NumberOfFrames == 10_000
    assert not after.pixel_array[:, top : bottom + 1, left : right + 1].any()


def sparse(path: Path, pixels: int) -> None:
    """An object whose pixels are a hole in the file."""
    content = part10(ct(Rows=1024, Columns=1024, NumberOfFrames=pixels >> 21))
    at = content.rindex(b"\xe0\x7f\x10\x00OW") + 8
    path.write_bytes(content[:at] + struct.pack("<I", pixels))
    os.truncate(path, at + 4 + pixels)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2 << 30, 400 << 20], ids=["2 GiB", "400 MiB"])
def test_what_is_too_large_for_the_memory_is_put_aside(size: int, tmp_path: Path) -> None:
    """In 512 MiB, all that the processes may have; the small one beside it is released."""
    source = tmp_path / "in"
    source.mkdir()
    sparse(source / "large.dcm", size)
    (source / "small.dcm").write_bytes(part10(ct()))
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, str(MANAGE), "deidentify", str(source), str(tmp_path / "out"),
         "--jobs", "1", "--report", str(report)],
        capture_output=True, text=True, check=False, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20)),
        env={**os.environ, "STATE_DIR": str(tmp_path / "state"), "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    lines = {one["source"]: one for one in json.loads(report.read_text())["files"]}
    assert lines["large.dcm"]["doubts"] == ["too-large"]
    assert lines["small.dcm"]["target"]
    left = [one for one in (tmp_path / "out").rglob("*") if one.is_file()]
    assert len(left) == 1
