"""What law alone still asks for lies in the archive: hidden, shut, and gone on its end date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification
from accounts.rules import Scope
from audit.models import Event
from jobs.services import create_job, run_job
from policies.selectors import effective_pack
from retention.models import ArchivedStudy, ClockMark, DisposedStudy
from retention.rules.archive import Why, belongs_in_archive
from retention.rules.disposal import Kept, Step
from retention.rules.holds import Scope as HoldScope
from retention.rules.keeping import Claim, Keeping
from retention.selectors.keeping import keeping_of_studies, terms_of
from retention.services.approving import cancel_run
from retention.services.archiving import (
    archive_by_schedule,
    archive_studies,
    keys_left_outside,
    shut_what_is_open,
)
from retention.services.erasing import plan_erasure
from retention.services.ledger import entries_of_ledger
from retention.tasks import ARCHIVE
from studies.models import Blob, Study
from studies.selectors import study_named, study_summaries
from studies.services.integrity import check_blobs
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
from tests.policies.packs import under
from tests.retention.archives import Committed, archived, young
from tests.retention.cases import approved, carried_out, held, hospital, planned, take_in_old
from vault.rules.archive import archive_opened
from vault.rules.errors import KeyArchived
from vault.selectors import tombstones_of
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
TODAY = date(2026, 11, 26)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


# Which belong there -------------------------------------------------------------------------------
def kept(own: date, law: date | None, action: str = "archive", **more: Any) -> Keeping:
    claims = [Claim(own, "the policy", "privacy policy")]
    if law is not None:
        claims.append(Claim(law, "the law", "a paragraph", "a.duty"))
    found = sorted(claims, key=lambda one: one.until, reverse=True)
    return Keeping(found[0].until, tuple(found), action, **more)


@pytest.mark.parametrize(
    ("keeping", "goes"),
    [
        (kept(date(2025, 1, 1), date(2030, 1, 1)), True),
        (kept(date(2026, 11, 25), date(2026, 11, 26)), True),
        (kept(date(2026, 11, 26), date(2030, 1, 1)), False),
        (kept(date(2025, 1, 1), date(2026, 11, 25)), False),
        (kept(date(2025, 1, 1), None), False),
        (kept(date(2025, 1, 1), date(2030, 1, 1), "review"), False),
        (kept(date(2025, 1, 1), date(2030, 1, 1), contradiction="it cannot be"), False),
        (None, False),
    ],
)  # fmt: skip
def test_what_the_policy_lets_go_and_law_does_not_belongs_there(
    keeping: Keeping | None, goes: bool
) -> None:
    assert belongs_in_archive(keeping, TODAY) is goes


# Out of sight -------------------------------------------------------------------------------------
def addresses(study: Study) -> list[str]:
    dicom = f"/dicom-web/studies/{study.uid}"
    series = study.series.get()
    instance = series.instances.first()
    assert instance is not None
    one = f"{dicom}/series/{series.uid}/instances/{instance.uid}"
    return [
        f"/studies/{study.uid}/", f"/studies/{study.uid}/download/", dicom, f"{dicom}/metadata",
        f"{dicom}/series", one, f"{one}/frames/1", f"{one}/rendered",
        f"/retention/studies/{study.uid}/",
    ]  # fmt: skip


def test_nobody_sees_an_archived_study_any_more(cast: Cast, committed: Committed) -> None:
    """LIFEIMAGE-12.8, LIFEIMAGE-12.12."""
    study = young(cast)
    share(study, actor_of(cast.clinician, fresh=True), cast.people)
    people = (cast.clinician, cast.officer, cast.administrator, cast.stranger)
    clients = [signed_in_client(one) for one in people]
    clients.append(token_client(cast.clinician, Scope.READ))
    paths = addresses(study)
    assert clients[0].get(paths[0]).status_code == clients[3].get(paths[0]).status_code == 200
    archived(cast, study, committed)
    for client in clients:
        for path in paths:
            answer = client.get(path)
            assert answer.status_code in {302, 403, 404} or answer.content == b"[]", path
    # Whoever could see images finds nothing; roles that never see any are refused as before.
    for client in (clients[0], clients[3]):
        for path in paths:
            assert client.get(path).status_code == 404 or path.endswith("/series"), path
        assert study.uid not in client.get("/").content.decode()
        listed = client.get("/dicom-web/studies", {"PatientID": "HVH-young"})
        assert listed.status_code in {200, 204}
        assert study.uid not in listed.content.decode()
        assert "Adler" not in client.get("/?name=adl").content.decode()


def test_its_keys_lie_in_the_archive(cast: Cast, committed: Committed) -> None:
    """LIFEIMAGE-12.9: with a key of its own."""
    study = archived(cast, young(cast), committed)
    blob = Blob.objects.filter(study=study).first()
    assert blob is not None
    for key_id in {study.key_id, blob.key_id}:
        with pytest.raises(KeyArchived):
            open_data_key(id=key_id)
    with pytest.raises(KeyArchived):
        study_summaries([study])
    with archive_opened([study.key_id]):
        assert b"Small CT" in study_summaries([study])[0]
    assert list(keys_left_outside()) == []


def test_a_process_that_dies_before_the_key_moved_leaves_work_for_the_night(
    cast: Cast, committed: Committed
) -> None:
    study = young(cast)
    # The commit never comes to the keys.
    archive_studies(
        actor=actor_of(cast.officer), organisation_id=study.organisation_id,
        study_ids=[study.pk], why=Why.ACCOUNT,
    )  # fmt: skip
    study.refresh_from_db()
    assert study_named(actor_of(cast.clinician), study.uid) is None
    assert open_data_key(id=study.key_id)
    assert [one for one, _ in keys_left_outside()] == [study.organisation_id]
    assert shut_what_is_open() == 1
    with pytest.raises(KeyArchived):
        open_data_key(id=study.key_id)
    assert shut_what_is_open() == 0


def test_the_database_lets_no_archived_study_be_listed(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(instance_count=1)


def test_archiving_again_changes_nothing(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    again = archive_studies(
        actor=actor_of(cast.officer), organisation_id=study.organisation_id,
        study_ids=[study.pk], why=Why.ACCOUNT,
    )  # fmt: skip
    assert again == 0
    (entry,) = ArchivedStudy.objects.all()
    assert (entry.name, entry.objects_count) == ("A-1", 2)
    (event,) = Event.objects.filter(action="study.archived")
    assert event.details == {"objects": 2}


def test_nothing_is_added_to_an_archived_study(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    actor = actor_of(cast.clinician)
    given = {"study": "young", "series": "young", "PatientID": "HVH-young"}
    results = take_in(actor, *(small_ct_object(number=n, **given) for n in (1, 7)))
    assert [one.code for one in results] == ["archived", "archived"]
    study.refresh_from_db()
    assert study.instances.count() == 2
    # Another examination of the same person is one of its own.
    (other,) = take_in(actor, small_ct_object(study="other", PatientID="HVH-young"))
    assert other.code == ""


def test_the_sweep_and_the_reading_of_files_leave_it_whole(
    cast: Cast, committed: Committed
) -> None:
    study = archived(cast, young(cast), committed)
    assert check_blobs().damaged == 0
    assert sweep_store(older_than=timedelta(0)).keys == 0
    with archive_opened([study.key_id]):
        assert study_summaries([study])
    assert keeping_of_studies([study], terms_of(study.organisation))


# Its end ------------------------------------------------------------------------------------------
def test_its_end_is_that_of_the_law_and_is_said(cast: Cast, committed: Committed) -> None:
    study = young(cast)
    before = keeping_of_studies([study], terms_of(study.organisation))[study.pk]
    archived(cast, study, committed)
    found = keeping_of_studies([study], terms_of(study.organisation))[study.pk]
    assert before.floor is not None
    assert (found.until, found.longest.code) == (before.floor.until, before.floor.code)
    assert found.words.startswith("Kept until 2032-09-01: ")
    assert found.policy is None


def test_on_its_end_date_it_goes_as_any_other(cast: Cast, committed: Committed) -> None:
    """LIFEIMAGE-12.9: purge on that date removes them."""
    study = archived(cast, young(cast), committed)
    entry = ArchivedStudy.objects.get()
    assert planned(cast).due == 0
    with time_machine.travel(datetime(2032, 9, 3, 12, tzinfo=UTC), tick=True):
        ClockMark.objects.all().delete()
        run = approved(cast)
        assert (run.due, run.objects_due) == (1, 2)
        carried_out(run)
    assert run.items.get().step == Step.GONE
    assert not Study.objects.filter(pk=study.pk).exists()
    assert not ArchivedStudy.objects.exists()
    keys = {study.key_id, entry.key_id}
    assert set(tombstones_of(keys)) == keys
    # A restore finds by the ledger what it would bring back, the key of the dates too.
    (line,) = entries_of_ledger()
    assert line.study_key_id == study.key_id
    assert keys <= set(line.key_ids)
    assert DisposedStudy.objects.count() == 1


def test_a_hold_keeps_it_beyond_its_end(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    held(cast, HoldScope.SUBJECT, subject_id=study.subject_id)
    with time_machine.travel(datetime(2032, 9, 3, 12, tzinfo=UTC), tick=True):
        ClockMark.objects.all().delete()
        run = planned(cast)
        assert (run.due, run.kept) == (0, 1)
    assert run.items.get().kept_for == Kept.HELD


def test_a_cancelled_disposal_does_not_bring_it_back_into_the_lists(
    cast: Cast, committed: Committed
) -> None:
    study = archived(cast, young(cast), committed)
    with time_machine.travel(datetime(2032, 9, 3, 12, tzinfo=UTC), tick=True):
        ClockMark.objects.all().delete()
        run = approved(cast)
        cancel_run(actor=actor_of(cast.officer, fresh=True), run=run)
    study.refresh_from_db()
    assert (study.instance_count, study.archived_at is None) == (0, False)
    assert run.items.get().kept_for == Kept.CANCELLED


def test_a_later_examination_keeps_what_lies_there_for_longer(
    cast: Cast, committed: Committed
) -> None:
    study = archived(cast, young(cast, PatientID="P-1"), committed)
    take_in(actor_of(cast.clinician), small_ct_object(
        study="later", PatientID="P-1", StudyDate="20261101",
    ))  # fmt: skip
    found = keeping_of_studies([study], terms_of(study.organisation))[study.pk]
    assert found.until == date(2032, 11, 1)


def test_erasure_takes_it_only_when_law_lets_go(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    run = plan_erasure(
        actor=actor_of(cast.officer), organisation=hospital(cast), request_id=uuid4(),
        subject_ids=[study.subject_id], beside=[],
    )  # fmt: skip
    assert (run.due, run.items.get().kept_for) == (0, Kept.LAW)


# By the schedule ----------------------------------------------------------------------------------
def archiving(cast: Cast, years: int) -> None:
    """A policy that keeps studies for so long, and archives them then."""
    line = {"trigger": "examination", "keep": f"{years} years", "action": "archive"}
    before = dict(effective_pack(hospital(cast).pk)["retention"])
    lines = dict.fromkeys(("identity", "medical", "images", "reports"), line)
    under(cast, "image-exchange", retention={**before, **lines})


def test_the_nightly_job_archives_what_the_policy_does_not_keep(
    cast: Cast, committed: Committed
) -> None:
    archiving(cast, 1)
    study = young(cast, "past", StudyDate="20240301")
    recent = young(cast, "recent")
    gone = take_in_old(cast)
    with committed(execute=True):
        run_job(job_id=create_job(kind=ARCHIVE, natural_key="tonight", payload={}).pk)
    assert [one.study_id for one in ArchivedStudy.objects.all()] == [study.pk]
    assert ArchivedStudy.objects.get().why == Why.SCHEDULE
    with pytest.raises(KeyArchived):
        open_data_key(id=study.key_id)
    assert study_named(actor_of(cast.clinician), recent.uid) is not None
    told = Notification.objects.filter(template="studies-archived")
    assert {one.user for one in told} == {cast.officer, cast.administrator}
    # What law lets go of as well is destroyed, not archived.
    run = planned(cast)
    assert [one.study_uid for one in run.items.all()] == [gone.uid]
    assert run.due == 1


def test_what_is_held_waits_where_it_is(cast: Cast) -> None:
    archiving(cast, 1)
    study = young(cast, "past", StudyDate="20240301")
    held(cast, HoldScope.STUDY, study_uid=study.uid)
    assert archive_by_schedule(organisation=hospital(cast)) == 0


def test_another_policy_archives_nothing(cast: Cast) -> None:
    young(cast, "past", StudyDate="20240301")
    assert archive_by_schedule(organisation=hospital(cast)) == 0


# The page -----------------------------------------------------------------------------------------
def test_the_page_says_number_end_and_reason_and_nobody(cast: Cast, committed: Committed) -> None:
    study = archived(cast, young(cast), committed)
    page = signed_in_client(cast.officer).get("/retention/archive/")
    words = text_of(page)
    assert "A-1 CT, 2 objects" in words
    assert "Its person's account was closed" in words.replace("&#x27;", "'")
    assert "Kept until 2032-09-01" in words
    for private in ("Adler", "HVH-young", study.uid):
        assert private not in page.content.decode()
    assert Event.objects.filter(action="archive.viewed").count() == 1
    other = signed_in_client(cast["officer@imaging.example"]).get("/retention/archive/")
    assert "Nothing lies in the archive" in text_of(other)


def test_the_page_takes_as_many_queries_for_many(
    cast: Cast, committed: Committed, django_assert_num_queries: Any
) -> None:
    client = signed_in_client(cast.officer)
    archived(cast, young(cast, "n1"), committed)

    def queries() -> int:
        with CaptureQueriesContext(connections["default"]) as seen:
            assert client.get("/retention/archive/").status_code == 200
        return len(seen)

    queries()
    one = queries()
    for number in range(2, 6):
        archived(cast, young(cast, f"n{number}"), committed)
    assert queries() == one
