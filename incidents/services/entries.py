"""What every act on an incident shares: may it be done now, its line in the log, its event."""

from __future__ import annotations

from accounts.rules import Actor
from accounts.services.trail import record
from audit.services import ActorRef
from dsar.rules.words import LONGEST_TEXT, readable
from incidents.models import Incident, IncidentEntry
from incidents.permissions import can_handle
from incidents.rules.states import Act, refusal_of
from incidents.sealing import OpenIncident
from incidents.selectors import picture_of, standing_of


class IncidentRefused(Exception):
    """One sentence that says why it cannot be done, and what to do."""


def locked(actor: Actor, incident: Incident, act: Act) -> Incident:
    """The row as it is now, held until the transaction ends. Raises `IncidentRefused`."""
    row = (
        Incident.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .get(pk=incident.pk)
    )
    if not can_handle(actor, row):
        raise IncidentRefused("Only officers and administrators of the organisation do this.")
    if refusal := refusal_of(act, standing_of(row, picture_of(row))):
        raise IncidentRefused(refusal)
    return row


def write(
    incident: Incident,
    act: Act,
    action: str,
    *,
    by: Actor | ActorRef,
    text: str = "",
    code: str = "",
    **details: object,
) -> IncidentEntry:
    """Write an act into the log and into the trail; words of people into the log alone."""
    user_id = by.user_id if isinstance(by, Actor) else None
    entry = IncidentEntry(incident=incident, act=act.value, code=code, by_id=user_id)
    if text:
        OpenIncident(incident).seal_entry(entry, text)
    entry.save(force_insert=True)
    # Where somebody lives is for the log, which ends; the trail stays.
    coded = {"code": code} if code and act is not Act.RESIDENCE else {}
    note(incident, action, by=by, **coded, **details)
    return entry


def note(incident: Incident, action: str, *, by: Actor | ActorRef, **details: object) -> None:
    record(
        action=action, actor=by, organisation_id=incident.organisation_id,
        target=("incident", str(incident.pk)), details={"number": incident.number, **details},
    )  # fmt: skip


def needed(text: str, what: str = "Write it in words") -> str:
    """What somebody wrote, made safe, neither empty nor too long. Raises `IncidentRefused`."""
    words = readable(text)
    if not words:
        raise IncidentRefused(f"{what}: an empty text says nothing.")
    if len(words) > LONGEST_TEXT:
        raise IncidentRefused(f"At most {LONGEST_TEXT} characters.")
    return words
