"""Say what is due for disposal, and make the plan that two people then approve."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organisation
from policies.rules.categories import CARE_DATA
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from retention.services.clock import ClockJumped
from retention.services.planning import plan_disposal


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", metavar="SLUG", help="Of this organisation only.")

    @under(Purpose.LEGAL_OBLIGATION, *CARE_DATA)
    def handle(self, *, organisation: str | None = None, **options: object) -> None:
        wanted = Organisation.objects.filter(is_active=True).order_by("slug")
        if organisation:
            wanted = wanted.filter(slug=organisation)
            if not wanted:
                raise CommandError(f"There is no organisation {organisation}.")
        for one in wanted:
            self._plan(one)

    def _plan(self, organisation: Organisation) -> None:
        try:
            run = plan_disposal(organisation=organisation)
        except ClockJumped as jumped:
            raise CommandError(f"Nothing is planned: {jumped}.") from None
        if run is None:
            self.stdout.write(f"{organisation.slug}: a run is under way; it has to end first.")
            return
        self.stdout.write(
            f"{organisation.slug}: run {run.number}, {run.studies} studies looked at, "
            f"{run.due} due ({run.objects_due} objects, {run.bytes_due} bytes), "
            f"{run.kept} due and kept. {run.get_state_display()}."
        )
