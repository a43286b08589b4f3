"""Studies whose time is over, and runs that two people have approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Organisation
from jobs.services import RunOutcome, run_job
from retention.models import DisposalRun, Hold
from retention.rules.holds import HoldFacts, Scope, Search
from retention.services.approving import approve_run
from retention.services.holds import place_hold
from retention.services.planning import plan_disposal
from studies.models import Study
from studies.rules.demo_uids import uid_of
from tests.factories import Cast, actor_of, small_ct_object, take_in

LONG_AGO = "20100105"
OLD, YOUNG = uid_of("test", "old"), uid_of("test", "young")


def take_in_old(cast: Cast, study: str = "old", **attributes: Any) -> Study:
    """A study of the hospital whose time has long been over: two slices of an adult."""
    given = {"StudyDate": LONG_AGO, "PatientID": f"HVH-{study}", **attributes}
    actor = actor_of(cast.clinician)
    take_in(actor, *(small_ct_object(study=study, series=study, number=n, **given) for n in (1, 2)))
    return Study.objects.get(uid=uid_of("test", study), organisation_id=actor.organisation_id)


def hospital(cast: Cast) -> Organisation:
    return Organisation.objects.get(slug="hospital")


def planned(cast: Cast) -> DisposalRun:
    run = plan_disposal(organisation=hospital(cast))
    assert run is not None
    return run


def approved(cast: Cast) -> DisposalRun:
    """A plan that the officer and the administrator have approved."""
    run = planned(cast)
    approve_run(actor=actor_of(cast.officer, fresh=True), run=run)
    return approve_run(actor=actor_of(cast.administrator, fresh=True), run=run)


def carried_out(run: DisposalRun) -> RunOutcome:
    run.refresh_from_db()
    assert run.job_id is not None
    outcome = run_job(job_id=run.job_id)
    run.refresh_from_db()
    return outcome


def held(cast: Cast, scope: Scope, **facts: Any) -> Hold:
    return place_hold(
        actor=actor_of(cast.officer),
        facts=HoldFacts(UUID(int=0), scope, **facts),
        matter="Adler against the hospital",
        reason="A claim was announced.",
        custodian=cast.officer,
        review_on=timezone.now().date() + timedelta(days=90),
    )


__all__ = [
    "LONG_AGO", "OLD", "YOUNG", "Search", "approved", "carried_out", "held", "hospital", "planned",
    "take_in_old",
]  # fmt: skip
