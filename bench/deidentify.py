"""De-identification: `python -m bench.deidentify`, a part of `make bench`.

Frames: generated ones as of an ultrasound device, with details of people at random places, in
random sizes and colours, faint, upright and over the picture; how much of their area is blacked,
how much of the rest, and in what time. The frames are not real ones, which are harder.

Headers: CT slices of half a megabyte, files a second in one process and in two, beside pydicom's
reading and saving alone.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median

import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from bench.frames import Frame, frame
from studies.gateways.deidentifying import Deidentifier
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import profile_of

COVERED_GOAL, SECONDS_GOAL, FILES_GOAL, ROUNDS = 99.0, 1.0, 100, 5
CT, ULTRASOUND = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.6.1"
KEY = bytes(range(32))


def part10(dataset: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    made = FileDataset(buffer, dataset, file_meta=meta, preamble=bytes(128))
    dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()


def _named(sop_class: str, name: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientName, dataset.PatientID = name, "BENCH-778812"
    dataset.PatientBirthDate, dataset.StudyDate = "19420317", "20260611"
    return dataset


def ultrasound(made: Frame) -> bytes:
    dataset = _named(ULTRASOUND, made.texts[0].replace(", ", "^"))
    dataset.Modality, dataset.PhotometricInterpretation = "US", "RGB"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = made.pixels.shape
    dataset.PlanarConfiguration = dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = made.pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    return part10(dataset)


def ct(number: int, *, attributes: int = 180) -> bytes:
    """A slice of 526 kB: some 200 attributes, as devices write, and a few references."""
    dataset = _named(CT, "BENCH^ANNA")
    dataset.Modality, dataset.Manufacturer, dataset.InstanceNumber = "CT", "ACME", number
    dataset.InstitutionName, dataset.ReferringPhysicianName = "Bench Klinik", "BENCH^BORIS"
    items = []
    for _ in range(10):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, generate_uid()
        items.append(item)
    dataset.ReferencedImageSequence = items
    block = dataset.private_block(0x0019, "ACME CT 01", create=True)
    for place in range(attributes):
        block.add_new(place, "LO", f"value {number} {place}")
    dataset.Rows = dataset.Columns = 512
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    pixels = np.random.default_rng(number).integers(0, 4096, (512, 512), np.uint16)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return part10(dataset)


# Pixels -------------------------------------------------------------------------------------------
@dataclass
class Tally:
    released: int = 0
    area: int = 0
    covered: int = 0
    others: int = 0
    blacked_others: int = 0
    seconds: float = 0.0
    whole: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)

    def add(self, made: Frame, after: np.ndarray) -> None:
        identifying = np.zeros(after.shape[:2], bool)
        black = ~after.any(axis=2)
        for (left, top, right, bottom), kind in zip(made.places, made.kinds, strict=True):
            identifying[top:bottom, left:right] = True
            self.all[kind] += 1
            self.whole[kind] += bool(black[top:bottom, left:right].all())
        self.area += int(identifying.sum())
        self.covered += int((identifying & black).sum())
        # What was black before says nothing about what was lost.
        lost = black & made.pixels.any(axis=2) & ~identifying
        self.others += int((~identifying & made.pixels.any(axis=2)).sum())
        self.blacked_others += int(lost.sum())


def pixels(count: int, seed: int) -> None:
    deidentifier = Deidentifier(profile_of(["clean-pixel-data"]), Keyed(KEY))
    deidentifier.deidentify(ultrasound(frame(seed - 1)))  # loads the models
    tally = Tally()
    for number in range(count):
        made = frame(seed + number)
        content = ultrasound(made)
        began = time.process_time()
        outcome = deidentifier.deidentify(content)
        tally.seconds += time.process_time() - began
        if outcome.content is None:
            tally.doubts.update(one.value for one in outcome.doubts)
            continue
        tally.released += 1
        tally.add(made, dcmread(io.BytesIO(outcome.content)).pixel_array)
    _print(tally, count)


def _print(tally: Tally, count: int) -> None:
    covered = 100 * tally.covered / max(1, tally.area)
    seconds = tally.seconds / count
    print(f"Text in pixels, {count} generated frames (640 by 480 to 1024 by 768), one thread")
    print(f"  released                          {tally.released} of {count} {dict(tally.doubts)}")
    reached = "reached" if covered >= COVERED_GOAL else "not reached"
    print(f"  area of identifiers blacked       {covered:.2f} % (goal {COVERED_GOAL} %: {reached})")
    kinds = ", ".join(f"{one} {tally.whole[one]}/{tally.all[one]}" for one in sorted(tally.all))
    print(f"  identifiers blacked as a whole    {kinds}")
    lost = 100 * tally.blacked_others / max(1, tally.others)
    print(f"  picture blacked besides           {lost:.2f} %")
    reached = "reached" if seconds <= SECONDS_GOAL else "not reached"
    print(f"  CPU time, both looks              {seconds:.2f} s a frame (goal 1 s: {reached})")


# Headers ------------------------------------------------------------------------------------------
def _roundtrip(content: bytes) -> None:
    buffer = io.BytesIO()
    dcmread(io.BytesIO(content)).save_as(buffer)


# A child has them from its parent: sending them would be measured too.
_contents: list[bytes] = []


def _clean(first: int, step: int = 1, limit: int | None = None) -> int:
    deidentifier = Deidentifier(profile_of([]), Keyed(KEY))
    return sum(
        deidentifier.deidentify(one).content is not None for one in _contents[first:limit:step]
    )


def _rate(work: Callable[[], object]) -> float:
    """Files a second: the median of some rounds, for others work on the machine too."""
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        rates.append(len(_contents) / (time.perf_counter() - began))
    return median(rates)


def headers(count: int) -> None:
    _contents[:] = [ct(number) for number in range(1, count + 1)]
    size = len(_contents[0]) // 1000
    print(f"\nHeaders, {count} CT slices of {size} kB, in memory, median of {ROUNDS} rounds")
    released = _clean(0)
    floor = _rate(lambda: [_roundtrip(one) for one in _contents])
    print(f"  pydicom reads and saves           {floor:.0f} files/s")
    alone = _rate(lambda: _clean(0))
    reached = "reached" if alone >= FILES_GOAL else "not reached"
    print(f"  de-identified, one process        {alone:.0f} files/s (goal {FILES_GOAL}: {reached})")
    print(f"  released                          {released} of {count}")
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        list(pool.map(_clean, [0, 1], [2, 2], [4, 4]))
        two = _rate(lambda: list(pool.map(_clean, [0, 1], [2, 2])))
    print(f"  de-identified, two processes      {two:.0f} files/s ({two / alone:.2f} times)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--slices", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"Seed {options.seed}; load of the machine {load} on {os.cpu_count()} cores")
    if options.frames:
        pixels(options.frames, options.seed)
    if options.slices:
        headers(options.slices)


if __name__ == "__main__":
    main()
