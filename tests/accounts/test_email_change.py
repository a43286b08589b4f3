"""People keep their own details up to date; a new address holds once it is confirmed (C05)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts.models import EmailChange, SignIn, User
from accounts.services.email_change import (
    LETTERS,
    ChangeRefused,
    ask_for_address,
    confirm_address,
)
from accounts.services.housekeeping import forget_technical_records
from audit.models import Event
from jobs.models import Job
from jobs.rules.states import State
from jobs.services import run_job
from tests.factories import Cast, actor_of, deliver, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
OLD, NEW = "clinician@hospital.example", "clara@new.example"


def letters() -> list[EmailMessage]:
    """Run what waits to be told of changes, and give what went out."""
    before = len(mail.outbox)
    for job in Job.objects.filter(kind=LETTERS, state=State.WAITING).order_by("created_at"):
        run_job(job_id=job.pk)
    return list(mail.outbox[before:])


def ask(cast: Cast, email: str = NEW) -> Client:
    browser = signed_in_client(cast.clinician)
    answer = browser.post("/account/email/", {"email": email})
    assert answer.status_code == 302, answer.content.decode()
    return browser


def link_in(letter: EmailMessage) -> str:
    found = re.search(r"https?://[^/]+(/email/confirm/\S+)", letter.body)
    assert found
    return found[1]


def address_of(cast: Cast) -> str:
    return User.objects.get(pk=cast.clinician.pk).email


def test_the_old_address_stays_until_the_new_one_is_confirmed_and_both_are_told(cast: Cast) -> None:
    """XENRAD-8.8."""
    browser = ask(cast)
    assert address_of(cast) == OLD
    assert f"{NEW} waits to be confirmed" in browser.get("/account/").content.decode()
    to_new, to_old = letters()
    assert (to_new.to, to_old.to) == ([NEW], [OLD])
    assert NEW not in to_old.body, "whoever reads the old mailbox need not know the new one"
    link = link_in(to_new)
    assert Client().get(link).status_code == 200
    assert address_of(cast) == OLD, "looking at the link changes nothing"
    assert Client().post(link)["Location"] == "/sign-in/"
    stored = User.objects.get(pk=cast.clinician.pk)
    assert stored.email == NEW
    assert User.objects.with_email(NEW).get() == stored
    assert not User.objects.with_email(OLD).exists()
    (told,) = letters()
    assert (told.to, told.subject) == ([OLD], "Your account has another address now")
    assert [one.to for one in deliver()] == [[NEW]]
    assert not EmailChange.objects.exists(), "the old address is forgotten once it was told"
    actions = Event.objects.filter(action__startswith="address.").order_by("occurred_at")
    assert [one.action for one in actions] == ["address.asked", "address.changed"]
    assert {one.actor_id for one in actions} == {str(stored.pk)}
    assert not [one for one in actions if "@" in str(one.entry())]


def test_a_confirmed_change_signs_out_elsewhere(cast: Cast) -> None:
    elsewhere = signed_in_client(cast.clinician)
    here = ask(cast)
    link = link_in(letters()[0])
    assert here.post(link)["Location"] == "/account/"
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert SignIn.objects.filter(user=cast.clinician, ended_at=None).count() == 1


def test_a_link_works_once_and_for_a_day(cast: Cast) -> None:
    ask(cast)
    link = link_in(letters()[0])
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert Client().post(link).status_code == 410
        forget_technical_records()
        assert not EmailChange.objects.exists()
    ask(cast)
    link = link_in(letters()[0])
    assert Client().post(link).status_code == 302
    assert Client().post(link).status_code == 410
    assert Client().get("/email/confirm/forged/").status_code == 410


def test_a_withdrawn_wish_confirms_nothing(cast: Cast) -> None:
    browser = ask(cast)
    link = link_in(letters()[0])
    assert browser.post("/account/email/withdraw/").status_code == 302
    assert Client().post(link).status_code == 410
    assert address_of(cast) == OLD
    assert Event.objects.filter(action="address.withdrawn").count() == 1
    browser.post("/account/email/withdraw/")
    assert Event.objects.filter(action="address.withdrawn").count() == 1


def test_nobody_withdraws_the_wish_of_somebody_else(cast: Cast) -> None:
    ask(cast)
    signed_in_client(cast.officer).post("/account/email/withdraw/")
    assert EmailChange.objects.filter(user=cast.clinician).exists()


def test_it_takes_a_fresh_proof(cast: Cast) -> None:
    browser = signed_in_client(cast.clinician)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        answer = browser.post("/account/email/", {"email": NEW})
        assert answer["Location"].startswith("/sign-in/again/")
        with pytest.raises(ChangeRefused, match="Prove again"):
            ask_for_address(actor=actor_of(cast.clinician), user=cast.clinician, email=NEW)
    assert not EmailChange.objects.exists()


def test_whoever_asks_does_not_learn_who_has_an_account(cast: Cast) -> None:
    """The answer is the same; the mailbox itself is told, and the link does not come."""
    taken = ask(cast, "officer@hospital.example")
    to_owner, _ = letters()
    assert to_owner.to == ["officer@hospital.example"]
    assert "/email/confirm/" not in to_owner.body
    assert "waits to be confirmed" in taken.get("/account/").content.decode()


def test_an_address_that_was_taken_meanwhile_is_refused(cast: Cast) -> None:
    ask(cast)
    link = link_in(letters()[0])
    User.objects.create_user(email=NEW, name="Quicker")
    answer = Client().post(link)
    assert answer.status_code == 409
    assert "belongs to an account already" in answer.content.decode()
    assert address_of(cast) == OLD
    assert EmailChange.objects.get().confirmed_at is None


@pytest.mark.parametrize(
    ("email", "words"),
    [(OLD.upper(), "your address already"), ("no address", "valid email"), ("", "required")],
)
def test_what_is_no_new_address_is_refused(cast: Cast, email: str, words: str) -> None:
    answer = signed_in_client(cast.clinician).post("/account/email/", {"email": email})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_links_do_not_flood_a_mailbox(cast: Cast) -> None:
    ask(cast)
    answer = signed_in_client(cast.clinician).post("/account/email/", {"email": NEW})
    assert "Wait a minute" in answer.content.decode()
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        first = EmailChange.objects.get()
        ask(cast, "another@new.example")
    assert EmailChange.objects.get().pk != first.pk, "the earlier link is of no use"


def test_the_letters_are_the_same_letters_when_they_are_sent_again(cast: Cast) -> None:
    ask(cast)
    first = letters()
    Job.objects.filter(kind=LETTERS).update(state=State.WAITING)
    again = letters()
    numbers = [[one.extra_headers["Message-ID"] for one in some] for some in (first, again)]
    assert again == [] or numbers[0] == numbers[1]
    assert len(set(numbers[0])) == 2


def test_confirming_twice_at_once_is_one_change(cast: Cast) -> None:
    ask(cast)
    change = EmailChange.objects.get()
    confirm_address(change=change)
    with pytest.raises(ChangeRefused, match="used already"):
        confirm_address(change=change)


def test_a_changed_telephone_number_and_name_show_at_once(cast: Cast) -> None:
    """LIFEIMAGE-12.2: and the trail has who and when, and not what."""
    browser = signed_in_client(cast.clinician)
    details = {"name": "Dr Clara Reyes-Lund", "phone": "+1 845 555 0199", "npi": "1234567893"}
    browser.post("/account/", details | {"specialty": "Radiology"})
    page = browser.get("/account/").content.decode()
    assert "+1 845 555 0199" in page
    assert (
        "Dr Clara Reyes-Lund"
        in signed_in_client(cast.administrator).get("/members/").content.decode()
    )
    (event,) = Event.objects.filter(action="profile.changed")
    assert event.actor_id == str(cast.clinician.pk)
    assert event.details == {"fields": ["name", "phone"]}
    assert event.occurred_at <= timezone.now()
    assert "555 0199" not in str(event.entry())


def test_a_telephone_number_that_is_none_is_refused(cast: Cast) -> None:
    browser = signed_in_client(cast.clinician)
    answer = browser.post("/account/", {"name": "Dr Clara Reyes", "phone": "call me"})
    assert answer.status_code == 422
    assert "Write digits" in answer.content.decode()
    assert User.objects.get(pk=cast.clinician.pk).phone == ""
