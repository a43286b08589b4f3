"""Reads of incidents: who asks is an argument, and duties are reckoned from what is known now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from accounts.rules import Actor
from accounts.selectors import those_who_answer
from consent.models import SubjectAccount
from dsar.rules.clocks.days import local_day, noon_of
from dsar.selectors import policy_or_none
from incidents.models import Affected, DutyMark, Incident
from incidents.permissions import may_see_incidents
from incidents.rules.duties import Delay, Duty, Facts, duties
from incidents.rules.letters import Part, parts
from incidents.rules.states import Standing, State
from incidents.rules.table import BY_POST
from incidents.sealing import OpenIncident

# While nobody has counted, somebody is presumed, and nobody knows where they live.
PRESUMED = {"": 1}
# What holds where an organisation has no policy in force: the strictest that packs know.
_THRESHOLD, _HOURS = "may-have", 48


def incidents_of(actor: Actor) -> QuerySet[Incident]:
    if not may_see_incidents(actor):
        return Incident.objects.none()
    return Incident.objects.filter(organisation_id=actor.organisation_id).select_related(
        "organisation", "lead", "opened_by", "account"
    )


def next_number(organisation_id: UUID) -> int:
    rows = Incident.objects.filter(organisation_id=organisation_id)
    return (rows.aggregate(Max("number"))["number__max"] or 0) + 1


def asks_for_post(row: Incident) -> bool:
    """Is a duty open that letters in the portal do not meet?"""
    return any(owed.duty.code in BY_POST for owed in picture_of(row).open)


def people_working_on(incident: Incident) -> QuerySet[User]:
    """Who leads; until somebody does, all officers and administrators."""
    if incident.lead_id is None:
        return those_who_answer([incident.organisation_id])
    return User.objects.filter(pk=incident.lead_id)


def accounts_of(organisation_id: UUID) -> QuerySet[User]:
    """By whose account it can have happened: who works there, or did."""
    members = Membership.objects.filter(organisation_id=organisation_id)
    return User.objects.filter(pk__in=members.values("user_id"))


def possible_leads(organisation_id: UUID) -> QuerySet[User]:
    return those_who_answer([organisation_id])


@dataclass(frozen=True, slots=True)
class Owed:
    """A duty, and what became of it. `bar`: how far its clock reaches in the picture, of 1,000."""

    duty: Duty
    mark: DutyMark | None
    is_late: bool
    bar: int = 0

    @property
    def is_done(self) -> bool:
        return self.mark is not None and self.mark.done_on is not None

    @property
    def is_open(self) -> bool:
        return not self.is_done and not self.duty.away

    @property
    def words(self) -> str:
        if self.is_done:
            return "done"
        if self.duty.away:
            return "not owed"
        if self.duty.due_on is None:
            return "not begun"
        return "late" if self.is_late else "running"


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is owed for an incident, and where now stands between discovery and the last day."""

    facts: Facts
    owed: list[Owed]
    now: int

    @property
    def open(self) -> list[Owed]:
        return [one for one in self.owed if one.is_open]

    @property
    def away(self) -> list[Owed]:
        return [one for one in self.owed if one.duty.away]

    @property
    def late(self) -> list[Owed]:
        return [one for one in self.open if one.is_late]

    @property
    def running(self) -> list[Owed]:
        return [one for one in self.owed if one.bar]

    @property
    def first_due(self) -> Owed | None:
        return next((one for one in self.open if one.duty.due_on), None)


def pictures_of(incidents: Sequence[Incident]) -> dict[UUID, Picture]:
    """What is owed for each of these: three queries, however many they are, beside the policies
    of their organisations."""
    ids = [one.pk for one in incidents]
    residents: dict[UUID, Counter[str]] = defaultdict(Counter)
    for pk, residence in Affected.objects.filter(incident__in=ids).values_list(
        "incident_id", "residence"
    ):
        residents[pk][residence] += 1
    marks: dict[UUID, dict[str, DutyMark]] = defaultdict(dict)
    for mark in DutyMark.objects.filter(incident__in=ids).select_related("done_by"):
        marks[mark.incident_id][mark.code] = mark
    now = timezone.now()
    return {
        one.pk: _picture(facts_of(one, residents[one.pk], marks[one.pk].values()),
                         marks[one.pk], now)
        for one in incidents
    }  # fmt: skip


def picture_of(incident: Incident) -> Picture:
    return pictures_of([incident])[incident.pk]


