"""From a form, a letter or a call to a case: confirmed, acknowledged, sealed, due by the law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts.models import Notification
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case, CaseEntry, RequestDraft
from dsar.rules.kinds import Kind
from dsar.rules.states import Door, State
from dsar.sealing import OpenCase
from dsar.selectors import (
    case_of_token,
    confirm_token,
    draft_of_token,
    read_token,
)
from dsar.services import intake
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.intake import TooMany, begin_request, confirm_request
from dsar.services.reminders import forget_drafts
from policies.rules.gate import PurposeRefused, enter_use
from tests.dsar.asking import EMAIL, NAME, TEXT, asking, by_form, post, signed_in, written_down
from tests.factories import Cast
from vault.models import DataKey
from vault.rules.errors import KeyDestroyed

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting = Callable[..., Actor]


def events(action: str) -> int:
    return Event.objects.filter(action=action).count()


# The public form ----------------------------------------------------------------------------------
def test_nothing_goes_to_anybody_before_the_address_is_confirmed(cast: Cast) -> None:
    begin_request(asking=asking())
    assert Case.objects.count() == 0
    assert not Notification.objects.filter(template="request-arrived").exists()
    letters = post()
    assert len(letters) == 1
    assert mail.outbox[-1].to == [EMAIL]


def test_a_confirmed_form_is_a_case_with_a_number_an_acknowledgement_and_officers_told(
    cast: Cast,
) -> None:
    """AVMI-12.1, MEDDIM-15.1, MEDDIM-7.21."""
    case = by_form(kind=Kind.QUESTION)
    assert len(case.number) == 9
    assert case.acknowledged_at is not None
    assert events("request.received") == 1
    assert [row.user for row in Notification.objects.filter(template="request-arrived")] == [
        cast.officer
    ]
    assert sum("has arrived" in letter for letter in post()) == 1
    assert CaseEntry.objects.get(case=case).told == "mailed"


def test_no_letter_says_a_word_about_anybody(cast: Cast) -> None:
    by_form()
    letters = post()
    assert letters
    for letter in letters:
        assert NAME not in letter and "knee" not in letter and "MARKER" not in letter
    for letter in mail.outbox:
        assert NAME not in letter.subject


def test_a_link_confirms_once(cast: Cast) -> None:
    draft = begin_request(asking=asking())
    token = confirm_token(draft)
    found = draft_of_token(token)
    assert found is not None
    confirm_request(draft=found)
    assert draft_of_token(token) is None
    with pytest.raises(CaseRefused, match="used already"):
        confirm_request(draft=found)
    assert Case.objects.count() == 1


def test_a_confirmed_draft_is_emptied_and_its_key_destroyed(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    draft = begin_request(asking=asking())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        confirm_request(draft=RequestDraft.objects.get(pk=draft.pk))
    row = RequestDraft.objects.get(pk=draft.pk)
    assert bytes(row.sealed_record) == b""
    assert DataKey.objects.get(pk=row.key_id).wrapped is None


def test_a_link_ends_after_a_day_and_the_draft_is_deleted(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    draft = begin_request(asking=asking())
    token = confirm_token(draft)
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        assert draft_of_token(token) is None
        with pytest.raises(CaseRefused):
            confirm_request(draft=draft)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            assert forget_drafts() == 1
        assert forget_drafts() == 0
    assert RequestDraft.objects.count() == 0
    assert DataKey.objects.get(pk=draft.key_id).wrapped is None
    assert events("request.lapsed") == 1


@pytest.mark.parametrize("token", ["", "forged", "a:b:c", "WyJhIl0:1:x"])
def test_a_forged_link_opens_nothing(cast: Cast, token: str) -> None:
    by_form()
    assert draft_of_token(token) is None
    assert case_of_token(token) is None


def test_a_link_of_one_kind_is_no_link_of_the_other(cast: Cast) -> None:
    draft = begin_request(asking=asking())
    assert case_of_token(confirm_token(draft)) is None
    assert draft_of_token(read_token(by_form(email="b@post.example"))) is None


def test_the_link_of_a_letter_ends_and_is_replaced(cast: Cast) -> None:
    case = by_form()
    token = read_token(case)
    assert case_of_token(token) == case
    with time_machine.travel(timezone.now() + timedelta(days=61), tick=False):
        assert case_of_token(token) is None
    Case.objects.update(link_epoch=1)
    assert case_of_token(token) is None


def test_whoever_asked_signed_in_reads_signed_in(cast: Cast, actor: Acting) -> None:
    assert case_of_token(read_token(signed_in(actor(cast.patient)))) is None


# Floods -------------------------------------------------------------------------------------------
def test_one_address_gets_three_letters_an_hour_and_no_more(cast: Cast) -> None:
    for _ in range(intake.PER_ADDRESS):
        begin_request(asking=asking())
    with pytest.raises(TooMany, match="Too many"):
        begin_request(asking=asking(email=EMAIL.upper()))
    begin_request(asking=asking(email="another@post.example"))
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        begin_request(asking=asking())


def test_a_confirmed_form_still_counts(cast: Cast) -> None:
    for _ in range(intake.PER_ADDRESS):
        by_form()
    with pytest.raises(TooMany):
        begin_request(asking=asking())


def test_a_flood_of_forms_is_stopped_and_leaves_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = 0
    for number in range(intake.PER_NETWORK + 15):
        try:
            begin_request(asking=asking(email=f"{number}@post.example"))
        except TooMany:
            stopped += 1
    assert (stopped, RequestDraft.objects.count()) == (15, intake.PER_NETWORK)
    monkeypatch.setattr(intake, "_network_token", lambda: b"another network.")
    begin_request(asking=asking(email="late@post.example"))
    monkeypatch.setattr(intake, "IN_ALL", intake.PER_NETWORK + 1)
    with pytest.raises(TooMany):
        begin_request(asking=asking(email="later@post.example"))


def test_a_signed_in_person_cannot_flood_either(
    cast: Cast, actor: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PER_PERSON", 2)
    for _ in range(2):
        signed_in(actor(cast.patient))
    with pytest.raises(TooMany):
        signed_in(actor(cast.patient))
    signed_in(actor(cast.owner))


# Signed in ----------------------------------------------------------------------------------------
def test_who_is_signed_in_skips_the_confirmation(cast: Cast, actor: Acting) -> None:
    case = signed_in(actor(cast.patient))
    assert (case.door, case.proof, case.person) == (Door.SIGNED_IN, "account", cast.patient)
    assert case.identified_at is not None
    assert post() == []
    told = Notification.objects.get(user=cast.patient)
    assert (told.template, told.target_id) == ("request-received", case.number)
    assert events("request.received") == 1


# By post, telephone or e-mail ---------------------------------------------------------------------
@pytest.mark.parametrize("door", [Door.POST, Door.TELEPHONE, Door.EMAIL])
def test_the_clock_of_a_letter_starts_on_the_day_it_came(
    cast: Cast, actor: Acting, door: Door
) -> None:
    """LIFEIMAGE-17.2, AVMI-8.8, MEDDIM-7.21."""
    with time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False):
        came = date(2026, 11, 2)
        case = written_down(actor(cast.officer), door=door, received_on=came, kind=Kind.CORRECTION)
    assert case.received_at == datetime(2026, 11, 2, 17, tzinfo=UTC), "noon in New York"
    assert case.received_on == date(2026, 11, 2)
    # Thirty days by the policy; HIPAA would give sixty.
    assert case.answer_on == date(2026, 12, 2)
    assert (events("request.recorded"), events("request.received")) == (1, 0)


def test_a_letter_without_mail_address_waits_for_an_acknowledgement_by_letter(
    cast: Cast, actor: Acting
) -> None:
    silent = written_down(actor(cast.officer), email="")
    assert silent.acknowledged_at is None
    assert silent.email_token is None
    assert written_down(actor(cast.officer), door=Door.EMAIL).acknowledged_at is not None
    assert len(post()) == 1


@pytest.mark.parametrize(
    ("ago", "words"),
    [(timedelta(days=-2), "future"), (timedelta(days=200), "Check the date")],
)
def test_a_letter_from_the_future_or_from_long_ago_is_refused(
    cast: Cast, actor: Acting, ago: timedelta, words: str
) -> None:
    with pytest.raises(CaseRefused, match=words):
        written_down(actor(cast.officer), received_on=(timezone.now() - ago).date())
    assert Case.objects.count() == 0


@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "patient"])
def test_nobody_but_an_officer_writes_down_requests(cast: Cast, actor: Acting, who: str) -> None:
    with pytest.raises(NotYours):
        written_down(actor(getattr(cast, who)))


def test_an_officer_writes_down_for_the_own_organisation_only(cast: Cast, actor: Acting) -> None:
    with pytest.raises(NotYours):
        written_down(actor(cast.officer), "imaging")


def test_a_door_of_the_portal_is_no_door_of_the_officer(cast: Cast, actor: Acting) -> None:
    with pytest.raises(CaseRefused, match="Say how it came"):
        written_down(actor(cast.officer), door=Door.FORM)


# Sealed -------------------------------------------------------------------------------------------
def test_nothing_that_was_written_lies_in_the_clear(cast: Cast, actor: Acting) -> None:
    by_form()
    begin_request(asking=asking())
    written_down(actor(cast.officer), door=Door.TELEPHONE)
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                kept = " ".join(_plain(value) for value in row).lower()
                found += [
                    (table, mark)
                    for mark in (NAME.lower(), EMAIL, "marker-text", "marker")
                    if mark in kept
                ]
    assert found == []


def _plain(value: object) -> str:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("latin-1")
    return str(value)


def test_it_can_be_read_under_the_key_and_for_a_purpose_only(cast: Cast) -> None:
    case = by_form()
    written = OpenCase(case).written
    assert (written.name, written.email, written.text) == (NAME, EMAIL, TEXT)
    enter_use(None)
    with pytest.raises(PurposeRefused):
        OpenCase(case)


def test_words_cannot_be_moved_from_one_case_to_another(cast: Cast) -> None:
    one, other = by_form(), by_form(email="b@post.example")
    other.key_id, other.sealed_text = one.key_id, one.sealed_text
    with pytest.raises(Exception, match="authentication"):
        _ = OpenCase(other).written


def test_once_the_key_is_gone_so_are_the_words(cast: Cast) -> None:
    from vault.services.data_keys import destroy_data_keys

    case = by_form()
    destroy_data_keys(ids=[case.key_id])
    with pytest.raises(KeyDestroyed):
        OpenCase(case)


def test_hostile_words_are_kept_as_words(cast: Cast) -> None:
    text = "<script>alert(1)</script>\u202e {{ 7*7 }} '; DROP TABLE dsar_case; --\x00\x1b[2J"
    case = by_form(name="Eve\r\nBcc: all@example", text=text)
    written = OpenCase(case).written
    assert written.name == "Eve Bcc: all@example"
    assert written.text == "<script>alert(1)</script> {{ 7*7 }} '; DROP TABLE dsar_case; --[2J"


# By the law of each person ------------------------------------------------------------------------
@time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False)
def test_requests_of_the_same_day_are_due_by_the_law_of_each_person(cast: Cast) -> None:
    """MEDDIM-7.24, AVMI-10.3."""
    french = by_form("practice", residence="FR", kind=Kind.CORRECTION)
    assert "gdpr" in french.laws
    swiss = by_form("practice", residence="CH", email="c@post.example", kind=Kind.ACCESS)
    assert swiss.laws == ["ch-fadp", "hipaa"]
    korean = by_form("practice", residence="KR", email="k@post.example", kind=Kind.ACCESS)
    # Ten days in Korea; the policy's 28 days else, which are shorter than a month.
    assert [case.answer_on for case in (french, swiss, korean)] == [
        date(2026, 9, 29), date(2026, 9, 29), date(2026, 9, 11),
    ]  # fmt: skip


def test_a_case_without_a_reply_cannot_be_closed_in_the_database_either(cast: Cast) -> None:
    from django.db import IntegrityError

    by_form()
    with pytest.raises(IntegrityError):
        Case.objects.update(closed_at=timezone.now(), state=State.CLOSED)
