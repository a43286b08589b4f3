from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.services.policy import post_draft, save_draft
from policies.models import PolicyVersion
from tests.factories import Cast, actor_of


@pytest.fixture
def announced(cast: Cast) -> Callable[..., PolicyVersion]:
    """Post a new version of the hospital's policy: ``announced({"key": value})``."""

    def announce(changes: dict[str, Any], who: User | None = None) -> PolicyVersion:
        admin = actor_of(who or cast.administrator, fresh=True)
        save_draft(acting=admin, changes=changes)
        return post_draft(acting=admin, effective_at=None)

    return announce
