"""Whoever it is about is told before, has time to object, and reads afterwards what went out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Notification
from audit.models import Event
from disclosures.models import Notice, Release
from disclosures.rules.messages import EMERGENCY, MADE, NOTICE_DUE, REVIEW_LATE, TOLD
from disclosures.selectors import Concerned, told_to
from disclosures.services.entries import DisclosureRefused, NotYours
from disclosures.services.noticing import (
    Prohibition,
    Telling,
    end_prohibitions,
    record_prohibition,
    tell_person,
)
from disclosures.services.opening import close_case, withhold_document
from disclosures.services.papers import open_own_paper
from disclosures.services.releasing import (
    approve_case,
    ask_for_approval,
    escalate_reviews,
    release_case,
    review_case,
)
from disclosures.services.scoping import Named
from dsar.services.collecting import collect
from policies.rules.holdings import Whose
from studies.models import Study
from studies.rules.demo_uids import uid_of
from tests.disclosures.cases import (
    RADIOLOGY,
    REFERENCE,
    approved,
    clause,
    given_out,
    mapped,
    opened,
    prohibited,
    ready,
    released,
    scoped,
    signed,
    ticked,
    told,
    whom,
)
from tests.factories import Cast, actor_of

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def told_by(template: str, user: object) -> int:
    return Notification.objects.filter(template=template, user=user).count()


def test_nothing_goes_out_before_the_person_was_told_and_could_object(
    cast: Cast, five: list[Study]
) -> None:
    """LIFEIMAGE-7.6, VIGILANT-6.5."""
    with time_machine.travel(NOW, tick=False):
        row = ready(cast, five[0])
        approved(cast, row)
        with pytest.raises(DisclosureRefused, match="was not told"):
            released(cast, row)
        notice = told(cast, row, days=7, reason="")
        assert told_by(TOLD, cast.patient) == 1
        with pytest.raises(DisclosureRefused, match="until 3 December 2026 to object"):
            released(cast, row)
    with time_machine.travel(NOW + timedelta(days=6), tick=False), pytest.raises(DisclosureRefused):
        released(cast, row)
    with time_machine.travel(NOW + timedelta(days=7), tick=False):
        assert notice.waits_until is not None
        assert released(cast, row).state == Release.State.READY


def test_fewer_days_need_a_reason(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    with pytest.raises(DisclosureRefused, match="fewer than 7 days"):
        told(cast, row, days=2, reason=" ")
    with pytest.raises(DisclosureRefused, match="between 0 and 60"):
        told(cast, row, days=61)
    assert not Notice.objects.exists()
    told(cast, row, days=2, reason="The court gave three days.")
    with pytest.raises(DisclosureRefused, match="told already"):
        told(cast, row)


def test_who_has_no_account_is_told_by_post(cast: Cast, five: list[Study]) -> None:
    five[0].subject.accounts.all().delete()
    row = ready(cast, five[0])
    with pytest.raises(DisclosureRefused, match="no account"):
        told(cast, row)
    notice = told(cast, row, way="post")
    assert notice.given_at is not None
    assert not Notification.objects.filter(template=TOLD).exists()


def test_nobody_is_told_whom_it_is_not_about(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    with pytest.raises(DisclosureRefused, match="not about them"):
        tell_person(
            actor=actor_of(cast.officer), disclosure=row, whom=Concerned(None, cast.stranger.pk),
            telling=Telling("portal"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("citation", "days", "said"),
    [("", 5, "Cite what"), ("gag order", 5, "Cite what"), ("18 USC 2705(b)", None, "until when"),
     ("18 USC 2705(b)", -2, "within a year"), ("18 USC 2705(b)", 500, "within a year")],
)  # fmt: skip
def test_a_prohibition_is_cited_and_has_an_end(
    cast: Cast, five: list[Study], citation: str, days: int | None, said: str
) -> None:
    """LIFEIMAGE-4.7, VIGILANT-6.5."""
    row = ready(cast, five[0])
    ends_on = None if days is None else timezone.now().date() + timedelta(days=days)
    with pytest.raises(DisclosureRefused, match=said):
        record_prohibition(
            actor=actor_of(cast.officer), disclosure=row, whom=whom(row),
            prohibition=Prohibition(citation, ends_on),
        )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(
            disclosure=row, subject_id=five[0].subject_id, way="prohibited", by=cast.officer
        )


def test_under_a_prohibition_it_goes_out_and_the_person_is_told_afterwards(
    cast: Cast, five: list[Study]
) -> None:
    """LIFEIMAGE-4.7, 7.6: nothing shows until it ends; then all does."""
    mine = {"subject_id": str(five[0].subject_id)}
    whose = Whose(five[0].organisation_id, frozenset({five[0].subject_id}), cast.patient.pk)
    with time_machine.travel(NOW, tick=False):
        row = ready(cast, five[0])
        prohibited(cast, row)
        approved(cast, row)
        assert released(cast, row).state == Release.State.READY
        assert not Event.objects.filter(action__startswith="disclosure.", **mine).exists()
        assert not told_to(actor_of(cast.patient)).exists()
        assert "Disclosures under law" not in listed(whose)
        assert not Notification.objects.filter(user=cast.patient, template__in=[TOLD, MADE])
        assert end_prohibitions() == 0
    with time_machine.travel(NOW + timedelta(days=21), tick=False):
        assert end_prohibitions() == 1
        assert end_prohibitions() == 0
        assert told_by(MADE, cast.patient) == 1
        assert told_to(actor_of(cast.patient)).get().disclosure == row
        event = Event.objects.get(action="disclosure.accounted", **mine)
        assert event.target_uid == five[0].uid
        assert "Disclosures under law" in listed(whose)


def listed(whose: Whose) -> set[str]:
    return {one.what for part in collect(whose).parts for one in part.holdings or ()}


def test_a_prohibition_that_ended_before_the_release_blocks_it(
    cast: Cast, five: list[Study]
) -> None:
    with time_machine.travel(NOW, tick=False):
        row = ready(cast, five[0])
        prohibited(cast, row)
        approved(cast, row)
    with time_machine.travel(NOW + timedelta(days=21), tick=False):
        with pytest.raises(DisclosureRefused, match="Tell the person now"):
            released(cast, row)
        end_prohibitions()
        assert told_by(TOLD, cast.patient) == 1
        with pytest.raises(DisclosureRefused, match="to object"):
            released(cast, row)


def test_officers_write_where_there_is_no_account_to_tell(cast: Cast, five: list[Study]) -> None:
    five[0].subject.accounts.all().delete()
    with time_machine.travel(NOW, tick=False):
        row = ready(cast, five[0])
        prohibited(cast, row)
    with time_machine.travel(NOW + timedelta(days=21), tick=False):
        assert end_prohibitions() == 1
        assert end_prohibitions() == 0
        assert told_by(NOTICE_DUE, cast.officer) == 1
        assert told(cast, row, way="post").given_at is not None


def test_a_letter_after_a_secret_release_accounts_for_it_though_the_case_is_closed(
    cast: Cast, five: list[Study]
) -> None:
    five[0].subject.accounts.all().delete()
    with time_machine.travel(NOW, tick=False):
        row = ready(cast, five[0])
        prohibited(cast, row)
        approved(cast, row)
        released(cast, row)
        close_case(actor=actor_of(cast.officer), disclosure=row, text="Given out.")
    with time_machine.travel(NOW + timedelta(days=21), tick=False):
        assert end_prohibitions() == 1
        assert not Event.objects.filter(action="disclosure.accounted").exists()
        told(cast, row, way="post")
        event = Event.objects.get(action="disclosure.accounted")
        assert (event.target_uid, event.subject_id) == (five[0].uid, str(five[0].subject_id))


def test_a_closed_case_of_which_nothing_went_out_tells_nobody(
    cast: Cast, five: list[Study]
) -> None:
    row = ready(cast, five[0])
    close_case(actor=actor_of(cast.officer), disclosure=row, text="Withdrawn.")
    with pytest.raises(DisclosureRefused, match="nothing went out"):
        told(cast, row)


def test_who_was_told_nothing_can_be_kept_from(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    told(cast, row)
    with pytest.raises(DisclosureRefused, match="told already"):
        prohibited(cast, row)


def test_each_study_that_went_out_is_an_event_of_its_person(cast: Cast, five: list[Study]) -> None:
    """45 CFR 164.528: the accounting names case and ground."""
    row = given_out(cast, five[0], five[1])
    events = Event.objects.filter(action="disclosure.released")
    assert {one.target_uid for one in events} == {five[0].uid, five[1].uid}
    for one in events:
        assert one.subject_id == str(five[0].subject_id)
        assert one.reason == "court-order"
        assert one.details["number"] == row.number
        assert "citation" in one.commitments
    assert told_by(MADE, cast.patient) == 1


def test_no_release_without_its_case_nor_by_one_person(cast: Cast, five: list[Study]) -> None:
    """MEDDIM-3.13."""
    row = given_out(cast, five[0])
    release = row.release
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.create(
            disclosure_id=None, released_by=cast.officer, approved_by=cast.administrator,
            key_id=release.key_id,
        )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(approved_by=None)
    row.approved_by = row.opened_by
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# Two people --------------------------------------------------------------------------------------
def test_who_opened_or_signed_it_never_approves_it(cast: Cast, five: list[Study]) -> None:
    """MEDDIM-4.13."""
    row = ready(cast, five[0])
    told(cast, row)
    with pytest.raises(NotYours, match="Somebody else has to approve"):
        approved(cast, row, by=cast.officer)
    for who in (cast.clinician, cast.auditor, cast["officer@imaging.example"]):
        with pytest.raises(NotYours):
            approved(cast, row, by=who)
    with pytest.raises(DisclosureRefused, match="Prove again"):
        approve_case(actor=actor_of(cast.administrator), disclosure=row)
    ask_for_approval(actor=actor_of(cast.officer), disclosure=row)
    approved(cast, row)
    with pytest.raises(DisclosureRefused, match="approved already"):
        approved(cast, row)


def test_only_an_officer_releases_what_is_approved(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    told(cast, row)
    approved(cast, row)
    with pytest.raises(NotYours):
        release_case(actor=actor_of(cast.administrator, fresh=True), disclosure=row)
    with pytest.raises(DisclosureRefused, match="Prove again"):
        release_case(actor=actor_of(cast.officer), disclosure=row)
    assert not Release.objects.exists()


# Emergencies -------------------------------------------------------------------------------------
def emergency(cast: Cast, five: list[Study]) -> object:
    row = opened(cast, "safety", RADIOLOGY)
    signed(cast, row)
    clause(cast, row, "What shows where the patient was shot.")
    item = mapped(cast, row, Named(study_uid=five[0].uid, series_uid=uid_of("s0", "r1")))
    ticked(cast, row, item.number)
    return row


def test_an_emergency_goes_at_once_and_is_reviewed_by_somebody_else(
    cast: Cast, five: list[Study]
) -> None:
    """XENRAD-5.16, MEDDIM-4.14."""
    with time_machine.travel(NOW, tick=False):
        row = emergency(cast, five)
        assert released(cast, row).state == Release.State.READY
        row.refresh_from_db()
        assert row.review_due_at == NOW + timedelta(hours=72)
        assert told_by(EMERGENCY, cast.officer) == told_by(EMERGENCY, cast.administrator) == 1
        assert told_by(MADE, cast.patient) == 1
        assert escalate_reviews() == 0
        with pytest.raises(DisclosureRefused, match="review this emergency"):
            close_case(actor=actor_of(cast.officer), disclosure=row, text="Done.")
    with time_machine.travel(NOW + timedelta(hours=73), tick=False):
        assert escalate_reviews() == 1
        assert escalate_reviews() == 0
        assert told_by(REVIEW_LATE, cast.administrator) == 1
        with pytest.raises(NotYours, match="Somebody else has to review"):
            review_case(
                actor=actor_of(cast.officer, fresh=True), disclosure=row, finding="It was right."
            )
        review_case(
            actor=actor_of(cast.administrator, fresh=True), disclosure=row, finding="It was right."
        )
        row.refresh_from_db()
        assert row.reviewed_at is not None


def test_an_emergency_that_takes_all_there_is_needs_two_people(
    cast: Cast, five: list[Study]
) -> None:
    """LIFEIMAGE-2.5: the whole record needs a second approver in any case."""
    row = opened(cast, "safety", RADIOLOGY)
    signed(cast, row)
    scoped(cast, row, *five)
    with pytest.raises(DisclosureRefused, match="A second person"):
        released(cast, row)
    approved(cast, row)
    release = released(cast, row)
    assert release.approved_by == cast.administrator
    assert not release.is_emergency


# The document ------------------------------------------------------------------------------------
def test_the_person_saves_the_document_unless_it_is_withheld(cast: Cast, five: list[Study]) -> None:
    """LIFEIMAGE-7.4."""
    row = ready(cast, five[0])
    paper, patient = row.papers.get(), actor_of(cast.patient, fresh=True)
    with pytest.raises(NotYours):
        open_own_paper(actor=patient, paper=paper)
    told(cast, row)
    assert open_own_paper(actor=patient, paper=paper).startswith(b"%PDF")
    with pytest.raises(NotYours):
        open_own_paper(actor=actor_of(cast.owner, fresh=True), paper=paper)
    officer = actor_of(cast.officer)
    withhold_document(actor=officer, disclosure=row, reason="It names another patient.")
    with pytest.raises(DisclosureRefused, match="withheld"):
        open_own_paper(actor=patient, paper=paper)
    withhold_document(actor=officer, disclosure=row, reason="")
    assert open_own_paper(actor=patient, paper=paper)


def test_a_copy_of_what_is_held_accounts_for_what_was_given_out(
    cast: Cast, five: list[Study]
) -> None:
    from policies.rules.holdings import holders

    given_out(cast, five[0])
    holder = next(one for one in holders() if one.code == "disclosures")
    whose = Whose(five[0].organisation_id, frozenset({five[0].subject_id}), cast.patient.pk)
    (file,) = holder.files(whose)
    text = b"".join(file.pieces()).decode()
    assert REFERENCE in text
    assert "CT of 1 September 2026, 2 objects" in text
    assert list(holder.files(Whose(five[0].organisation_id, frozenset(), cast.owner.pk))) == []
