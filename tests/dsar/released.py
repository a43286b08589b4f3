"""What tests of releases stand on: the purpose, what is committed, a study in the archive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from studies.models import Study
from tests.factories import Cast
from tests.retention.archives import Committed, archived, young


@pytest.fixture(autouse=True)
def for_rights() -> Iterator[None]:
    with using(Purpose.RIGHTS, *CARE_DATA, *Category):
        yield


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


@pytest.fixture
def study(cast: Cast, committed: Committed) -> Study:
    return archived(cast, young(cast), committed)
