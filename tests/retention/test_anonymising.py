"""Where the policy wants studies made anonymous: a copy stays, and no way leads back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from audit.models import Event
from consent.models import DataSubject
from jobs.models import Job
from jobs.services import RunOutcome
from policies.selectors import effective_pack
from retention.models import Certificate, DisposalRun
from retention.rules.disposal import RunState, Step
from retention.rules.holds import Scope
from retention.selectors.pages import keeping_for_page
from retention.services import anonymising
from retention.services.approving import approve_run, cancel_run
from retention.services.certificates import check_certificate
from retention.services.ledger import entries_of_ledger, replay_ledger
from retention.services.planning import plan_disposal
from retention.services.refusals import RetentionRefused
from studies.gateways.demo_images import as_part10
from studies.gateways.objects import ObjectReader
from studies.models import Blob, Instance, Study
from studies.services.intake import Intake
from studies.services.sweeping import sweep_store
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of
from tests.policies.packs import under
from tests.retention.cases import (
    LONG_AGO,
    carried_out,
    held,
    hospital,
    planned,
    take_in_old,
)
from tests.studies.deidentification.ultrasound import grey, ultrasound
from vault.models import DataKey
from vault.rules.errors import KeyDestroyed, StorageUnreachable
from vault.services.blobs import is_stored
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def anonymise(cast: Cast) -> None:
    """The hospital's policy wants studies made anonymous when their time is over."""
    lines = dict(effective_pack(hospital(cast).pk)["retention"])
    for category in ("identity", "medical", "images", "reports"):
        lines[category] = lines[category] | {"action": "anonymise"}
    under(cast, "image-exchange", retention=lines)


def approved(cast: Cast, *, goes: bool = False) -> DisposalRun:
    run = planned(cast)
    approve_run(actor=actor_of(cast.officer, fresh=True), run=run, destroys_doubtful=goes)
    return approve_run(actor=actor_of(cast.administrator, fresh=True), run=run)


def copies() -> list[Study]:
    return list(Study.objects.filter(is_anonymous=True).order_by("uid"))


def bytes_of(study: Study) -> list[bytes]:
    rows = list(Instance.objects.filter(study=study).select_related("blob").order_by("number"))
    with ObjectReader(rows) as reader:
        return [reader.read(row) for row in rows]


def is_whole(study: Study) -> bool:
    now = Study.objects.get(pk=study.pk)
    return now.instance_count == 2 and bool(open_data_key(id=study.key_id))


# What stays ---------------------------------------------------------------------------------------
def test_a_copy_stays_that_tells_of_nobody_and_the_original_goes(cast: Cast) -> None:
    one, two = take_in_old(cast, "one", PatientID="P-1"), take_in_old(cast, "two", PatientID="P-1")
    other = take_in_old(cast, "other", PatientID="P-2")
    run = approved(cast)
    assert (run.due, run.anonymised) == (3, 3)
    assert carried_out(run) is RunOutcome.DONE
    assert run.state == RunState.DONE
    assert set(run.items.values_list("step", flat=True)) == {Step.GONE}
    for study in (one, two, other):
        assert not Study.objects.filter(pk=study.pk).exists()
        with pytest.raises(KeyDestroyed):
            open_data_key(id=study.key_id)
    made = copies()
    assert [study.instance_count for study in made] == [2, 2, 2]
    # Two of one person stay two of one, without saying of whom.
    assert sorted(sum(study.subject_id == one.subject_id for one in made) for study in made) == [
        1,
        2,
        2,
    ]
    assert not {study.uid for study in made} & {one.uid, two.uid, other.uid}
    for study in made:
        for content in bytes_of(study):
            assert b"Adler" not in content
            assert b"P-1" not in content
            assert one.uid.encode() not in content
        assert keeping_for_page(study).startswith("Kept without an end")


