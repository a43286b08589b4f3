"""What is held stays, whoever placed the hold and however it is scoped; two people lift it."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Notification
from audit.models import Event
from consent.services.subjects import link_account
from dsar.models import Case
from dsar.services.intake import submit_request
from retention.models import Hold
from retention.rules.disposal import Kept
from retention.rules.holds import Held, HoldFacts, Scope, Search, refusal_to_lift
from retention.selectors.holds import facts_of_hold, guard_of, holds_of, studies_covered
from retention.services.holds import (
    ask_to_lift,
    keep_hold,
    lift_hold,
    place_hold,
    remind_of_reviews,
    renew_hold,
)
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from tests.dsar.asking import asking
from tests.factories import Cast, actor_of
from tests.retention.cases import held, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

SOMEBODY, ANOTHER = UUID(int=1), UUID(int=2)
STUDY = Held("1.2.3", SOMEBODY, frozenset({"CT", "SR"}), date(2026, 5, 1))


@pytest.mark.parametrize(
    ("facts", "covers"),
    [
        ({"scope": Scope.ORGANISATION}, True),
        ({"scope": Scope.STUDY, "study_uid": "1.2.3"}, True),
        ({"scope": Scope.STUDY, "study_uid": "1.2.33"}, False),
        ({"scope": Scope.SUBJECT, "subject_id": SOMEBODY}, True),
        ({"scope": Scope.SUBJECT, "subject_id": ANOTHER}, False),
        ({"scope": Scope.SEARCH, "search": Search(frozenset({"CT"}))}, True),
        ({"scope": Scope.SEARCH, "search": Search(frozenset({"MG"}))}, False),
        ({"scope": Scope.SEARCH, "search": Search(received_from=date(2026, 5, 1))}, True),
        ({"scope": Scope.SEARCH, "search": Search(received_from=date(2026, 5, 2))}, False),
        ({"scope": Scope.SEARCH, "search": Search(received_to=date(2026, 5, 1))}, True),
        ({"scope": Scope.SEARCH, "search": Search(received_to=date(2026, 4, 30))}, False),
    ],
)
def test_a_hold_covers_what_its_scope_says(facts: dict, covers: bool) -> None:
    assert HoldFacts(UUID(int=9), **facts).covers(STUDY) is covers


days = st.none() | st.dates(date(2000, 1, 1), date(2040, 1, 1))


@given(st.builds(Search, st.frozensets(st.sampled_from(["CT", "MR"])), days, days))
def test_a_search_is_the_same_after_it_was_stored(search: Search) -> None:
    assert Search.from_json(search.to_json()) == search


def test_lifting_needs_another_person() -> None:
    assert refusal_to_lift(asked_by=None, lifter=1)
    assert refusal_to_lift(asked_by=1, lifter=1)
    assert not refusal_to_lift(asked_by=1, lifter=2)


# Placing ------------------------------------------------------------------------------------------
def test_an_officer_places_a_hold_and_its_words_are_sealed(cast: Cast) -> None:
    study = take_in_old(cast)
    hold = held(cast, Scope.STUDY, study_uid=study.uid)
    assert guard_of(study.organisation_id, [study]).bar_for(study).kept_for is Kept.HELD
    assert b"Adler" not in bytes(hold.sealed_matter)
    event = Event.objects.get(action="hold.placed")
    assert event.details == {"number": 1, "scope": "study", "covered": 1}


@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "patient"])
def test_nobody_else_places_one(cast: Cast, who: str) -> None:
    study = take_in_old(cast)
    actor = actor_of(getattr(cast, who))
    if actor.organisation_id is None:
        actor = actor_of(cast.stranger)
    with pytest.raises(NotYours):
        place_hold(
            actor=actor, facts=HoldFacts(UUID(int=0), Scope.STUDY, study_uid=study.uid),
            matter="x", reason="x", custodian=cast.officer,
            review_on=timezone.now().date() + timedelta(days=9),
        )  # fmt: skip
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("scope", "facts"),
    [
        (Scope.STUDY, {"study_uid": "1.2.3"}),
        (Scope.SUBJECT, {"subject_id": uuid4()}),
        (Scope.SEARCH, {"search": Search()}),
    ],
)
def test_a_hold_on_nothing_is_refused(cast: Cast, scope: Scope, facts: dict) -> None:
    with pytest.raises(RetentionRefused):
        held(cast, scope, **facts)
    assert not Hold.objects.exists()


def test_the_database_refuses_a_hold_on_nothing_and_one_lifted_by_one(cast: Cast) -> None:
    hold = held(cast, Scope.ORGANISATION)
    for wrong in (
        {"scope": "study"},
        {"scope": "subject"},
        {"lifted_at": timezone.now()},
        {"lifted_at": timezone.now(), "lifted_by": cast.officer, "lift_asked_by": cast.officer},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Hold.objects.filter(pk=hold.pk).update(**wrong)


@pytest.mark.parametrize("after", [timedelta(0), timedelta(days=-1), timedelta(days=800)])
def test_a_day_of_review_lies_within_two_years(cast: Cast, after: timedelta) -> None:
    hold = held(cast, Scope.ORGANISATION)
    with pytest.raises(RetentionRefused, match="two years"):
        renew_hold(actor=actor_of(cast.officer), hold=hold, review_on=timezone.now().date() + after)


def test_a_search_catches_what_comes_later(cast: Cast) -> None:
    hold = held(cast, Scope.SEARCH, search=Search(frozenset({"CT"})))
    assert not studies_covered(hold.organisation_id, facts_of_hold(hold)).exists()
    study = take_in_old(cast)
    assert studies_covered(hold.organisation_id, facts_of_hold(hold)).get() == study
    assert guard_of(study.organisation_id, [study]).bar_for(study).hold_id == hold.pk


def test_a_hold_of_one_organisation_holds_nothing_of_another(cast: Cast) -> None:
    held(cast, Scope.ORGANISATION)
    other = actor_of(cast.stranger).organisation_id
    study = take_in_old(cast)
    assert guard_of(other, []).bar_for(study) is None
    assert not holds_of(actor_of(cast["officer@imaging.example"])).exists()


# Lifting ------------------------------------------------------------------------------------------
def test_two_people_lift_a_hold(cast: Cast) -> None:
    study = take_in_old(cast)
    hold = held(cast, Scope.ORGANISATION)
    officer, admin = actor_of(cast.officer, fresh=True), actor_of(cast.administrator, fresh=True)
    with pytest.raises(RetentionRefused, match="Nobody has asked"):
        lift_hold(actor=admin, hold=hold)
    ask_to_lift(actor=officer, hold=hold, reason="The claim was withdrawn.")
    assert guard_of(study.organisation_id, [study]).bar_for(study) is not None
    with pytest.raises(RetentionRefused, match="Somebody else"):
        lift_hold(actor=officer, hold=hold)
    with pytest.raises(ProveAgain):
        lift_hold(actor=actor_of(cast.administrator), hold=hold)
    with pytest.raises(NotYours):
        lift_hold(actor=actor_of(cast.auditor, fresh=True), hold=hold)
    lift_hold(actor=admin, hold=hold)
    assert guard_of(study.organisation_id, [study]).bar_for(study) is None
    assert Event.objects.filter(action="hold.lifted").count() == 1
    with pytest.raises(RetentionRefused, match="was lifted"):
        lift_hold(actor=admin, hold=hold)


def test_whoever_is_asked_can_say_no(cast: Cast) -> None:
    hold = held(cast, Scope.ORGANISATION)
    ask_to_lift(actor=actor_of(cast.officer), hold=hold, reason="The claim was withdrawn.")
    keep_hold(actor=actor_of(cast.administrator), hold=hold)
    hold.refresh_from_db()
    assert (hold.lift_asked_by, hold.lifted_at) == (None, None)
    with pytest.raises(RetentionRefused):
        lift_hold(actor=actor_of(cast.administrator, fresh=True), hold=hold)


def test_custodians_are_reminded_once_when_the_day_of_review_comes(cast: Cast) -> None:
    hold = held(cast, Scope.ORGANISATION)
    assert remind_of_reviews() == 0
    Hold.objects.update(review_on=timezone.now().date())
    assert (remind_of_reviews(), remind_of_reviews()) == (1, 0)
    assert Notification.objects.get(template="hold-review-due").user == cast.officer
    renew_hold(
        actor=actor_of(cast.officer), hold=hold,
        review_on=timezone.now().date() + timedelta(days=30),
    )  # fmt: skip
    assert remind_of_reviews() == 0


# Requests hold as well ----------------------------------------------------------------------------
def test_an_open_request_of_the_patient_holds_their_studies(cast: Cast) -> None:
    study = take_in_old(cast)
    link_account(user=cast.patient, subject=study.subject)
    guard = guard_of(study.organisation_id, [study])
    assert guard.bar_for(study) is None
    case = submit_request(actor=actor_of(cast.patient), asking=asking())
    assert guard_of(study.organisation_id, [study]).bar_for(study).kept_for is Kept.REQUESTED
    Case.objects.filter(pk=case.pk).update(state="answered", answered_at=timezone.now())
    assert guard_of(study.organisation_id, [study]).bar_for(study) is None
