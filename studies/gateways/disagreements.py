"""Statements of disagreement and replies, opened, and as the text that goes with a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from studies.models import Statement, Study
from studies.sealing import statement_context
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_keys


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
    return said_of_studies([study])[study.pk]


def said_of_studies(studies: Iterable[Study]) -> dict[int, list[Said]]:
    """The same of each of several studies, by primary key; one query where nothing was said."""
    said: dict[int, list[Said]] = {one.pk: [] for one in studies}
    rows = list(
        Statement.objects.filter(study__in=said)
        .select_related("study")
        .only("kind", "sealed_text", "at", "case_number", "study__key_id")
        .order_by("at", "kind", "pk")
    )
    keys = open_data_keys(ids={row.study.key_id for row in rows}) if rows else {}
    for row in rows:
        text = FieldSealer(keys[row.study.key_id]).open(row.sealed_text, statement_context(row.pk))
        said[row.study_id].append(
            Said(row.kind, row.get_kind_display(), text.decode(), row.at, row.case_number)
        )
    return said


def as_text(said: list[Said]) -> bytes:
    """A plain text that goes with the objects of a study (45 CFR 164.526(d)(5))."""
    parts = [
        f"{one.label}, {one.at:%d %B %Y}, request {one.case_number}\n\n{one.text}\n" for one in said
    ]
    return ("\n" + "-" * 72 + "\n\n").join(parts).encode()
