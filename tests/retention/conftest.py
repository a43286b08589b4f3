from __future__ import annotations

from collections.abc import Iterator

import pytest

from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import enter_use, resume_use, use
from policies.rules.purposes import Purpose


@pytest.fixture(autouse=True)
def a_duty_under_law(a_purpose_is_named: None) -> Iterator[None]:
    """As the pages and jobs of this room do, which act under a duty."""
    with resume_use():
        enter_use(use(Purpose.LEGAL_OBLIGATION, *CARE_DATA, Category.REQUESTS))
        yield
