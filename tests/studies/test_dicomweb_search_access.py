"""QIDO-RS: a search shows what one may know of, refuses nothing, and costs the same for all."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.rules import Scope
from consent.models import Grant
from consent.rules.decision import Item
from consent.services.grants import revoke_grant
from studies.models import Study

from .conftest import AUDITOR, COLLEAGUE, VET, Portal
from .objects import an_object, uid
from .test_dicomweb_search import STUDIES, found

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


# Who may know ------------------------------------------------------------------------------------
@pytest.fixture
def partly_shared(portal: Portal) -> Portal:
    """Of study 1 the colleague was given series 1; study 2 is shared with nobody."""
    portal.take(
        an_object(series="1", number=1, modality="CT"),
        an_object(series="1", number=2, modality="CT"),
        an_object(series="2", number=1, modality="SR"),
        an_object(study="2", patient="P-2"),
    )
    portal.share(Item(uid("1"), uid("1.1")))
    return portal


def test_of_a_study_shared_in_part_a_search_shows_that_part_and_no_more(
    partly_shared: Portal,
) -> None:
    client = partly_shared.client(COLLEAGUE)
    (study,) = client.get(STUDIES).json()
    assert study["0020000D"]["Value"] == [uid("1")]
    assert study["00201206"]["Value"] == [1]
    assert study["00201208"]["Value"] == [2]
    assert study["00080061"]["Value"] == ["CT"]
    assert found(client, "ModalitiesInStudy=SR") == []
    assert found(client, "ModalitiesInStudy=CT") == ["1"]
    (series,) = client.get(f"{STUDIES}/{uid('1')}/series").json()
    assert series["0020000E"]["Value"] == [uid("1.1")]
    assert client.get(f"{STUDIES}/{uid('1')}/series?ModalitiesInStudy=SR").json() == []
    instances = client.get(f"{STUDIES}/{uid('1')}/instances").json()
    assert [one["00080018"]["Value"][0] for one in instances] == [uid("1.1.1"), uid("1.1.2")]
    hidden = client.get(f"{STUDIES}/{uid('1')}/series/{uid('1.2')}/instances")
    assert (hidden.status_code, hidden.json()) == (200, [])


def test_what_comes_after_a_share_is_not_counted_into_it(partly_shared: Portal) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        partly_shared.take(an_object(series="1", number=3, modality="CT"))
        (study,) = partly_shared.client(COLLEAGUE).get(STUDIES).json()
    assert study["00201208"]["Value"] == [2]


def test_a_search_by_a_recipient_uses_the_keys_of_whoever_shares(partly_shared: Portal) -> None:
    client = partly_shared.client(COLLEAGUE)
    assert found(client, "PatientName=Test*") == ["1"]
    assert found(client, "PatientID=P-1") == ["1"]
    assert found(client, "PatientID=P-2") == []
    assert found(client, "StudyDate=20200101") == ["1"]


def test_after_revocation_a_search_finds_nothing_and_refuses_nothing(
    partly_shared: Portal,
) -> None:
    revoke_grant(
        actor=partly_shared.actor(fresh=True), grant=Grant.objects.get(), reason="withdrawn"
    )
    client = partly_shared.client(COLLEAGUE)
    assert found(client) == []
    for path in ("series", "instances"):
        response = client.get(f"{STUDIES}/{uid('1')}/{path}")
        assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("email", [VET, AUDITOR])
def test_whoever_may_see_nothing_finds_nothing(partly_shared: Portal, email: str) -> None:
    client = partly_shared.client(email)
    assert found(client) == []
    assert client.get(f"{STUDIES}/{uid('1')}/series").json() == []


def test_a_token_that_may_only_store_cannot_search(partly_shared: Portal) -> None:
    client = partly_shared.client(COLLEAGUE, Scope.WRITE)
    for path in (STUDIES, f"{STUDIES}/{uid('1')}/series", f"{STUDIES}/{uid('1')}/instances"):
        response = client.get(path)
        assert (response.status_code, response.json()["code"]) == (403, "scope")


# Cost --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("email", [None, COLLEAGUE], ids=["own", "shared"])
def test_the_number_of_queries_does_not_grow_with_the_rows(portal: Portal, email) -> None:
    def cost(path: str) -> int:
        with (
            CaptureQueriesContext(connections["default"]) as data,
            CaptureQueriesContext(connections["keys"]) as keys,
        ):
            assert client.get(path).json()
        return len(data) + len(keys)

    client = portal.client(*([email] if email else []))
    paths = [
        STUDIES, f"{STUDIES}?PatientName=Test*", f"{STUDIES}?StudyDescription=",
        f"{STUDIES}?limit=1",
        f"{STUDIES}/{uid('0')}/series", f"{STUDIES}/{uid('0')}/instances",
        f"{STUDIES}/{uid('0')}/instances?PatientName=Test*", f"{STUDIES}/{uid('0')}/metadata",
    ]  # fmt: skip
    costs = []
    for first, last in ((0, 2), (2, 12)):
        portal.take(
            *(an_object(study="0", series=str(n), number=n) for n in range(first, last)),
            *(
                an_object(study=str(100 + n), patient=f"P-{n}", name=f"Test^N{n}")
                for n in range(first, last)
            ),
        )
        portal.share(*(Item(uid(study.uid.rsplit(".", 1)[1])) for study in Study.objects.all()))
        for path in paths:
            client.get(path)  # what is kept in memory once is kept now
        costs.append([cost(path) for path in paths])
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 14
