"""An incident is opened, led, written down and closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor
from accounts.selectors import those_who_answer
from accounts.services.notifications import notify
from accounts.services.trail import user_ref
from audit.services import ActorRef
from dsar.rules.words import one_line
from incidents.models import Incident, PlanStep
from incidents.permissions import may_see_incidents
from incidents.rules.letters import OPENED
from incidents.rules.states import DATA_LABELS, PLAN, Act, Source, State
from incidents.sealing import KEY_KIND, OpenIncident
from incidents.selectors import next_number, possible_leads
from incidents.services.entries import IncidentRefused, locked, needed, note, write
from vault.services.data_keys import create_data_key


@transaction.atomic
def open_incident(
    *, actor: Actor, title: str, discovered_at: datetime, kinds: Sequence[str],
    licensed_clinic: bool = False,
) -> Incident:  # fmt: skip
    """Open an incident by hand; its clocks run from the moment of discovery.

    Raises `IncidentRefused`.
    """
    if not may_see_incidents(actor):
        raise IncidentRefused("Only officers and administrators open an incident.")
    if discovered_at > timezone.now():
        raise IncidentRefused("It cannot have been discovered later than now.")
    if not kinds or not set(kinds) <= set(DATA_LABELS):
        raise IncidentRefused("Choose the kinds of data that somebody may have seen.")
    organisation = Organisation.objects.get(pk=actor.organisation_id)
    return _make(
        organisation, Source.OFFICER, one_line(needed(title)), discovered_at, kinds, actor,
        opened_by_id=actor.user_id, licensed_clinic=licensed_clinic,
    )  # fmt: skip


@transaction.atomic
def open_for_account(*, user: User, organisation: Organisation, at: datetime) -> Incident:
    """Open the incident of an account that somebody else uses, as its owner says."""
    kinds = ["account", "credentials", "identity", "images"]
    title = "Somebody else uses an account"
    return _make(organisation, Source.ACCOUNT, title, at, kinds, user_ref(user), account=user)


def _make(
    organisation: Organisation, source: Source, title: str, discovered_at: datetime,
    kinds: Sequence[str], by: Actor | ActorRef, **more: object,
) -> Incident:  # fmt: skip
    # Of two that are opened at once each has its own number.
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    key = create_data_key(organisation_id=organisation.pk, kind=KEY_KIND)
    row = Incident(
        organisation=organisation, number=next_number(organisation.pk), source=source.value,
        key_id=key.id, discovered_at=discovered_at,
        kinds=[one for one in DATA_LABELS if one in kinds], **more,
    )  # fmt: skip
    OpenIncident(row, key.key).seal_title(title)
    row.save(force_insert=True)
    PlanStep.objects.bulk_create(
        PlanStep(incident=row, step=code, due_at=discovered_at + step.within)
        for code, step in PLAN.items()
    )
    reported = source is Source.ACCOUNT
    write(row, Act.REPORTED if reported else Act.OPENED,
          "incident.reported" if reported else "incident.opened", by=by)  # fmt: skip
    others = those_who_answer([organisation.pk]).exclude(pk=row.opened_by_id)
    notify(users=others, template=OPENED, target_id=row.pk)
    return row


@transaction.atomic
def note_on_incident(*, actor: Actor, incident: Incident, text: str) -> None:
    row = locked(actor, incident, Act.NOTED)
    write(row, Act.NOTED, "incident.noted", by=actor, text=needed(text))


@transaction.atomic
def hand_lead(*, actor: Actor, incident: Incident, to: User) -> None:
    """Say who leads; they are told."""
    row = locked(actor, incident, Act.LED)
    if not possible_leads(row.organisation_id).filter(pk=to.pk).exists():
        raise IncidentRefused("Choose an officer or administrator of the organisation.")
    row.lead = to
    row.save(update_fields=["lead"])
    write(row, Act.LED, "incident.led", by=actor, lead=to.pk)
    if to.pk != actor.user_id:
        notify(users=[to], template=OPENED, target_id=row.pk)


@transaction.atomic
def finish_step(*, actor: Actor, incident: Incident, step: str) -> None:
    """Mark a step of the plan as done. Safe to repeat."""
    row = locked(actor, incident, Act.STEP)
    found = PlanStep.objects.select_for_update().filter(incident=row, step=step).first()
    if found is None:
        raise IncidentRefused("The plan has no such step.")
    if found.done_at is None:
        found.done_at, found.done_by_id = timezone.now(), actor.user_id
        found.save(update_fields=["done_at", "done_by"])
        write(row, Act.STEP, "incident.step_done", by=actor, code=step)


@transaction.atomic
def assign_step(*, actor: Actor, incident: Incident, step: str, to: User) -> None:
    """Say who does a step of the plan; the deadline stays."""
    row = locked(actor, incident, Act.STEP)
    if not possible_leads(row.organisation_id).filter(pk=to.pk).exists():
        raise IncidentRefused("Choose an officer or administrator of the organisation.")
    if not PlanStep.objects.filter(incident=row, step=step, done_at=None).update(owner=to):
        raise IncidentRefused("This step is done, or the plan has no such step.")
    note(row, "incident.step_assigned", by=actor, code=step, owner=to.pk)
    if to.pk != actor.user_id:
        notify(users=[to], template=OPENED, target_id=row.pk)


@transaction.atomic
def close_incident(*, actor: Actor, incident: Incident, text: str) -> None:
    """Close it, once it was assessed and everybody was told; with what was learned."""
    row = locked(actor, incident, Act.CLOSED)
    words = needed(text, "Write what was learned")
    row.state, row.closed_at = State.CLOSED.value, timezone.now()
    row.save(update_fields=["state", "closed_at"])
    write(row, Act.CLOSED, "incident.closed", by=actor, text=words)
