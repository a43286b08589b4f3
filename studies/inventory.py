from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, keyed_hash, readable, sealed

DAY = "When it was received"
_WHOSE = "Organisation that holds it"

MODELS: Models = [
    ("studies.Upload", Category.MEDICAL, {
        "id": "Number", "organisation": _WHOSE,
        "submitted_by_id": readable("Who sent it", Category.PROFESSIONAL),
        "source": "By which way", "agreement": "Of which partner",
        "attested_at": "When authority was attested",
        "attestation_digest": "Digest of what was attested", "state": "State",
        "accepted": "Objects taken", "repeated": "Objects sent again", "refused": "Objects refused",
        "created_at": "Begun", "closed_at": "Ended",
    }),
    ("studies.Study", Category.MEDICAL, {
        "id": "Number", "organisation": _WHOSE, "uid": "DICOM number of the study",
        "subject": "Whose study",
        "key_id": "Its key", "sealed_summary": sealed("Description, dates, physicians"),
        "patient_id_token": keyed_hash("Patient number, for search", Category.IDENTITY),
        "identifier_token": keyed_hash("Patient number, for search", Category.IDENTITY),
        "accession_token": keyed_hash("Accession number, for search"),
        "study_id_token": keyed_hash("Study number, for search"),
        "day_token": keyed_hash("Day of the examination, for search"),
        "month_token": keyed_hash("Month of the examination, for search"),
        "year_token": keyed_hash("Year of the examination, for search"),
        "modalities": "Kinds of images", "is_anonymous": "Whether it was made anonymous",
        "archived_at": "Since when it lies in the legal archive",
        "rejected_at": "Since when it is rejected as wrongly sent",
        "doubts": "Why it may be somebody else's",
        "series_count": "Series", "instance_count": "Objects", "held_count": "Objects held back",
        "bytes": "Size", "created_at": DAY, "changed_at": "Last changed",
    }),
    ("studies.StudyNameToken", Category.IDENTITY, {
        "id": "Number", "study": "Study", "token": keyed_hash("Name, for search"),
    }),
    ("studies.Series", Category.MEDICAL, {
        "id": "Number", "study": "Study", "uid": "DICOM number of the series",
        "modality": "Kind of images", "number": "Number in the study",
        "sealed_summary": sealed("Description, body part, date"), "instance_count": "Objects",
        "created_at": DAY,
    }),
    ("studies.Blob", Category.IMAGES, {
        "id": "Number", "study": "Study", "name": "Name of the sealed file", "key_id": "Its key",
        "size": "Size", "created_at": DAY, "checked_at": "Last read as a check",
        "damaged_at": "Found damaged",
    }),
    ("studies.Instance", Category.IMAGES, {
        "id": "Number", "organisation_id": _WHOSE, "study": "Study", "series": "Series",
        "uid": "DICOM number of the object",
        "sop_class_uid": "Kind of object", "transfer_syntax_uid": "Encoding",
        "number": "Number in the series", "frames": "Frames", "rows": "Height",
        "columns": "Width", "blob": "Sealed file", "offset": "Where it begins",
        "length": "How long it is", "layout": "Where its frames lie",
        "content_token": keyed_hash("Its content"),
        "sealed_metadata": sealed("All attributes of the object"), "held": "Held back",
        "reasons": "What is out of norm", "upload": "Upload it came with", "created_at": DAY,
    }),
    ("studies.Correction", Category.MEDICAL, {
        "id": "Number", "study": "Study", "sealed_values": sealed("Old and new values"),
        "case_number": "Request it came with",
        "by": readable("Who corrected it", Category.PROFESSIONAL), "at": "When",
    }),
    ("studies.Rejection", Category.MEDICAL, {
        "study": "Study", "why": "Why it was rejected", "sealed_note": sealed("What was noted"),
        "by": readable("Who rejected it", Category.PROFESSIONAL), "at": "When",
    }),
    ("studies.GuardianAttestation", Category.IDENTITY, {
        "id": "Number", "study": "Study", "relation": "In which right they agreed",
        "sealed_name": sealed("Name of the guardian"),
        "words_digest": "Digest of what was confirmed",
        "by": readable("Who named them", Category.PROFESSIONAL), "at": "When",
    }),
    ("studies.Statement", Category.MEDICAL, {
        "id": "Number", "study": "Study", "kind": "Whose words",
        "sealed_text": sealed("What was said"), "case_number": "Request it came with",
        "at": "When",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
