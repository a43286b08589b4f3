"""The register: every request of an organisation in a year, without anybody in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Organisation
from accounts.rules import Actor
from dsar.models import Authority
from dsar.rules.clocks import local_day
from dsar.rules.kinds import Kind
from dsar.rules.laws import known_laws
from dsar.rules.register import Row
from dsar.rules.states import Door
from dsar.selectors import cases_of

_FIELDS = (
    "pk", "kind", "door", "laws", "received_at", "answer_on", "acknowledge_on", "acknowledged_at",
    "answered_at", "extended_at", "outcome", "denial",
)  # fmt: skip


def register_of(actor: Actor, organisation: Organisation, year: int) -> list[Row]:
    """What came in that year where the organisation is, the first first. Two queries."""
    # A day more on both sides: what day it was where the organisation is, is looked at below.
    begin, end = (datetime(one, 1, 1, tzinfo=UTC) for one in (year, year + 1))
    day = timedelta(days=1)
    cases = cases_of(actor).filter(received_at__gte=begin - day, received_at__lt=end + day)
    in_name = set(Authority.objects.filter(case__in=cases).values_list("pk", flat=True))
    rows = _rows(cases.order_by("received_at", "number").values(*_FIELDS), organisation, in_name)
    return [row for row in rows if row.received_on.year == year]


def _rows(
    cases: Iterable[Mapping[str, Any]], organisation: Organisation, in_name: set[UUID]
) -> Iterator[Row]:
    def day(moment: datetime | None) -> date | None:
        if moment is None:
            return None
        return local_day(moment, organisation.country, organisation.state)

    for one in cases:
        received = day(one["received_at"])
        assert received is not None
        yield Row(
            Kind(one["kind"]), Door(one["door"]), known_laws(one["laws"]), received,
            one["answer_on"], one["acknowledge_on"], day(one["acknowledged_at"]),
            day(one["answered_at"]), one["extended_at"] is not None, one["pk"] in in_name,
            one["outcome"], one["denial"],
        )  # fmt: skip


def first_year(actor: Actor) -> int | None:
    """In which year the first request came in."""
    first = cases_of(actor).order_by("received_at").values_list("received_at", flat=True).first()
    return first.year if first else None
