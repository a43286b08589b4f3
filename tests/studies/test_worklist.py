"""The worklist finds by keyed hashes what one may see, in as many queries however long it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from consent.rules.decision import Item
from studies.services.listing import PER_PAGE, Worklist, worklist
from tests.studies.conftest import CLINICIAN, COLLEAGUE, Portal
from tests.studies.objects import an_object, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def listed(portal: Portal, email: str = COLLEAGUE, page: str = "1", **wanted: Any) -> Worklist:
    return worklist(actor=portal.actor(email), wanted=wanted, page=page)


def names(found: Worklist) -> set[str]:
    return {row.study.uid for row in found.rows}


@pytest.fixture
def shared(portal: Portal) -> Portal:
    """The colleague has a study of their own, and one of two of ours: the same name in all."""
    for study in ("1", "2"):
        portal.take(an_object(study=study, patient=f"P-{study}", name="Adler^Paula"))
        portal.take(an_object(study="3", patient="P-1", name="Adler^Paula"), email=COLLEAGUE)
    portal.share(Item(uid("1")), by=CLINICIAN, to=COLLEAGUE)
    return portal


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "1 3"),
        ({"name": "adl"}, "1 3"),
        ({"name": "Paula"}, "1 3"),
        ({"name": "Nobody"}, ""),
        ({"identifier": "P-1"}, "1 3"),
        ({"identifier": "P-2"}, ""),
        ({"accession": "ACC1"}, "1 3"),
        ({"since": date(2020, 1, 1), "until": date(2020, 1, 3)}, "1 3"),
        ({"since": date(2020, 1, 2)}, ""),
        ({"until": date(2021, 12, 31), "name": "adl"}, "1 3"),
        ({"modality": "OT", "name": "adl"}, "1 3"),
        ({"modality": "CT"}, ""),
    ],
)
def test_own_and_shared_studies_are_found_together_and_nothing_else(
    shared: Portal, wanted: dict[str, Any], found: str
) -> None:
    answer = listed(shared, **wanted)
    assert names(answer) == {uid(one) for one in found.split()}
    assert answer.page.paginator.count == len(answer.rows)


def test_a_longer_list_takes_no_more_queries(shared: Portal) -> None:
    def queries(**wanted: Any) -> int:
        count = 0
        for name in ("default", "keys"):
            with CaptureQueriesContext(connections[name]) as captured:
                listed(shared, **wanted)
            count += len(captured)
        return count

    searches: list[dict[str, Any]] = [{}, {"name": "adl"}, {"since": date(2019, 1, 1)}]
    before = [queries(**one) for one in searches]
    for number in range(10, 10 + PER_PAGE):
        shared.take(
            an_object(study=str(number), patient=f"P-{number}", name="Adler^Paula"),
            email=COLLEAGUE,
        )
    after = [queries(**one) for one in searches]
    assert all(now <= then for now, then in zip(after, before, strict=True))
    assert len(listed(shared).rows) == PER_PAGE
    assert len(listed(shared, page="2").rows) == 2
