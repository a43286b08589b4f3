"""How the records of this room end: they are the proof of what ended."""

from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, register_records

KINDS = [
    RecordKind(
        "retention.proof", "Disposals, certificates, and reports of what was deleted",
        Category.TRAIL,
        ("retention.DisposalRun", "retention.DisposalItem", "retention.Certificate",
         "retention.CertificateAddendum", "retention.RecordPurge",
         "retention.OrganisationClosing"),
        Ending.STAYS, "they prove what is gone, by numbers only",
    ),
    RecordKind(
        "retention.holds", "Holds, with matter and reason", Category.REQUESTS,
        ("retention.Hold",), Ending.STAYS, "they show why something was kept for longer",
    ),
    RecordKind(
        "retention.archive", "What is noted of studies in the legal archive", Category.MEDICAL,
        ("retention.ArchivedStudy",), Ending.WITH, "goes with its study",
    ),
    RecordKind(
        "retention.milestones", "Notes that work with a study has ended", Category.MEDICAL,
        ("retention.StudyMilestone",), Ending.WITH, "goes with its study",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