def facts_of(incident: Incident, residents: Counter[str], marks: Iterable[DutyMark]) -> Facts:
    organisation = incident.organisation
    pack = policy_or_none(organisation)
    named = set(organisation.regimes) | set(pack["regimes"] if pack else ())
    delay = None
    if incident.delay_since and incident.delay_until:
        delay = Delay(incident.delay_since, incident.delay_until, incident.delay_in_writing)
    return Facts(
        discovered_at=incident.discovered_at,
        country=organisation.country,
        state=organisation.state,
        regimes=named,
        residents=residents if incident.counted_at else PRESUMED,
        threshold=pack["breach.threshold"] if pack else _THRESHOLD,
        internal_hours=pack["breach.internal_hours"] if pack else _HOURS,
        treats_people=pack is None or pack["subject.mode"] != "veterinary",
        is_breach=incident.is_breach,
        unreadable=incident.is_unreadable,
        low_probability=incident.low_probability,
        risk=incident.risk,
        licensed_clinic=incident.licensed_clinic,
        delay=delay,
        told={one.code: one.done_on for one in marks if one.done_on},
        others=incident.others,
    )


def _picture(facts: Facts, marks: dict[str, DutyMark], now: datetime) -> Picture:
    found = duties(facts)
    today = local_day(now, facts.country, facts.state)
    running = [one for one in found if one.due_on and not one.away]
    whole = max(((_end(one, facts) - facts.discovered_at).total_seconds() for one in running),
                default=1.0)  # fmt: skip
    owed = []
    for duty in found:
        mark = marks.get(duty.code)
        bar = 0
        if duty in running:
            reaches = (_end(duty, facts) - facts.discovered_at).total_seconds()
            bar = max(8, round(1000 * reaches / whole))
        is_open = mark is None or mark.done_on is None
        owed.append(Owed(duty, mark, is_open and duty.is_late(now, today), bar))
    gone = round(1000 * (now - facts.discovered_at).total_seconds() / whole)
    return Picture(facts, owed, min(1000, max(0, gone)))


def _end(duty: Duty, facts: Facts) -> datetime:
    assert duty.due_on is not None
    return duty.moment or noon_of(duty.due_on, facts.country, facts.state)


def standing_of(incident: Incident, picture: Picture) -> Standing:
    return Standing(
        State(incident.state),
        has_counted=incident.counted_at is not None,
        has_assessed=incident.assessed_at is not None,
        has_letter=incident.sealed_letter is not None,
        # What waits for another notice that is not owed never begins.
        open_duties=len([one for one in picture.open if one.duty.due_on]),
    )


def residences_of(subject_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Where people live, as those say who have an account for a patient or an animal."""
    found: dict[UUID, str] = {}
    rows = SubjectAccount.objects.filter(subject_id__in=list(subject_ids)).exclude(
        user__residence=""
    )
    for subject_id, residence in rows.order_by("created_at").values_list(
        "subject_id", "user__residence"
    ):
        found.setdefault(subject_id, residence)
    return found


def accounts_told_of(subject_ids: Iterable[UUID]) -> dict[UUID, list[User]]:
    """Whose open accounts see what is held about these patients and animals."""
    found: dict[UUID, list[User]] = defaultdict(list)
    rows = SubjectAccount.objects.filter(
        subject_id__in=list(subject_ids), user__is_active=True
    ).select_related("user")
    for row in rows:
        found[row.subject_id].append(row.user)
    return found


def letter_for(user_id: int, affected_id: UUID) -> Affected | None:
    """A letter that was sent to the account of somebody whom an incident touched."""
    row = (
        Affected.objects.filter(pk=affected_id, told="portal")
        .select_related("incident", "incident__organisation")
        .first()
    )
    if row is None:
        return None
    mine = SubjectAccount.objects.filter(user_id=user_id, subject_id=row.subject_id)
    return row if mine.exists() else None


def keys_among(ids: Collection[UUID]) -> set[UUID]:
    """Of these keys, those that an incident is sealed under."""
    return set(Incident.objects.filter(key_id__in=ids).values_list("key_id", flat=True))


def letter_parts(incident: Incident, opened: OpenIncident) -> tuple[Part, ...]:
    """The letter as people read it; nothing while nobody has written it."""
    draft = opened.letter
    if draft is None:
        return ()
    between = None
    if incident.since and incident.until:
        between = (incident.since.date(), incident.until.date())
    return parts(
        draft,
        incident.kinds,
        discovered_on=incident.discovered_on,
        between=between,
        contact=incident.organisation.privacy_email,
    )


def today_at(organisation: Organisation) -> date:
    return local_day(timezone.now(), organisation.country, organisation.state)
