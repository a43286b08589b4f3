"""What was rejected falls due when it can be restored no more; holds, law and people count on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from audit.models import Event
from consent.services.subjects import link_account
from policies.selectors import effective_pack
from retention.models import ArchivedStudy, Certificate, ClockMark
from retention.rules.archive import Why as Archived
from retention.rules.disposal import Fate, Kept, RunState, Step
from retention.rules.duties import DUTIES
from retention.rules.facts import Facts, Rejected
from retention.rules.holds import Scope
from retention.rules.keeping import keeping_of_rejected
from retention.selectors.holds import facts_of_hold, studies_covered
from retention.services.approving import cancel_run
from retention.services.archiving import archive_by_schedule
from retention.services.certificates import check_certificate
from retention.services.erasing import plan_erasure
from retention.services.leaving import images_of
from studies.models import Rejection, Study
from studies.rules.rejecting import Why
from studies.selectors import study_named
from studies.services.rejecting import RejectionRefused, reject_study, restore_study
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.policies.packs import under
from tests.retention.archives import Committed, young
from tests.retention.cases import approved, carried_out, held, hospital, planned, take_in_old
from vault.rules.errors import KeyArchived, KeyDestroyed
from vault.services.blobs import is_stored
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
AT = datetime(2030, 3, 1, 12, tzinfo=UTC)
# The policy's 30 days end on 31 March; on 1 April that day is over everywhere at noon.
OVER = datetime(2030, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


def rejected(cast: Cast, why: Why = Why.WRONG_PATIENT, study: Study | None = None) -> Study:
    found = study or young(cast)
    with time_machine.travel(AT, tick=False):
        reject_study(actor=actor_of(cast.clinician), study=found, why=why, note="")
    found.refresh_from_db()
    return found


@pytest.fixture
def over() -> Iterator[None]:
    """A moment after the term; the clock has ticked until then."""
    ClockMark.objects.all().delete()
    with time_machine.travel(OVER, tick=True):
        yield


# How long -----------------------------------------------------------------------------------------
def test_law_counts_for_a_record_of_the_patient_and_for_nothing_else() -> None:
    duty = DUTIES["ny.hospital"]
    facts = Facts(date(2026, 10, 1), date(2026, 9, 1), date(1972, 3, 14))
    for stays, until in ((True, date(2032, 9, 1)), (False, date(2030, 3, 31))):
        mine = Facts(
            facts.received_on, facts.examined_on, facts.born_on,
            rejected=Rejected(AT.date(), stays_record=stays),
        )  # fmt: skip
        found = keeping_of_rejected(mine, duties=[duty], days=30)
        assert found.until == until
        assert (found.floor is not None) is stays
        assert found.policy is not None
        assert found.policy.until == date(2030, 3, 31)
        assert not found.is_due(until)
        assert found.is_due(until + timedelta(days=1))


def test_what_contradicts_itself_ends_all_the_same() -> None:
    """Nobody comes to settle it any more: it is hidden."""
    facts = Facts(
        date(2026, 10, 1), date(2026, 9, 1), date(2026, 9, 20), is_settled=False,
        rejected=Rejected(AT.date(), stays_record=False),
    )  # fmt: skip
    assert keeping_of_rejected(facts, duties=[], days=30).is_due(date(2030, 4, 1))


# Gone ---------------------------------------------------------------------------------------------
def test_it_is_purged_with_a_certificate_when_two_people_have_approved(cast: Cast) -> None:
    study = rejected(cast)
    names = list(study.blobs.values_list("name", flat=True))
    with time_machine.travel(OVER - timedelta(minutes=1), tick=False):
        ClockMark.objects.all().delete()
        assert planned(cast).due == 0
    with time_machine.travel(OVER, tick=True):
        run = approved(cast)
        item = run.items.get()
        assert (item.study_uid, item.fate, item.duty) == (study.uid, Fate.DELETE, "")
        assert (run.due, run.objects_due) == (1, 2)
        assert open_data_key(id=study.key_id)
        carried_out(run)
        assert run.state == RunState.DONE
    with pytest.raises(KeyDestroyed):
        open_data_key(id=study.key_id)
    assert not any(is_stored(name=name) for name in names)
    assert not Study.objects.filter(pk=study.pk).exists()
    assert not Rejection.objects.exists()
    certificate = Certificate.objects.get()
    assert "\nstudies: 1\n" in certificate.note
    assert check_certificate(certificate).agrees
    assert Event.objects.filter(action="study.disposed", target_uid=study.uid).count() == 1
    # It can be sent anew, then.
    (again,) = take_in(actor_of(cast.clinician), small_ct_object(study="young", series="young"))
    assert again.status == "stored"


def test_the_term_is_the_policys(cast: Cast) -> None:
    under(cast, "image-exchange", **{"uploads.restore_days": 60})
    rejected(cast)
    ClockMark.objects.all().delete()
    with time_machine.travel(OVER, tick=True):
        assert planned(cast).due == 0
    ClockMark.objects.all().delete()
    with time_machine.travel(OVER + timedelta(days=30), tick=True):
        assert planned(cast).due == 1


def test_an_old_study_that_was_rejected_waits_for_its_term_too(cast: Cast) -> None:
    """It would be due by its schedule: whoever rejected it can still restore it."""
    rejected(cast, study=take_in_old(cast))
    ClockMark.objects.all().delete()
    with time_machine.travel(AT + timedelta(days=3), tick=True):
        assert planned(cast).due == 0


@pytest.mark.parametrize("why", [Why.WRONG_PATIENT, Why.QUALITY])
def test_a_hold_keeps_it(cast: Cast, why: Why, over: None) -> None:
    study = rejected(cast, why, take_in_old(cast))
    hold = held(cast, Scope.STUDY, study_uid=study.uid)
    run = planned(cast)
    assert (run.due, run.kept, run.items.get().kept_for) == (0, 1, Kept.HELD)
    covered = studies_covered(study.organisation_id, facts_of_hold(hold))
    assert [one.uid for one in covered] == [study.uid]


def test_a_hold_placed_after_the_approvals_keeps_it_hidden(cast: Cast, over: None) -> None:
    study = rejected(cast)
    run = approved(cast)
    held(cast, Scope.SUBJECT, subject_id=study.subject_id)
    carried_out(run)
    assert (run.items.get().step, run.items.get().kept_for) == (Step.KEPT, Kept.HELD)
    assert open_data_key(id=study.key_id)
    assert study_named(actor_of(cast.clinician), study.uid) is None
    study.refresh_from_db()
    assert (study.instance_count, study.rejected_at) == (0, AT)


def test_a_cancelled_disposal_leaves_it_hidden(cast: Cast, over: None) -> None:
    study = rejected(cast)
    cancel_run(actor=actor_of(cast.officer, fresh=True), run=approved(cast))
    study.refresh_from_db()
    assert (study.instance_count, study.rejected_at) == (0, AT)


def test_what_is_restored_is_kept_by_its_own_schedule_again(cast: Cast) -> None:
    study = rejected(cast)
    with time_machine.travel(AT + timedelta(days=1), tick=False):
        restore_study(actor=actor_of(cast.clinician), study=study)
    ClockMark.objects.all().delete()
    with time_machine.travel(OVER, tick=True):
        assert planned(cast).due == 0


def test_a_plan_from_before_it_was_rejected_does_not_take_it(cast: Cast) -> None:
    study = take_in_old(cast)
    run = approved(cast)
    reject_study(actor=actor_of(cast.clinician), study=study, why=Why.DUPLICATE, note="")
    carried_out(run)
    assert run.items.get().kept_for == Kept.NOT_DUE
    study.refresh_from_db()
    assert study.rejected_at is not None
    restore_study(actor=actor_of(cast.clinician), study=study)


# What law keeps -----------------------------------------------------------------------------------
def test_what_law_keeps_goes_to_the_archive_and_ends_by_law(
    cast: Cast, committed: Committed
) -> None:
    study, other = rejected(cast, Why.QUALITY), rejected(cast, study=young(cast, "foreign"))
    ClockMark.objects.all().delete()
    with time_machine.travel(OVER - timedelta(minutes=1), tick=False):
        assert archive_by_schedule(organisation=hospital(cast)) == 0
    with time_machine.travel(OVER, tick=True), committed(execute=True):
        assert archive_by_schedule(organisation=hospital(cast)) == 1
        assert archive_by_schedule(organisation=hospital(cast)) == 0
        assert [one.study_uid for one in planned(cast).items.all()] == [other.uid]
    entry = ArchivedStudy.objects.get()
    assert (entry.study_id, entry.why) == (study.pk, Archived.REJECTED)
    with pytest.raises(KeyArchived):
        open_data_key(id=study.key_id)
    with pytest.raises(RejectionRefused, match="legal archive"):
        restore_study(actor=actor_of(cast.administrator), study=study)
    with time_machine.travel(datetime(2032, 9, 3, 12, tzinfo=UTC), tick=True):
        ClockMark.objects.all().delete()
        run = approved(cast)
        carried_out(run)
    assert not Study.objects.filter(pk=study.pk).exists()
    assert not Rejection.objects.exists()


def test_what_is_held_waits_before_the_archive(cast: Cast, over: None) -> None:
    study = rejected(cast, Why.QUALITY)
    held(cast, Scope.STUDY, study_uid=study.uid)
    assert archive_by_schedule(organisation=hospital(cast)) == 0


# People's rights ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("why", "due", "kept"), [(Why.WRONG_PATIENT, 1, ""), (Why.QUALITY, 0, Kept.LAW)]
)
def test_an_erasure_counts_it(cast: Cast, why: Why, due: int, kept: str) -> None:
    study = rejected(cast, why)
    run = plan_erasure(
        actor=actor_of(cast.officer), organisation=hospital(cast), request_id=uuid4(),
        subject_ids=[study.subject_id], beside=[],
    )  # fmt: skip
    assert (run.due, run.items.get().kept_for) == (due, kept)


def test_closing_an_account_takes_it_along(cast: Cast) -> None:
    """Else restoring it would show images of somebody who has left."""
    under(cast, "image-exchange", **{"account.post_inactivation": "archive-until-law"})
    assert effective_pack(hospital(cast).pk)["account.post_inactivation"] == "archive-until-law"
    study = young(cast)
    link_account(user=cast.patient, subject=study.subject)
    reject_study(actor=actor_of(cast.clinician), study=study, why=Why.QUALITY, note="")
    assert images_of(cast.patient.pk) == {study.organisation_id: [study]}
