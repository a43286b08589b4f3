"""Objects with something planted in them."""

from __future__ import annotations

import io
from typing import Any

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from studies.gateways.deidentifying import Deidentifier
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import profile_of

CT = "1.2.840.10008.5.1.4.1.1.2"
KEY = bytes(range(32))


def ct(**attributes: Any) -> Dataset:
    """A CT slice of Marlene Quixada, with 4 by 4 pixels."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, "1.2.3.4.1111.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.4.1111", "1.2.3.4.1111.2"
    dataset.PatientName, dataset.PatientID = "Quixada^Marlene", "HVH-778812"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19420317", "F", "084Y"
    dataset.StudyDate, dataset.StudyTime, dataset.Modality = "20260611", "101112", "CT"
    dataset.Manufacturer, dataset.ImageType = "ACME", ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Rows = dataset.Columns = 4
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = bytes(range(32))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def part10(dataset: Dataset, syntax: str = ExplicitVRLittleEndian, preamble: bytes = b"") -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax  # type: ignore[assignment]
    meta.SourceApplicationEntityTitle = "QUIXADA_AE"
    buffer = io.BytesIO()
    made = FileDataset(buffer, dataset, file_meta=meta, preamble=preamble.ljust(128, b"\0"))
    dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()


def deidentifier(*options: str, key: bytes = KEY) -> Deidentifier:
    return Deidentifier(profile_of(options), Keyed(key))


def released(content: bytes, *options: str, key: bytes = KEY) -> Dataset:
    """The clean object; fails with the doubts if there is none."""
    outcome = deidentifier(*options, key=key).deidentify(content)
    assert outcome.content is not None, (outcome.doubts, outcome.left)
    return dcmread(io.BytesIO(outcome.content))
