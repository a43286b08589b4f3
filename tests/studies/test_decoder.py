"""Frames are drawn in another process, and whatever it does, the caller gets an answer."""

import io
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from studies.gateways import decoder
from studies.gateways.decoder import CannotRender, decode_frame, render_frame

from . import hostile
from .hostile import part10

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
CT = (FOLDER / "CT_small.dcm").read_bytes()

SHORT_RLE = part10(
    syntax=hostile.RLE,
    t7FE00010=hostile.fragments(struct.pack("<16I", 1, 64, *[0] * 14) + b"\0\1"),
)


def drawn(data: bytes, **options) -> np.ndarray:
    options = {"frame": 1, "media_type": "image/png"} | options
    return np.asarray(Image.open(io.BytesIO(render_frame(data, **options)))).astype(int)


def test_a_window_maps_the_modalitys_values_to_grey():
    ds = pydicom.dcmread(io.BytesIO(CT))
    units = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    center, width = 40.0, 400.0
    wanted = ((units - (center - 0.5)) / (width - 1) + 0.5).clip(0, 1) * 255
    assert np.abs(drawn(CT, window=(center, width)) - wanted).max() <= 1


def test_monochrome_1_is_drawn_inverted():
    dark = drawn(part10())
    light = drawn(part10(t00280004=("CS", "MONOCHROME1")))
    assert dark[0, 0] == 0 and light[0, 0] == 255
    assert (dark + light == 255).all()


def test_an_image_fits_its_box_keeps_its_shape_and_is_not_enlarged():
    data = part10(t7FE00010=("OB", bytes(200 * 100)), **hostile.size_of(100, 200))
    assert drawn(data, width=50, height=50).shape == (25, 50)
    assert drawn(data, width=9000).shape == (100, 200)


def test_a_palette_becomes_colours():
    assert drawn((FOLDER / "examples_palette.dcm").read_bytes()).ndim == 3


@pytest.mark.parametrize(
    "name", ["MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG2000.dcm", "JPGExtended.dcm"]
)
def test_compressed_frames_decode_to_pydicoms_values(name):
    path = FOLDER / name
    frame = decode_frame(path.read_bytes(), frame=1)
    ds = pydicom.dcmread(path)
    assert frame.data == ds.pixel_array.astype(ds.pixel_array.dtype.newbyteorder("<")).tobytes()
    assert (frame.rows, frame.columns) == (ds.Rows, ds.Columns)


@pytest.mark.parametrize(
    ("data", "frame", "reason"),
    [
        (b"no image", 1, "refused"),
        (hostile.HOSTILE["JPEG 2000 of another size"][0](), 1, "refused"),
        (part10(), 2, "frame"),
        (part10(), 0, "frame"),
        (SHORT_RLE, 1, "undecodable"),
    ],
)
def test_what_cannot_be_drawn_has_a_reason(data, frame, reason):
    with pytest.raises(CannotRender) as caught:
        render_frame(data, frame=frame)
    assert caught.value.reason == reason


def test_callers_may_draw_at_once():
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda _: render_frame(CT, frame=1, width=32), range(12)))
    assert len(set(images)) == 1


FAULTS = {
    "segfault": ("os.kill(os.getpid(), 11)", "crashed"),
    "out of memory": ("bytearray(2 << 30)", "memory"),
    "endless loop": ("(child.signal.alarm(1), [None for _ in iter(int, 1)])", "crashed"),
    "early exit": ("os._exit(3)", "crashed"),
    "exit by exception": ("sys.exit(3)", "undecodable"),
}


@pytest.fixture
def misbehave(tmp_path, monkeypatch):
    """Start a decoding process whose jobs without a width do something else."""

    def start(action: str) -> None:
        program = tmp_path / "misbehaving.py"
        program.write_text(
            "import os, socket, sys\n"
            f"sys.path.insert(0, {str(decoder._CHILD.parent)!r})\n"
            "import decoder_child as child\n"
            "draw = child.render\n"
            f"child.render = lambda ds, job: draw(ds, job) if job['width'] else {action}\n"
            "child._leave_network()\n"
            "child.serve(socket.socket(fileno=int(sys.argv[1])))\n"
        )
        monkeypatch.setattr(decoder, "_CHILD", program)
        monkeypatch.setattr(decoder, "_server", decoder._Server())

    yield start
    decoder._server._forget()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_codec_that_misbehaves_harms_only_its_own_job(fault, misbehave):
    action, reason = FAULTS[fault]
    misbehave(action)
    started = time.monotonic()
    with pytest.raises(CannotRender) as caught:
        render_frame(CT, frame=1)
    assert caught.value.reason == reason
    assert time.monotonic() - started < 15
    assert render_frame(CT, frame=1, width=16).startswith(b"\xff\xd8")


def namespaces_are_allowed() -> bool:
    probe = (
        "import ctypes, os; before = os.readlink('/proc/self/ns/net'); libc = ctypes.CDLL(None);"
        "libc.unshare(0x40000000) and libc.unshare(0x50000000);"
        "raise SystemExit(before == os.readlink('/proc/self/ns/net'))"
    )
    return subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


@pytest.mark.skipif(not namespaces_are_allowed(), reason="the kernel allows no namespaces here")
def test_a_codec_cannot_reach_the_network(misbehave):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        misbehave(f"socket.create_connection(('127.0.0.1', {port}), 2)")
        with pytest.raises(CannotRender):
            render_frame(CT, frame=1)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_process_that_was_killed_is_started_again():
    render_frame(CT, frame=1, width=16)
    decoder._server._process.kill()
    decoder._server._process.wait()
    assert render_frame(CT, frame=1, width=16)
