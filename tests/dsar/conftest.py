from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from accounts.rules import Actor
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from studies.models import Study
from studies.rules.demo_uids import uid_of
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import hospital, take_in_old
from tests.seeding import seeded_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, whose policies are in force since the summer, so that time can be frozen after."""
    with time_machine.travel(datetime(2026, 8, 1, tzinfo=UTC), tick=False):
        return Cast(seeded_cast())


@pytest.fixture
def for_rights() -> Iterator[None]:
    """What a test reads and writes of requests by itself, it does for the rights of people."""
    with using(Purpose.RIGHTS, Category.REQUESTS):
        yield


@pytest.fixture
def for_all_rights() -> Iterator[None]:
    """The same with data of every kind, which copies and erasures reach."""
    with using(Purpose.RIGHTS, *CARE_DATA, *Category):
        yield


@pytest.fixture
def officer(cast: Cast) -> Actor:
    """The hospital's privacy officer, who has just proved who they are."""
    return actor_of(cast.officer, fresh=True)


@pytest.fixture
def old(cast: Cast) -> Study:
    """Of the person: no law asks for it any more."""
    return take_in_old(cast, "old", PatientID="P-1")


@pytest.fixture
def young(cast: Cast) -> Study:
    """Of the same person under another number, of this year: the law asks to keep it.

    Under the same number, the older one would have to be kept as long: a last examination counts.
    """
    take_in(actor_of(cast.clinician), small_ct_object(study="young", PatientID="P-9"))
    return Study.objects.get(organisation=hospital(cast), uid=uid_of("test", "young"))
