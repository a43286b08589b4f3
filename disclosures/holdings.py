"""What this room holds about a person: the cases that they were told of."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import Q

from disclosures.models import Notice
from disclosures.selectors import items_of, opened
from policies.rules.categories import CATEGORIES, Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder


def told_of(whose: Whose) -> list[Notice]:
    """What a prohibition keeps secret is not even counted (45 CFR 164.528(a)(2))."""
    of_person = Q(subject_id__in=whose.subject_ids)
    if whose.user_id is not None:
        of_person |= Q(account_id=whose.user_id)
    rows = Notice.objects.filter(
        of_person, disclosure__organisation_id=whose.organisation_id, given_at__isnull=False
    )
    return list(rows.select_related("disclosure").order_by("disclosure__number", "pk"))


def _holdings(whose: Whose) -> Iterator[Holding]:
    if told := told_of(whose):
        yield Holding(
            Category.REQUESTS, "Disclosures under law", len(told), told[0].disclosure.opened_at,
            CATEGORIES[Category.REQUESTS].source.value, (), "to account for them",
            file="disclosures.json",
        )  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    told = told_of(whose)
    cases = opened([one.disclosure for one in told])
    found = []
    for notice in told:
        row, case = notice.disclosure, cases[notice.disclosure_id]
        found.append({
            "number": row.number, "ground": row.facts.label, "citation": row.citation,
            "demanded by": case.authority, "reference": case.reference,
            "received": row.received_on.isoformat(),
            "items": [
                case.label(one) for one in items_of(row)
                if one.is_chosen and one.subject_id == notice.subject_id
                and one.account_id == notice.account_id
            ],
        })  # fmt: skip
    if found:
        text = json.dumps(found, indent=2, ensure_ascii=False)
        yield one_file("disclosures.json", text.encode())


def register() -> None:
    register_holder(Holder("disclosures", "Disclosures under law", _holdings, _files))
