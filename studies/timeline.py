"""The trail in words: who did what, when, under which reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accounts.models import Organisation
from accounts.rules import ROLE_LABELS, Role
from accounts.selectors.names import names_of
from audit.models import Event
from audit.rules.vocabulary import label_of
from consent.rules.decision import Reason


@dataclass(frozen=True, slots=True)
class Line:
    """One act in words; the same act again and again within minutes is one line with a count."""

    at: datetime
    what: str
    who: str
    why: str
    refused: bool
    times: int = 1
    since: datetime | None = None
    # Whose act it was, also where `who` names the organisation only: two people are never one.
    by: str = ""
    # What it concerned, where that is asked for: a kind of thing and its number.
    about: str = ""

    def continues(self, earlier: Line) -> bool:
        same = (self.what, self.who, self.by, self.why, self.about, self.refused) == (
            earlier.what,
            earlier.who,
            earlier.by,
            earlier.why,
            earlier.about,
            earlier.refused,
        )
        return same and (self.since or self.at) - earlier.at <= TOGETHER


# A viewer asks for each image on its own; a person reads that as one look.
TOGETHER = timedelta(minutes=10)


class Shown(StrEnum):
    """How much is said of whoever acted (the values of the policies' `record.readers_shown`)."""

    ORGANISATION = "organisation"
    ROLE = "role"
    NAME = "name"


def lines_of(
    events: Iterable[Event],
    *,
    shown: Shown = Shown.NAME,
    reader_id: int | None = None,
    concerning: bool = False,
) -> list[Line]:
    """Put events into words, with the names of people and organisations: two queries in all.

    What `reader_id` did themselves is said as “you”.
    """
    rows = list(events)
    people = names_of({row.actor_id for row in rows}) if shown is Shown.NAME else {}
    ids = {row.details.get("by_organisation") or row.organisation_id for row in rows}
    ids |= {row.details.get("recipient_organisation") for row in rows}
    organisations = {
        str(pk): name
        for pk, name in Organisation.objects.filter(pk__in=ids - {"", None}).values_list(
            "pk", "name"
        )
    }
    lines = []
    for row in rows:
        if reader_id is not None and row.actor_id == str(reader_id):
            who = "You"
        else:
            who = _who(row, people) if shown is Shown.NAME else _whose_role(row, shown)
        line = _line(row, who, organisations)
        lines.append(replace(line, about=about_of(row)) if concerning else line)
    return _gathered(lines)


def _whose_role(event: Event, shown: Shown) -> str:
    """Say the role in which somebody acted, as the event has it; or nothing, beside the place."""
    if event.actor_kind not in {"user", "token"}:
        return _who(event, {})
    held = [ROLE_LABELS[Role(one)] for one in event.actor_role.split("+") if one in set(Role)]
    if not held:
        return "The patient, the owner or their family"
    role = " and ".join(held) if shown is Shown.ROLE else ""
    if event.actor_kind == "user":
        return role
    return f"A program of: {role}" if role else "A program"


def _gathered(lines: Iterable[Line]) -> list[Line]:
    """Count acts that one person repeats within minutes, also where two kinds alternate."""
    found: list[Line] = []
    for line in lines:
        place = _place_of_same(found, line)
        if place is None:
            found.append(line)
        else:
            found[place] = replace(found[place], times=found[place].times + 1, since=line.at)
    return found


def _place_of_same(found: list[Line], line: Line) -> int | None:
    for place in range(len(found) - 1, -1, -1):
        if (found[place].who, found[place].by) != (line.who, line.by):
            return None
        if found[place].continues(line):
            return place
    return None


# The decision's reasons, said of somebody else. Looking at home is the rule and needs no word.
_REASONS = {
    Reason.OWN_ORGANISATION: "",
    Reason.GRANTED: "under a share",
    Reason.UNKNOWN: "it was never shared with them",
    Reason.ROLE: "their role does not include images",
    Reason.SCOPE: "the token was not issued for that",
    Reason.REVOKED: "the share had been revoked",
    Reason.EXPIRED: "the share had ended",
    Reason.NOT_ITEM: "it was not among the items shared",
    Reason.NO_DOWNLOAD: "the share does not include downloads",
    Reason.OTHER_PURPOSE: "the share is for another purpose",
    Reason.NOT_LISTED: "the privacy policy does not list the purpose",
    Reason.OWNER_ONLY: "only the holder can do this",
    Reason.RESTRICTED: "the person had it locked",
    Reason.NOT_DISCLOSED: "the person asked that they do not get it",
    Reason.KEPT_FROM_PLAN: "the person keeps it from their health plan",
    Reason.OBJECTED: "the person objected to it",
    Reason.LIMITED: "the person limited the use of sensitive data",
    Reason.OPTED_OUT: "the person opted out of sale and sharing",
    Reason.WITHDRAWN: "the person took consent back",
    Reason.UNAVAILABLE: "it could not be decided",
}


def _line(event: Event, who: str, organisations: dict[str, str]) -> Line:
    place = event.details.get("by_organisation") or event.organisation_id
    return Line(
        at=event.occurred_at,
        what=label_of(event.action),
        who=", ".join(part for part in (who, organisations.get(str(place), "")) if part),
        why=_why(event, organisations),
        refused=event.outcome != "success",
        by=event.actor_id,
    )


# Kinds of things that events name; a study by its DICOM number, the others by ours.
_KINDS = {
    "study": "study", "account": "your account", "user": "an account", "token": "API token",
    "session": "session", "membership": "membership", "invitation": "invitation",
    "share": "share", "grant": "share", "consent": "consent", "policy": "version of the policy",
    "notification": "message", "campaign": "mailing", "upload": "submission",
    "organisation": "organisation",
}  # fmt: skip


def about_of(event: Event) -> str:
    """Say what an act concerned: the kind of thing, and the number it is known by."""
    kind = _KINDS.get(event.target_kind, event.target_kind.replace("_", " "))
    number = event.target_uid or event.target_id
    return kind if event.target_kind == "account" else f"{kind} {number}".strip()


def _who(event: Event, people: dict[str, str]) -> str:
    name = people.get(event.actor_id)
    if event.actor_kind == "token" and name:
        return f"A program of {name}"
    return name or {"system": "Collimate", "job": "Collimate", "anonymous": "Somebody unknown"}.get(
        event.actor_kind, "Somebody who has left"
    )


def _why(event: Event, organisations: dict[str, str]) -> str:
    words = []
    if recipient := event.details.get("recipient_organisation"):
        words.append(f"with {organisations.get(recipient, 'an organisation that has left')}")
    if event.purpose:
        words.append(f"for {event.purpose.replace('-', ' ')}")
    if event.reason in _REASONS:
        words.append(_REASONS[Reason(event.reason)])
    elif event.reason:
        words.append(event.reason.replace("-", " "))
    count = event.details.get("instances")
    if count:
        words.append(f"{count} object{'s' if count != 1 else ''}")
    return "; ".join(word for word in words if word)
