"""The controls of this room: whom an incident touches, who is told by when, and the lock."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.controls.signing_in import gate_of
from accounts.models import (
    ApiToken,
    Membership,
    MembershipRole,
    Notification,
    Organisation,
    SignIn,
    User,
)
from accounts.rules import Actor, Role
from accounts.selectors import actor_of_user
from accounts.services.trail import record
from audit.models import Event
from consent.models import DataSubject, SubjectAccount
from incidents.models import DutyMark, Incident
from incidents.rules.duties import OWN, Duty, Facts, duties
from incidents.rules.letters import Draft
from incidents.rules.states import State
from incidents.selectors import picture_of, pictures_of
from incidents.services.assessing import mark_done
from incidents.services.counting import count_by_account
from incidents.services.locking import report_account_use
from incidents.services.opening import open_incident
from incidents.services.reminders import remind_of_incidents
from incidents.services.telling import send_letters, write_letter
from incidents.tasks import REMIND
from jobs.rules.kinds import schedules
from policies.controls.trying import undone
from policies.rules.categories import Category
from policies.rules.controls import Values, control, require
from policies.rules.gate import using
from policies.rules.purposes import Purpose

# A moment, and what each law makes of it: counted by hand.
_FOUND = datetime(2026, 11, 26, 17, tzinfo=UTC)
_BY_HAND = {
    "gdpr.authority": "2026-11-29", "hipaa.people": "2027-01-25", "ny.people": "2026-12-26",
    "ny.regulators": "2026-12-26",
}  # fmt: skip
# Reminders come each quarter of an hour; what is late for longer went unseen.
_UNSEEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Trial:
    """An organisation of a moment, its officer, somebody who works there, two patients."""

    office: Organisation
    officer: Actor
    user: User
    homes: dict[str, DataSubject]


@contextmanager
def _trial() -> Iterator[_Trial]:
    with using(Purpose.LEGAL_OBLIGATION, Category.TRAIL, Category.ACCOUNT), undone():
        office = Organisation.objects.create(
            slug=f"control-{secrets.token_hex(4)}", name="Nowhere", country="US", state="MA",
            privacy_email="privacy@control.invalid", regimes=["hipaa"],
        )  # fmt: skip
        officer, user = _person(office), _person(office)
        MembershipRole.objects.create(membership=officer.memberships.get(), role=Role.OFFICER)
        homes = {home: _subject(office, home) for home in ("US-NY", "US-MA")}
        yield _Trial(office, actor_of_user(officer, office), user, homes)


def _person(office: Organisation | None, residence: str = "") -> User:
    user = User.objects.create(
        email=f"{secrets.token_hex(8)}@control.invalid", name="Nobody", residence=residence
    )
    if office is not None:
        Membership.objects.create(user=user, organisation=office)
    return user


def _subject(office: Organisation, home: str) -> DataSubject:
    subject = DataSubject.objects.create(
        organisation=office, kind=DataSubject.Kind.PERSON, key_id=uuid4(), sealed_record=b"-"
    )
    SubjectAccount.objects.create(user=_person(None, home), subject=subject)
    return subject


def _opened(trial: _Trial, discovered_at: datetime | None = None) -> Incident:
    return open_incident(
        actor=trial.officer, title="A trial", kinds=["images"],
        discovered_at=discovered_at or timezone.now(),
    )  # fmt: skip


def _look(trial: _Trial, subject: DataSubject, outcome: str = "success") -> str:
    """What the trail has of a study that the account reached, or was refused."""
    uid = f"2.25.{secrets.randbits(100)}"
    record(
        action="study.opened", actor=actor_of_user(trial.user, trial.office), outcome=outcome,
        target=("study", uid), organisation_id=trial.office.pk, subject_id=subject.pk,
    )  # fmt: skip
    return uid


def _counted(trial: _Trial, incident: Incident) -> None:
    now = timezone.now()
    hour = timedelta(hours=1)
    count_by_account(
        actor=trial.officer, incident=incident, user=trial.user, since=now - hour, until=now + hour
    )
    incident.refresh_from_db()


def _due(found: tuple[Duty, ...]) -> dict[str, str]:
    return {one.code: str(one.due_on) for one in found if not one.away}


def _unseen() -> int:
    """Duties that are late, and of which nobody was told."""
    rows = list(Incident.objects.exclude(state=State.CLOSED.value).select_related("organisation"))
    before = timezone.now() - _UNSEEN
    return sum(
        one.mark is None or one.mark.escalated_at is None
        for picture in pictures_of(rows).values()
        for one in picture.late
        if one.duty.moment is None or one.duty.moment < before
    )


def _of(values: Values, **more: object) -> Facts:
    given: dict[str, object] = {
        "discovered_at": _FOUND, "country": "US", "state": "MA", "regimes": ["hipaa"],
        "residents": {"DE": 1, "US-NY": 2, "US-MA": 3}, "threshold": values["breach.threshold"],
        "internal_hours": values["breach.internal_hours"],
    }  # fmt: skip
    return Facts(**(given | more))  # type: ignore[arg-type]


@control(
    "incidents.told-promptly",
    "Whoever a breach may have touched is told within the policy's hours; what is late is told to"
    " officers and administrators",
    of_policy=True,
)
def told_promptly(values: Values) -> str:
    hours = values["breach.internal_hours"]
    require(values["breach.threshold"] == "may-have", "Only what a law asks to tell is told.")
    require(REMIND in {one.kind for one in schedules()}, "Nobody looks whether somebody is late.")
    nobody = _of(values, regimes=[], residents={"US-MA": 1})
    moment = next((one.moment for one in duties(nobody) if one.code == OWN and not one.away), None)
    require(moment == _FOUND + timedelta(hours=hours), f"People are told by {moment}.")
    require(not _unseen(), f"Late, and nobody was told so: {_unseen()}.")
    with _trial() as trial:
        late = _opened(trial, timezone.now() - timedelta(days=31))
        remind_of_incidents()
        marks = DutyMark.objects.filter(incident=late, escalated_at__isnull=False)
        require(marks.filter(code=OWN).exists(), "What is late is told to nobody.")
        told = Notification.objects.filter(template="incident-late", target_id=str(late.pk))
        require(told.filter(user_id=trial.officer.user_id).exists(), "The officer is not told.")
    return (
        f"What may have exposed data is told within {hours} hours; one that was late was just told"
        " to its officer. None is late unseen."
    )


@control(
    "incidents.law-clocks",
    "Whom a breach touches is read from the trail, and told on the clock of each law",
    of_policy=True,
)
def law_clocks(values: Values) -> str:
    found = _due(duties(_of(values)))
    for code, day in _BY_HAND.items():
        require(found.get(code) == day, f"{code} is due on {found.get(code)}, not on {day}.")
    with _trial() as trial:
        seen = _look(trial, trial.homes["US-MA"])
        _look(trial, trial.homes["US-NY"], outcome="refused")
        incident = _opened(trial)
        _counted(trial, incident)
        listed = {uid for one in incident.affected.all() for uid in one.study_uids}
        require(listed == {seen}, "The list of whom it touches is not what the trail says.")
        write_letter(actor=trial.officer, incident=incident, draft=Draft("It.", "Do.", "Look."))
        left = send_letters(actor=trial.officer, incident=incident)
        letters = Event.objects.filter(
            action="incident.letter_sent", target_id=str(incident.pk),
            subject_id=str(trial.homes["US-MA"].pk),
        )  # fmt: skip
        require(
            not left and letters.count() == 1, "A letter was sent that the trail does not know."
        )
        require(OWN not in {one.duty.code for one in picture_of(incident).open},
                "Everybody has a letter, and their duty is still open.")  # fmt: skip
        mark_done(
            actor=trial.officer, incident=incident, code="hipaa.hhs_small",
            done_on=incident.discovered_on, text="On trial.",
        )  # fmt: skip
    return (
        "72 hours, 30 and 60 days were counted as by hand. Of a look and a refusal the look alone"
        " was listed; its letter is in the trail."
    )


@control(
    "incidents.new-york", "New Yorkers are listed apart, and told within 30 days with regulators",
    of_policy=True,
)  # fmt: skip
def new_york(values: Values) -> str:
    by_code = {one.code: one for one in duties(_of(values)) if not one.away}
    for code in ("ny.people", "ny.regulators"):
        due = by_code[code].due_on if code in by_code else None
        require(str(due) == _BY_HAND[code], f"{code} is due on {due}.")
        require(by_code[code].number == 2, f"{code} counts {by_code[code].number} people of 2.")
    with _trial() as trial:
        for subject in trial.homes.values():
            _look(trial, subject)
        incident = _opened(trial)
        _counted(trial, incident)
        listed = set(
            incident.affected.filter(residence="US-NY").values_list("subject_id", flat=True)
        )
        require(listed == {trial.homes["US-NY"].pk}, "Others than New Yorkers are on their list.")
        owed = {one.duty.code: one.duty for one in picture_of(incident).open}
        require("ny.people" in owed and owed["ny.people"].number == 1,
                "A New Yorker is not told, or others with them.")  # fmt: skip
    return "Of a New Yorker and somebody of Massachusetts one was on the list, due after 30 days."


@control(
    "incidents.account-locked",
    "Whoever says that somebody else uses their account locks it, and officers hear of it",
)
def account_locked() -> str:
    gate = gate_of("incidents:account_used")
    require(gate == "signed-in", f"Who may say so: {gate or 'nobody'}.")
    with _trial() as trial:
        user = trial.user
        user.set_password(secrets.token_hex(16))
        user.save()
        now = timezone.now()
        SignIn.objects.create(
            user=user, session_digest=secrets.token_hex(32), started_at=now, seen_at=now,
            browser="A program", factor="totp",
        )  # fmt: skip
        ApiToken.objects.create(
            membership=user.memberships.get(), name="trial", secret_digest=secrets.token_hex(32),
            scopes=[], expires_at=now + timedelta(days=1),
        )  # fmt: skip
        report_account_use(actor=actor_of_user(user, trial.office))
        require(not SignIn.objects.filter(user=user, ended_at=None).exists(), "A session lives on.")
        tokens = ApiToken.objects.filter(membership__user=user, revoked_at=None)
        require(not tokens.exists(), "A program's token lives on.")
        locked = User.objects.get(pk=user.pk)
        require(not locked.has_usable_password(), "The old password still opens the account.")
        require(Incident.objects.filter(account=user, organisation=trial.office).count() == 1,
                "No incident is in the queue.")  # fmt: skip
    return (
        "An account was just locked: its session, its token and its password open nothing, and one"
        " incident is in the queue."
    )
