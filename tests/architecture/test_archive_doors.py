"""The legal archive has few doors, and each is named here."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = (
    "accounts", "audit", "backups", "config", "consent", "disclosures", "dsar", "governance",
    "jobs", "policies", "releases", "retention", "studies", "vault",
)  # fmt: skip
DOORS = {
    "vault/rules/archive.py": "it is made there",
    "studies/gateways/objects.py": "files are read as a check, and nothing of them goes anywhere",
    "retention/services/archiving.py": "what a restore brought back goes there again",
    "retention/controls/__init__.py": "a key is put there and tried",
    "dsar/services/releasing_archive.py": "a release that two people approved",
}


def test_nothing_else_opens_the_archive() -> None:
    found = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "archive_opened" in path.read_text(encoding="utf-8")
    }
    assert found == set(DOORS)
