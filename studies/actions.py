"""What this room writes into the trail: code, label, verb, DICOM PS3.15 A.5 event name."""

_ACCESSED = "DICOM Instances Accessed"
_TRANSFERRED = "DICOM Instances Transferred"

ACTIONS = [
    ("upload.opened", "Upload begun", "C", "Begin Transferring DICOM Instances"),
    ("study.received", "Images received", "C", _TRANSFERRED),
    ("object.refused", "File refused", "C", "Security Alert"),
    ("object.released", "Held object released after a look", "U", _ACCESSED),
    ("object.rejected", "Held object rejected after a look", "D", _ACCESSED),
    ("study.listed", "Searched", "R", "Query"),
    ("study.opened", "Study page opened", "R", _ACCESSED),
    ("study.viewed", "Images looked at", "R", _ACCESSED),
    ("study.described", "Image descriptions read", "R", _ACCESSED),
    ("study.retrieved", "Images sent to a program", "R", _TRANSFERRED),
    ("study.downloaded", "Images downloaded", "R", "Export"),
    ("study.doubt_settled", "Doubt about the patient settled", "U", "Patient Record"),
    (
        "study.guardian_named",
        "Guardian named who agreed to images of a minor",
        "C",
        "Patient Record",
    ),
    ("study.corrected", "What images say corrected", "U", "Patient Record"),
    ("study.disputed", "Statement added to a study", "C", "Patient Record"),
    ("study.rejected", "Study rejected as wrongly sent, and hidden", "U", "Patient Record"),
    ("study.restored", "Rejected study restored", "U", "Patient Record"),
    ("study.rejected_listed", "Rejected studies looked through", "R", "Query"),
    ("study.blob_missing", "Stored images missing", "E", "Security Alert"),
    ("study.blob_damaged", "Stored images found damaged", "E", "Security Alert"),
    ("study.blob_mended", "Stored images whole again", "E", "Security Alert"),
    ("trail.read", "Trail read", "R", "Audit Log Used"),
]
