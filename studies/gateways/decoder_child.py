"""The decoding process: run as a program by `decoder`, never imported by the server.

It loads the codecs once, then forks one child a job. The child is capped in memory and time, reads
its job from a socket, writes the answer to it and is gone, whatever the codec did.
"""

import ctypes
import gc
import io
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import warnings
from typing import Any, Final

import numpy as np
import pydicom
import pydicom.pixels.decoders  # loads the plugins before the first fork
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array as read_pixels

MEMORY_BYTES: Final = 1 << 30
CPU_SECONDS: Final = 20
WALL_SECONDS: Final = 30
IDLE_SECONDS: Final = 60
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_LENGTH = struct.Struct("<I")
Job = dict[str, Any]


def receive(sock: socket.socket, count: int) -> bytes:
    """Read exactly `count` bytes; raises EOFError if the other side leaves."""
    parts = bytearray()
    while len(parts) < count:
        piece = sock.recv(min(count - len(parts), 1 << 20))
        if not piece:
            raise EOFError
        parts += piece
    return bytes(parts)


def receive_job(sock: socket.socket) -> tuple[Job, bytes]:
    """Read a job's description (JSON) and the object, sent in pieces that end with an empty one."""
    job = json.loads(receive(sock, _LENGTH.unpack(receive(sock, 4))[0]))
    body = bytearray()
    while length := _LENGTH.unpack(receive(sock, 4))[0]:
        body += receive(sock, length)
    return job, bytes(body)


def answer(sock: socket.socket, about: Job, payload: bytes = b"") -> None:
    """Send the answer: what it is (JSON), then the bytes."""
    head = json.dumps(about | {"length": len(payload)}).encode()
    sock.sendall(_LENGTH.pack(len(head)) + head)
    sock.sendall(payload)


def _functional(ds: pydicom.Dataset, frame: int, name: str) -> pydicom.Dataset:
    """Return the frame's functional group, or the data set where there is none (PS3.3 C.7.6.16)."""
    per_frame = ds.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*per_frame[frame - 1 : frame], *(ds.get("SharedFunctionalGroupsSequence") or [])]
    return next((group[name][0] for group in groups if group.get(name)), ds)


def _modality(ds: pydicom.Dataset, frame: int, stored: np.ndarray) -> np.ndarray:
    """Turn stored values into those of the modality (PS3.3 C.11.1)."""
    source = _functional(ds, frame, "PixelValueTransformationSequence")
    values: np.ndarray = np.asarray(apply_modality_lut(stored, source), dtype=np.float32)
    return values


