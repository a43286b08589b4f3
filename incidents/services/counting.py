"""Whom an incident touches: by an account and the trail, or by studies that somebody names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor
from accounts.rules.residence import ResidenceInvalid, residence_of
from audit.selectors import Touched, things_touched
from incidents.models import Affected, DutyMark, Incident
from incidents.rules.duties import TO_PEOPLE
from incidents.rules.states import Act, State
from incidents.selectors import accounts_of, residences_of
from incidents.services.entries import IncidentRefused, locked, write
from studies.models import Study

MOST_UIDS = 1000


@transaction.atomic
def count_by_account(
    *, actor: Actor, incident: Incident, user: User, since: datetime, until: datetime
) -> int:
    """Find whom it touches by what the trail says that an account reached between two moments.

    Studies of the organisation whose incident it is name people; of other organisations only
    their number is noted, for those tell their own patients. Returns how many people were added.
    """
    row = locked(actor, incident, Act.COUNTED)
    if since >= until:
        raise IncidentRefused("The end has to be later than the beginning.")
    if not accounts_of(row.organisation_id).filter(pk=user.pk).exists():
        raise IncidentRefused("Choose somebody who works, or worked, for the organisation.")
    touched = things_touched(user_id=user.pk, kind="study", since=since, until=until)
    own = str(row.organisation_id)
    elsewhere = {one.organisation_id for one in touched} - {own, ""}
    row.account, row.since, row.until = user, since, until
    row.others = max(row.others, len(elsewhere))
    return _add(actor, row, [one for one in touched if one.organisation_id == own])


@transaction.atomic
def count_studies(*, actor: Actor, incident: Incident, uids: Collection[str]) -> int:
    """Find whom it touches by studies of the organisation; raises `IncidentRefused` naming those
    that it has not, and then nothing is counted."""
    row = locked(actor, incident, Act.COUNTED)
    wanted = set(uids)
    if not wanted:
        raise IncidentRefused("Name at least one study by its UID.")
    if len(wanted) > MOST_UIDS:
        raise IncidentRefused(f"At most {MOST_UIDS} studies at once.")
    studies = Study.objects.filter(organisation_id=row.organisation_id, uid__in=wanted)
    found = {one.uid: str(one.subject_id) for one in studies}
    if missing := sorted(wanted - set(found)):
        raise IncidentRefused(
            f"Your organisation has no study {missing[0]}"
            f"{f' (and {len(missing) - 1} more)' if len(missing) > 1 else ''}. Look at the number."
        )
    own = str(row.organisation_id)
    return _add(actor, row, [Touched(own, uid, subject) for uid, subject in found.items()])


def _add(actor: Actor, row: Incident, touched: Iterable[Touched]) -> int:
    """Add whom these studies are about. Who is there already gets the further studies."""
    by_subject = _by_subject(row, touched)
    known = {one.subject_id: one for one in row.affected.all()}
    homes = residences_of(by_subject)
    fresh = []
    for subject_id, uids in by_subject.items():
        if subject_id in known:
            one = known[subject_id]
            one.study_uids = sorted({*one.study_uids, *uids})
            one.save(update_fields=["study_uids"])
        else:
            fresh.append(Affected(
                incident=row, subject_id=subject_id, study_uids=sorted(uids),
                residence=homes.get(subject_id, ""),
            ))  # fmt: skip
    Affected.objects.bulk_create(fresh)
    if fresh:
        _tell_again(row)
    row.counted_at = timezone.now()
    row.save(
        update_fields=["account", "since", "until", "others", "counted_at", "told_at", "state"]
    )
    write(
        row, Act.COUNTED, "incident.counted", by=actor, people=len(fresh),
        studies=len({uid for uids in by_subject.values() for uid in uids}),
    )  # fmt: skip
    return len(fresh)


def _tell_again(row: Incident) -> None:
    """Whoever is new on the list was not told: what was done for the others is open again."""
    row.told_at = None
    if row.state == State.TOLD:
        row.state = State.ASSESSED.value
    marks = DutyMark.objects.filter(incident=row, code__in=TO_PEOPLE)
    marks.update(done_on=None, done_by=None, done_at=None, reminded_at=None, escalated_at=None)


def _by_subject(row: Incident, touched: Iterable[Touched]) -> dict[UUID, set[str]]:
    """Whom studies are about: as the study says now (it may have been corrected), else as the
    trail said then, for a study that is gone was seen all the same. Without a person: nobody."""
    touched = list(touched)
    studies = Study.objects.filter(
        organisation_id=row.organisation_id, uid__in={one.uid for one in touched}
    )
    now = dict(studies.values_list("uid", "subject_id"))
    found: dict[UUID, set[str]] = defaultdict(set)
    for one in touched:
        subject = now.get(one.uid) or (UUID(one.subject_id) if one.subject_id else None)
        if subject is not None:
            found[subject].add(one.uid)
    return dict(found)


@transaction.atomic
def note_residence(
    *, actor: Actor, incident: Incident, affected: Collection[UUID], country: str, state: str
) -> int:
    """Note where people live, as an officer found out; their clocks follow."""
    row = locked(actor, incident, Act.RESIDENCE)
    try:
        place = residence_of(country, state)
    except ResidenceInvalid as wrong:
        raise IncidentRefused(str(wrong)) from None
    chosen = row.affected.filter(pk__in=list(affected))
    number = chosen.update(residence=place)
    if not number:
        raise IncidentRefused("Choose at least one person.")
    write(row, Act.RESIDENCE, "incident.residence", by=actor, code=place, people=number)
    return number
