"""Planning disposal over a large store on PostgreSQL: `python -m bench.planning`.

Studies of many years are written by COPY, with what a plan opens sealed as the intake seals it.
The plan is made under twenty rules: sixteen duties of the catalogue, as if all bound this holder,
and the four lines of its policy. With `--here` the databases are those that are set.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from unittest import mock

from bench.aging import Years, fill
from config.stack import stack

RULES = 20
STUDIES, YEARS = 1_000_000, 12


def many_rules(terms: Any) -> Any:
    """As if so many duties bound the holder that there are twenty rules with its policy's lines."""
    from retention.rules.duties import DUTIES
    from retention.rules.schedule import OF_STUDIES

    people = [
        one for one in DUTIES.values()
        if one.subjects != "animals" and one.covers & set(OF_STUDIES)
    ]  # fmt: skip
    duties = tuple(people[: RULES - len(terms.schedule)])
    return replace(terms, duties=duties)


def run(studies: int, years: int, *, rounds: int, profiled: bool) -> None:
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone

    from accounts.models import Organisation
    from accounts.services.demo import seed_cast
    from retention.models import DisposalRun
    from studies.models import Study

    for name in ("default", "keys"):
        call_command("migrate", database=name, interactive=False, verbosity=0)
    seed_cast()
    hospital = Organisation.objects.get(slug="hospital")
    began = time.monotonic()
    have = Study.objects.filter(organisation=hospital).count()
    if have < studies:
        fill(hospital.pk, studies, Years(timezone.now().date(), years))
    for name in ("default", "keys"):
        with connections[name].cursor() as cursor:
            cursor.execute("ANALYZE")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{studies:,} studies of {years} years (filled in {time.monotonic() - began:.0f} s); "
        f"load of the machine {load} on {os.cpu_count()} cores"
    )
    for number in range(rounds):
        DisposalRun.objects.all().delete()
        profiler = cProfile.Profile() if profiled else nullcontext()
        with profiler:
            plan(hospital, number)
        if isinstance(profiler, cProfile.Profile):
            pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


def plan(hospital: Any, number: int) -> None:
    from policies.rules.categories import CARE_DATA
    from policies.rules.gate import using
    from policies.rules.purposes import Purpose
    from retention.selectors.keeping import terms_of
    from retention.services.planning import plan_disposal

    terms = many_rules(terms_of(hospital))
    with (
        using(Purpose.LEGAL_OBLIGATION, *CARE_DATA),
        mock.patch("retention.services.planning.terms_of", return_value=terms),
    ):
        before, began, used = _peak(), time.perf_counter(), time.process_time()
        made = plan_disposal(organisation=hospital)
        seconds, used = time.perf_counter() - began, time.process_time() - used
    assert made is not None
    rules = len(terms.duties) + len(terms.schedule)
    print(
        f"plan {number + 1}: {seconds:6.1f} s ({used:.1f} s of processor) under {rules} "
        f"rules, {made.studies:,} studies, "
        f"{made.due:,} due, {made.kept:,} kept; memory at its peak {_peak():.0f} MB, "
        f"{before:.0f} MB before; digest {made.digest[:12]}",
        flush=True,
    )
    print(f"        forecast: {made.forecast}", flush=True)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--years", type=int, default=YEARS)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--here", action="store_true", help="use the databases that are set")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="collimate-planning-") as folder,
        nullcontext({}) if options.here else stack() as environment,
    ):
        # With databases that stay, the keys that open them stay too.
        os.environ["STATE_DIR"] = os.environ.get("STATE_DIR", folder) if options.here else folder
        os.environ |= environment
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        if not options.here:
            create_databases()
        import django

        django.setup()
        run(options.studies, options.years, rounds=options.rounds, profiled=options.profile)


def create_databases() -> None:
    from urllib.parse import urlsplit

    import psycopg2

    server = psycopg2.connect(os.environ["STACK_DATABASE_URL"])
    server.autocommit = True
    with server.cursor() as cursor:
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL"):
            cursor.execute(f"CREATE DATABASE {urlsplit(os.environ[name]).path[1:]}")
    server.close()


if __name__ == "__main__":
    main()
