"""What was sent by mistake is hidden on every way out at once, and comes back while it may."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notification, Organisation
from accounts.rules import Scope
from audit.models import Event
from audit.selectors import events_for_target
from consent.services.subjects import link_account
from policies.rules.holdings import Whose
from studies.holdings import _files, _holdings
from studies.models import Rejection, Study, Upload
from studies.rules.demo_uids import uid_of
from studies.rules.rejecting import (
    REASONS,
    Why,
    refusal_of_note,
    refusal_to_restore,
    restorable_until,
    restore_days,
)
from studies.services.integrity import check_blobs
from studies.services.rejecting import RejectionRefused, reject_study, restore_study
from studies.services.sweeping import sweep_store
from tests.consent.test_sharing import share
from tests.factories import (
    Cast,
    actor_of,
    signed_in_client,
    small_ct_object,
    take_in,
    text_of,
    token_client,
)
from vault.services.data_keys import destroy_data_keys

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
LIST = "/studies/rejected/"


def sent(cast: Cast, name: str = "wrong", number: int = 2, **attributes: Any) -> Study:
    given = {"PatientID": f"HVH-{name}", **attributes}
    some = range(1, number + 1)
    take_in(
        actor_of(cast.clinician),
        *(small_ct_object(study=name, series=name, number=n, **given) for n in some),
    )
    return Study.objects.select_related("organisation", "subject").get(uid=uid_of("test", name))


def rejected(cast: Cast, study: Study, why: Why = Why.WRONG_PATIENT, note: str = "") -> Study:
    reject_study(actor=actor_of(cast.clinician), study=study, why=why, note=note)
    study.refresh_from_db()
    return study


def ways_out(study: Study) -> list[str]:
    dicom = f"/dicom-web/studies/{study.uid}"
    series = study.series.get()
    instance = series.instances.first()
    assert instance is not None
    one = f"{dicom}/series/{series.uid}/instances/{instance.uid}"
    return [
        f"/studies/{study.uid}/", f"/studies/{study.uid}/download/", f"/studies/{study.uid}/share/",
        f"/studies/{study.uid}/series/{series.uid}/", f"/studies/{study.uid}/reject/",
        f"/retention/studies/{study.uid}/", f"/releases/add/{study.uid}/",
        dicom, f"{dicom}/metadata", f"{dicom}/rendered", f"{dicom}/thumbnail",
        f"{dicom}/series/{series.uid}", f"{dicom}/series/{series.uid}/metadata",
        f"{dicom}/series/{series.uid}/thumbnail", one, f"{one}/metadata", f"{one}/frames/1",
        f"{one}/rendered", f"{one}/thumbnail",
    ]  # fmt: skip


# Rules --------------------------------------------------------------------------------------------
def test_every_reason_has_a_code_of_a_rejection_note_and_none_is_an_expiry() -> None:
    assert set(REASONS) == set(Why)
    assert {reason.code.value for reason in REASONS.values()} == {"113001", "113037", "113038"}
    assert REASONS[Why.QUALITY].code.value == "113001"


def test_what_shows_somebody_else_is_no_record_of_this_patient() -> None:
    for reason in REASONS.values():
        assert not (reason.is_of_somebody_else and reason.stays_record)
    assert REASONS[Why.QUALITY].stays_record
    assert not REASONS[Why.WRONG_PATIENT].stays_record
    assert not REASONS[Why.DUPLICATE].stays_record


def test_a_policy_from_before_there_was_the_key_leaves_thirty_days() -> None:
    assert restore_days({}) == 30
    assert restore_days({"uploads.restore_days": 14}) == 14
    assert restorable_until(date(2026, 11, 1), 30) == date(2026, 12, 1)


def test_the_last_day_is_a_whole_day_everywhere() -> None:
    late = datetime(2026, 12, 2, 11, 59, tzinfo=UTC)
    assert refusal_to_restore(date(2026, 12, 1), late) == ""
    assert "send them again" in refusal_to_restore(date(2026, 12, 1), late + timedelta(minutes=1))


@pytest.mark.parametrize(("why", "note", "does"), [
    (Why.WRONG_PATIENT, "", True), (Why.OTHER, "  ", False), (Why.OTHER, "Two legs", True),
    (Why.QUALITY, "x" * 500, True), (Why.QUALITY, "x" * 501, False),
])  # fmt: skip
def test_a_note_is_needed_where_the_reason_says_nothing(why: Why, note: str, does: bool) -> None:
    assert (refusal_of_note(why, note) == "") is does


# Out of sight -------------------------------------------------------------------------------------
def test_it_is_hidden_on_every_way_out_and_back_on_all_of_them(cast: Cast) -> None:
    study, other = sent(cast), sent(cast, "right", PatientName="Bird^Tom")
    link_account(user=cast.patient, subject=study.subject)
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    people = (cast.clinician, cast.stranger, cast.officer, cast.administrator, cast.patient)
    clients = {one.email: signed_in_client(one) for one in people}
    clients["program"] = token_client(cast.clinician, Scope.READ)
    paths = ways_out(study)
    before = {
        (name, path): client.get(path).status_code
        for name, client in clients.items() for path in paths
    }  # fmt: skip
    seen = [path for path in paths if before[cast.clinician.email, path] == 200]
    assert len(seen) > 12, "these addresses lead nowhere by now"
    assert before[cast.stranger.email, paths[0]] == 200
    rejected(cast, study)
    for name, client in clients.items():
        for path in paths:
            status = client.get(path).status_code
            assert status in {302, 403, 404}, (name, path)
            if before[name, path] == 200:
                assert status == 404, (name, path)
    for name in (cast.clinician.email, cast.stranger.email, "program"):
        for query in ("/dicom-web/studies", "/dicom-web/series", "/dicom-web/instances"):
            found = clients[name].get(query, {"PatientID": "HVH-wrong"})
            assert study.uid not in found.content.decode(), (name, query)
    assert "Adler" not in clients[cast.clinician.email].get("/").content.decode()
    assert "Bird" in clients[cast.clinician.email].get("/").content.decode()
    assert "Adler" not in clients[cast.clinician.email].get("/?name=adl").content.decode()
    assert clients[cast.patient.email].get("/my/").context["people"][0]["studies"] == 0
    restore_study(actor=actor_of(cast.clinician), study=study)
    after = {
        (name, path): client.get(path).status_code
        for name, client in clients.items() for path in paths
    }  # fmt: skip
    assert after == before
    assert clients[cast.patient.email].get("/my/").context["people"][0]["studies"] == 1
    assert Study.objects.get(pk=other.pk).instance_count == 2


def test_the_database_lets_nothing_rejected_be_listed(cast: Cast) -> None:
    study = rejected(cast, sent(cast))
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(instance_count=1)


def test_held_objects_come_back_as_held(cast: Cast) -> None:
    study = sent(cast, number=3)
    held = study.instances.first()
    assert held is not None
    study.instances.filter(pk=held.pk).update(held=True)
    Study.objects.filter(pk=study.pk).update(instance_count=2, held_count=1)
    rejected(cast, study)
    assert (study.instance_count, study.held_count) == (0, 0)
    restore_study(actor=actor_of(cast.clinician), study=study)
    study.refresh_from_db()
    assert (study.instance_count, study.held_count, study.rejected_at) == (2, 1, None)
    assert not Rejection.objects.exists()


def test_nothing_is_added_to_it_and_the_sender_reads_why(cast: Cast) -> None:
    rejected(cast, sent(cast))
    again = small_ct_object(study="wrong", series="wrong", number=9, PatientID="HVH-wrong")
    (result,) = take_in(actor_of(cast.clinician), again)
    assert (result.code, result.failure) == ("rejected", 0xA900)
    assert "can restore it" in result.sentence


def test_sweeps_and_the_reading_of_files_leave_it_whole(cast: Cast) -> None:
    study = rejected(cast, sent(cast))
    assert check_blobs().damaged == 0
    assert sweep_store(older_than=timedelta(0)).keys == 0
    restore_study(actor=actor_of(cast.clinician), study=study)


def test_whoever_it_was_shared_with_is_told_without_words_about_anybody(cast: Cast) -> None:
    study = sent(cast)
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    rejected(cast, study)
    told = Notification.objects.filter(template="study-rejected")
    assert [one.user for one in told] == [cast.stranger]
    page = text_of(signed_in_client(cast.stranger).get("/notifications/"))
    assert "Do not use what you downloaded" in page
    assert "Adler" not in page


# The trail ----------------------------------------------------------------------------------------
def test_each_act_is_one_event_with_its_code_and_without_the_note(cast: Cast) -> None:
    study = rejected(cast, sent(cast), Why.QUALITY, "Ms Adler moved")
    restore_study(actor=actor_of(cast.administrator), study=study)
    (event,) = Event.objects.filter(action="study.rejected")
    assert (event.reason, event.target_uid, event.actor_id) == (
        "poor-quality", study.uid, str(cast.clinician.pk),
    )  # fmt: skip
    assert event.details == {"code": "113001", "instances": 2}
    (back,) = Event.objects.filter(action="study.restored")
    assert (back.reason, back.details) == ("poor-quality", {"code": "113001"})
    assert back.actor_id == str(cast.administrator.pk)
    page = text_of(signed_in_client(cast.clinician).get(f"/studies/{study.uid}/"))
    assert "Study rejected as wrongly sent, and hidden" in page
    assert "Adler moved" not in str(
        [one.details for one in events_for_target(
            kind="study", uid=study.uid, organisation_id=study.organisation_id, limit=50
        ).events]
    )  # fmt: skip


def test_the_note_lies_sealed(cast: Cast) -> None:
    study = rejected(cast, sent(cast), Why.OTHER, "It is of Ms Adler's sister")
    note = bytes(Rejection.objects.get(study=study).sealed_note)
    assert b"Adler" not in note


# Who may ------------------------------------------------------------------------------------------
def test_only_who_sent_all_of_it_and_administrators_may(cast: Cast) -> None:
    study = sent(cast)
    for one in (cast.officer, cast.auditor, cast.stranger, cast.patient):
        with pytest.raises(PermissionDenied):
            reject_study(actor=actor_of(one), study=study, why=Why.DUPLICATE, note="")
    Upload.objects.update(submitted_by_id=cast.officer.pk)
    with pytest.raises(PermissionDenied):
        rejected(cast, study)
    assert signed_in_client(cast.clinician).get(f"/studies/{study.uid}/reject/").status_code == 403
    page = text_of(signed_in_client(cast.clinician).get(f"/studies/{study.uid}/"))
    assert "Reject this upload" not in page
    reject_study(actor=actor_of(cast.administrator), study=study, why=Why.NOT_OURS, note="")
    with pytest.raises(PermissionDenied):
        restore_study(actor=actor_of(cast.clinician), study=study)
    assert signed_in_client(cast.clinician).post(
        f"/studies/{study.uid}/restore/"
    ).status_code == 404  # fmt: skip
    restore_study(actor=actor_of(cast.administrator), study=study)
    assert Event.objects.filter(action="study.rejected").count() == 1


# Refused ------------------------------------------------------------------------------------------
def test_twice_is_refused_with_the_reason(cast: Cast) -> None:
    study = rejected(cast, sent(cast))
    with pytest.raises(RejectionRefused, match="rejected already"):
        rejected(cast, study)
    restore_study(actor=actor_of(cast.clinician), study=study)
    with pytest.raises(RejectionRefused, match="nothing to restore"):
        restore_study(actor=actor_of(cast.clinician), study=study)


def test_what_is_being_disposed_of_is_not_rejected(cast: Cast) -> None:
    study = sent(cast)
    Study.objects.filter(pk=study.pk).update(instance_count=0)
    with pytest.raises(RejectionRefused, match="about to go"):
        rejected(cast, study)


def test_after_its_term_it_does_not_come_back(cast: Cast) -> None:
    study = sent(cast)
    with time_machine.travel("2030-11-01T12:00:00Z", tick=False) as clock:
        rejected(cast, study)
        clock.move_to("2030-12-02T11:59:00Z")
        restore_study(actor=actor_of(cast.clinician), study=study)
        clock.move_to("2030-11-01T12:00:00Z")
        rejected(cast, study)
        clock.move_to("2030-12-02T12:00:00Z")
        with pytest.raises(RejectionRefused, match="until 1 December 2030"):
            restore_study(actor=actor_of(cast.clinician), study=study)


def test_nothing_comes_back_without_its_key_or_into_a_closed_organisation(cast: Cast) -> None:
    study = rejected(cast, sent(cast))
    here = Organisation.objects.filter(pk=study.organisation_id)
    here.update(closed_at=timezone.now())
    with pytest.raises(RejectionRefused, match="closed"):
        restore_study(actor=actor_of(cast.administrator), study=study)
    here.update(closed_at=None)
    destroy_data_keys(ids=[study.key_id])
    with pytest.raises(RejectionRefused, match="key is destroyed"):
        restore_study(actor=actor_of(cast.administrator), study=study)
    page = signed_in_client(cast.administrator).get(LIST)
    assert page.status_code == 200, "a list that cannot be opened while one of it is on its way"


# The person's right of access ---------------------------------------------------------------------
def test_it_is_held_about_the_person_and_handed_out_unless_it_shows_somebody_else(
    cast: Cast,
) -> None:
    study, other = sent(cast, "mine", PatientID="P-1"), sent(cast, "foreign", PatientID="P-1")
    assert study.subject_id == other.subject_id
    whose = Whose(study.organisation_id, frozenset({study.subject_id}))
    rejected(cast, study, Why.QUALITY)
    rejected(cast, other, Why.WRONG_PATIENT)
    lines = {one.what: one for one in _holdings(whose) if "rejected" in one.what}
    assert [one.number for one in lines.values()] == [1, 1]
    assert sorted(bool(one.withheld) for one in lines.values()) == [False, True]
    paths = [one.path for one in _files(whose)]
    assert sum(study.uid in one and one.endswith(".dcm") for one in paths) == 2
    assert not [one for one in paths if other.uid in one]


# The pages ----------------------------------------------------------------------------------------
def test_a_clinician_rejects_and_restores_on_the_pages(cast: Cast) -> None:
    study = sent(cast)
    client = signed_in_client(cast.clinician)
    page = f"/studies/{study.uid}/reject/"
    assert page in client.get(f"/studies/{study.uid}/").content.decode()
    assert "Adler, Paula" in text_of(client.get(page))
    done = client.post(page, {"why": "wrong-patient", "note": "Belongs to her sister"}, follow=True)
    said = text_of(done)
    for words in ("Nobody sees it any more", "show another patient", "Belongs to her sister",
                  "Adler, Paula", "113038", "Then destroyed"):  # fmt: skip
        assert words in said, words
    assert Event.objects.filter(action="study.rejected_listed").count() == 1
    back = client.post(f"/studies/{study.uid}/restore/", follow=True)
    assert back.redirect_chain[-1][0] == f"/studies/{study.uid}/"
    assert "where it was before" in text_of(back)
    assert "Nothing is rejected" in text_of(client.get(LIST))
    assert client.post(f"/studies/{study.uid}/restore/").status_code == 404


@pytest.mark.parametrize(("given", "says"), [
    ({}, "Choose what is wrong with it"),
    ({"why": "expired"}, "expired"),
    ({"why": "other"}, "Say in the note"),
    ({"why": "poor-quality", "note": "x" * 501}, "longer than 500"),
])  # fmt: skip
def test_bad_input_is_said_and_nothing_is_hidden(
    cast: Cast, given: dict[str, str], says: str
) -> None:
    study = sent(cast)
    answer = signed_in_client(cast.clinician).post(f"/studies/{study.uid}/reject/", given)
    assert answer.status_code == 422
    assert says in text_of(answer)
    study.refresh_from_db()
    assert (study.rejected_at, study.instance_count) == (None, 2)


def test_an_administrator_rejects_by_number_and_sees_no_names(cast: Cast) -> None:
    study = sent(cast)
    client = signed_in_client(cast.administrator)
    assert client.get(LIST, {"study": "Adler"}).status_code == 422
    unknown = client.get(LIST, {"study": "1.2.3.4"})
    assert (unknown.status_code, "no such study here" in text_of(unknown)) == (422, True)
    found = client.get(LIST, {"study": f" {study.uid} "})
    assert found.headers["location"] == f"/studies/{study.uid}/reject/"
    page = client.get(found.headers["location"])
    assert study.uid in text_of(page)
    assert "Adler" not in page.content.decode()
    done = client.post(found.headers["location"], {"why": "not-ours"}, follow=True)
    assert "Adler" not in done.content.decode()
    assert study.uid in text_of(done)
    back = client.post(f"/studies/{study.uid}/restore/", follow=True)
    assert back.redirect_chain[-1][0] == LIST


def test_a_list_past_its_term_offers_no_restoring(cast: Cast) -> None:
    study = sent(cast)
    with time_machine.travel("2030-11-01T12:00:00Z", tick=False):
        rejected(cast, study)
    with time_machine.travel("2030-12-03T12:00:00Z", tick=False):
        client = signed_in_client(cast.clinician)
        page = client.get(LIST)
        assert "Time is over" in text_of(page)
        assert "/restore/" not in page.content.decode()
        late = client.post(f"/studies/{study.uid}/restore/", follow=True)
        assert "send them again" in text_of(late)


def test_the_list_costs_the_same_whatever_its_length(cast: Cast) -> None:
    client = signed_in_client(cast.clinician)

    def costs() -> int:
        with (
            CaptureQueriesContext(connections["default"]) as one,
            CaptureQueriesContext(connections["keys"]) as other,
        ):
            assert client.get(LIST).status_code == 200
        return len(one) + len(other)

    rejected(cast, sent(cast, "n0"))
    costs()
    first = costs()
    for number in range(1, 5):
        rejected(cast, sent(cast, f"n{number}"))
    assert costs() == first
