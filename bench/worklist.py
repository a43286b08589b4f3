"""The worklist as it grows: `python -m bench.worklist`, a part of `make bench`.

Rows are filled in bulk, with the keys, sealed summaries and keyed hashes that the intake makes;
what a colleague elsewhere shares comes in by the intake itself. Times are of the service behind
the page, with its event in the trail, over databases of its own: SQLite in a folder that is
thrown away, or what `DATABASE_URL` and `KEYS_DATABASE_URL` name with `--here`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from bench.filling import fill, patients, share_some

if TYPE_CHECKING:
    from accounts.rules import Actor

SIZES = (1_000, 100_000)
OURS, THEIRS = "clinician@hospital.example", "clinician@imaging.example"


# Asking ------------------------------------------------------------------------------------------
def questions(size: int) -> dict[str, tuple[dict[str, Any], str]]:
    """What is asked of a list of so many: what the form holds, and which page."""
    one = next(patients(size // 2, size // 2 + 1))
    middle = size // 50 // 2
    return {
        "first page": ({}, "1"),
        f"page {min(1000, middle)}": ({}, str(min(1000, middle))),
        "name, three letters": ({"name": one.name[:3]}, "1"),
        "name, whole": ({"name": one.name}, "1"),
        "name, nobody": ({"name": "Nobodyatall"}, "1"),
        "patient ID": ({"identifier": one.identifier}, "1"),
        "accession number": ({"accession": one.accession}, "1"),
        "one week": ({"since": one.day, "until": one.day + timedelta(days=6)}, "1"),
        "one year": ({"since": date(2018, 1, 1), "until": date(2018, 12, 31)}, "1"),
        "since 2023": ({"since": date(2023, 1, 1)}, "1"),
        "modality, common": ({"modality": "CT"}, "1"),
        "modality, rare": ({"modality": "SR"}, "1"),
        "name and modality": ({"name": one.name[:3], "modality": "CT"}, "1"),
        "week and modality": (
            {"since": one.day, "until": one.day + timedelta(days=6), "modality": one.modality}, "1",
        ),
    }  # fmt: skip


@dataclass(frozen=True)
class Measured:
    milliseconds: float
    queries: int
    found: int


def ask(actor: Actor, wanted: dict[str, Any], page: str, *, rounds: int) -> Measured:
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    from studies.services.listing import worklist

    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = worklist(actor=actor, wanted=wanted, page=page)
        times.append((time.perf_counter() - began) * 1000)
    count = 0
    for name in ("default", "keys"):
        with CaptureQueriesContext(connections[name]) as captured:
            worklist(actor=actor, wanted=wanted, page=page)
        count += len(captured)
    return Measured(statistics.median(times), count, answer.page.paginator.count)


def explain(actor: Actor, wanted: dict[str, Any], page: str) -> str:
    """Give the plans of the statements about studies, for whoever wants to know why."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from studies.services.listing import worklist

    with CaptureQueriesContext(connection) as captured:
        worklist(actor=actor, wanted=wanted, page=page)
    plans = []
    word = "EXPLAIN ANALYZE" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    for query in captured:
        sql = query["sql"]
        if sql.startswith("SELECT") and '"studies_study"' in sql:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(f"{word} {sql}")
                    plan = "\n".join("    " + str(row[-1]) for row in cursor.fetchall())
                except Exception as error:  # noqa: BLE001 - bytes are shown, not quoted, by SQLite
                    plan = f"    {type(error).__name__}"
            plans.append(f"  {query['time']} s  {sql[:150]} …\n{plan}")
    return "\n".join(plans)


def run(sizes: tuple[int, ...], *, rounds: int, plans: bool) -> None:
    from accounts.selectors import actor_of_user
    from accounts.services.demo import seed_cast
    from policies.rules.categories import CARE_DATA
    from policies.rules.gate import using
    from policies.rules.purposes import Purpose

    people = seed_cast()
    # Names of people are opened for a purpose only.
    with using(Purpose.TREATMENT, *CARE_DATA):
        ours, theirs = (actor_of_user(people[email]) for email in (OURS, THEIRS))
        share_some(ours, theirs)
    before: dict[str, Measured] = {}
    filled = 0
    for size in sizes:
        began = time.monotonic()
        fill(ours, filled, size)
        filled = size
        _analyse()
        print(f"\n{size:,} studies (filled in {time.monotonic() - began:.0f} s)")
        print(f"{'':22} {'ms':>8} {'queries':>8} {'found':>8} {'growth':>8}")
        for what, (wanted, page) in questions(size).items():
            measured = ask(ours, wanted, page, rounds=rounds)
            kind = "deep page" if what.startswith("page ") else what
            first = before.setdefault(kind, measured)
            print(
                f"{what:22} {measured.milliseconds:8.1f} {measured.queries:8}"
                f" {measured.found:8} {measured.milliseconds / first.milliseconds:7.1f}x"
            )
            if plans and size == sizes[-1]:
                print(explain(ours, wanted, page))


def _analyse() -> None:
    from django.db import connections

    for name in ("default", "keys"):
        with connections[name].cursor() as cursor:
            cursor.execute("ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plans", action="store_true", help="print the plans of the last size")
    parser.add_argument("--here", action="store_true", help="use the databases that are set")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="collimate-worklist-") as folder:
        # With databases that stay, the keys that open them stay too.
        os.environ["STATE_DIR"] = os.environ.get("STATE_DIR", folder) if options.here else folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        if not options.here:
            for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "STORAGE_URL"):
                os.environ.pop(name, None)
        import django
        from django.core.management import call_command

        django.setup()
        for name in ("default", "keys"):
            call_command("migrate", database=name, interactive=False, verbosity=0)
        sizes = tuple(int(one) for one in options.sizes.split(","))
        run(sizes, rounds=options.rounds, plans=options.plans)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
