"""How the controls of copies are broken."""

from __future__ import annotations

from datetime import timedelta

from dsar.rules.identity import Level
from dsar.rules.packages import ENOUGH_FOR, What
from policies.rules.holdings import one_file
from tests.governance.tools import Breaking, gives, item, patched

_C = "dsar.controls.copies"
_FEWER = {"account.json": b"control.invalid"}

COPIES: list[tuple[str, Breaking]] = [
    ("dsar.own-data", gives(f"{_C}.gate_of", "public")),
    ("dsar.own-data", patched(f"{_C}.WITHOUT_ACCEPTANCE", frozenset())),
    ("dsar.own-data", gives(f"{_C}.own_archive", None)),
    ("dsar.own-data", gives(f"{_C}._unpacked", _FEWER)),
    ("dsar.own-records", gives(f"{_C}.gate_of", "public")),
    ("dsar.own-records", gives(f"{_C}.whose_own", [])),
    ("dsar.own-records", gives(f"{_C}.studies_held", [])),
    ("dsar.copy-portable", gives(f"{_C}.check_document", None)),
    ("dsar.copy-portable", gives(f"{_C}.get_commands", {})),
    ("dsar.copy-portable", gives(f"{_C}.gate_of", "signed-in")),
    ("dsar.copy-portable", gives("dsar.rules.portable._cell", "")),
    ("dsar.copy-chosen", gives(f"{_C}.is_chosen", True)),
    ("dsar.copy-chosen", gives(f"{_C}.sha256", type("D", (), {"hexdigest": lambda _: "no"})())),
    ("dsar.copy-once", gives(f"{_C}.is_spent", False)),
    ("dsar.copy-once", gives(f"{_C}.is_to_be_had", True)),
    ("dsar.copy-once", patched(f"{_C}.LASTS", timedelta(days=365))),
    ("dsar.two-levels", item(ENOUGH_FOR, What.CATEGORIES, Level.HIGH)),
    ("dsar.two-levels", gives(f"{_C}.categories_files", [one_file("kinds", b"PLANTED-5501")])),
]
