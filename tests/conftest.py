"""What every test can have: the cast, signed in; an actor; a small image; a closed network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from accounts.models import User
from accounts.rules import Actor
from accounts.selectors.agreements import forget_agreements
from accounts.services.policy import post_draft, save_draft
from policies.models import PolicyVersion
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import enter_use, resume_use, use
from policies.rules.purposes import Purpose
from policies.selectors import forget_policies
from tests.audit.append_only import append_only_yields_to_flush
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object
from tests.seeding import seeded_cast
from vault.services.organisation_keys import forget_organisation_keys
from vault.services.shared_keys import forget_shared_keys

__all__ = ["append_only_yields_to_flush"]

# The embedded default has no PostgreSQL, Redis and S3; `make test-stack` sets this.
STACK = os.environ.get("COLLIMATE_STACK") == "1"
# How fast a machine is at the moment says nothing about whether a property holds.
hypothesis_settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("patient")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


LONG = ("browser", "hostile", "slow", "stack")
# Beside whoever asks for a database: what runs servers or commands of its own.
ON_THE_STACK = {"browser", "hostile", "operating", "stack"}


def _belongs(item: pytest.Item) -> bool:
    """Is a test of this run? On the stack, what touches no service would say the same twice."""
    if not STACK:
        return not any(map(item.get_closest_marker, ("stack", "hostile")))
    if any(map(item.get_closest_marker, ("embedded", "layout", "pages"))):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return (
        bool(ON_THE_STACK & set(item.path.parts))
        or any(map(item.get_closest_marker, ("django_db", "stack", "hostile")))
        or bool(fixtures & {"db", "transactional_db", "live_server", "django_db_setup"})
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests that need the stack to `make test-stack`, unless they were asked for.

    And those that send everything hostile there is to a real server, since they take a minute.
    """
    for item in items:
        _give_both_databases(item)
    _put_long_files_first(items)
    if config.getoption("markexpr") or any("::" in one for one in config.args):
        return
    left = {item for item in items if not _belongs(item)}
    if left:
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]


def _put_long_files_first(items: list[pytest.Item]) -> None:
    """A file that takes a minute must not begin when the other workers are done."""
    long = {item.path for item in items if any(map(item.get_closest_marker, LONG))}
    items.sort(key=lambda item: item.path not in long)


def _give_both_databases(item: pytest.Item) -> None:
    """No account can be made without keys, so whatever has a database has both."""
    both = ["default", "keys"]
    marker = item.get_closest_marker("django_db")
    if marker is None and "db" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.django_db(databases=both))
    elif marker is not None and "databases" not in marker.kwargs:
        item.add_marker(
            pytest.mark.django_db(*marker.args, **marker.kwargs, databases=both), append=False
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser of the browser tests; without one they fail, for nobody would notice a skip."""
    for name in (os.environ.get("CHROMIUM", ""), *CHROMIUM):
        if found := name and shutil.which(name):
            return found
    pytest.fail("Browser tests need Chromium: apt-get install chromium, or set CHROMIUM=/path.")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Opened keys, policies in force and counted attempts are of one test."""
    forget_organisation_keys()
    forget_shared_keys()
    forget_policies()
    forget_agreements()
    yield
    forget_organisation_keys()
    forget_shared_keys()
    cache.clear()


@pytest.fixture(autouse=True)
def a_purpose_is_named(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests call services as a view or a job does, which names what it uses data for.

    Marked `names_no_purpose`, a test stands for code that does not.
    """
    accounts = (Category.ACCOUNT, Category.PROFESSIONAL, Category.CREDENTIALS)
    with resume_use():
        # Nor does anything stay of whoever asked in the test before.
        if request.node.get_closest_marker("names_no_purpose"):
            enter_use(None)
        else:
            enter_use(use(Purpose.TREATMENT, *CARE_DATA, *accounts))
        yield


@pytest.fixture(scope="session", autouse=True)
def _bucket() -> None:
    """On the stack: a bucket of this process's own."""
    if django_settings.STORAGE_URL.startswith("s3://"):
        from config.prepare import make_bucket

        parts = urlsplit(django_settings.STORAGE_URL)
        assert parse_qs(parts.query).get("endpoint"), "the tests never use a store of somebody's"
        make_bucket(django_settings.STORAGE_URL)


@pytest.fixture
def cast(db: None) -> Cast:
    """A clinician, an officer, an administrator, an auditor, a stranger, a patient, an owner."""
    return Cast(seeded_cast())


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """Give a browser in which a person has signed in, by the service that the pages use."""
    return signed_in_client


@pytest.fixture
def actor() -> Callable[..., Actor]:
    """Give a person as an actor: ``actor(user, fresh=True)`` has just proved who they are."""
    return actor_of


@pytest.fixture
def small_ct() -> Callable[..., bytes]:
    """Give the bytes of a CT slice of 16 by 16 pixels; keyword arguments replace attributes."""
    return small_ct_object


@pytest.fixture
def announced(cast: Cast) -> Callable[..., PolicyVersion]:
    """Post a new version of the hospital's policy: ``announced({"key": value})``."""

    def announce(changes: dict[str, Any], who: User | None = None) -> PolicyVersion:
        admin = actor_of(who or cast.administrator, fresh=True)
        save_draft(acting=admin, changes=changes)
        return post_draft(acting=admin, effective_at=None)

    return announce
