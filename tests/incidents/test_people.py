"""Whom an incident touches: as the trail says, by where they live, and told by letter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, User
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from incidents.models import Affected, DutyMark
from incidents.rules.duties import OWN
from incidents.rules.states import State
from incidents.selectors import asks_for_post, picture_of
from incidents.services.assessing import mark_done
from incidents.services.counting import count_by_account, count_studies, note_residence
from incidents.services.entries import IncidentRefused
from incidents.services.opening import open_incident
from incidents.services.telling import note_posted, send_letters, write_letter
from policies.rules.categories import CARE_DATA, Category
from policies.rules.erasing import Fate, erasers
from policies.rules.gate import enter_use, use
from policies.rules.holdings import Whose, holders
from policies.rules.purposes import Purpose
from studies.models import Study
from studies.rules.demo_uids import uid_of
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, deliver, small_ct_object, take_in, text_of
from tests.incidents.cases import DRAFT, around, assessed, lettered, lives, opened

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_duty"),
]
Browse = Callable[[User], Client]


@pytest.fixture
def three(cast: Cast) -> list[Study]:
    """Of three patients."""
    for name in ("one", "two", "three"):
        take_in(actor_of(cast.clinician), small_ct_object(study=name, PatientID=f"P-{name}"))
    return [Study.objects.get(uid=uid_of("test", name)) for name in ("one", "two", "three")]


def test_the_list_is_what_the_trail_says_that_an_account_reached(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    """MEDDIM-6.13: it equals the access log."""
    begun = timezone.now()
    browser = client_of(cast.clinician)
    for study in three[:2]:
        assert browser.get(f"/studies/{study.uid}/").status_code == 200
    # Refused, so nothing was seen; and somebody else's look is not this account's.
    assert client_of(cast.auditor).get(f"/studies/{three[2].uid}/").status_code != 200
    row = opened(cast)
    window = {"since": begun, "until": timezone.now()}
    number = count_by_account(
        actor=actor_of(cast.officer), incident=row, user=cast.clinician, **window
    )
    assert number == 2
    logged = Event.objects.filter(
        actor_id=str(cast.clinician.pk), target_kind="study", outcome="success",
        occurred_at__gte=begun,
    ).values_list("target_uid", flat=True)  # fmt: skip
    listed = {uid for one in Affected.objects.all() for uid in one.study_uids}
    assert listed == set(logged) == {one.uid for one in three[:2]}
    assert {one.subject_id for one in Affected.objects.all()} == {
        one.subject_id for one in three[:2]
    }


def test_what_lies_outside_of_the_time_does_not_count(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    client_of(cast.clinician).get(f"/studies/{three[0].uid}/")
    row, officer = opened(cast), actor_of(cast.officer)
    later = timezone.now() + timedelta(seconds=1)
    given = {"actor": officer, "incident": row, "user": cast.clinician}
    assert count_by_account(**given, since=later, until=later + timedelta(hours=1)) == 0
    row.refresh_from_db()
    # It was counted, and touches nobody: nothing is owed to people any more.
    assert row.counted_at is not None
    assert not [one for one in picture_of(row).open if one.duty.code != OWN]
    with pytest.raises(IncidentRefused, match="later than the beginning"):
        count_by_account(**given, since=later, until=later)
    with pytest.raises(IncidentRefused, match="works, or worked"):
        count_by_account(**(given | {"user": cast.stranger}), **around())


def test_a_study_that_is_gone_was_seen_all_the_same(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    client_of(cast.clinician).get(f"/studies/{three[0].uid}/")
    subject = three[0].subject_id
    Study.objects.filter(pk=three[0].pk).update(uid="1.2.3.4")
    row = opened(cast)
    count_by_account(actor=actor_of(cast.officer), incident=row, user=cast.clinician, **around())
    assert row.affected.filter(subject_id=subject).exists()


def test_other_organisations_studies_are_counted_and_name_nobody(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    share(three[0], actor_of(cast.clinician, fresh=True), cast.people)
    assert client_of(cast.stranger).get(f"/studies/{three[0].uid}/").status_code == 200
    officer = actor_of(cast["officer@imaging.example"])
    enter_use(use(Purpose.LEGAL_OBLIGATION, *CARE_DATA, *Category))
    row = open_incident(
        actor=officer, title="A password was guessed", discovered_at=timezone.now(),
        kinds=["images"],
    )  # fmt: skip
    assert count_by_account(actor=officer, incident=row, user=cast.stranger, **around()) == 0
    row.refresh_from_db()
    assert row.others == 1
    assert not row.affected.exists()
    assert "own.organisations" in {one.duty.code for one in picture_of(row).open}


def test_counting_twice_lists_nobody_twice(cast: Cast, three: list[Study]) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    uids = [one.uid for one in three]
    assert count_studies(actor=officer, incident=row, uids=uids[:2]) == 2
    assert count_studies(actor=officer, incident=row, uids=uids) == 1
    assert row.affected.count() == 3


def test_a_study_that_is_not_ours_counts_nothing_at_all(cast: Cast, three: list[Study]) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    with pytest.raises(IncidentRefused, match=r"no study 1\.2\.3"):
        count_studies(actor=officer, incident=row, uids=[three[0].uid, "1.2.3"])
    with pytest.raises(IncidentRefused, match="at least one"):
        count_studies(actor=officer, incident=row, uids=[])
    row.refresh_from_db()
    assert row.counted_at is None
    assert not row.affected.exists()


# Where they live ----------------------------------------------------------------------------------
def test_new_yorkers_are_listed_apart_on_their_own_clock(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    """MEDDIM-13.3: with people of New York and Massachusetts."""
    for study, user, home in (
        (three[0], cast.patient, "US-NY"), (three[1], cast.owner, "US-MA"),
    ):  # fmt: skip
        lives(user, home)
        link_account(user=user, subject=study.subject)
    row = opened(cast)
    count_studies(actor=actor_of(cast.officer), incident=row, uids=[one.uid for one in three[:2]])
    page = client_of(cast.officer).get(f"/incidents/{row.pk}/people/?place=US-NY")
    listed = [one for one, _ in page.context["lines"]]
    assert [(one.residence, one.subject_id) for one in listed] == [("US-NY", three[0].subject_id)]
    row.refresh_from_db()
    duty = next(one.duty for one in picture_of(row).owed if one.duty.code == "ny.people")
    assert duty.number == 1
    assert duty.due_on == row.discovered_on + timedelta(days=30)


def test_an_officer_notes_where_people_live(cast: Cast, three: list[Study]) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    count_studies(actor=officer, incident=row, uids=[three[0].uid])
    one = row.affected.get()
    given = {"actor": officer, "incident": row}
    assert note_residence(**given, affected=[one.pk], country="US", state="TX") == 1
    one.refresh_from_db()
    assert one.residence == "US-TX"
    with pytest.raises(IncidentRefused, match="state empty"):
        note_residence(**given, affected=[one.pk], country="DE", state="TX")
    with pytest.raises(IncidentRefused, match="at least one person"):
        note_residence(**given, affected=[], country="DE", state="")


# Letters ------------------------------------------------------------------------------------------
def test_letters_go_to_accounts_and_on_paper_and_each_is_in_the_trail(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    link_account(user=cast.patient, subject=three[0].subject)
    row, officer = assessed(cast, opened(cast)), actor_of(cast.officer)
    with pytest.raises(IncidentRefused, match="Count first"):
        send_letters(actor=officer, incident=row)
    count_studies(actor=officer, incident=row, uids=[three[0].uid, three[1].uid])
    with pytest.raises(IncidentRefused, match="Write the letter first"):
        send_letters(actor=officer, incident=row)
    lettered(cast, row)
    assert b"laptop" not in bytes(row.sealed_letter or b"")
    assert send_letters(actor=officer, incident=row) == 1
    assert send_letters(actor=officer, incident=row) == 1
    event = Event.objects.get(action="incident.letter_sent")
    assert event.subject_id == str(three[0].subject_id)
    assert Notification.objects.filter(template="breach-notice").count() == 1
    mails = [one for one in deliver() if one.to == [cast.patient.email]]
    assert len(mails) == 1
    assert "laptop" not in mails[0].body
    left = row.affected.get(told="")
    with pytest.raises(IncidentRefused, match="Only privacy officers"):
        note_posted(actor=actor_of(cast.administrator), incident=row, affected=[left.pk])
    assert note_posted(actor=officer, incident=row, affected=[left.pk]) == 1
    assert Event.objects.filter(action="incident.letter_posted").count() == 1
    row.refresh_from_db()
    assert row.state == State.TOLD
    # Everybody has it, so what is owed to people is done; authorities are told by hand, and HIPAA
    # wants the letter by post of whoever has it in the portal (45 CFR 164.404(d)(1)).
    done = set(DutyMark.objects.exclude(done_on=None).values_list("code", flat=True))
    assert {OWN, "ny.people"} <= done
    assert not {"hipaa.hhs_small", "hipaa.people"} & done
    assert asks_for_post(row)
    pages = client_of(cast.officer)
    assert "by post, or by e-mail" in text_of(pages.get(f"/incidents/{row.pk}/letter/"))
    printed = text_of(pages.get(f"/incidents/{row.pk}/letter/print/"))
    assert printed.count("Something happened to your data") == 1
    assert "These were posted" not in printed
    mark_done(
        actor=officer, incident=row, code="hipaa.people", done_on=row.discovered_on, text="Posted.",
    )  # fmt: skip
    assert not asks_for_post(row)
    assert "Nothing to print" in text_of(pages.get(f"/incidents/{row.pk}/letter/print/"))
    # Who comes onto the list later was not told, and what is owed to people is open again.
    count_studies(actor=officer, incident=row, uids=[three[2].uid])
    row.refresh_from_db()
    assert (row.state, row.told_at) == (State.ASSESSED, None)
    assert {OWN, "hipaa.people"} <= {one.duty.code for one in picture_of(row).open}
    with pytest.raises(IncidentRefused, match="has gone to people"):
        write_letter(actor=officer, incident=row, draft=DRAFT)


def test_a_letter_says_what_laws_ask_and_is_read_by_its_person_alone(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    """45 CFR 164.404(c)(1), GDPR Art. 34(2)."""
    link_account(user=cast.patient, subject=three[0].subject)
    row, officer = opened(cast), actor_of(cast.officer)
    count_studies(actor=officer, incident=row, uids=[three[0].uid])
    lettered(cast, row)
    send_letters(actor=officer, incident=row)
    address = f"/incidents/letters/{row.affected.get().pk}/"
    said = text_of(client_of(cast.patient).get(address))
    for part in (
        DRAFT.happened, DRAFT.doing, DRAFT.advice, "We found out on", "patient numbers",
        row.organisation.privacy_email, "complain to an authority",
    ):  # fmt: skip
        assert part in said
    for other in (cast.owner, cast.clinician, cast.officer, cast.stranger):
        assert client_of(other).get(address).status_code == 404


def test_whoever_asks_what_is_held_gets_the_letters_that_they_were_sent(
    cast: Cast, three: list[Study]
) -> None:
    """GDPR Art. 15(1); an incident of which nobody was told is not in it."""
    organisation = three[0].organisation
    row, officer = opened(cast), actor_of(cast.officer)
    count_studies(actor=officer, incident=row, uids=[three[0].uid, three[1].uid])
    lettered(cast, row)
    note_posted(
        actor=officer, incident=row,
        affected=[row.affected.get(subject_id=three[0].subject_id).pk],
    )  # fmt: skip
    (holder,) = [one for one in holders() if one.code == "incidents"]
    theirs, other = (Whose(organisation.pk, frozenset({study.subject_id})) for study in three[:2])
    assert [(one.number, one.file) for one in holder.holdings(theirs)] == [(1, "incidents.json")]
    (file,) = holder.files(theirs)
    assert DRAFT.happened in b"".join(file.pieces()).decode()
    # An erasure lets it stay, and says so.
    (eraser,) = [one for one in erasers() if one.code == "incidents"]
    assert [(one.fate, one.number) for one in eraser.plan(theirs)] == [(Fate.STAYS, 1)]
    assert not list(eraser.plan(other))
    assert not list(holder.holdings(other))
    assert not list(holder.files(other))


def test_letters_on_paper_name_people_and_officers_alone_print_them(
    cast: Cast, three: list[Study], client_of: Browse
) -> None:
    row, officer = opened(cast), actor_of(cast.officer)
    count_studies(actor=officer, incident=row, uids=[three[0].uid])
    lettered(cast, row)
    address = f"/incidents/{row.pk}/letter/print/"
    said = text_of(client_of(cast.officer).get(address))
    assert "Adler, Paula" in said
    assert DRAFT.happened in said
    assert client_of(cast.administrator).get(address).status_code == 404
    people = text_of(client_of(cast.administrator).get(f"/incidents/{row.pk}/people/"))
    assert "Adler" not in people
    assert "Person 1" in people
    assert DataSubject.objects.filter(pk=row.affected.get().subject_id).exists()
