"""People are told: a letter in the portal to whoever has an account, on paper to the others."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import record
from incidents.models import Affected, Incident
from incidents.permissions import may_see_names
from incidents.rules.letters import YOURS, Draft
from incidents.rules.states import Act, State
from incidents.rules.table import BY_POST, Whom
from incidents.sealing import OpenIncident
from incidents.selectors import accounts_told_of, picture_of, today_at
from incidents.services.assessing import set_done
from incidents.services.entries import IncidentRefused, locked, needed, write

PORTAL, POSTED = "portal", "posted"


@transaction.atomic
def write_letter(*, actor: Actor, incident: Incident, draft: Draft) -> None:
    """Keep the letter; what was sent to somebody is not changed any more."""
    row = locked(actor, incident, Act.DRAFTED)
    if row.affected.exclude(told="").exists():
        raise IncidentRefused("The letter has gone to people already. Write a note instead.")
    words = Draft(
        needed(draft.happened, "Write what happened"), needed(draft.doing, "Write what is done"),
        needed(draft.advice, "Write what people can do"),
    )  # fmt: skip
    OpenIncident(row).seal_letter(words)
    row.save(update_fields=["sealed_letter"])
    write(row, Act.DRAFTED, "incident.drafted", by=actor)


@transaction.atomic
def send_letters(*, actor: Actor, incident: Incident) -> int:
    """Send the letter to everybody with an account who has not got it. Safe to repeat.

    Returns how many still need one on paper.
    """
    row = locked(actor, incident, Act.TOLD)
    waiting = list(row.affected.filter(told="").order_by("pk"))
    accounts = accounts_told_of([one.subject_id for one in waiting])
    sent = 0
    for one in waiting:
        if people := accounts.get(one.subject_id):
            _told(actor, row, one, PORTAL, "incident.letter_sent")
            notify(users=people, template=YOURS, target_id=one.pk)
            sent += 1
    if sent:
        write(row, Act.TOLD, "incident.told", by=actor, code=PORTAL, letters=sent)
    _conclude(actor, row)
    return row.affected.filter(told="").count()


@transaction.atomic
def note_posted(*, actor: Actor, incident: Incident, affected: Collection[UUID]) -> int:
    """Note that letters to these people were put into the post."""
    row = locked(actor, incident, Act.TOLD)
    if not may_see_names(actor):
        raise IncidentRefused("Only privacy officers print and post letters: they hold names.")
    chosen = list(row.affected.filter(pk__in=list(affected), told=""))
    if not chosen:
        raise IncidentRefused("Choose at least one person who has got no letter.")
    for one in chosen:
        _told(actor, row, one, POSTED, "incident.letter_posted")
    write(row, Act.TOLD, "incident.told", by=actor, code=POSTED, letters=len(chosen))
    _conclude(actor, row)
    return len(chosen)


def _told(actor: Actor, row: Incident, one: Affected, how: str, action: str) -> None:
    one.told, one.told_at, one.told_by_id = how, timezone.now(), actor.user_id
    one.save(update_fields=["told", "told_at", "told_by"])
    record(
        action=action, actor=actor, organisation_id=row.organisation_id,
        subject_id=one.subject_id, target=("incident", str(row.pk)),
        details={"number": row.number, "how": how},
    )  # fmt: skip


def _conclude(actor: Actor, row: Incident) -> None:
    """Once everybody has a letter, every duty to tell people is done today; but for one that asks
    for letters by post, while somebody has theirs in the portal alone."""
    if row.affected.filter(told="").exists() or not row.affected.exists():
        return
    today = today_at(row.organisation)
    stays = BY_POST if row.affected.filter(told=PORTAL).exists() else frozenset()
    for owed in picture_of(row).open:
        if owed.duty.whom is Whom.PEOPLE and owed.duty.code not in stays:
            set_done(actor, row, owed.duty.code, today)
            write(row, Act.DUTY, "incident.duty_done", by=actor, code=owed.duty.code,
                  done_on=today.isoformat(), late=owed.is_late)  # fmt: skip
    row.told_at = timezone.now()
    if row.state != State.OPEN:
        row.state = State.TOLD.value
    row.save(update_fields=["told_at", "state"])
