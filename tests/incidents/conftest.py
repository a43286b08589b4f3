from __future__ import annotations

from collections.abc import Iterator

import pytest

from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose


@pytest.fixture
def for_duty() -> Iterator[None]:
    """What a test reads and writes of incidents by itself, it does because law asks for it."""
    with using(Purpose.LEGAL_OBLIGATION, *CARE_DATA, *Category):
        yield
