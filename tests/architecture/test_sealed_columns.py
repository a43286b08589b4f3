"""Sealed columns are neither sorted nor compared in the database, which knows ciphertext only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

APPS = (
    "accounts",
    "consent",
    "studies",
    "retention",
    "dsar",
    "disclosures",
    "governance",
    "config",
    "bench",
)
# Sorting by ciphertext gives some order and no error; comparing is refused by the column itself.
BY_CIPHERTEXT = re.compile(
    r"""(user|granted_by|revoked_by|given_by|invited_by)__(email|name|phone)\b"""
    r"""|order_by\([^)]*["']-?(email|phone)["']"""
)


def sources() -> list[Path]:
    return [
        path
        for app in APPS
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if "migrations" not in path.parts
    ]


def test_nothing_sorts_or_compares_by_ciphertext() -> None:
    found = [
        f"{path.relative_to(settings.BASE_DIR)}: {hit.group()}"
        for path in sources()
        for hit in BY_CIPHERTEXT.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == [], "sort in memory (accounts.selectors.names), find by with_email()"
    assert len(sources()) > 100


@pytest.mark.parametrize(
    "line", ['.order_by("organisation__name", "user__name")', '.order_by("-email")']
)
def test_the_search_finds_what_it_is_for(line: str) -> None:
    assert BY_CIPHERTEXT.search(line)
    assert not BY_CIPHERTEXT.search('.order_by("organisation__name")')
