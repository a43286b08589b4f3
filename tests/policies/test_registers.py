"""The registers of cookies, records and links: complete by construction, or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.rules.cookies import REGISTER, BrowserItem, RegisterInvalid, item_named
from policies.rules.links import LINKS, ExternalLink, LinkInvalid, link_named
from policies.rules.logs import LOGS


@pytest.mark.parametrize("lacking", ["purpose", "explanation", "implication", "read_by", "name"])
def test_a_cookie_that_says_too_little_is_refused(lacking: str) -> None:
    """LIFEIMAGE-15.6: a cookie with no purpose is refused; LIFEIMAGE-15.1: so is one without
    a technique or an implication."""
    with pytest.raises(RegisterInvalid, match=lacking):
        replace(REGISTER[0], **{lacking: ""})


def test_a_purpose_is_one_of_four() -> None:
    """LIFEIMAGE-15.6."""
    with pytest.raises(RegisterInvalid, match="not a purpose"):
        replace(REGISTER[0], purpose="advertising")
    assert {item.purpose.value for item in REGISTER} <= {
        "security", "navigation", "function", "performance",
    }  # fmt: skip


def test_a_cookie_is_found_by_the_name_it_has_here_or_there() -> None:
    session = item_named("collimate_session")
    assert session is not None
    assert session is item_named("__Host-session")
    assert item_named("_ga") is None


@pytest.mark.parametrize(
    ("lifetime", "hours"), [(None, 0), (timedelta(hours=12), 12), (timedelta(minutes=61), 2)]
)
def test_a_lifetime_is_said_in_whole_hours(lifetime: timedelta | None, hours: int) -> None:
    item: BrowserItem = replace(REGISTER[0], lifetime=lifetime)
    assert (item.hours, item.is_persistent) == (hours, lifetime is not None)


def test_every_record_says_technique_implication_fields_and_retention() -> None:
    """LIFEIMAGE-15.1."""
    for log in LOGS:
        assert log.technique and log.implication and log.kept_words
        assert all(field.meaning for field in log.fields)
        assert len({field.name for field in log.fields}) == len(log.fields)


@pytest.mark.parametrize(
    "url",
    [
        "http://plain.example/", "https:///nowhere", "javascript:alert(1)", "//x.example/",
        "https://me@x.example/", "https://x.example/?id=7",
    ],
)  # fmt: skip
def test_a_link_is_https_and_carries_nothing(url: str) -> None:
    """LIFEIMAGE-8.2: no identifiers in URLs."""
    with pytest.raises(LinkInvalid):
        ExternalLink(code="x", label="X", url=url, why="so")
    with pytest.raises(LinkInvalid):
        replace(LINKS[0], privacy_url=url)


def test_a_link_is_found_by_its_code_alone() -> None:
    assert link_named(LINKS[0].code) is LINKS[0]
    for unknown in ("", LINKS[0].url, "nowhere"):
        assert link_named(unknown) is None
    assert len({link.code for link in LINKS}) == len(LINKS)
