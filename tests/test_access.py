"""Who may come to which address: every route of the portal against every kind of person.

A route that is not in the table fails, and so does a line of the table without a route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from accounts.rules import Actor, Scope
from tests.access_table import EVERYBODY, IN, SEARCHES, STUDY, TABLE
from tests.factories import Cast, actor_of, take_in, token_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, spaces: tuple[str, ...] = ()
) -> Iterator[str]:
    """Give the name of every route, with its namespaces."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            inner = (*spaces, one.namespace) if one.namespace else spaces
            yield from routes(one.url_patterns, inner)
        else:
            yield ":".join((*spaces, one.name or f"(no name: {one.pattern})"))


def test_every_route_is_in_the_table() -> None:
    assert set(routes()) - TABLE.keys() == set(), "routes that nobody has thought about"
    assert TABLE.keys() - set(routes()) == set(), "lines about routes that are gone"


def test_no_two_routes_share_a_name() -> None:
    names = list(routes())
    assert sorted(names) == sorted(set(names))


def read_to_the_end(answer: HttpResponseBase) -> None:
    """Let a stream come to its own end; closed early, it would take the connection with it."""
    if isinstance(answer, StreamingHttpResponse):
        assert b"".join(answer) or answer.status_code != 200


@pytest.fixture
def hospital(cast: Cast, small_ct: Callable[..., bytes]) -> Cast:
    """The cast, and one study that the hospital holds."""
    take_in(actor_of(cast.clinician), small_ct())
    return cast


@pytest.fixture(autouse=True)
def a_viewer_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.views.viewer._release", lambda: "release")


@pytest.mark.parametrize("who", EVERYBODY)
def test_each_route_answers_each_person_as_the_table_says(
    hospital: Cast, client_of: Callable[[User], Client], who: str
) -> None:
    browser = Client() if who == "anonymous" else client_of(getattr(hospital, who))
    wrong = {}
    for name, line in TABLE.items():
        answer = browser.get(reverse(name, kwargs=line.arguments))
        status, expected = answer.status_code, line.statuses[EVERYBODY.index(who)]
        read_to_the_end(answer)
        if status != expected:
            wrong[name] = f"{status}, not {expected}"
        elif who == "anonymous" and expected == IN:
            assert answer["Location"].startswith("/sign-in/"), name
    assert wrong == {}


@pytest.mark.parametrize("name", sorted(SEARCHES))
@pytest.mark.parametrize("who", ["patient", "administrator", "auditor", "stranger"])
def test_a_search_finds_nothing_for_whom_nothing_is(
    hospital: Cast, client_of: Callable[[User], Client], name: str, who: str
) -> None:
    path = reverse(name, kwargs=TABLE[name].arguments)
    assert client_of(getattr(hospital, who)).get(path).content == b"[]"
    assert client_of(hospital.clinician).get(path).content.count(b'"0020000D"') == 1


# Tokens -------------------------------------------------------------------------------------------
READING = [name for name in TABLE if name.startswith("dicomweb:")]


@pytest.mark.parametrize("name", READING)
def test_dicomweb_gives_nothing_without_a_token_or_with_a_wrong_one(
    hospital: Cast, name: str
) -> None:
    path = reverse(name, kwargs=TABLE[name].arguments)
    for headers in ({}, {"authorization": "Bearer clm_forged"}, {"authorization": "Basic YTpi"}):
        answer = Client(headers=headers).get(path)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", READING)
def test_a_token_for_reading_reads(hospital: Cast, name: str) -> None:
    answer = token_client(hospital.clinician, Scope.READ).get(
        reverse(name, kwargs=TABLE[name].arguments)
    )
    assert answer.status_code == 200
    read_to_the_end(answer)


@pytest.mark.parametrize("name", READING)
def test_a_token_of_another_organisation_reads_nothing(hospital: Cast, name: str) -> None:
    answer = token_client(hospital.stranger, Scope.READ).get(
        reverse(name, kwargs=TABLE[name].arguments)
    )
    if name in SEARCHES:
        assert (answer.status_code, answer.content) == (200, b"[]")
    else:
        assert answer.status_code == 404
    read_to_the_end(answer)


@pytest.mark.parametrize("name", [name for name in READING if name != "dicomweb:studies"])
def test_a_token_for_writing_does_not_read(hospital: Cast, name: str) -> None:
    answer = token_client(hospital.clinician, Scope.WRITE).get(
        reverse(name, kwargs=TABLE[name].arguments)
    )
    assert answer.status_code == 403
    read_to_the_end(answer)


def test_a_token_for_reading_does_not_store(
    hospital: Cast, small_ct: Callable[..., bytes], actor: Callable[..., Actor]
) -> None:
    body = small_ct(number=2)
    send = {"data": body, "content_type": "application/dicom"}
    for path in ("/dicom-web/studies", f"/dicom-web/studies/{STUDY}"):
        assert token_client(hospital.clinician, Scope.READ).post(path, **send).status_code == 403
        assert token_client(hospital.auditor, Scope.WRITE).post(path, **send).status_code == 403
        assert Client().post(path, **send).status_code == 401
    stored = token_client(hospital.clinician, Scope.WRITE).post("/dicom-web/studies", **send)
    assert stored.status_code == 200
