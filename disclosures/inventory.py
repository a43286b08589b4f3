"""What this room keeps."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, readable, sealed

_BY = readable("Who did it", Category.PROFESSIONAL)
MODELS: Models = [
    ("disclosures.Disclosure", Category.REQUESTS, {
        "id": "Number of the row", "organisation": "Organisation", "number": "Number of the case",
        "ground": "Ground", "citation": "Law, order or file that is cited",
        "received_on": "Received", "answer_on": "Answer due", "key_id": "Its key",
        "sealed_authority": sealed("Who demands it"), "sealed_reference": sealed("Their reference"),
        "opened_by": readable("Who opened it", Category.PROFESSIONAL), "opened_at": "Opened",
        "approved_by": readable("Who approved it", Category.PROFESSIONAL),
        "approved_at": "Approved", "review_due_at": "Review due", "reviewed_at": "Reviewed",
        "escalated_at": "Told to be late", "closed_at": "Closed",
    }),
    ("disclosures.Statement", Category.REQUESTS, {
        "id": "Number", "disclosure": "Case", "kind": "What it says",
        "sealed_text": sealed("In which words"), "by": _BY, "at": "When",
    }),
    ("disclosures.Paper", Category.REQUESTS, {
        "id": "Number", "disclosure": "Case", "kind": "What it is", "file_type": "Kind of file",
        "key_id": "Its key", "blob_name": "Name of the sealed file", "size": "Size",
        "added_by": _BY, "added_at": "Taken in",
    }),
    ("disclosures.Clause", Category.REQUESTS, {
        "id": "Number of the row", "disclosure": "Case", "number": "Number",
        "sealed_text": sealed("What is demanded"),
    }),
    ("disclosures.Item", Category.REQUESTS, {
        "id": "Number of the row", "disclosure": "Case", "number": "Number", "clause": "Clause",
        "subject_id": "Whose it is", "study_uid": "Study", "series_uid": "Series",
        "account": "Account", "part": "Which data of the account",
        "without_person": "Whether the person is taken out", "sealed_label": sealed("What it is"),
        "sealed_reason": sealed("Why"),
        "is_chosen": "Whether it is given out", "objects_digest": "Digest of its objects",
    }),
    ("disclosures.Notice", Category.REQUESTS, {
        "id": "Number", "disclosure": "Case", "subject_id": "Who is told",
        "account": "Account that is told", "way": "How", "given_at": "When they were told",
        "waits_until": "Until when they can object", "sealed_reason": sealed("Why so short"),
        "citation": "What prohibits it", "prohibited_until": "Until when",
        "reminded_at": "Officers reminded", "by": _BY, "at": "When",
    }),
    ("disclosures.Release", Category.REQUESTS, {
        "id": "Number", "disclosure": "Case",
        "released_by": readable("Who released it", Category.PROFESSIONAL),
        "released_at": "Released", "is_emergency": "Whether it was an emergency",
        "approved_by": readable("Who approved it", Category.PROFESSIONAL),
        "state": "State", "fault": "Why it could not be made", "job_id": "Job", "key_id": "Its key",
        "blob_name": "Name of the sealed file", "size": "Size", "digest": "Digest",
        "files": "Files", "made_at": "Made", "expires_at": "Kept until", "fetched_at": "Fetched",
        "fetched_by": readable("Who fetched it", Category.PROFESSIONAL),
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
