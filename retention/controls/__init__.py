"""The controls of this room: law keeps what a policy would let go, holds keep everything, and the
archive stays shut."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.controls.signing_in import gate_of
from accounts.models import Organisation
from accounts.rules import ROLE_CAPABILITIES, Actor, Capability, Role
from consent.rules.closing import follows_closing
from jobs.rules.kinds import schedules
from policies.controls.trying import undone
from policies.rules.controls import Values, control, must_refuse, require
from retention.models import DisposalItem, DisposalRun, Hold
from retention.rules.disposal import Kept
from retention.rules.duties import duties_over
from retention.rules.facts import Facts, Holder, Rejected, Setting
from retention.rules.holds import Scope, refusal_to_lift
from retention.rules.keeping import (
    Keeping,
    keeping_in_archive,
    keeping_of,
    keeping_of_rejected,
)
from retention.rules.periods import Period
from retention.rules.schedule import OF_STUDIES, Scheduled, schedule_of
from retention.selectors.archive import latest_keys_outside
from retention.services.leaving import goes_to_archive
from retention.services.steps import bars_now
from retention.tasks import ARCHIVE, PLAN
from studies.models import Study
from studies.rules.rejecting import restore_days
from studies.selectors import studies_listed_for, study_named
from studies.statements import own_study
from vault.routers import KEYS
from vault.rules.archive import archive_opened
from vault.rules.errors import KeyArchived
from vault.services.archiving_keys import move_into_archive
from vault.services.data_keys import create_data_key, open_data_key

EXAMINED, RECEIVED = date(2020, 3, 1), date(2020, 3, 2)
ADULT, CHILD = date(1970, 5, 1), date(2015, 5, 1)
# Whose keys are made to be tried, and taken back.
TRIAL = "control"
PLACES = {
    "a hospital in New York": Holder("US", "NY", frozenset({Setting.HOSPITAL})),
    "a practice of radiology in Germany": Holder("DE", "BY", frozenset({Setting.CLINIC})),
    "a veterinary practice in California": Holder("US", "CA", frozenset({Setting.VETERINARY})),
}


def _kept(holder: Holder, born: date, schedule: tuple[Scheduled, ...]) -> Keeping:
    is_animal = Setting.VETERINARY in holder.settings
    facts = Facts(RECEIVED, EXAMINED, born, modalities=frozenset({"CT"}), is_animal=is_animal)
    return keeping_of(facts, duties=duties_over(holder, OF_STUDIES), schedule=schedule)


@control(
    "retention.law-counts", "A study stays for as long as law asks, whatever the policy says",
    of_policy=True,
)  # fmt: skip
def law_counts(values: Values) -> str:
    own = schedule_of(values)
    require(own, "The policy says nothing of how long studies are kept.")
    # The policy as it is, and one that would let everything go the next day.
    hasty = tuple(
        replace(line, trigger="examination", keep=Period(1, "day"), and_until="") for line in own
    )
    for place, holder in PLACES.items():
        for schedule in (own, hasty):
            found = _kept(holder, ADULT, schedule)
            require(found.floor, f"No law counts for {place}.")
            assert found.floor is not None
            require(found.until >= found.floor.until, f"{place}: the policy went below the law.")
            require(found.floor.cites, f"{place}: the law is not named.")
            require(not found.is_due(found.floor.until), f"{place}: due before the law lets it go.")
    people = [holder for holder in PLACES.values() if Setting.VETERINARY not in holder.settings]
    for holder in people:
        floor = _kept(holder, ADULT, hasty).floor
        rejected = _rejected(holder, restore_days(values))
        require(floor and rejected.until >= floor.until, "Rejecting a study goes below the law.")
        adult, child = _kept(holder, ADULT, hasty), _kept(holder, CHILD, hasty)
        require(child.until > adult.until, "Studies of minors are kept no longer than of adults.")
    example = _kept(people[0], CHILD, hasty)
    return f"Under a policy of one day, a child's study of 2020 is still {_lower(example.words)}"


def _rejected(holder: Holder, days: int) -> Keeping:
    """Of an image that cannot be read, and is a record of its patient even so."""
    rejected = Rejected(RECEIVED, stays_record=True)
    facts = Facts(RECEIVED, EXAMINED, ADULT, modalities=frozenset({"CT"}), rejected=rejected)
    return keeping_of_rejected(facts, duties=duties_over(holder, OF_STUDIES), days=days)


def _lower(words: str) -> str:
    return words[0].lower() + words[1:]


def _row(**more: Any) -> dict[str, Any]:
    facts = {
        "organisation_id": UUID(int=1), "number": 1, "key_id": UUID(int=2), "sealed_matter": b"-",
        "sealed_reason": b"-", "scope": Scope.ORGANISATION.value, "custodian_id": 1,
        "placed_by_id": 1, "review_on": timezone.now().date(),
    }  # fmt: skip
    return facts | more


def _refused(tried: str, **more: Any) -> None:
    with undone(), must_refuse(IntegrityError, tried), transaction.atomic():
        Hold.objects.create(**_row(**more))


def _is_held(study: Study) -> bool:
    """Does the step that destroys keys stop at a hold? Past it, it asks for the schedule."""
    try:
        bars = bars_now([(DisposalItem(pk=1, run=DisposalRun()), study)])
    except Organisation.DoesNotExist:
        return False
    return [bar.kept_for for bar in bars.values()] == [Kept.HELD]


@control("retention.holds-keep", "What is held for a dispute or an investigation is not destroyed")
def holds_keep() -> str:
    study = Study(
        uid="1.2.3", organisation_id=UUID(int=1), subject_id=UUID(int=3), modalities="\\CT\\"
    )
    with undone():
        Hold.objects.create(**_row())
        require(_is_held(study), "A disposal went on over a hold.")
    now = timezone.now()
    _refused("A hold on nothing", scope=Scope.STUDY.value)
    _refused("A hold lifted by one person", lifted_at=now, lifted_by_id=1, lift_asked_by_id=1)
    require(refusal_to_lift(asked_by=1, lifter=1), "Whoever asks for lifting can agree to it.")
    gate = gate_of("retention:hold_place")
    require(gate == Capability.PLACE_HOLDS, "The page for holds is open to others, or to nobody.")
    placing = {role for role in Role if Capability.PLACE_HOLDS in ROLE_CAPABILITIES[role]}
    require(placing == {Role.OFFICER}, "Others than privacy officers place holds, or nobody does.")
    return "A hold was placed, the next step of a disposal refused, and both taken back."


# The legal archive -------------------------------------------------------------------------------
HERE = UUID(int=1)


def _archived(**more: Any) -> Study:
    facts: dict[str, Any] = {
        "organisation_id": HERE, "subject_id": UUID(int=3), "uid": "1.2.3", "key_id": UUID(int=4),
        "sealed_summary": b"-", "patient_id_token": b"-", "archived_at": timezone.now(),
    }  # fmt: skip
    return Study.objects.create(**facts | more)


@control(
    "retention.archive-hidden", "Of a closed account no images are shown to anybody any more",
    of_policy=True,
)  # fmt: skip
def archive_hidden(values: Values) -> str:
    require(goes_to_archive(values), "Under this policy, images stay where they are.")
    capabilities = frozenset({Capability.SEE_SUBJECTS, Capability.VIEW_IMAGES})
    anybody = Actor(1, "Anybody", organisation_id=HERE, capabilities=capabilities)
    with undone():
        study = _archived()
        seen = studies_listed_for(anybody, held_too=True).filter(pk=study.pk).exists()
        require(not seen, "A list shows what lies in the archive.")
        require(study_named(anybody, study.uid) is None, "It can still be asked for by number.")
        require(own_study(HERE, study.uid) is None, "Programs can still ask for it.")
    shown = must_refuse(IntegrityError, "A study that is archived and listed")
    with undone(), shown, transaction.atomic():
        _archived(instance_count=1)
    require(follows_closing("retention"), "Closing an account leaves images where they are.")
    return "A study was archived, found by no list and no number, and taken back."


@control("retention.archive-ends", "What lies in the archive has an end by law, and goes on it")
def archive_ends() -> str:
    people = [holder for holder in PLACES.values() if Setting.VETERINARY not in holder.settings]
    for holder in people:
        facts = Facts(RECEIVED, EXAMINED, ADULT, modalities=frozenset({"CT"}))
        duties = duties_over(holder, OF_STUDIES)
        found = keeping_in_archive(facts, duties=duties, archived_on=RECEIVED)
        require(found.floor is not None, "What lies there has no end.")
        require(found.policy is None, "A policy's time counts for what law alone keeps.")
        require(not found.is_due(found.until), "It goes before the law lets it go.")
        require(found.is_due(found.until + timedelta(days=1)), "It never goes.")
    for job in (PLAN, ARCHIVE):
        require(job in {one.kind for one in schedules()}, f"No night runs {job}.")
    left = latest_keys_outside()
    require(not left, f"Keys of archived studies that ordinary work can open: {left}.")
    return f"In the archive, a study of 2020 is {_lower(found.words)}"


@control("retention.archive-shut", "What lies in the archive is opened for a release or not at all")
def archive_shut() -> str:
    with transaction.atomic(using=KEYS):
        key = create_data_key(organisation_id=TRIAL, kind="control")
        move_into_archive(organisation_id=TRIAL, ids=[key.id])
        with must_refuse(KeyArchived, "That ordinary work opens a key of the archive"):
            open_data_key(id=key.id)
        with archive_opened([key.id]):
            require(open_data_key(id=key.id) == key.key, "A release does not open it either.")
        with archive_opened([UUID(int=1)]), must_refuse(KeyArchived, "A release opens others too"):
            open_data_key(id=key.id)
        transaction.set_rollback(True, using=KEYS)
    gate = gate_of("retention:archive")
    require(gate == Capability.APPROVE_DISPOSAL, "Its list is open to others, or to nobody.")
    return "A key was put into the archive just now; it did not open, but for a release of it."
