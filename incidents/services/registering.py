"""The register as a file (GDPR Art. 33(5); 45 CFR 164.414(b))."""

from __future__ import annotations

import csv
import io

from django.db import transaction

from accounts.rules import Actor
from accounts.services.trail import record
from incidents.models import Incident
from incidents.rules.states import RISK_LABELS, Risk
from incidents.sealing import OpenIncident
from incidents.selectors import Picture, incidents_of, pictures_of
from vault.services.data_keys import open_data_keys

COLUMNS = (
    "number", "what", "came in", "state", "discovered", "opened", "people", "residences",
    "exposed", "unreadable", "low probability", "risk", "assessed", "told", "not told, because",
    "closed",
)  # fmt: skip
# Begins a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t")


@transaction.atomic
def as_csv(*, actor: Actor) -> str:
    """Every incident of the organisation as a line; written down."""
    rows = list(incidents_of(actor).order_by("number"))
    keys = open_data_keys(ids=[row.key_id for row in rows])
    pictures = pictures_of(rows)
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        title = OpenIncident(row, keys[row.key_id]).title
        writer.writerow([_cell(one) for one in _line(row, title, pictures[row.pk])])
    record(
        action="incident.exported", actor=actor, target=("register", "incidents"),
        details={"lines": len(rows)},
    )  # fmt: skip
    return held.getvalue()


def _line(row: Incident, title: str, picture: Picture) -> list[object]:
    residents = picture.facts.residents if row.counted_at else {}
    done = [
        f"{one.duty.to}: {one.mark.done_on}" for one in picture.owed if one.mark and one.is_done
    ]
    return [
        row.number, title, row.get_source_display(), row.get_state_display(),
        _time(row.discovered_at), _time(row.opened_at),
        picture.facts.people if row.counted_at else "not counted",
        "; ".join(f"{place or 'not known'}: {number}" for place, number in residents.items()),
        _yes(row.is_breach), _yes(row.is_unreadable), _yes(row.low_probability),
        RISK_LABELS[Risk(row.risk)], _time(row.assessed_at), "; ".join(done),
        "; ".join(dict.fromkeys(one.duty.away for one in picture.owed if one.duty.away)),
        _time(row.closed_at),
    ]  # fmt: skip


def _time(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
