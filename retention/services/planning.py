"""Looking through all studies of an organisation: what is due, what stays although it is, and why.

The plan destroys nothing. It is made in steps of some studies, so that it neither holds a lock for
long nor grows with the store; and what cannot be due is not opened.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Role
from accounts.selectors import people_with
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from retention.models import DisposalItem, DisposalRun
from retention.rules.disposal import LARGEST_RUN, UNDER_WAY, WAITS, Fate, RunState
from retention.rules.keeping import Keeping
from retention.selectors.batches import batches_of
from retention.selectors.contents import Contents, contents_of
from retention.selectors.forecast import forecast_of
from retention.selectors.holds import Bar, guard_of
from retention.selectors.keeping import Ends, terms_of
from retention.selectors.prospects import prospects
from retention.services.clock import ClockJumped, mark_clock
from retention.services.holds import lock_organisation
from retention.services.items import line_of, plan_study
from studies.models import Study
from studies.rules.keeping import day_everywhere
from studies.selectors import HIDDEN

PLANNED = "disposal-planned"


def plan_disposal(*, organisation: Organisation) -> DisposalRun | None:
    """Make the plan of today. None while a run is under way: first that has to end.

    A plan that says the same as the one that waits leaves that one, with its approval, in place.
    Raises `ClockJumped`.
    """
    if fault := mark_clock():
        record(
            action="disposal.stopped", actor=system_ref(), organisation_id=organisation.pk,
            outcome="failed", reason="clock",
        )  # fmt: skip
        raise ClockJumped(fault)
    run = _begin(organisation.pk)
    if run is None:
        return None
    _Planner(run, Ends(terms_of(organisation))).look_through()
    return _settle(run)


@transaction.atomic
def _begin(organisation_id: UUID) -> DisposalRun | None:
    lock_organisation(organisation_id)
    # Those that carry out a request have a plan of their own.
    runs = DisposalRun.objects.filter(organisation_id=organisation_id)
    if runs.filter(state__in=UNDER_WAY).exists():
        return None
    # What was being planned by a process that died.
    runs.filter(state=RunState.PLANNING, request_id=None).delete()
    latest = runs.aggregate(Max("number"))["number__max"]
    return DisposalRun.objects.create(
        organisation_id=organisation_id, number=(latest or 0) + 1, state=RunState.PLANNING.value
    )


class _Planner:
    """Counts and writes the items of one plan."""

    def __init__(self, run: DisposalRun, ends: Ends) -> None:
        self._run, self._ends = run, ends
        self._today = day_everywhere(timezone.now())
        self._plan = sha256()

    def look_through(self) -> None:
        run, ends = self._run, self._ends
        run.version_id = ends.terms.version_id
        found = forecast_of(run.organisation_id, ends)
        run.studies, run.forecast = found.studies, found.years
        # What is kept out of sight is little: by law alone, or until it can be restored no more.
        hidden = Study.objects.filter(HIDDEN, organisation_id=run.organisation_id)
        seen = prospects(run.organisation_id, ends, self._today)
        for batch in chain(seen, batches_of(hidden)):
            self._look_at(batch)
            if not self._room:
                break
        run.digest = self._plan.hexdigest()
        run.save()

    @property
    def _room(self) -> int:
        return max(0, LARGEST_RUN - self._run.due - self._run.kept)

    def _look_at(self, batch: list[Study]) -> None:
        keepings = self._ends.due(batch, self._today)
        due = [study for study in batch if study.pk in keepings][: self._room]
        if not due:
            return
        contents, guard = contents_of(due), guard_of(self._run.organisation_id, due)
        DisposalItem.objects.bulk_create(
            self._item(one, keepings[one.pk], contents[one.pk], guard.bar_for(one)) for one in due
        )

    def _item(
        self, study: Study, keeping: Keeping, contents: Contents, bar: Bar | None
    ) -> DisposalItem:
        fate = Fate.ANONYMISE if keeping.action == Fate.ANONYMISE else Fate.DELETE
        item = plan_study(self._run, study, contents, fate=fate, bar=bar, duty=keeping.longest.code)
        self._plan.update(line_of(item))
        return item


@transaction.atomic
def _settle(run: DisposalRun) -> DisposalRun:
    """Put the plan in the place of the one before, unless it says the same."""
    lock_organisation(run.organisation_id)
    runs = DisposalRun.objects.filter(organisation_id=run.organisation_id, request_id=None)
    before = runs.filter(state__in=WAITS).order_by("-number").first()
    if before is not None and before.digest == run.digest and (run.due or run.kept):
        before.forecast, before.studies = run.forecast, run.studies
        before.save(update_fields=["forecast", "studies"])
        run.delete()
        return before
    runs.filter(state__in=WAITS).update(state=RunState.SUPERSEDED.value, ended_at=timezone.now())
    runs.filter(state=RunState.NOTHING_DUE).delete()
    run.state = (RunState.PLANNED if run.due else RunState.NOTHING_DUE).value
    run.planned_at = timezone.now()
    run.save(update_fields=["state", "planned_at"])
    record(
        action="disposal.planned", actor=system_ref(), organisation_id=run.organisation_id,
        target=("disposal", str(run.pk)),
        details={"number": run.number, "studies": run.studies, "due": run.due, "kept": run.kept},
    )  # fmt: skip
    if run.due:
        people = people_with([run.organisation_id], Role.OFFICER, Role.ADMINISTRATOR)
        notify(users=people, template=PLANNED, target_id=run.number)
    return run
