"""The trail in words: who did what, when, under which reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Organisation, User
from audit.models import Event
from audit.rules.vocabulary import label_of
from consent.rules.decision import SENTENCES, Reason


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    what: str
    who: str
    why: str
    refused: bool


def lines_of(events: Iterable[Event]) -> list[Line]:
    """Put events into words, with the names of people and organisations: two queries in all."""
    rows = list(events)
    people = {
        str(pk): name
        for pk, name in User.objects.filter(
            pk__in={row.actor_id for row in rows if row.actor_id.isdigit()}
        ).values_list("pk", "name")
    }
    ids = {row.details.get("by_organisation") or row.organisation_id for row in rows}
    organisations = {
        str(pk): name
        for pk, name in Organisation.objects.filter(pk__in=ids - {"", None}).values_list(
            "pk", "name"
        )
    }
    return [_line(row, people, organisations) for row in rows]


def _line(event: Event, people: dict[str, str], organisations: dict[str, str]) -> Line:
    place = event.details.get("by_organisation") or event.organisation_id
    return Line(
        at=event.occurred_at,
        what=label_of(event.action),
        who=", ".join(
            part for part in (_who(event, people), organisations.get(str(place), "")) if part
        ),
        why=_why(event),
        refused=event.outcome != "success",
    )


def _who(event: Event, people: dict[str, str]) -> str:
    name = people.get(event.actor_id)
    if event.actor_kind == "token" and name:
        return f"A program of {name}"
    return name or {"system": "Collimate", "job": "Collimate", "anonymous": "Somebody unknown"}.get(
        event.actor_kind, "Somebody who has left"
    )


def _why(event: Event) -> str:
    words = []
    if event.purpose:
        words.append(f"for {event.purpose.replace('-', ' ')}")
    if event.reason in Reason.__members__.values():
        words.append(SENTENCES[Reason(event.reason)])
    elif event.reason:
        words.append(event.reason.replace("-", " "))
    count = event.details.get("instances")
    if count:
        words.append(f"{count} object{'s' if count != 1 else ''}")
    return "; ".join(words)
