"""What keeps records whose time is over: holds, open requests, a clock that jumped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import (
    Notification,
    User,
)
from accounts.services.notifications import notify
from audit.models import Event
from consent.models import Grant
from dsar.models import Case
from jobs.rules.states import State
from jobs.services import create_job, run_job
from policies.selectors import effective_pack
from retention.models import ClockMark, RecordPurge
from retention.rules.holds import Scope
from retention.services.clock import ClockJumped
from retention.services.records import purge_records
from retention.tasks import RECORDS
from studies.models import Study
from tests.consent.test_sharing import share
from tests.dsar.asking import signed_in
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.policies.packs import under
from tests.retention.cases import held, hospital
from tests.retention.nights import LAST_YEAR, closed, of_every_kind, purged

__all__ = ["of_every_kind"]
pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_a_hold_on_everything_keeps_everything(cast: Cast) -> None:
    under(cast, "radiology-information-system")
    user = closed(cast.clinician)
    hold = held(cast, Scope.ORGANISATION)
    report = purge_records(organisation=hospital(cast))
    assert report is not None
    assert {line["gone"] for line in report.lines.values()} == {0}
    assert report.lines["accounts.account"]["held"] == 1
    assert User.objects.get(pk=user.pk).erased_at is None
    hold.lifted_at, hold.lifted_by, hold.lift_asked_by = timezone.now(), cast.administrator, (
        cast.officer
    )  # fmt: skip
    hold.save()
    assert purged(cast)["accounts.account"] == 1


def test_a_hold_on_a_patient_keeps_their_shares_and_their_account(cast: Cast) -> None:
    from consent.services.subjects import link_account

    ends = {"trigger": "created", "keep": "30 days", "action": "delete"}
    lines = effective_pack(hospital(cast).pk)["retention"]
    own = {"consent": ends, "account": {**ends, "trigger": "account-closed"}}
    under(
        cast, "radiology-information-system", regimes=["gdpr"], retention={**lines, **own}
    )  # fmt: skip
    row = hospital(cast)
    row.regimes, row.country, row.state = [], "FR", ""
    row.save()
    actor = actor_of(cast.clinician, fresh=True)
    take_in(actor, small_ct_object())
    study = Study.objects.select_related("organisation").get()
    link_account(user=cast.patient, subject=study.subject)
    share(study, actor, cast.people)
    Grant.objects.update(
        granted_at=timezone.now() - LAST_YEAR, expires_at=timezone.now() - LAST_YEAR / 2
    )
    held(cast, Scope.SUBJECT, subject_id=study.subject_id)
    closed(cast.patient)
    report = purge_records(organisation=hospital(cast))
    assert report is not None
    assert report.lines["consent.grants"] | {"before": ""} == {"gone": 0, "held": 1, "before": ""}
    assert report.lines["accounts.account"]["held"] == 1


def test_an_open_request_keeps_the_account_of_who_asks(cast: Cast) -> None:
    under(cast, "radiology-information-system")
    case = signed_in(actor_of(cast.clinician))
    user = closed(cast.clinician)
    assert "accounts.account" not in {k for k, v in purged(cast).items() if v}
    Case.objects.filter(pk=case.pk).update(
        state="closed", answered_at=timezone.now(), closed_at=timezone.now()
    )
    assert purged(cast)["accounts.account"] == 1
    assert User.objects.get(pk=user.pk).erased_at is not None


def test_nothing_ends_while_the_clock_cannot_be_trusted(cast: Cast) -> None:
    under(cast, "radiology-information-system")
    closed(cast.clinician)
    ClockMark.objects.update_or_create(
        pk=1, defaults={"seen_at": timezone.now() - timedelta(days=400)}
    )
    with pytest.raises(ClockJumped):
        purge_records(organisation=hospital(cast))
    assert not RecordPurge.objects.exists()
    assert not User.objects.exclude(erased_at=None).exists()


def test_a_night_that_is_cut_off_is_finished_by_the_next_try(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    under(cast, "radiology-information-system")
    monkeypatch.setattr("retention.services.records.AT_ONCE", 2)
    notify(users=[cast.clinician], template="roles-changed")
    one = Notification.objects.get(user=cast.clinician)
    for _ in range(4):
        one.pk, one.batch_id = None, _uuid()
        one.save(force_insert=True)
    Notification.objects.update(created_at=timezone.now() - LAST_YEAR)
    _fail_at(monkeypatch, 2)
    with pytest.raises(RuntimeError):
        purge_records(organisation=hospital(cast))
    report = RecordPurge.objects.get()
    # A batch is there or not, with its line of the report.
    assert (report.gone, Notification.objects.count()) == (2, 3)
    monkeypatch.undo()
    assert purged(cast) == {"accounts.messages": 5}
    assert Notification.objects.count() == 0


def _uuid() -> Any:
    from uuid import uuid4

    return uuid4()


def _fail_at(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    from retention.services import records

    calls: list[int] = []
    real: Callable[..., None] = records._report

    def report(*args: Any, **more: Any) -> None:
        calls.append(1)
        if len(calls) == nth:
            raise RuntimeError("the power went off")
        real(*args, **more)

    monkeypatch.setattr(records, "_report", report)


def test_the_job_of_the_night_does_it_for_every_organisation(cast: Cast) -> None:
    under(cast, "radiology-information-system")
    closed(cast.clinician)
    job = create_job(kind=RECORDS, natural_key="records/test", payload={})
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE
    assert User.objects.exclude(erased_at=None).count() == 1
    (event,) = Event.objects.filter(action="records.purged", details__kind="accounts.account")
    assert event.details == {"kind": "accounts.account", "gone": 1, "held": 0}
