"""Statements of disagreement and replies, opened, and as the text that goes with a study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from studies.models import Statement, Study
from studies.sealing import statement_context
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key


@dataclass(frozen=True, slots=True)
class Said:
    """One statement in the clear."""

    kind: str
    label: str
    text: str
    at: datetime
    case_number: str


def said_of(study: Study) -> list[Said]:
    """What was said of a study, the first first; one query where nothing was."""
    rows = list(Statement.objects.filter(study=study).order_by("at", "kind", "pk"))
    if not rows:
        return []
    sealer = FieldSealer(open_data_key(id=study.key_id))
    return [
        Said(
            row.kind,
            row.get_kind_display(),
            sealer.open(row.sealed_text, statement_context(row.pk)).decode(),
            row.at,
            row.case_number,
        )
        for row in rows
    ]


def as_text(said: list[Said]) -> bytes:
    """A plain text that goes with the objects of a study (45 CFR 164.526(d)(5))."""
    parts = [
        f"{one.label}, {one.at:%d %B %Y}, request {one.case_number}\n\n{one.text}\n" for one in said
    ]
    return ("\n" + "-" * 72 + "\n\n").join(parts).encode()
