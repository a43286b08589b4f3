"""Other laws for a case, by hand: only for a reason of law, seen first, told, never later silently.

MEDDIM-7.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Notification, User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case
from dsar.rules.changing_laws import (
    REASONS,
    Change,
    Counting,
    Reason,
    changed,
    cites_of,
    day_of,
    refusal_to_change,
)
from dsar.rules.clocks import Request, reckon
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law, laws_for
from dsar.rules.states import Outcome
from dsar.sealing import OpenCase
from dsar.selectors import deadlines_of, lines_of
from dsar.selectors.laws import picture_of, pictures_of
from dsar.services import handling
from dsar.services.changing_laws import change_laws
from dsar.services.entries import CaseRefused, NotYours
from tests.dsar.asking import by_form, post, signed_in
from tests.dsar.reckoning import CLINIC
from tests.factories import Cast, text_of

database = pytest.mark.django_db(databases=["default", "keys"])
Acting = Callable[..., Actor]
Browsers = Callable[[User], Client]
# A month from here is shorter than the thirty days that the policies promise.
RECEIVED = datetime(2027, 1, 31, 15, tzinfo=UTC)
FRANCE = Counting((Law.GDPR, Law.HIPAA), "FR")
ALSO_UK = Change(Reason.ALSO, laws=frozenset({Law.UK_GDPR}))


@pytest.fixture
def winter(for_rights: None) -> Iterator[Any]:
    with time_machine.travel(RECEIVED, tick=False) as clock:
        yield clock


def do(actor: Actor, case: Case, change: Change, text: str = "You told us so.") -> Case:
    return change_laws(actor=actor, case=case, change=change, text=text, seen=picture_of(case).mark)


def read(case: Case) -> str:
    """What the person of a case reads of the change."""
    lines = lines_of(OpenCase(case), for_person=True)
    return next(line.text for line in lines if line.entry.act == "laws")


# The rules ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change(Reason.RESIDENCE, "FR"), "already"),
        (Change(Reason.MOVED, "US-TX", frozenset({Law.HIPAA})), "unticked"),
        (Change(Reason.ROLE), "Tick the laws"),
        (Change(Reason.ALSO, laws=frozenset({Law.GDPR})), "count already"),
        (Change(Reason.ROLE, laws=frozenset({Law.CCPA})), "does not count"),
        (Change(Reason.ROLE, laws=frozenset({Law.GDPR})), "knows no such reason"),
        (Change(Reason.DATA, laws=frozenset({Law.GDPR, Law.HIPAA})), "knows no such reason"),
    ],
)
def test_what_cannot_be_changed_says_why(change: Change, says: str) -> None:
    assert says in refusal_to_change(FRANCE, change)


def test_a_wrong_place_takes_the_laws_of_that_place_alone() -> None:
    after = changed(FRANCE, Change(Reason.RESIDENCE, "US-CA"), laws_for("US-CA", CLINIC))
    assert after == Counting((Law.HIPAA, Law.CCPA, Law.SHINE_THE_LIGHT), "US-CA")
    assert cites_of(FRANCE, after, Reason.RESIDENCE) == {Law.GDPR: "GDPR Art. 3(2)"}


def test_who_moves_keeps_the_rights_of_the_day_they_asked() -> None:
    after = changed(FRANCE, Change(Reason.MOVED, "US-CA"), laws_for("US-CA", CLINIC))
    assert set(after.laws) == {Law.GDPR, Law.HIPAA, Law.CCPA, Law.SHINE_THE_LIGHT}
    assert cites_of(FRANCE, after, Reason.MOVED) == {}


def test_every_law_that_can_go_has_its_paragraph() -> None:
    for facts in REASONS.values():
        assert all(paragraph.strip() for paragraph in facts.takes.values())
    assert not REASONS[Reason.MOVED].takes and not REASONS[Reason.ALSO].takes


@given(
    before=st.frozensets(st.sampled_from(list(Law))),
    reason=st.sampled_from(list(Reason)),
    laws=st.frozensets(st.sampled_from(list(Law))),
    residence=st.sampled_from(["", "FR", "GB", "US-CA", "US-TX", "BR"]),
    kind=st.sampled_from(list(Kind)),
    extended=st.booleans(),
    told_earlier=st.integers(0, 40),
)
def test_a_day_gets_later_only_by_a_paragraph(
    before: frozenset[Law], reason: Reason, laws: frozenset[Law], residence: str, kind: Kind,
    extended: bool, told_earlier: int,
) -> None:  # fmt: skip
    counting = Counting(tuple(one for one in Law if one in before), "FR")
    change = Change(reason, residence, laws)
    if refusal_to_change(counting, change):
        return
    after = changed(counting, change, laws_for(residence, CLINIC))
    cites = cites_of(counting, after, reason)
    assert {*counting.laws} - {*after.laws} == set(cites)

    def due(of: Counting) -> date:
        like = Request(kind, of.laws, date(2026, 9, 1), "US", 60, 14, extended=extended)
        return reckon(like).answer_on

    told = date.fromordinal(due(counting).toordinal() - told_earlier)
    day = day_of(told, due(after), cites)
    assert day <= told or cites
    assert day <= due(after)


# The act -----------------------------------------------------------------------------------------
@database
def test_an_earlier_clock_counts_and_the_person_is_told(
    cast: Cast, actor: Acting, winter: Any
) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.CORRECTION, residence="US-TX")
    before = case.answer_on
    row = do(actor(cast.officer), case, Change(Reason.RESIDENCE, "FR"), "You live in Paris.")
    assert (row.residence, row.answer_on) == ("FR", date(2027, 3, 1))
    assert row.answer_on < before and Law.GDPR.value in row.laws
    assert row.answer_on == deadlines_of(row).answer_on
    told = Notification.objects.filter(user=cast.patient, template="request-laws-changed")
    assert told.count() == 1
    said = read(row)
    assert "You live in Paris." in said and "1 March 2027, earlier than" in said
    event = Event.objects.get(action="request.laws_changed")
    assert event.details["reason"] == "residence-was-wrong"
    assert "gdpr" in event.details["added"] and "Paris" not in str(event.details)
    assert event.details["due_on"] == "2027-03-01"


@database
def test_a_later_day_has_its_paragraph_and_is_mailed(
    cast: Cast, actor: Acting, winter: Any
) -> None:
    case = by_form(kind=Kind.CORRECTION, residence="FR")
    before = case.answer_on
    officer = actor(cast.officer)
    post()
    row = do(officer, case, Change(Reason.RESIDENCE, "US-TX"), "You wrote that you live in Texas.")
    assert row.answer_on > before
    assert any("Other laws count for your request" in letter for letter in post())
    said = read(row)
    assert "GDPR Art. 3(2)" in said and "later than" in said
    # The policy's own promise stays, whatever law goes.
    assert row.answer_on <= case.received_on.fromordinal(
        case.received_on.toordinal() + row.answer_days
    )


@database
def test_where_the_day_stays_nobody_is_told_and_it_is_written_down(
    cast: Cast, actor: Acting, winter: Any
) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.QUESTION, residence="FR")
    row = do(actor(cast.officer), case, ALSO_UK)
    assert row.answer_on == case.answer_on and Law.UK_GDPR.value in row.laws
    assert not Notification.objects.filter(template="request-laws-changed").exists()
    assert "as before" in read(row)
    assert Event.objects.filter(action="request.laws_changed").count() == 1


@database
def test_a_day_that_was_promised_stays_where_no_law_goes(
    cast: Cast, actor: Acting, winter: Any
) -> None:
    """Handed on from an organisation with a shorter promise, say."""
    case = signed_in(actor(cast.patient), residence="FR")
    Case.objects.filter(pk=case.pk).update(answer_on=date(2027, 2, 5))
    case = Case.objects.select_related("organisation").get(pk=case.pk)
    assert do(actor(cast.officer), case, ALSO_UK).answer_on == date(2027, 2, 5)


@database
def test_reminders_begin_anew_with_the_new_day(cast: Cast, actor: Acting, winter: Any) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.CORRECTION, residence="US-TX")
    Case.objects.filter(pk=case.pk).update(reminded_at=RECEIVED, escalated_at=RECEIVED)
    row = do(actor(cast.officer), case, Change(Reason.RESIDENCE, "FR"))
    assert (row.reminded_at, row.escalated_at) == (None, None)


@database
@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "patient"])
def test_nobody_but_an_officer_of_the_organisation_changes_laws(
    cast: Cast, actor: Acting, winter: Any, who: str
) -> None:
    case = signed_in(actor(cast.patient), residence="FR")
    with pytest.raises(NotYours):
        do(actor(getattr(cast, who)), case, ALSO_UK)
    assert Case.objects.get(pk=case.pk).laws == case.laws
    assert not Event.objects.filter(action="request.laws_changed").exists()


@database
def test_what_is_refused_changes_nothing(cast: Cast, actor: Acting, winter: Any) -> None:
    officer, case = actor(cast.officer), signed_in(actor(cast.patient), residence="FR")
    with pytest.raises(CaseRefused, match="knows no such reason"):
        do(officer, case, Change(Reason.ROLE, laws=frozenset({Law.GDPR})))
    with pytest.raises(CaseRefused, match="in words"):
        do(officer, case, ALSO_UK, text="  ")
    with pytest.raises(CaseRefused, match="meanwhile"):
        change_laws(actor=officer, case=case, change=ALSO_UK, text="So.", seen="2026-01-01/FR/")
    done = by_form(kind=Kind.QUESTION)
    handling.answer_case(actor=officer, case=done, text="Here.", outcome=Outcome.REPLIED)
    with pytest.raises(CaseRefused, match="answered"):
        do(officer, done, ALSO_UK)
    row = Case.objects.get(pk=case.pk)
    assert (row.laws, row.answer_on, row.residence) == (case.laws, case.answer_on, "FR")
    assert not Event.objects.filter(action="request.laws_changed").exists()


@database
def test_two_officers_do_not_overwrite_each_other(cast: Cast, actor: Acting, winter: Any) -> None:
    officer, case = actor(cast.officer), signed_in(actor(cast.patient), residence="FR")
    seen = picture_of(case).mark
    do(officer, case, ALSO_UK)
    late = Change(Reason.ALSO, laws=frozenset({Law.LGPD}))
    with pytest.raises(CaseRefused, match="meanwhile"):
        change_laws(actor=officer, case=case, change=late, text="So.", seen=seen)


@database
def test_looking_at_both_pictures_changes_nothing(cast: Cast, actor: Acting, winter: Any) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.CORRECTION, residence="US-TX")
    found = pictures_of(case, Change(Reason.RESIDENCE, "FR"))
    assert found.moves and found.after.answer_on == date(2027, 3, 1)
    assert Case.objects.get(pk=case.pk).answer_on == case.answer_on == found.before.answer_on


# The page ----------------------------------------------------------------------------------------
def _sent(**more: Any) -> dict[str, Any]:
    facts = {"reason": "residence-was-wrong", "country": "FR", "state": "", "text": "Paris."}
    return facts | more


@database
def test_both_pictures_are_shown_before_anything_is_done(
    cast: Cast, actor: Acting, client_of: Browsers, winter: Any
) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.CORRECTION, residence="US-TX")
    officer, page = client_of(cast.officer), f"/requests/{case.number}/laws/"
    assert "Change the laws" in text_of(officer.get(f"/requests/{case.number}/"))
    seen = officer.post(page, _sent())
    assert seen.status_code == 200
    said = text_of(seen)
    assert "Afterwards: answer by 1 March 2027" in said and "due earlier" in said
    assert Case.objects.get(pk=case.pk).residence == "US-TX"
    mark = picture_of(case).mark
    assert f'value="{mark}"' in seen.content.decode()
    done = officer.post(page, _sent(seen=mark))
    assert done.status_code == 302
    assert Case.objects.get(pk=case.pk).residence == "FR"
    assert "to be answered by 1 March 2027" in text_of(officer.get(f"/requests/{case.number}/"))


@database
@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"reason": ""}, 422, "Choose why"),
        ({"text": ""}, 422, "required"),
        ({"country": "XX"}, 422, "valid choice"),
        ({"state": "CA"}, 422, "Leave the state empty"),
        ({"reason": "counts-as-well", "laws": ["uk-gdpr"]}, 422, "choose that reason"),
        ({"country": "US", "state": "TX"}, 409, "already"),
        ({"laws": ["nonsense"]}, 422, "valid choice"),
        ({"seen": "forged"}, 409, "meanwhile"),
    ],
)
def test_what_is_wrong_on_the_page_is_said(
    cast: Cast, actor: Acting, client_of: Browsers, winter: Any, sent: dict[str, Any],
    status: int, says: str,
) -> None:  # fmt: skip
    case = signed_in(actor(cast.patient), kind=Kind.CORRECTION, residence="US-TX")
    answer = client_of(cast.officer).post(f"/requests/{case.number}/laws/", _sent(**sent))
    assert answer.status_code == status
    assert says in text_of(answer)
    assert Case.objects.get(pk=case.pk).laws == case.laws


@database
def test_the_page_asks_as_often_whatever_happened_in_the_case(
    cast: Cast, actor: Acting, client_of: Browsers, winter: Any
) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.CORRECTION, residence="US-TX")
    officer, page = client_of(cast.officer), f"/requests/{case.number}/laws/"
    officer.get(page)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            officer.get(page)
        return len(caught)

    before = queries()
    for law in (Law.LGPD, Law.PIPA, Law.PIPEDA):
        row = Case.objects.select_related("organisation").get(pk=case.pk)
        do(actor(cast.officer), row, Change(Reason.ALSO, laws=frozenset({law})))
    assert queries() == before


@database
def test_a_case_of_another_organisation_is_not_there(
    cast: Cast, actor: Acting, client_of: Browsers, winter: Any
) -> None:
    case = signed_in(actor(cast.patient), residence="FR")
    elsewhere = client_of(cast["officer@imaging.example"])
    assert elsewhere.get(f"/requests/{case.number}/laws/").status_code == 404
    assert client_of(cast.auditor).get(f"/requests/{case.number}/laws/").status_code == 403
