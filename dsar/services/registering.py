"""The register for an authority: figures, every request without anybody in it, and the record of
what is done with requests (GDPR Art. 30(1))."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor
from accounts.services.trail import record
from dsar.rules.register import COLUMNS, Row, by_kind, figures_of, line_of, metrics_of, reasons_of
from dsar.rules.states import DUE_WITHIN
from dsar.selectors import policy_or_none, today_at
from dsar.selectors.papers import policy_term
from dsar.selectors.register import register_of
from policies.rules.categories import CATEGORIES, Category
from policies.rules.pack import Pack
from policies.rules.schema import KEY

# Begins a formula in a spreadsheet: no cell of ours does, and none shall.
_FORMULA = ("=", "+", "-", "@", "\t")


def statistics(rows: list[Row], today: date) -> dict[str, Any]:
    due_until = today + DUE_WITHIN
    return {
        "all": figures_of("All requests and questions", rows, today, due_until),
        "by_kind": by_kind(rows, today, due_until),
        "metrics": metrics_of(rows, today, due_until),
        "reasons": reasons_of(rows),
    }


def as_csv(*, actor: Actor, organisation: Organisation, year: int) -> str:
    """Every request of the year as a line; nobody's name, number or place is in it."""
    rows = register_of(actor, organisation, year)
    held = io.StringIO()
    writer = csv.DictWriter(held, fieldnames=list(COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in line_of(row).items()})
    _note(actor, organisation, year, rows, "csv")
    return held.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_json(*, actor: Actor, organisation: Organisation, year: int) -> str:
    rows = register_of(actor, organisation, year)
    found = statistics(rows, today_at(organisation))
    document = {
        "organisation": organisation.name,
        "year": year,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "record_of_processing": record_of_processing(organisation),
        "all": asdict(found["all"]),
        "by_kind": [asdict(one) for one in found["by_kind"]],
        "metrics_11_ccr_7102": {code: asdict(one) for code, one in found["metrics"].items()},
        "refused_because": dict(found["reasons"]),
        "requests": [line_of(row) for row in rows],
    }
    _note(actor, organisation, year, rows, "json")
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def record_of_processing(organisation: Organisation) -> dict[str, Any]:
    """What GDPR Art. 30(1)(a) to (g) asks to be on record, of requests and their answers."""
    pack = policy_or_none(organisation)
    facts, term = CATEGORIES[Category.REQUESTS], policy_term(organisation.pk)
    return {
        "controller": organisation.name,
        "contact": _contact(pack),
        "purposes": "To answer people's requests about their data, and to show that it was done",
        "categories_of_people": [one.value for one in facts.about],
        "categories_of_data": [facts.label, facts.examples],
        "recipients": "The person; a provider to whom a request is handed on, where the policy"
        " says so",
        "transfers": KEY["transfers.mechanisms"].kind.words(pack["transfers.mechanisms"])
        if pack else "",
        "kept_for": term.words if term else "",
        "safeguards": "Each request and paper is encrypted under a key of its own; officers alone"
        " open them, and each time is written down",
    }  # fmt: skip


def _contact(pack: Pack | None) -> str:
    if pack is None:
        return ""
    return ", ".join(filter(None, [pack["contact.officer"], pack["contact.email"]]))


def _note(actor: Actor, organisation: Organisation, year: int, rows: list[Row], form: str) -> None:
    record(
        action="request.register_exported", actor=actor, organisation_id=organisation.pk,
        target=("organisation", str(organisation.pk)),
        details={"year": year, "requests": len(rows), "form": form},
    )  # fmt: skip
