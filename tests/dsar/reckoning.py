"""Reckons the clocks of an invented request."""

from __future__ import annotations

from datetime import date

from dsar.rules.clocks import (
    Deadlines,
    Request,
    holidays_of,
    reckon,
)
from dsar.rules.kinds import Kind
from dsar.rules.laws import Asked, laws_for

US, FRANCE = holidays_of("US"), holidays_of("FR")
WEDNESDAY = date(2026, 11, 18)

CLINIC = Asked("US", "MT", ("hipaa", "gdpr", "uk-gdpr", "ccpa", "shine-the-light"))


def of(
    residence: str,
    kind: Kind = Kind.ACCESS,
    *,
    asked: Asked = CLINIC,
    received: date = date(2026, 9, 1),
    own: int = 60,
    **more: int | bool,
) -> Deadlines:
    laws = laws_for(residence, asked)
    return reckon(
        Request(
            kind=kind,
            laws=laws,
            received_on=received,
            country=asked.country,
            answer_days=own,
            acknowledge_days=14,
            **more,  # type: ignore[arg-type]
        )
    )
