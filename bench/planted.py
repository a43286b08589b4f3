"""CT slices with identifiers at known places, and what an output folder still has of them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from bench.deidentify import ct, part10

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass
class PlantedSet:
    """A folder, and the bytes that must be in no output."""

    folder: Path
    needles: set[bytes]
    files: int


@dataclass
class Found:
    """What an output folder has."""

    files: int
    left: int
    links: int
    broken: int
    patients: int


def plant(folder: Path, *, patients: int, slices: int, seed: int) -> PlantedSet:
    """Write slices whose every identifier is drawn anew: at the top, nested, private, as UN."""
    chance = random.Random(seed)
    needles: set[bytes] = set()

    def word() -> str:
        made = "ZQ" + "".join(chance.choices(_LETTERS, k=8))
        needles.add(made.encode())
        return made

    for patient in range(patients):
        name, number, study = word(), word(), str(generate_uid())
        before = ""
        for place in range(slices):
            dataset = dcmread(io.BytesIO(ct(place + 1)))
            dataset.PatientName, dataset.PatientID = f"{name}^MARIA", number
            dataset.StudyInstanceUID = study
            _plant_slice(dataset, word, before)
            before = str(dataset.SOPInstanceUID)
            needles |= {before.encode(), study.encode()}
            path = folder / f"p{patient:02d}_s{place:04d}.dcm"
            path.write_bytes(part10(dataset))
    return PlantedSet(folder, needles, patients * slices)


def _plant_slice(dataset: Dataset, word: Callable[[], str], before: str) -> None:
    for keyword in (
        "PatientAddress", "OtherPatientIDs", "AccessionNumber", "InstitutionName", "StudyID",
        "ReferringPhysicianName", "OperatorsName", "StationName", "StudyDescription",
        "PatientComments", "DeviceSerialNumber", "RequestingPhysician", "ImageComments",
    ):  # fmt: skip
        setattr(dataset, keyword, word())
    equipment, context, request = Dataset(), Dataset(), Dataset()
    equipment.Manufacturer, equipment.InstitutionName = "ACME", word()
    equipment.OperatorsName, equipment.StationName = word(), word()
    dataset.ContributingEquipmentSequence = Sequence([equipment])
    context.ValueType, context.PersonName = "PNAME", word()
    dataset.ProtocolContextSequence = Sequence([context])
    request.RequestedProcedureID, request.ScheduledProcedureStepDescription = word(), word()
    dataset.RequestAttributesSequence = Sequence([request])
    dataset.private_block(0x0029, "ACME CT 02", create=True).add_new(1, "PN", word())
    dataset.add_new(0x00102155, "UN", word().encode())
    dataset.ImageType = ["ORIGINAL", "PRIMARY", str(dataset.PatientName).split("^")[0]]
    del dataset.ReferencedImageSequence
    if before:
        reference = Dataset()
        reference.ReferencedSOPClassUID = dataset.SOPClassUID
        reference.ReferencedSOPInstanceUID = before
        dataset.ReferencedImageSequence = Sequence([reference])


def read(folder: Path) -> PlantedSet:
    """A set that another program planted: planted.json has the needles of each file."""
    files = json.loads((folder / "planted.json").read_text())["files"]
    slices = {name: record for name, record in files.items() if name.startswith("ct/")}
    needles = {one["needle"].encode("latin-1") for record in slices.values() for one in record}
    return PlantedSet(folder / "ct", needles, len(slices))


def look(planted: PlantedSet, output: Path) -> Found:
    """Search every output for every needle, and follow its references."""
    paths = [one for one in output.rglob("*") if one.is_file()]
    left: set[bytes] = set()
    uids, patients, references = set(), set(), []
    for path in paths:
        content = path.read_bytes()
        # All but the pixels, in which nothing was planted: half a megabyte for each needle.
        words = content[: content.rfind(b"\xe0\x7f\x10\x00")]
        left |= {one for one in planted.needles - left if one in words}
        dataset = dcmread(path, force=True, stop_before_pixels=True)
        uids.add(str(dataset.get("SOPInstanceUID", "")))
        patients.add(str(dataset.get("PatientID", "")))
        items = dataset.get("ReferencedImageSequence", None) or ()
        references += [str(one.get("ReferencedSOPInstanceUID", "")) for one in items]
    holding = sum(one in uids for one in references)
    return Found(len(paths), len(left), holding, len(references) - holding, len(patients))
