"""What this room holds about a person: their own requests."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dsar.models import CaseDocument, CaseEntry
from dsar.rules.states import Act
from dsar.sealing import OpenCase
from dsar.selectors import cases_about, lines_of
from policies.rules.categories import CATEGORIES, Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder


def _holdings(whose: Whose) -> Iterator[Holding]:
    cases = list(cases_about(whose))
    if cases:
        yield Holding(
            Category.REQUESTS, "Requests and their answers", len(cases), cases[0].received_at,
            CATEGORIES[Category.REQUESTS].source.value, (), "as evidence that they were answered",
            file="requests.json",
        )  # fmt: skip
    notes = CaseEntry.objects.filter(case__in=cases, act=Act.NOTE.value).count()
    if notes:
        yield Holding(
            Category.REQUESTS, "Notes among privacy officers", notes,
            source="written by privacy officers", kept="with the request",
            withheld="they weigh what others may know as well",
        )  # fmt: skip
    papers = CaseDocument.objects.filter(case__in=cases_about(whose), destroyed_at=None)
    if number := papers.count():
        yield Holding(
            Category.REQUESTS, "Papers that came with requests", number,
            papers.order_by("added_at")[0].added_at,
            CATEGORIES[Category.REQUESTS].source.value, (),
            "identity documents until the answer; others as evidence of it",
            withheld="whoever sent them has them, and a second copy would be a risk of its own",
        )  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    found = []
    for case in cases_about(whose):
        opened = OpenCase(case)
        steps = [
            {"at": one.entry.at.isoformat(), "what": one.entry.act, "text": one.text}
            for one in lines_of(opened, for_person=True)
        ]
        found.append({
            "number": case.number, "kind": case.facts.label,
            "received": case.received_on.isoformat(), "text": opened.written.text, "steps": steps,
        })  # fmt: skip
    if found:
        yield one_file("requests.json", json.dumps(found, indent=2, ensure_ascii=False).encode())


def register() -> None:
    register_holder(Holder("requests", "Requests about the data", _holdings, _files))
