"""A disposal because its person asks for it: planned at once, then like any other.

The schedule does not count here; holds, other requests and duties of law do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Role
from accounts.selectors import people_with
from accounts.services.notifications import notify
from accounts.services.trail import record
from retention.models import DisposalItem, DisposalRun
from retention.rules.disposal import WAITS, Fate, RunState
from retention.rules.keeping import Keeping, why_not_erased
from retention.selectors.contents import contents_of
from retention.selectors.holds import Bar, guard_of
from retention.selectors.keeping import keeping_of_studies, terms_of
from retention.services.holds import lock_organisation
from retention.services.items import line_of, plan_study
from studies.models import Study
from studies.rules.keeping import day_everywhere
from studies.selectors import HIDDEN, THERE

PLANNED = "erasure-planned"


@transaction.atomic
def plan_erasure(
    *, actor: Actor, organisation: Organisation, request_id: UUID, subject_ids: Collection[UUID],
    beside: Sequence[str],
) -> DisposalRun:  # fmt: skip
    """Plan the disposal of all studies of these subjects for a request, and wait for two people.

    `beside` says in our words what else happens once it is carried out. An earlier plan of the
    same request that nobody approved is replaced. The caller has checked who may ask for it.
    """
    lock_organisation(organisation.pk)
    runs = DisposalRun.objects.filter(organisation=organisation)
    runs.filter(request_id=request_id, state__in=WAITS).update(
        state=RunState.SUPERSEDED.value, ended_at=timezone.now()
    )
    latest = runs.aggregate(Max("number"))["number__max"]
    run = DisposalRun.objects.create(
        organisation=organisation, number=(latest or 0) + 1, request_id=request_id,
        beside=list(beside), version_id=terms_of(organisation).version_id,
    )  # fmt: skip
    _fill(run, organisation, subject_ids)
    record(
        action="disposal.planned", actor=actor, organisation_id=organisation.pk,
        target=("disposal", str(run.pk)),
        details={"number": run.number, "due": run.due, "kept": run.kept, "request": request_id},
    )  # fmt: skip
    people = people_with([organisation.pk], Role.OFFICER, Role.ADMINISTRATOR)
    notify(users=people, template=PLANNED, target_id=run.number)
    return run


def _fill(run: DisposalRun, organisation: Organisation, subject_ids: Collection[UUID]) -> None:
    # What is on its way out already needs no plan any more.
    rows = Study.objects.filter(
        THERE | HIDDEN, organisation=organisation, subject_id__in=subject_ids
    )
    studies = list(rows.select_related("organisation").order_by("id"))
    keepings = keeping_of_studies(studies, terms_of(organisation))
    contents, guard = contents_of(studies), guard_of(organisation.pk, studies, run.request_id)
    today, plan, items = day_everywhere(timezone.now()), sha256(), []
    for study in studies:
        keeping, found = keepings.get(study.pk), contents[study.pk]
        why = why_not_erased(keeping, today)
        bar = guard.bar_for(study) or (Bar(why) if why else None)
        item = plan_study(run, study, found, fate=Fate.DELETE, bar=bar, duty=_duty(keeping))
        plan.update(line_of(item))
        items.append(item)
    DisposalItem.objects.bulk_create(items, batch_size=500)
    run.studies, run.digest = len(items), plan.hexdigest()
    run.save()


def _duty(keeping: Keeping | None) -> str:
    return keeping.floor.code if keeping is not None and keeping.floor is not None else ""


def run_of_request(request_id: UUID) -> DisposalRun | None:
    """The latest plan for a request, however it stands."""
    return (
        DisposalRun.objects.filter(request_id=request_id)
        .exclude(state=RunState.SUPERSEDED)
        .order_by("-number")
        .first()
    )
