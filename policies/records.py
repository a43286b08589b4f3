"""How the trail ends, and the history of the configuration: neither does."""

from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, register_records

KINDS = [
    RecordKind(
        "audit.trail", "The trail of uses", Category.TRAIL,
        ("audit.Event", "audit.EventCommitment", "audit.Leaf", "audit.PendingEvent"),
        Ending.STAYS,
        "each event is part of one signed tree, by which anybody sees that none was taken out; it "
        "names people by number only, and says nothing of them once what the number meant is gone",
    ),
    RecordKind(
        "audit.configuration", "History of the configuration", Category.TRAIL,
        ("auditlog.LogEntry",), Ending.STAYS,
        "it shows what was set when, and by which number; addresses in it are masked",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
