"""What this room keeps."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, keyed_hash, readable, sealed

_WHO = Category.PROFESSIONAL

MODELS: Models = [
    ("releases.Project", Category.DEIDENTIFIED, {
        "id": "Number of the row", "organisation": "Whose project", "number": "Number",
        "title": "Title", "purpose": "What for", "recipient": "For whom",
        "agreement": "Under which agreement", "ethics_reference": "Where the ethics review is",
        "method": "By what it is known to be de-identified",
        "method_reference": "Where the expert's determination is", "options": "Options",
        "ends_on": "Last day", "state": "How it stands", "build": "How often it was made",
        "job_id": "Job that makes it", "key_id": "Key of what was made",
        "link_key_id": "Key of the way back",
        "sealed_pseudonym_key": sealed("Key of the pseudonyms"),
        "created_by": readable("Who began it", _WHO), "created_at": "Begun",
        "approved_by": readable("Who approved it", _WHO), "approved_at": "Approved",
        "released_by": readable("Who released it", _WHO), "released_at": "Released",
        "report": "Report of what was released", "report_note": "Signature of the report",
        "ended_at": "Ended", "end": "What became of the data",
    }),
    ("releases.ProjectStudy", Category.MEDICAL, {
        "id": "Number", "project": "Project", "study_uid": "DICOM number of the study",
        "subject_id": "Whose study",
        "added_by": readable("Who put it in", _WHO), "added_at": "Put in",
        "exclusion": readable("Why it is left out", Category.CONSENT),
        "checked_at": "When that was asked last",
    }),
    ("releases.Output", Category.DEIDENTIFIED, {
        "id": "Number", "project": "Project",
        "source_token": keyed_hash("From which object"),
        "study_token": keyed_hash("From which study"),
        "sealed_source": sealed("From which object"),
        "state": "How it stands", "doubts": "Why it was put aside",
        "counts": "What was done to how many attributes", "left": "Attributes still found",
        "fault": "Kind of fault", "pixels": "What was blacked in its pixels",
        "facts": "Sex, age and kind of images, as the clean object has them",
        "patient": "Pseudonym", "study_uid": "New number of the study",
        "series_uid": "New number of the series", "uid": "New number of the object",
        "frames": "Frames", "blob_name": "Name of the sealed file", "size": "Size",
        "digest": "Digest of the clean object",
        "reviewed_by": readable("Who looked at it", _WHO), "reviewed_at": "When it was looked at",
        "stripped": "Cleaned again at the project's end",
    }),
    ("releases.Link", Category.IDENTITY, {
        "id": "Number", "project": "Project", "code": readable("Pseudonym", Category.DEIDENTIFIED),
        "sealed_subject": sealed("Whose it is"),
    }),
    ("releases.Snapshot", Category.DEIDENTIFIED, {
        "id": "Number", "project": "Of which project", "dimensions": "What people are counted by",
        "at_least": "Smallest group", "edition": "Edition of the vocabularies",
        "batch": "How often people entered", "made_by": readable("Who had them counted", _WHO),
        "made_at": "Counted first",
    }),
    ("releases.SnapshotBlock", Category.DEIDENTIFIED, {
        "id": "Number", "snapshot": "Of which counts", "place": "Place",
        "box": "Which values it spans", "people": "How many people",
    }),
    ("releases.SnapshotPerson", Category.DEIDENTIFIED, {
        "id": "Number", "snapshot": "Of which counts", "code": "Pseudonym",
        "place": "In which block", "batch": "When they entered",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
