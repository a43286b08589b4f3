"""An incident is assessed: was data exposed, could it be read, what risk is there to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from dsar.rules.words import readable
from incidents.models import DutyMark, Incident
from incidents.rules.states import Act, Factors, Risk, State
from incidents.sealing import OpenIncident
from incidents.selectors import picture_of, today_at
from incidents.services.entries import IncidentRefused, locked, needed, write

# A word of mouth of the police, or a letter, for longer than this was a typing error.
LONGEST_DELAY = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Assessment:
    is_breach: bool
    unreadable: bool
    low_probability: bool
    risk: Risk
    factors: Factors
    reasons: str


@transaction.atomic
def assess(*, actor: Actor, incident: Incident, found: Assessment) -> None:
    """Write down what was weighed; duties follow from it at once.

    A low probability needs all four factors in words (45 CFR 164.402(2)); whatever takes a duty
    away needs a reason. Can be done anew. Raises `IncidentRefused`.
    """
    row = locked(actor, incident, Act.ASSESSED)
    if found.low_probability and not found.factors.is_whole:
        raise IncidentRefused(
            "A low probability has to be shown: write something of each of the four factors."
        )
    lighter = not found.is_breach or found.unreadable or found.risk is not Risk.HIGH
    reasons = readable(found.reasons)
    if lighter and not reasons:
        raise IncidentRefused("Write why: it takes duties away, and an authority may ask.")
    if reasons:
        reasons = needed(reasons)
    OpenIncident(row).seal_factors(found.factors)
    row.is_breach, row.is_unreadable = found.is_breach, found.unreadable
    row.low_probability, row.risk = found.low_probability, found.risk.value
    row.assessed_at = timezone.now()
    if row.state == State.OPEN:
        row.state = (State.TOLD if row.told_at else State.ASSESSED).value
    row.save()
    write(
        row, Act.ASSESSED, "incident.assessed", by=actor, text=reasons, breach=found.is_breach,
        unreadable=found.unreadable, low_probability=found.low_probability, risk=found.risk.value,
    )  # fmt: skip


@transaction.atomic
def note_delay(
    *, actor: Actor, incident: Incident, until: date, in_writing: bool, text: str
) -> None:
    """Note that the police asked to wait (45 CFR 164.412; N.Y. Gen. Bus. Law 899-aa(4); Cal. Civ.
    Code 1798.82(c)). Said by mouth, HIPAA lets it hold for thirty days."""
    row = locked(actor, incident, Act.DELAYED)
    today = today_at(row.organisation)
    if not today <= until <= today + LONGEST_DELAY:
        raise IncidentRefused("The day has to be within a year from today.")
    words = needed(text, "Write who asked, and for what")
    row.delay_since, row.delay_until, row.delay_in_writing = today, until, in_writing
    row.save(update_fields=["delay_since", "delay_until", "delay_in_writing"])
    write(
        row, Act.DELAYED, "incident.delayed", by=actor, text=words, until=until.isoformat(),
        in_writing=in_writing,
    )  # fmt: skip


@transaction.atomic
def mark_done(*, actor: Actor, incident: Incident, code: str, done_on: date, text: str) -> None:
    """Note that somebody was told, when and how; what waits for it begins to run."""
    row = locked(actor, incident, Act.DUTY)
    owed = {one.duty.code: one for one in picture_of(row).owed}.get(code)
    if owed is None or owed.duty.away:
        raise IncidentRefused("This is not owed for this incident.")
    if owed.is_done:
        raise IncidentRefused("This is marked as done already.")
    if not row.discovered_on <= done_on <= today_at(row.organisation):
        raise IncidentRefused("The day has to lie between the discovery and today.")
    words = needed(text, "Write how they were told, such as a number or who took it")
    set_done(actor, row, code, done_on)
    write(row, Act.DUTY, "incident.duty_done", by=actor, text=words, code=code,
          done_on=done_on.isoformat(), late=owed.is_late)  # fmt: skip


def set_done(actor: Actor, row: Incident, code: str, done_on: date) -> None:
    mark, _ = DutyMark.objects.get_or_create(incident=row, code=code)
    mark.done_on, mark.done_by_id, mark.done_at = done_on, actor.user_id, timezone.now()
    mark.save(update_fields=["done_on", "done_by", "done_at"])
