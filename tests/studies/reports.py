"""A small structured report, as small CT slices are made."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from studies.rules.demo_uids import uid_of
from tests.factories import as_part10

BASIC_TEXT = "1.2.840.10008.5.1.4.1.1.88.11"


def structured_report(
    *, study: str = "one", number: int = 1, title: str = "Radiology Report", **attributes: Any
) -> bytes:
    """Write a report with one sentence, in the study of that name."""
    name = Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = "11528-7", "LN", title
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", "Nothing unusual."
    item.ConceptNameCodeSequence = [name]
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = BASIC_TEXT
    dataset.SOPInstanceUID = uid_of("report", study, str(number))
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (
        uid_of("test", study),
        uid_of(study, "reports"),
    )
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20260901", "101500", "A-1"
    dataset.Modality, dataset.StudyDescription, dataset.StudyID = "SR", "Small CT", "1"
    dataset.PatientName, dataset.PatientID = "Adler^Paula", "HVH-1"
    dataset.PatientBirthDate, dataset.PatientSex = "19720314", "F"
    dataset.SeriesNumber, dataset.InstanceNumber = 9, number
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.ContentDate, dataset.ContentTime = "20260901", "110000"
    dataset.ConceptNameCodeSequence, dataset.ContentSequence = [name], [item]
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return as_part10(dataset)