def test_no_way_leads_back_once_a_run_has_ended(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    with transaction.atomic():
        anonymising.give_key(run)
    wrapped = DataKey.objects.get(pk=run.link_key_id)
    carried_out(run)
    assert run.link_key_id is not None
    with pytest.raises(KeyDestroyed):
        open_data_key(id=run.link_key_id)
    (copy,) = copies()
    about_original = Event.objects.filter(target_uid=study.uid).values_list("details", flat=True)
    said = [str(one) for one in about_original] + [str(run.items.values().get())]
    assert not any(copy.uid in one or str(copy.key_id) in one for one in said)
    event = Event.objects.get(action="study.anonymised")
    assert (event.target_uid, event.details["objects"], event.details["left_out"]) == (
        study.uid, 2, 0,
    )  # fmt: skip
    # A backup of keys from before brings the way back with it: the ledger ends it again.
    wrapped.save()
    assert open_data_key(id=run.link_key_id)
    replay_ledger(entries_of_ledger())
    with pytest.raises(KeyDestroyed):
        open_data_key(id=run.link_key_id)
    assert copies() == [copy]


def test_the_certificate_says_what_stays_without_a_person(cast: Cast) -> None:
    take_in_old(cast)
    carried_out(approved(cast))
    checked = check_certificate(Certificate.objects.get())
    assert (checked.is_signed, checked.agrees) == (True, True)
    assert ("made anonymous before", "1, of which 2 objects stay") in checked.facts
    assert ("way back from what stays", "none, its key is destroyed") in checked.facts


def test_what_is_anonymous_is_never_due(cast: Cast) -> None:
    take_in_old(cast)
    carried_out(approved(cast))
    run = plan_disposal(organisation=hospital(cast))
    assert run is not None
    assert (run.studies, run.due, run.state) == (1, 0, RunState.NOTHING_DUE)
    assert run.forecast == {"open": 1}


def test_a_clinician_finds_it_and_reads_that_it_was_made_anonymous(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    take_in_old(cast)
    carried_out(approved(cast))
    (copy,) = copies()
    clinician = client_of(cast.clinician)
    listed = text_of(clinician.get("/"))
    assert "No name given made anonymous" in listed
    page = text_of(clinician.get(f"/studies/{copy.uid}/"))
    assert "It tells of nobody, and nobody can lead it back." in page
    assert "made anonymous when its time was over" in page


def test_the_policy_may_say_how_long_what_is_anonymous_is_kept(cast: Cast) -> None:
    take_in_old(cast)
    carried_out(approved(cast))
    lines = dict(effective_pack(hospital(cast).pk)["retention"])
    lines["deidentified"] = {"trigger": "created", "keep": "5 years", "action": "delete"}
    under(cast, "image-exchange", retention=lines)
    until = timezone.now().date().replace(year=timezone.now().year + 5)
    assert keeping_for_page(copies()[0]).startswith(f"Kept until {until.isoformat()}")


# What cannot be made anonymous --------------------------------------------------------------------
def with_one_in_doubt(cast: Cast) -> Study:
    """Two slices that can be made anonymous, and a photograph of somebody's face."""
    study = take_in_old(cast)
    take_in(actor_of(cast.clinician), small_ct_object(
        study="old", series="scan", number=9, StudyDate=LONG_AGO, PatientID="HVH-old",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", MIMETypeOfEncapsulatedDocument="text/xml",
        EncapsulatedDocument=b"<a/>",
    ))  # fmt: skip
    study.refresh_from_db()
    return study


def test_a_study_that_cannot_be_made_anonymous_as_a_whole_stays(cast: Cast) -> None:
    study = with_one_in_doubt(cast)
    run = approved(cast)
    assert carried_out(run) is RunOutcome.DONE
    item = run.items.get()
    assert (item.step, item.kept_for, item.copied) == (Step.KEPT, "in-doubt", 2)
    assert item.doubts
    assert Study.objects.get(pk=study.pk).instance_count == 3
    assert open_data_key(id=study.key_id)
    assert copies() == []
    assert DataSubject.objects.count() == 1
    assert not Certificate.objects.exists()


def test_where_two_said_so_it_goes_and_the_rest_of_it_stays(cast: Cast) -> None:
    study = with_one_in_doubt(cast)
    run = approved(cast, goes=True)
    carried_out(run)
    assert run.items.get().step == Step.GONE
    assert not Study.objects.filter(pk=study.pk).exists()
    assert [one.instance_count for one in copies()] == [2]
    checked = check_certificate(Certificate.objects.get())
    assert ("could not be made anonymous", "1 of their objects") in checked.facts


def test_the_second_approves_what_the_first_said(cast: Cast) -> None:
    take_in_old(cast)
    run = planned(cast)
    approve_run(actor=actor_of(cast.officer, fresh=True), run=run, destroys_doubtful=True)
    with pytest.raises(RetentionRefused, match="something else"):
        approve_run(
            actor=actor_of(cast.administrator, fresh=True), run=run, destroys_doubtful=False
        )
    assert approve_run(actor=actor_of(cast.administrator, fresh=True), run=run).destroys_doubtful


def test_text_that_was_blacked_is_held_until_somebody_has_looked(cast: Cast) -> None:
    picture = ultrasound(grey(), "MONOCHROME2", StudyDate=LONG_AGO, PatientName="Adler^Paula")
    take_in(actor_of(cast.clinician), as_part10(picture))
    carried_out(approved(cast))
    (copy,) = copies()
    assert (copy.instance_count, copy.held_count) == (0, 1)
    assert Instance.objects.get(study=copy).reasons == ["pixels-blacked"]


# Interrupted --------------------------------------------------------------------------------------
@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_is_interrupted_goes_on_and_nothing_is_made_twice(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    studies = [take_in_old(cast, name) for name in ("one", "two", "three")]
    run = approved(cast)
    commits = 0

    def commit(intake: Intake) -> Any:
        nonlocal commits
        commits += 1
        if commits == at:
            raise StorageUnreachable("out of reach")
        return real(intake)

    real = Intake.commit
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "commit", commit)
        assert carried_out(run) is RunOutcome.RETRY
    assert sorted(run.items.values_list("step", flat=True)) == [Step.GONE, Step.GONE, Step.PLANNED]
    Job.objects.update(not_before=timezone.now())
    assert carried_out(run) is RunOutcome.DONE
    assert [study.instance_count for study in copies()] == [2, 2, 2]
    assert not Study.objects.filter(pk__in=[one.pk for one in studies]).exists()


def test_a_kill_between_two_batches_leaves_no_half_copy_behind(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in_old(cast)
    monkeypatch.setattr(anonymising, "TOGETHER", 1)
    run = approved(cast)
    commits = 0

    def commit(intake: Intake) -> Any:
        nonlocal commits
        commits += 1
        if commits == 2:
            raise KeyboardInterrupt
        return real(intake)

    real = Intake.commit
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "commit", commit)
        with pytest.raises(KeyboardInterrupt):
            carried_out(run)
    assert [study.instance_count for study in copies()] == [1]
    Job.objects.update(lease_until=timezone.now())
    assert carried_out(run) is RunOutcome.DONE
    assert [study.instance_count for study in copies()] == [2]
    assert run.items.get().step == Step.GONE


def test_what_is_cancelled_in_the_middle_leaves_originals_and_no_copies(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    one, two = take_in_old(cast, "one"), take_in_old(cast, "two")
    run = approved(cast)
    commits = 0

    def commit(intake: Intake) -> Any:
        nonlocal commits
        commits += 1
        found = real(intake)
        if commits == 2:
            raise KeyboardInterrupt
        return found

    real = Intake.commit
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "commit", commit)
        with pytest.raises(KeyboardInterrupt):
            carried_out(run)
    names = list(Blob.objects.filter(study__is_anonymous=True).values_list("name", flat=True))
    assert names
    run.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        cancel_run(actor=actor_of(cast.officer), run=run)
    Job.objects.update(lease_until=timezone.now(), not_before=timezone.now())
    assert carried_out(run) is RunOutcome.DONE
    assert copies() == []
    assert is_whole(one)
    assert is_whole(two)
    assert not any(is_stored(name=name) for name in names)


def test_a_hold_placed_after_the_copy_keeps_the_original_and_ends_the_copy(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = take_in_old(cast)
    run = approved(cast)

    def settle(copier: anonymising.Copier, *args: Any) -> None:
        real(copier, *args)
        held(cast, Scope.STUDY, study_uid=study.uid)

    real = anonymising.Copier._settle
    monkeypatch.setattr(anonymising.Copier, "_settle", settle)
    assert carried_out(run) is RunOutcome.DONE
    assert run.items.get().kept_for == "held"
    assert is_whole(study)
    assert copies() == []


def test_what_is_held_is_not_even_copied(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    held(cast, Scope.STUDY, study_uid=study.uid)
    monkeypatch.setattr(anonymising.Copier, "copy", lambda *_: pytest.fail("copied"))
    assert carried_out(run) is RunOutcome.DONE
    assert is_whole(study)


def test_an_original_stays_while_its_copy_is_not_whole(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = take_in_old(cast)
    run = approved(cast)

    def settle(copier: anonymising.Copier, *args: Any) -> None:
        real(copier, *args)
        Instance.objects.filter(study__is_anonymous=True).first().delete()  # type: ignore[union-attr]

    real = anonymising.Copier._settle
    monkeypatch.setattr(anonymising.Copier, "_settle", settle)
    carried_out(run)
    assert run.items.get().kept_for == "no-copy"
    assert is_whole(study)
    assert copies() == []


def test_the_sweep_leaves_the_key_of_a_run_under_way(cast: Cast) -> None:
    take_in_old(cast)
    run = approved(cast)
    anonymising.give_key(run)
    sweep_store(older_than=-timedelta(hours=1))
    assert run.link_key_id is not None
    assert open_data_key(id=run.link_key_id)


# Pages --------------------------------------------------------------------------------------------
def test_whoever_approves_says_what_becomes_of_doubtful_studies(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    take_in_old(cast)
    run = planned(cast)
    officer = client_of(cast.officer)
    page = officer.get(f"/retention/runs/{run.number}/approve/")
    assert b"made anonymous first" in page.content
    refused = officer.post(f"/retention/runs/{run.number}/approve/", {})
    assert refused.status_code == 409
    assert (
        officer.post(f"/retention/runs/{run.number}/approve/", {"doubtful": "go"}).status_code
        == 302
    )
    run.refresh_from_db()
    assert run.destroys_doubtful
    page = client_of(cast.administrator).get(f"/retention/runs/{run.number}/approve/")
    assert b"<strong>goes</strong>" in page.content
