"""How release projects end, and what was made for them."""

from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, register_records

KINDS = [
    RecordKind(
        "releases.projects", "Release projects, what was made for them, and the way back",
        Category.DEIDENTIFIED,
        ("releases.Project", "releases.ProjectStudy", "releases.Output", "releases.Link",
         "releases.Snapshot", "releases.SnapshotBlock", "releases.SnapshotPerson"),
        Ending.OWN,
        "on the project's last day the linking table is destroyed, and what was made goes, is "
        "stripped further or stays without a way back, as the policy says",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
