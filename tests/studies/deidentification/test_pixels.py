"""Text in pixels: blacked in every kind of storage, looked for again, put aside in doubt."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.utils import pixel_array

from studies.gateways.deidentifying import Deidentifier, Outcome
from studies.gateways.reading_text import TextEngine, boxes_of
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import profile_of
from studies.rules.deidentification.regions import Box
from tests.studies.deidentification import ultrasound as us
from tests.studies.deidentification.objects import KEY, ct, part10
from tests.studies.deidentification.test_folder import run

# Without them the option is refused, as test_folder shows.
pytest.importorskip("onnxruntime", reason="the models come with Python 3.11 and 3.12 only")
ONLY = "clean-pixel-data"
BLACK = {"white is least": [255], "signed": [-1600], "luminance": [0, 128, 128], "palette": [255]}


@pytest.fixture(scope="module")
def cleaner() -> Deidentifier:
    """One for all tests: the models are loaded once."""
    return Deidentifier(profile_of([ONLY]), Keyed(KEY))


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine()


def released(outcome: Outcome) -> Dataset:
    assert outcome.content is not None, (outcome.doubts, outcome.left)
    return dcmread(io.BytesIO(outcome.content))


def frames(content: bytes, *, raw: bool = False) -> np.ndarray:
    dataset = dcmread(io.BytesIO(content))
    array = pixel_array(dataset, raw=raw)
    return array if int(dataset.get("NumberOfFrames", 1)) > 1 else array[None]


@pytest.mark.parametrize("kind", us.STORED)
def test_text_is_black_and_the_picture_is_as_it_was(kind: str, cleaner: Deidentifier) -> None:
    content = us.STORED[kind]()
    before, outcome = dcmread(io.BytesIO(content)), cleaner.deidentify(content)
    after = released(outcome)
    assert outcome.content is not None
    was, now = frames(content, raw=True), frames(outcome.content, raw=True)
    assert was.shape == now.shape
    for frame_was, frame_now in zip(was, now, strict=True):
        assert (frame_was[us.QUIET] == frame_now[us.QUIET]).all()
        for left, top, right, bottom in us.PLACES:
            place = frame_now[top:bottom, left:right]
            assert (place == place[0, 0]).all(), "letters are left"
        # What black is: the least, the most, a number of the palette, or no colour at all.
        left, top = us.PLACES[0][:2]
        black = np.atleast_1d(frame_now[top, left]).tolist()
        assert black == BLACK.get(kind, [0] * len(black))
    for keyword in ("PhotometricInterpretation", "BitsAllocated", "BitsStored", "Rows", "Columns"):
        assert after[keyword].value == before[keyword].value
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    if not after.file_meta.TransferSyntaxUID.is_encapsulated:
        assert len(after.PixelData) == len(before.PixelData)
    assert after.BurnedInAnnotation == "NO"
    codes = [item.CodeValue for item in after.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101"]
    assert outcome.pixels is not None
    assert outcome.pixels.frames == was.shape[0]
    assert outcome.pixels.boxes >= 2
    assert 0.02 < outcome.pixels.blacked_share < 0.2


def test_a_picture_with_loss_is_stored_without_a_second_one(cleaner: Deidentifier) -> None:
    content = us.jpeg(us.rgb())
    outcome = cleaner.deidentify(content)
    after = released(outcome)
    assert outcome.content is not None
    assert after.file_meta.TransferSyntaxUID == us.NATIVE
    assert (after.PhotometricInterpretation, after.PlanarConfiguration) == ("YBR_FULL", 0)
    assert (after.LossyImageCompression, after.LossyImageCompressionRatio) == ("01", 9.5)
    was, now = frames(content)[0], frames(outcome.content)[0]
    assert (was[us.QUIET] == now[us.QUIET]).all()
    for left, top, right, bottom in us.PLACES:
        # Around the box, the coding with loss has left its ripples.
        assert now[top:bottom, left:right].max() < 30


def test_nothing_is_done_without_the_option() -> None:
    outcome = Deidentifier(profile_of([]), Keyed(KEY)).deidentify(us.STORED["colours"]())
    assert outcome.content is None
    assert [one.value for one in outcome.doubts] == ["pixels-at-risk"]


def test_objects_without_text_in_their_pixels_are_not_touched(cleaner: Deidentifier) -> None:
    after = released(cleaner.deidentify(part10(ct())))
    assert after.PixelData == ct().PixelData
    assert [one.CodeValue for one in after.DeidentificationMethodCodeSequence] == ["113100"]


def test_text_upright_faint_and_over_the_picture_is_found(engine: TextEngine) -> None:
    turned = np.rot90(us.grey()).copy()
    faint = us.grey(bright=60)
    over = us.grey(("", ""))
    over[100:130, 100:300] = np.maximum(over[100:130, 100:300], us.grey()[0:30, 0:200])
    for frame, least in ((turned, 2), (faint, 2), (over, 1)):
        assert len(engine.boxes(np.repeat(frame[..., None], 3, axis=2))) >= least
    assert engine.boxes(np.repeat(us.grey(())[..., None], 3, axis=2)) == []


def test_letters_that_are_nearly_black_go_too(cleaner: Deidentifier) -> None:
    """A viewer's window would show them."""
    content = part10(us.ultrasound(np.minimum(us.grey(bright=14), 120), "MONOCHROME2"))
    outcome = cleaner.deidentify(content)
    released(outcome)
    assert outcome.content is not None
    (now,) = frames(outcome.content)
    for left, top, right, bottom in us.PLACES:
        assert not now[top:bottom, left:right].any()


