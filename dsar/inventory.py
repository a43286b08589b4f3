"""What this room keeps."""

from policies.rules.categories import Category
from policies.rules.inventory import (
    FieldFacts,
    Models,
    Protection,
    classify,
    hashed,
    keyed_hash,
    readable,
    sealed,
)

MODELS: Models = [
    ("dsar.RequestDraft", Category.REQUESTS, {
        "id": "Number", "organisation": "Who is asked", "key_id": "Its key",
        "sealed_record": sealed("What was written, until it is confirmed"),
        "email_token": keyed_hash("E-mail address, to stop floods"),
        "network_token": FieldFacts(
            "Network address (shortened), to stop floods", Protection.KEYED_HASH,
            Category.TECHNICAL, exported=False,
        ),
        "created_at": "When it was written", "expires_at": "Until when it can be confirmed",
        "confirmed_at": "When it was confirmed",
    }),
    ("dsar.Case", Category.REQUESTS, {
        "id": "Number of the row", "number": "Number of the case", "organisation": "Who is asked",
        "kind": "What is asked", "door": "How it came in", "state": "How it stands",
        "residence": "Country the person lives in", "laws": "Laws that count",
        "person": "Account of the person", "key_id": "Its key",
        "sealed_name": sealed("Name"), "sealed_email": sealed("E-mail address"),
        "sealed_text": sealed("What was asked"),
        "email_token": keyed_hash("E-mail address, for search"),
        "received_at": "Received", "created_at": "Written down",
        "acknowledged_at": "Acknowledged", "answered_at": "Answered", "closed_at": "Closed",
        "answer_days": "Days that the policy promised for the answer",
        "acknowledge_days": "Days that the policy promised for the acknowledgement",
        "acknowledge_on": "Acknowledgement due", "answer_on": "Answer due",
        "extended_at": "Extended", "waiting_since": "Since when the person is waited for",
        "waited_days": "Days waited for the person",
        "fee_days": "Days waited for a fee", "joined_to": "Request it was joined to",
        "officer": readable("Who works on it", Category.PROFESSIONAL),
        "identified_at": "When it was known who asks", "proof": "How it was known who asks",
        "outcome": "Outcome", "denial": "Reason for refusing",
        "link_epoch": "Which links are good", "reminded_at": "Officers reminded",
        "escalated_at": "Told to be late",
    }),
    ("dsar.CaseEntry", Category.REQUESTS, {
        "id": "Number", "case": "Case", "act": "What was done", "code": "More of it",
        "at": "When", "by": readable("Who did it", Category.PROFESSIONAL),
        "by_person": "Whether the person did it", "sealed_text": sealed("What was written"),
        "shown": "Whether the person sees it", "told": "How the person was told",
    }),
    ("dsar.CaseDocument", Category.REQUESTS, {
        "id": "Number", "case": "Case", "kind": "What it is for", "file_type": "Kind of file",
        "key_id": "Its key", "blob_name": "Name of the sealed file", "size": "Size",
        "added_at": "Taken in", "added_by": readable("Who took it in", Category.PROFESSIONAL),
        "by_person": "Whether the person sent it", "ends_at": "When its time is over",
        "destroyed_at": "Destroyed",
    }),
    ("dsar.CaseSubject", Category.REQUESTS, {
        "id": "Number", "case": "Case", "subject_id": "Whom it is about",
        "linked_by": readable("Who found them", Category.PROFESSIONAL),
        "linked_at": "When they were found",
    }),
    ("dsar.IdentityCheck", Category.REQUESTS, {
        "id": "Number", "case": "Case", "way": "How it was seen who asks",
        "state": "Whether it agreed",
        "facts": "What was compared, by name", "subject_id": "With whose record",
        "declared": "Whether a declaration was signed", "code_digest": hashed("Code that was sent"),
        "failed_tries": "Wrong codes", "expires_at": "Until when the code holds",
        "by": readable("Who looked", Category.PROFESSIONAL), "at": "When",
    }),
    ("dsar.Authority", Category.REQUESTS, {
        "case": "Case", "token": "Number that the person's link names",
        "relation": "As whom somebody asks",
        "state": "Whether it was shown", "fault": "Why it was refused",
        "sealed_person": sealed("In whose name it is asked"), "document": "Paper that shows it",
        "answer_to_agent": "Whether the answer goes to whoever asks",
        "valid_until": "Until when it holds", "told_at": "When the person was told",
        "confirmed_at": "When the person confirmed it",
        "decided_by": readable("Who decided about it", Category.PROFESSIONAL),
        "decided_at": "Decided", "created_at": "Written down",
    }),
    ("dsar.Erasure", Category.REQUESTS, {
        "id": "Number of the row", "case": "Request", "run_id": "Its disposal", "state": "State",
        "lines": "What goes, changes and stays", "subject_ids": "Whose records",
        "job_id": "Its work",
        "planned_by": readable("Who planned it", Category.PROFESSIONAL),
        "planned_at": "Planned", "carried_out_at": "Carried out",
    }),
    ("dsar.FeeQuote", Category.REQUESTS, {
        "id": "Number", "case": "Case", "state": "Whether it was accepted",
        "sealed_items": sealed("What each line is for"), "total_cents": "Sum",
        "currency": "Currency", "excessive": "Whether the request was held to be excessive",
        "quoted_by": readable("Who quoted it", Category.PROFESSIONAL), "quoted_at": "Quoted",
        "decided_at": "Accepted, or not",
    }),
    ("dsar.Package", Category.REQUESTS, {
        "id": "Number", "case": "Case", "state": "How the copy stands",
        "job_id": "Job that makes it", "key_id": "Its key", "blob_name": "Name of the sealed file",
        "size": "Size", "digest": "Digest", "files": "Files in it",
        "code_digest": hashed("Code that opens it"), "failed_tries": "Wrong codes",
        "made_by": readable("Who had it made", Category.PROFESSIONAL),
        "created_at": "Asked for", "made_at": "Made", "expires_at": "Until when it can be had",
        "downloads": "How often it was fetched", "downloaded_at": "When it was fetched last",
    }),
    ("dsar.Transfer", Category.REQUESTS, {
        "id": "Number", "package": "Copy", "to": "Provider that may fetch it",
        "named_by": "Who named it", "named_at": "When", "withdrawn_at": "Taken back",
        "fetched_by": readable("Who fetched it", Category.PROFESSIONAL), "fetched_at": "Fetched",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
