"""Carry out approved runs here and now, without waiting for a worker.

Exits 1 where a run could not be finished; what it destroyed stays destroyed, and is listed.
"""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from jobs.services import RunOutcome, run_job
from retention.models import DisposalRun
from retention.rules.disposal import RunState
from retention.selectors.runs import counts_of_run


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", metavar="SLUG", help="Of this organisation only.")

    def handle(self, *, organisation: str | None = None, **options: object) -> None:
        approved = DisposalRun.objects.filter(
            state__in=[RunState.APPROVED, RunState.RUNNING], job_id__isnull=False
        ).select_related("organisation")
        if organisation:
            approved = approved.filter(organisation__slug=organisation)
        if not approved:
            self.stdout.write("No run is approved by two people.")
        unfinished = [run for run in approved.order_by("planned_at") if not self._finished(run)]
        if unfinished:
            raise CommandError(f"{len(unfinished)} run(s) are not finished.")

    def _finished(self, run: DisposalRun) -> bool:
        assert run.job_id is not None
        outcome = run_job(job_id=run.job_id)
        run.refresh_from_db()
        stands = "; ".join(f"{count}: {words}" for words, count in counts_of_run(run).items())
        self.stdout.write(
            f"{run.organisation.slug}, run {run.number}: {run.get_state_display()} "
            f"{run.stopped_for}\n  {stands}"
        )
        return outcome is RunOutcome.DONE
