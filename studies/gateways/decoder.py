"""Pixels for people: decoding and drawing frames in a process that may fail without harm.

The first call starts a process that loads the codecs once and forks a child a job; it leaves after
a minute without work. Objects travel over a socket, never over a file. The gate's checks of sizes
(pixel flood, codestream) run here, on the way, before a codec sees a byte.
"""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from studies.rules.gate import Gate
from studies.rules.reasons import Refused

WALL_SECONDS: Final = 30
MAX_OBJECT_BYTES: Final = 400 << 20
MAX_ANSWER_BYTES: Final = 512 << 20
_BLOCK: Final = 1 << 18
_LENGTH = struct.Struct("<I")
_CHILD: Final = Path(__file__).with_name("decoder_child.py")
_SENTENCES: Final = {
    "refused": "The object did not pass the gate.",
    "frame": "The image has no such frame.",
    "region": "The image has no such part.",
    "size": "The object is too large to be drawn.",
    "memory": "The image needs more memory than one image may have.",
    "undecodable": "The pixels cannot be decoded.",
    "crashed": "Decoding failed or took too long.",
}


class CannotRender(Exception):
    """Raised when a frame cannot be shown: `reason` is a code, the text a sentence for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(_SENTENCES[reason])


@dataclass(frozen=True, slots=True)
class FramePart:
    """One frame of a stored object with the bytes in front of its pixels.

    It is not sent through the gate again: the whole object passed it when it was stored.
    """

    header: bytes
    pixels: bytes


# A whole object, its pieces in order, a binary file, or what one frame needs of a stored object.
WholeSource = BinaryIO | bytes | Iterator[bytes | memoryview]
Source = WholeSource | FramePart


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame as native little-endian bytes, row by row, colour by pixel."""

    data: bytes
    photometric: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    signed: bool


class _Server:
    """The decoding process of this process; started when needed, again after it has left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> socket.socket:
        """Return a socket to a fresh child."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            for _attempt in range(2):
                try:
                    socket.send_fds(self._running(), [b"j"], [theirs.fileno()])
                except OSError:
                    self._forget()
                else:
                    return ours
        ours.close()
        raise CannotRender("crashed", "the decoding process does not start")

    def _running(self) -> socket.socket:
        ended = self._process is None or self._process.poll() is not None
        if self._control is None or ended or self._owner != os.getpid():
            self._forget()
            self._start()
        assert self._control is not None
        return self._control

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and numbers
                [sys.executable, "-I", str(_CHILD), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        self._control, self._owner = ours, os.getpid()

    def _forget(self) -> None:
        """Let go of a process that is gone, or that a parent of this process started."""
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
        self._control = self._process = None


_server = _Server()


def render_frame(
    source: Source,
    *,
    frame: int,
    width: int | None = None,
    height: int | None = None,
    region: tuple[int, int, int, int] | None = None,
    window: tuple[float, float] | None = None,
    function: str = "LINEAR",
    media_type: Literal["image/jpeg", "image/png"] = "image/jpeg",
    quality: int = 85,
) -> bytes:
    """Draw frame `frame` (from 1) and return it as JPEG or PNG.

    Modality and VOI transformations, palettes and colour spaces are applied; `window` is a (center,
    width) in the modality's units and replaces the object's own, `function` is LINEAR, LINEAR_EXACT
    or SIGMOID. `region` (left, top, width, height) cuts out a part first. The image fits into
    `width` and `height` (pixels), keeps its proportions and is never enlarged nor larger than 4096
    pixels.
    Raises `CannotRender`. Source: DICOM PS3.18 section 8.3.5, PS3.3 C.11.
    """
    job = {
        "act": "render",
        "frame": frame,
        "width": width,
        "height": height,
        "region": region,
        "window": window,
        "function": function,
        "media_type": media_type,
        "quality": max(1, min(quality, 100)),
        "header_length": len(source.header) if isinstance(source, FramePart) else 0,
    }
    return _run(source, job)[1]


def decode_frame(source: Source, *, frame: int, as_rgb: bool = False) -> DecodedFrame:
    """Decode frame `frame` (from 1) without any change of its values, unless colours are wanted
    as RGB. Raises `CannotRender`.
    """
    about, data = _run(source, {"act": "decode", "frame": frame, "as_rgb": as_rgb})
    about.pop("length")
    return DecodedFrame(data=data, **about)


def _run(source: Source, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    with _server.connect() as sock:
        sock.settimeout(WALL_SECONDS + 2)
        try:
            head = json.dumps(job).encode()
            sock.sendall(_LENGTH.pack(len(head)) + head)
            if isinstance(source, FramePart):
                _send_part(sock, source)
            else:
                _send_object(sock, source, job["frame"])
            about = json.loads(_receive(sock, _LENGTH.unpack(_receive(sock, 4))[0]))
            if "error" in about:
                raise CannotRender(about["error"], about.get("detail", ""))
            return about, _receive(sock, about["length"])
        except (OSError, EOFError, ValueError, KeyError):
            raise CannotRender("crashed") from None


def _send_part(sock: socket.socket, part: FramePart) -> None:
    if len(part.header) + len(part.pixels) > MAX_OBJECT_BYTES:
        raise CannotRender("size")
    for piece in filter(None, (part.header, part.pixels)):
        sock.sendall(_LENGTH.pack(len(piece)))
        sock.sendall(piece)
    sock.sendall(_LENGTH.pack(0))


def _send_object(sock: socket.socket, source: WholeSource, frame: int) -> None:
    """Pass the object through the gate and on to the child; end it only if the gate agrees."""
    gate, sent = Gate(hold_differing_identifier=True), 0
    try:
        for chunk in _chunks(source):
            gate.feed(chunk)
            sent += len(chunk)
            if sent > MAX_OBJECT_BYTES:
                raise CannotRender("size")
            sock.sendall(_LENGTH.pack(len(chunk)))
            sock.sendall(chunk)
        verdict = gate.finish()
    except Refused as refused:
        raise CannotRender("refused", refused.code) from refused
    if verdict.pixels is None or verdict.pixels.shape is None:
        raise CannotRender("undecodable", "no pixels")
    if not 1 <= frame <= verdict.pixels.shape.frames:
        raise CannotRender("frame")
    sock.sendall(_LENGTH.pack(0))


def _chunks(source: WholeSource) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(0, len(source), _BLOCK):
            yield source[start : start + _BLOCK]
        return
    # Also a file is an iterator, of lines.
    if hasattr(source, "read"):
        yield from iter(lambda: source.read(_BLOCK), b"")
        return
    for piece in source:
        yield bytes(piece)


def _receive(sock: socket.socket, count: int) -> bytes:
    if count > MAX_ANSWER_BYTES:
        raise EOFError
    parts = bytearray()
    while len(parts) < count:
        piece = sock.recv(min(count - len(parts), 1 << 20))
        if not piece:
            raise EOFError
        parts += piece
    return bytes(parts)