def test_it_reads_names(engine: TextEngine) -> None:
    picture = np.repeat(us.grey()[..., None], 3, axis=2)
    said = " ".join(engine.read(picture, box).text for box in engine.boxes(picture))
    assert "QUIXADA" in said
    assert "778812" in said


def test_a_large_bright_shape_is_no_text(cleaner: Deidentifier, engine: TextEngine) -> None:
    """It is taken for some at first, but nothing can be read in it."""
    down, across = np.mgrid[0 : us.ROWS, 0 : us.COLUMNS]
    far = np.hypot(down - 125, across - 190)
    bone = us.grey(())
    bone[(far < 60) & (far > 35) | (abs(down - 125) < 12) & (abs(across - 190) < 95)] = 230
    boxes = engine.boxes(np.repeat(bone[..., None], 3, axis=2))
    assert any(box.touches(Box(80, 60, 300, 200)) for box in boxes)
    outcome = cleaner.deidentify(part10(us.ultrasound(bone, "MONOCHROME2")))
    released(outcome)
    assert outcome.content is not None
    assert (frames(outcome.content)[0][us.QUIET] == bone[us.QUIET]).all()


def test_text_in_one_frame_is_blacked_in_all(
    cleaner: Deidentifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many frames not every one is looked at; the brightest of each pixel is."""
    monkeypatch.setattr("studies.gateways.pixels_cleaning.LOOKS", 2)
    monkeypatch.setattr("studies.gateways.pixels_verifying.FRAMES", 2)
    empty = [us.grey((), seed=number) for number in range(60)]
    empty[31] = us.grey()
    content = part10(us.ultrasound(np.stack(empty), "MONOCHROME2"))
    outcome = cleaner.deidentify(content)
    released(outcome)
    assert outcome.content is not None
    now = frames(outcome.content)
    assert now.shape[0] == 60
    for left, top, right, bottom in us.PLACES:
        assert not now[:, top:bottom, left:right].any()


def test_bits_beside_the_pixels_are_emptied(cleaner: Deidentifier) -> None:
    """Older overlays lay there, and their own attributes are gone."""
    stored = us.grey().astype(np.uint16) * 8
    content = part10(us.ultrasound(stored | 0x8000, "MONOCHROME2", BitsStored=12, HighBit=11))
    outcome = cleaner.deidentify(content)
    released(outcome)
    assert outcome.content is not None
    now = frames(outcome.content, raw=True)[0]
    assert not (now & 0xF000).any()
    assert (now[us.QUIET] == stored[us.QUIET]).all()


# What is put aside --------------------------------------------------------------------------------
def broken(**attributes: Any) -> bytes:
    return part10(us.ultrasound(us.grey(), "MONOCHROME2", **attributes))


def cut(content: bytes) -> bytes:
    """A compressed frame that ends in its middle."""
    dataset = dcmread(io.BytesIO(content))
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: len(frame) // 2]])
    return part10(dataset, dataset.file_meta.TransferSyntaxUID)


@pytest.mark.parametrize(
    ("content", "doubt"),
    [
        (lambda: broken(NumberOfFrames=3), "pixels-unreadable"),
        (lambda: broken(Rows=us.ROWS - 9), "pixels-unreadable"),
        (lambda: broken(SamplesPerPixel=2), "pixels-unreadable"),
        (lambda: broken(PhotometricInterpretation="HSV"), "pixels-unreadable"),
        (lambda: broken(PixelData=b"\0\0"), "pixels-unreadable"),
        (lambda: broken(NumberOfFrames=10_000, Rows=1024, Columns=1024), "too-large"),
        (lambda: broken(Rows=65_535, Columns=65_535), "too-large"),
        (lambda: cut(us.STORED["JPEG-LS"]()), "pixels-unreadable"),
        (lambda: cut(us.STORED["JPEG 2000"]()), "pixels-unreadable"),
        (lambda: cut(us.STORED["RLE"]()), "pixels-unreadable"),
        (lambda: cut(us.jpeg(us.rgb())), "pixels-unreadable"),
        (lambda: part10(us.ultrasound(us.grey(()), "MONOCHROME2", BurnedInAnnotation="YES")),
         "burned-in"),
    ],
)  # fmt: skip
def test_a_doubt_puts_the_object_aside(content: Any, doubt: str, cleaner: Deidentifier) -> None:
    outcome = cleaner.deidentify(content())
    assert outcome.content is None
    assert [one.value for one in outcome.doubts] == [doubt]


@pytest.mark.parametrize("kind", ["16 bits", "palette", "frames", "JPEG-LS"])
def test_the_second_look_finds_what_the_first_left(
    kind: str, cleaner: Deidentifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried on a result in which nothing was blacked."""
    monkeypatch.setattr("studies.gateways.pixels_cleaning.Frames._blacken", lambda *_: None)
    outcome = cleaner.deidentify(us.STORED[kind]())
    assert outcome.content is None
    assert [one.value for one in outcome.doubts] == ["text-left"]


# The command --------------------------------------------------------------------------------------
def test_a_folder_with_text_in_its_pixels(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "colours.dcm").write_bytes(us.STORED["colours"]())
    report = tmp_path / "report.json"
    status, said = run(tmp_path / "in", tmp_path / "out", "--option", ONLY, "--report", str(report))
    assert (status, "Text was blacked in the pixels of 1 files: 1 frames" in said) == (0, True)
    line = json.loads(report.read_text())["files"][0]
    assert line["pixels"]["boxes"] >= 2
    assert 0 < line["pixels"]["blacked_share"] < 0.2


def test_nobody_but_the_children_loads_the_models() -> None:
    """They need a hundred megabytes, and what reads strangers' pixels has limits."""
    words = (
        "import sys; import studies.services.deidentifying_folder, studies.gateways.deidentifying;"
        "print(any(one in sys.modules for one in ('onnxruntime', 'rapidocr_onnxruntime', 'cv2')))"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# A map of probabilities ---------------------------------------------------------------------------
def test_pieces_of_a_map_become_boxes() -> None:
    chances = np.zeros((60, 120), np.float32)
    chances[10:20, 10:60] = 0.9
    chances[20:24, 60:70] = 0.9  # touches by a corner
    chances[40:50, 80:90] = 0.4  # probable, but not sure
    chances[55:57, 0:40] = 0.9  # too thin
    (box,) = boxes_of(chances)
    assert box.left < 10 and box.top < 10 and box.right > 70 and box.bottom > 24
    assert isinstance(box, Box)
    assert list(boxes_of(np.zeros((32, 32), np.float32))) == []
