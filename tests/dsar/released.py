"""What tests of releases stand on: the purpose, what is committed, a study in the archive."""

from __future__ import annotations

import pytest

from studies.models import Study
from tests.factories import Cast
from tests.retention.archives import Committed, archived, young


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


@pytest.fixture
def study(cast: Cast, committed: Committed) -> Study:
    return archived(cast, young(cast), committed)