def _window(values: np.ndarray, center: float, width: float, function: str) -> np.ndarray:
    """Map values to 0..1 by a window (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        curve: np.ndarray = 1 / (1 + np.exp(-4 * (values - center) / width))
        return curve
    if function == "LINEAR_EXACT":
        return (values - center) / width + 0.5
    if width <= 1:
        return (values > center - 0.5).astype(np.float32)
    return (values - (center - 0.5)) / (width - 1) + 0.5


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else value


def _grey(ds: pydicom.Dataset, frame: int, stored: np.ndarray, job: Job) -> np.ndarray:
    values = _modality(ds, frame, stored)
    voi = _functional(ds, frame, "FrameVOILUTSequence")
    center, width = _first(voi.get("WindowCenter")), _first(voi.get("WindowWidth"))
    if job["window"]:
        shown = _window(values, job["window"][0], job["window"][1], job["function"])
    elif voi.get("VOILUTSequence"):
        bits = int(voi.VOILUTSequence[0].LUTDescriptor[2])
        shown = apply_voi_lut(values.astype(np.int32), voi, prefer_lut=True) / (2**bits - 1)
    elif center is not None and width:
        shown = _window(values, float(center), float(width), voi.get("VOILUTFunction", "LINEAR"))
    else:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        shown = (values - low) / (high - low or 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        shown = 1 - shown
    grey: np.ndarray = (np.nan_to_num(shown).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return grey


def _colour(ds: pydicom.Dataset, stored: np.ndarray) -> np.ndarray:
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, ds)
        bits = stored.dtype.itemsize * 8
    else:
        bits = int(ds.BitsStored)
    return (stored >> (bits - 8)).astype(np.uint8) if bits > 8 else stored.astype(np.uint8)


def render(ds: pydicom.Dataset, job: Job) -> tuple[Job, bytes]:
    """Draw one frame as a person should see it and encode it."""
    stored = read_pixels(ds, index=0 if job["header_length"] else job["frame"] - 1)
    grey = str(ds.PhotometricInterpretation).startswith("MONOCHROME")
    shown = _grey(ds, job["frame"], stored, job) if grey else _colour(ds, stored)
    image = Image.fromarray(shown[..., :3] if shown.ndim == 3 else shown)
    if job["region"]:
        left, top, width, height = job["region"]
        right, bottom = min(left + width, image.width), min(top + height, image.height)
        if left >= right or top >= bottom:
            return {"error": "region"}, b""
        image = image.crop((left, top, right, bottom))
    most = 4096
    box = (min(job["width"] or most, most), min(job["height"] or most, most))
    image.thumbnail(box, Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = io.BytesIO()
    if job["media_type"] == "image/png":
        image.save(out, "PNG", compress_level=4)
    else:
        image.save(out, "JPEG", quality=job["quality"])
    return {"width": image.width, "height": image.height}, out.getvalue()


def decode(ds: pydicom.Dataset, job: Job) -> tuple[Job, bytes]:
    """Decode one frame to native little-endian bytes, colour by pixel, in its own colour space
    unless RGB is wanted.
    """
    decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    array, about = decoder.as_array(ds, index=job["frame"] - 1, raw=not job["as_rgb"])
    native = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "photometric": str(about["photometric_interpretation"]),
        "rows": int(array.shape[0]),
        "columns": int(array.shape[1]),
        "samples": int(array.shape[2]) if array.ndim == 3 else 1,
        "bits_allocated": array.dtype.itemsize * 8,
        "signed": array.dtype.kind == "i",
    }, native.tobytes()


def read_part(job: Job, body: bytes) -> pydicom.Dataset:
    """Make an object of one frame from the bytes in front of the pixels and those of the frame."""
    header, raw = body[: job["header_length"]], body[job["header_length"] :]
    ds = pydicom.dcmread(io.BytesIO(header), stop_before_pixels=True)
    for tag in (0x7FE00001, 0x7FE00002):  # the extended offset table is of all frames
        ds.pop(tag, None)
    ds.NumberOfFrames = 1
    if ds.file_meta.TransferSyntaxUID.is_encapsulated:
        ds.PixelData = encapsulate([raw])
        ds["PixelData"].is_undefined_length = True
    else:
        ds.PixelData = raw + b"\0" * (len(raw) % 2)
    return ds


def work(sock: socket.socket) -> None:
    """Do one job within its bounds; every failure of a codec becomes an answer or a silence."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WALL_SECONDS)
    try:
        job, body = receive_job(sock)
        ds = read_part(job, body) if job.get("header_length") else pydicom.dcmread(io.BytesIO(body))
        about, payload = (render if job["act"] == "render" else decode)(ds, job)
    except MemoryError:
        answer(sock, {"error": "memory"})
    except EOFError:
        return
    except BaseException as error:  # noqa: BLE001 - a codec may raise anything at all
        answer(sock, {"error": "undecodable", "detail": type(error).__name__})
    else:
        answer(sock, about, payload)


def _leave_network() -> None:
    """Give up the network where the kernel allows it without rights; best effort."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK):
        libc.unshare(_NEW_USER | _NEW_NETWORK)


def serve(control: socket.socket) -> None:
    """Fork a child for every socket that comes over `control`; end when idle or left alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    gc.freeze()
    while select.select([control], [], [], IDLE_SECONDS)[0]:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as sock:
                if os.fork() == 0:
                    control.close()
                    work(sock)
                    os._exit(0)


if __name__ == "__main__":
    _leave_network()
    serve(socket.socket(fileno=int(sys.argv[1])))
