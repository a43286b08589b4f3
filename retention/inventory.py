"""What this room keeps."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, keyed_hash, readable, sealed

WHOSE = "Organisation"
WHO = Category.PROFESSIONAL

MODELS: Models = [
    ("retention.StudyMilestone", Category.MEDICAL, {
        "id": "Number", "organisation": WHOSE, "study_uid": "DICOM number of the study",
        # The end of work with a study; it says nothing of anybody's health.
        "milestone": readable("What has come to an end", Category.WORK),
        "happened_on": readable("When it did", Category.WORK),
        "noted_by": readable("Who noted it", WHO), "noted_at": "When it was noted",
    }),
    ("retention.Hold", Category.REQUESTS, {
        "id": "Number of the row", "organisation": WHOSE, "number": "Number of the hold",
        "key_id": "Its key", "sealed_matter": sealed("What the matter is"),
        "sealed_reason": sealed("Why it is held"), "scope": "What it covers",
        "subject_id": "Whose records", "study_uid": "DICOM number of the study",
        "search": "Search that goes on catching", "custodian": readable("Who looks after it", WHO),
        "review_on": "To be looked at again", "placed_by": readable("Who placed it", WHO),
        "placed_at": "When it was placed", "reminded_at": "When its custodian was reminded",
        "lift_asked_by": readable("Who asked to lift it", WHO), "lift_asked_at": "When that was",
        "sealed_lift_reason": sealed("Why it can be lifted"),
        "lifted_by": readable("Who agreed to lift it", WHO), "lifted_at": "When it was lifted",
    }),
    ("retention.DisposalRun", Category.TRAIL, {
        "id": "Number of the row", "organisation": WHOSE, "number": "Number of the run",
        "state": "State", "planned_at": "Planned", "version_id": "Under which policy",
        "studies": "Studies looked at", "due": "Studies due", "kept": "Studies that stay",
        "objects_due": "Objects due", "bytes_due": "Size of what is due",
        "anonymised": "Studies to be made anonymous", "link_key_id": "Key of the way back",
        "request_id": "Which request it carries out", "beside": "What happens beside it",
        "destroys_doubtful": "Whether what cannot be made anonymous goes",
        "digest": "Digest of the plan", "forecast": "What falls due in which year",
        "first_by": readable("First approval", WHO),
        "first_at": "When", "second_by": readable("Second approval", WHO), "second_at": "When",
        "ended_by": readable("Who rejected or cancelled it", WHO), "job_id": "Its work",
        "stopped_for": "Why it stopped", "begun_at": "Begun", "ended_at": "Ended",
    }),
    ("retention.DisposalItem", Category.TRAIL, {
        "id": "Number", "run": "Run", "study_uid": "DICOM number of the study",
        "step": "How far it is", "fate": "What becomes of it",
        "copied": "Objects made anonymous", "doubts": "Objects that could not be",
        "kept_for": "Why it stays", "hold_id": "For which hold",
        "duty": "Which duty counted", "modalities": "Kinds of images", "objects_count": "Objects",
        "bytes": "Size", "digest": keyed_hash("Digest of its objects"), "key_ids": "Its keys",
        "blob_names": "Its sealed files", "subject_key_id": "Key of whose study it was",
        "sample": sealed("A piece of it, until it is shown that nothing opens it"),
        "key_destroyed_at": "Key destroyed", "gone_at": "Gone", "failure": "What failed",
        "tries": "Tries",
    }),
    ("retention.Certificate", Category.TRAIL, {
        "id": "Number of the row", "run": "Run", "number": "Number of the certificate",
        "note": "What it says, and its signature", "issued_at": "Issued",
        "backups_end_on": "Last day of backups that it names",
    }),
    ("retention.CertificateAddendum", Category.TRAIL, {
        "id": "Number", "certificate": "Certificate", "note": "What it says, and its signature",
        "issued_at": "Issued",
    }),
    ("retention.RecordPurge", Category.TRAIL, {
        "id": "Number", "organisation": WHOSE, "purged_on": "On which day",
        "lines": "Of which kinds how many ended, and how many were held",
    }),
    ("retention.DisposedStudy", Category.KEYS, {
        "id": "Number", "organisation_id": WHOSE, "run_id": "Run",
        "study_key_id": "Key of what is gone", "key_ids": "Keys that were destroyed",
        "blob_names": "Files that were deleted", "disposed_at": "When",
    }),
    ("retention.ArchivedStudy", Category.MEDICAL, {
        "id": "Number of the row", "organisation": WHOSE, "number": "Number in the archive",
        "study": "Study", "key_id": "Key of its dates",
        "sealed_dates": sealed("Day of the examination, and of birth"),
        "why": readable("Why it lies there", Category.WORK), "case_number": "Request it came with",
        "objects_count": "Objects", "archived_at": "Since when",
    }),
    ("retention.OrganisationClosing", Category.ORGANISATION, {
        "id": "Number of the row", "organisation": WHOSE,
        "asked_by": readable("Who asked for it", WHO), "asked_at": "When",
        "agreed_by": readable("Who agreed", WHO), "agreed_at": "When", "job_id": "Its work",
        "ended_at": "When all studies were in the archive",
    }),
    ("retention.ClockMark", Category.CONFIGURATION, {
        "id": "Number", "seen_at": "What time it was last",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
