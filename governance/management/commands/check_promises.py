"""Say of every promise whether it is kept now. Exit 1 while one that is said to be built is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.rules.promises import BUILT, Promise, State, counted
from governance.services.promises import promises_of_shipped_packs, promises_under
from policies.rules.clauses import Kind
from policies.rules.gate import under
from policies.rules.purposes import Purpose
from policies.selectors import shipped_packs


class Command(BaseCommand):
    help = (
        "Run the control of every promise and list what it saw. Exits 1 while a clause of a "
        "capability that is wholly built has no control that passes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pack", metavar="CODE", choices=sorted(shipped_packs()))
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    @under(Purpose.SECURITY)
    def handle(self, *args: Any, **options: Any) -> None:
        code = options["pack"]
        if code:
            found: Mapping[str, tuple[Promise, ...]] = {
                code: promises_under(code, shipped_packs()[code])
            }
        else:
            found = promises_of_shipped_packs()
        faults = [one for promises in found.values() for one in promises if one.is_fault]
        if options["json"]:
            self.stdout.write(json.dumps(_document(found, faults), indent=2))
        else:
            self._write(found, faults)
        if faults:
            sys.exit(1)

    def _write(self, found: Mapping[str, tuple[Promise, ...]], faults: list[Promise]) -> None:
        for code, promises in found.items():
            self.stdout.write(f"{code}")
            for promise in promises:
                if promise.clause.kind is Kind.ENFORCEABLE:
                    self.stdout.write("  " + _line(promise))
            self.stdout.write(f"  In all: {_counts(promises)}\n\n")
        built = ", ".join(sorted(BUILT))
        if not faults:
            self.stdout.write(f"Every clause of what is wholly built ({built}) is kept.")
            return
        self.stdout.write(f"Not kept, though it is said to be built ({built}):")
        for promise in faults:
            self.stdout.write("  " + _line(promise))


def _line(promise: Promise) -> str:
    clause = promise.clause
    if promise.state is State.MISSING:
        return f"{clause.id:<16}{clause.capability}  missing  {clause.says}"
    return (
        f"{clause.id:<16}{clause.capability}  {promise.state.value:<7}  "
        f"{clause.control}: {promise.evidence}"
    )


def _counts(promises: tuple[Promise, ...]) -> str:
    return ", ".join(f"{count} {state.value}" for state, count in counted(promises).items())


def _document(found: Mapping[str, tuple[Promise, ...]], faults: list[Promise]) -> dict[str, Any]:
    return {
        "built": sorted(BUILT),
        "not_kept": [promise.clause.id for promise in faults],
        "packs": {
            code: {
                "counts": {state.value: count for state, count in counted(promises).items()},
                "clauses": [_record(promise) for promise in promises],
            }
            for code, promises in found.items()
        },
    }


def _record(promise: Promise) -> dict[str, str]:
    return {
        "id": promise.clause.id,
        "says": promise.clause.says,
        "kind": promise.clause.kind.value,
        "capability": promise.clause.capability,
        "state": promise.state.value,
        "control": promise.clause.control,
        "evidence": promise.evidence,
    }
