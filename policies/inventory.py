"""What the rooms below keep (they know no policies), this room, and Django's own tables."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, keyed_hash, sealed, secret

DAY = "When it was made"

MODELS: Models = [
    ("vault.OrganisationKey", Category.KEYS, {
        "id": "Number", "organisation_id": "Organisation", "epoch": "Generation",
        "wrapped": sealed("Wrapped key"), "master_key_id": "Which master key wraps it",
        "created_at": DAY, "destroyed_at": "When it was destroyed",
    }),
    ("vault.DataKey", Category.KEYS, {
        "id": "Number", "kind": "What it seals", "organisation_id": "Organisation",
        "epoch": "Generation", "wrapped": sealed("Wrapped key"), "created_at": DAY,
        "destroyed_at": "When it was destroyed",
    }),
    ("jobs.Job", Category.WORK, {
        "id": "Number", "kind": "Kind of work", "natural_key": "What it is about, by number",
        "state": "State", "payload": "What it needs, by number", "organisation_id": "Organisation",
        "created_by_id": "Who asked for it, by number", "done": "Done", "total": "To do",
        "failures": "What failed, by number", "failure_count": "How much failed",
        "message": "How it stands", "cursor": "Where it goes on", "lease_until": "Held until",
        "fencing_token": "Which worker counts", "attempts": "Attempts",
        "max_attempts": "Attempts at most", "not_before": "Not before",
        "rung_at": "When it was announced", "created_at": DAY, "started_at": "Begun",
        "finished_at": "Ended",
    }),
    ("jobs.DueJob", Category.WORK, {
        "id": "Number", "schedule": "Schedule", "due_at": "Due", "job_id": "Job",
    }),
    ("audit.Event", Category.TRAIL, {
        "id": "Number of the event", "occurred_at": "When", "action": "What was done",
        "outcome": "Whether it was allowed", "actor_kind": "Person, program or system",
        "actor_id": "Who, by number", "actor_role": "In which role",
        "organisation_id": "Organisation", "subject_id": "Whom it concerns, by number",
        "target_kind": "Kind of thing", "target_id": "Which one", "target_uid": "Which study",
        "purpose": "For which purpose", "reason": "Why", "session": "In which session (shortened)",
        "network": "Network address (shortened)", "request_id": "Number of the request",
        "details": "Numbers and codes", "commitments": keyed_hash("What personal values were"),
    }),
    ("audit.EventCommitment", Category.TRAIL, {
        "id": "Number", "event_id": "Event", "name": "Which value", "key_id": "Its key",
        "sealed": sealed("A personal value that belongs to an event"),
    }),
    ("audit.PendingEvent", Category.TRAIL, {"event_id": "Event", "occurred_at": "When"}),
    ("audit.Leaf", Category.TRAIL, {
        "number": "Place in the tree", "event_id": "Event",
        "leaf_hash": keyed_hash("Hash of the event"),
    }),
    ("audit.Checkpoint", Category.CONFIGURATION, {
        "id": "Number", "size": "Events covered", "root": "Hash of them all",
        "frontier": "Hashes along the edge", "note": "Signed note", "created_at": DAY,
    }),
    ("policies.PolicyVersion", Category.CONFIGURATION, {
        "id": "Number", "organisation_id": "Organisation", "pack_code": "Pack it goes back to",
        "revision": "Revision", "values": "What it says", "digest": "Digest of it",
        "reason": "Why it changed", "drafted_by": "Who wrote it, by number",
        "drafted_at": "When it was begun", "saved_at": "When it was last saved",
        "posted_by": "Who posted it, by number", "posted_at": "When it was posted",
        "effective_at": "From when it holds", "is_material": "Whether it changes what matters",
        "withdrawn_by": "Who withdrew it, by number", "withdrawn_at": "When it was withdrawn",
    }),
    # Django's own.
    ("contenttypes.ContentType", Category.CONFIGURATION, {
        "id": "Number", "app_label": "Room", "model": "Kind of record",
    }),
    ("auth.Permission", Category.CONFIGURATION, {
        "id": "Number", "name": "Name", "content_type": "Kind of record", "codename": "Code",
    }),
    ("auth.Group", Category.CONFIGURATION, {"id": "Number", "name": "Name"}),
    ("auth.Group_permissions", Category.CONFIGURATION, {
        "id": "Number", "group": "Group", "permission": "Permission",
    }),
    ("auditlog.LogEntry", Category.CONFIGURATION, {
        "id": "Number", "content_type": "Kind of configuration", "object_pk": "Which one",
        "object_id": "Which one, as a number", "object_repr": "Its name",
        "serialized_data": "Whole",
        "action": "What was done", "changes_text": "Changes in words", "changes": "Changes",
        "actor": "Who, by number", "cid": "Number of the request",
        "remote_addr": secret("Network address", Category.TECHNICAL),
        "remote_port": secret("Port", Category.TECHNICAL), "timestamp": "When",
        "additional_data": "More", "actor_email": secret("E-mail of who", Category.ACCOUNT),
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
