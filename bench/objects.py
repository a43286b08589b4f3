"""Invented objects for the benchmarks, written byte by byte: no library in the way of the clock.

Identifiers hold a token of fixed width, so that fresh copies are one replacement away.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TOKEN = b"7000000000"
ROOT = "1.2.826.0.1.3680043.10.1999"
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
LONG = {"OB", "OW", "SQ", "UN", "UT"}
FAMILIES = [
    "ABARA", "BECKER", "CHEN", "DUBOIS", "EVANS", "FERRARI", "GARCIA", "HANSEN", "IVANOV",
    "JANSEN", "KOWALSKI", "LARSEN", "MARTIN", "NOVAK", "OKAFOR", "PETROV", "QUINN", "ROSSI",
    "SILVA", "TANAKA", "UDDIN", "VARGA", "WEBER", "YILMAZ", "ZHANG",
]  # fmt: skip
GIVEN = ["ANNA", "BORIS", "CARLA", "DAVID", "ELENA", "FELIX", "GRACE", "HUGO", "IRIS", "JONAS"]


@dataclass(frozen=True)
class Named:
    """One object and what it was named."""

    data: bytes
    study: str
    series: str
    instance: str

    def renamed(self, token: bytes) -> Named:
        text = token.decode()
        old = TOKEN.decode()
        return Named(
            self.data.replace(TOKEN, token),
            self.study.replace(old, text),
            self.series.replace(old, text),
            self.instance.replace(old, text),
        )


def element(tag: int, vr: str, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        value = struct.pack("<H", value)
    elif isinstance(value, str):
        value = value.encode()
    if len(value) % 2:
        value += b"\0" if vr in {"UI", "OB"} else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in LONG:
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def build(
    *,
    study: int,
    series: int,
    instance: int,
    name: str = "BENCH^ANNA",
    patient: str = "P",
    date: str = "20240315",
    pixels: bytes,
    rows: int,
    columns: int,
    frames: int = 0,
) -> Named:
    """One CT-like object of 16-bit pixels, with about 70 attributes in its header."""
    token = TOKEN.decode()
    uids = [
        f"{ROOT}.{token}.1.{study + 1}",
        f"{ROOT}.{token}.2.{study + 1}.{series + 1}",
        f"{ROOT}.{token}.3.{study + 1}.{series + 1}.{instance + 1}",
    ]
    meta = b"".join(
        [
            element(0x00020001, "OB", b"\0\1"),
            element(0x00020002, "UI", CT),
            element(0x00020003, "UI", uids[2]),
            element(0x00020010, "UI", EXPLICIT),
            element(0x00020012, "UI", ROOT + ".1"),
        ]
    )
    private = [element(0x00090010, "LO", "BENCH")]
    private += [element(0x00091000 + n, "SH", f"VALUE {n}") for n in range(40)]
    body = [
        element(0x00080005, "CS", "ISO_IR 100"),
        element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        element(0x00080016, "UI", CT),
        element(0x00080018, "UI", uids[2]),
        element(0x00080020, "DA", date),
        element(0x00080030, "TM", "101500"),
        element(0x00080050, "SH", f"A{token[-6:]}{study:05d}"),
        element(0x00080060, "CS", "CT"),
        element(0x00080090, "PN", "REFERRER^RITA"),
        element(0x00081030, "LO", "CT of the chest"),
        element(0x0008103E, "LO", f"Series {series + 1}"),
        *private,
        element(0x00100010, "PN", name),
        element(0x00100020, "LO", f"{patient}{token}{study:05d}"),
        element(0x00100030, "DA", "19700101"),
        element(0x00100040, "CS", "F"),
        element(0x00180050, "DS", "1.25"),
        element(0x0020000D, "UI", uids[0]),
        element(0x0020000E, "UI", uids[1]),
        element(0x00200010, "SH", f"S{study}"),
        element(0x00200011, "IS", str(series + 1)),
        element(0x00200013, "IS", str(instance + 1)),
        element(0x00200032, "DS", f"-175\\-175\\{instance * 1.25}"),
        element(0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
        element(0x00280002, "US", 1),
        element(0x00280004, "CS", "MONOCHROME2"),
        *([element(0x00280008, "IS", str(frames))] if frames else []),
        element(0x00280010, "US", rows),
        element(0x00280011, "US", columns),
        element(0x00280030, "DS", "0.7\\0.7"),
        element(0x00280100, "US", 16),
        element(0x00280101, "US", 16),
        element(0x00280102, "US", 15),
        element(0x00280103, "US", 0),
        element(0x7FE00010, "OW", pixels),
    ]
    data = (
        b"\0" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
        + b"".join(body)
    )  # fmt: skip
    return Named(data, *uids)


def ct_slices(count: int, *, series: int = 3) -> list[Named]:
    """Slices of 512 x 512 (526 kB each), in several series of one study."""
    noise = random.Random(7).randbytes(512 * 512 * 2)
    return [
        build(
            study=0, series=n * series // count, instance=n, rows=512, columns=512,
            pixels=noise[n * 64 :] + noise[: n * 64],
        )
        for n in range(count)
    ]  # fmt: skip


def many_frames(count: int = 100) -> Named:
    noise = random.Random(8).randbytes(512 * 512 * 2)
    return build(
        study=1, series=0, instance=0, rows=512, columns=512, frames=count, pixels=noise * count
    )


def endless_frames(token: bytes, count: int = 4096) -> tuple[Named, Callable[[], Iterator[bytes]]]:
    """An object of 2 GiB and more, made as it is sent; its `data` is the header alone."""
    frame = random.Random(10).randbytes(512 * 512 * 2)
    named = build(
        study=2, series=0, instance=0, rows=512, columns=512, frames=count, pixels=b""
    ).renamed(token)
    header = named.data[:-4] + struct.pack("<I", count * len(frame))

    def pieces() -> Iterator[bytes]:
        yield header
        for _ in range(count):
            yield frame

    return Named(header, named.study, named.series, named.instance), pieces


@dataclass(frozen=True)
class Listed:
    """A small study for searches, with what it can be found by."""

    objects: list[Named]
    name: str
    patient: str
    date: str


def listed_studies(count: int, per_study: int = 20) -> list[Listed]:
    """Studies of tiny objects, for searches over many of them."""
    chance = random.Random(9)
    found = []
    for study in range(count):
        name = f"{chance.choice(FAMILIES)}^{chance.choice(GIVEN)}"
        date = f"{chance.randint(2015, 2024)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
        objects = [
            build(
                study=study + 10, series=n * 2 // per_study, instance=n, name=name, patient="Q",
                date=date, rows=4, columns=4, pixels=bytes(32),
            )
            for n in range(per_study)
        ]  # fmt: skip
        patient = f"Q{TOKEN.decode()}{study + 10:05d}"
        found.append(Listed(objects, name, patient, date))
    return found
