from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from consent.services.subjects import link_account
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from studies.models import Study
from studies.rules.demo_uids import uid_of
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.seeding import seeded_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, whose policies are in force since the summer, so that time can be frozen after."""
    with time_machine.travel(datetime(2026, 8, 1, tzinfo=UTC), tick=False):
        return Cast(seeded_cast())


@pytest.fixture(autouse=True)
def under_law() -> Iterator[None]:
    with using(Purpose.LEGAL_OBLIGATION, *Category):
        yield


@pytest.fixture
def five(cast: Cast) -> list[Study]:
    """Five studies of one patient, each of two series; the patient has an account."""
    clinician = actor_of(cast.clinician)
    take_in(
        clinician,
        *(
            small_ct_object(study=f"s{study}", series=f"r{series}", SeriesNumber=series)
            for study in range(5) for series in (1, 2)
        ),
    )  # fmt: skip
    found = [Study.objects.get(uid=uid_of("test", f"s{study}")) for study in range(5)]
    link_account(user=cast.patient, subject=found[0].subject)
    return found
