"""What this room keeps: numbers, sizes and times of backups, and nothing about anybody."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, readable

MODELS: Models = [
    ("backups.Generation", Category.CONFIGURATION, {
        "id": "Number", "name": "Name", "state": "State", "begun_at": "Begun",
        "finished_at": "Finished", "data_place": "Where data lies", "keys_place": "Where keys lie",
        "engine": "Kind of database", "release": "Release of the portal",
        "trail_size": "Length of the trail", "files": "Sealed files", "files_new": "New among them",
        "bytes": "Size of the sealed files", "failure": "Why it failed", "made_by": "What made it",
    }),
    ("backups.Artefact", Category.CONFIGURATION, {
        "id": "Number", "generation": "Backup", "kind": "Which part", "begun_at": "Begun",
        "expires_at": "End of its time", "size": "Size", "digest": "Digest",
        "key_destroyed_at": "Key destroyed", "destroyed_at": "Destroyed and read back",
        "destroyed_by": "What destroyed it",
    }),
    ("backups.Drill", Category.CONFIGURATION, {
        "id": "Number", "generation_name": "Backup", "began_at": "Begun", "seconds": "Duration",
        "is_good": "Whether it worked", "files": "Sealed files", "files_tried": "Files tried",
        "events": "Events of the trail verified", "failure": "Why it failed",
        "note": "What it says, and its signature",
    }),
    ("backups.Device", Category.CONFIGURATION, {
        "id": "Number of the row", "organisation": "Organisation", "number": "Number",
        "kind": "Kind of hardware", "serial": "Serial number", "entered_at": "Entered",
        "retired_on": "Taken out of service", "reminded_at": "When administrators were reminded",
        "method": "How it was emptied or destroyed", "done_on": "When it was",
        "witness": readable("Who saw it", Category.PROFESSIONAL),
        "certificate": "Number of the certificate",
        "certified_by": readable("Who entered the certificate", Category.PROFESSIONAL),
        "certified_at": "When they did",
    }),
    ("backups.RecoveryPlan", Category.CONFIGURATION, {
        "id": "Number of the row", "organisation": "Organisation", "number": "Number",
        "owner": readable("Who leads after a disaster", Category.PROFESSIONAL),
        "deputy": readable("Who does in their place", Category.PROFESSIONAL),
        "point_hours": "How many hours of work may be lost",
        "time_hours": "How many hours the portal may be away",
        "drill_days": "How often a restore is practised",
        "written_by": readable("Who wrote it", Category.PROFESSIONAL),
        "written_at": "When they did", "reminded_at": "When those who lead were reminded",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
