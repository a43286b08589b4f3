"""Who may come to which address: every route of the portal against every kind of person.

A route that is not in the table fails, and so does a line of the table without a route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from accounts.rules import Actor, Scope
from studies.rules.demo_uids import uid_of
from tests.factories import Cast, actor_of, take_in, token_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

# What a person gets who asks with GET. In: the way is to the sign-in page.
IN = 302
NOBODY = UUID(int=0)
EVERYBODY = "anonymous patient clinician officer administrator auditor stranger".split()


@dataclass(frozen=True)
class Row:
    """One route: the status that each of EVERYBODY gets, and what its address needs."""

    statuses: tuple[int, int, int, int, int, int, int]
    arguments: dict[str, object]


def row(statuses: str, **arguments: object) -> Row:
    """Read seven statuses; `in` stands for: sent to the sign-in page."""
    found = tuple(IN if one == "in" else int(one) for one in statuses.split())
    assert len(found) == len(EVERYBODY)
    return Row(found, arguments)  # type: ignore[arg-type]


STUDY, SERIES = uid_of("test", "one"), uid_of("one", "one")
INSTANCE = uid_of("test", "one", "one", "1")
IN_SERIES = {"study": STUDY, "series": SERIES}
IN_INSTANCE = {**IN_SERIES, "instance": INSTANCE}

#                                       anonymous
#                                           patient
#                                               clinician
#                                                   officer
#                                                       administrator
#                                                           auditor
#                                                               stranger
TABLE: dict[str, Row] = {
    "healthz":                         row("200 200 200 200 200 200 200"),
    "readyz":                          row("200 200 200 200 200 200 200"),
    "schema":                          row("200 200 200 200 200 200 200"),
    # Signing in is for everybody; who is signed in has no business there.
    "accounts:sign_in":                row("200 302 302 302 302 302 302"),
    "accounts:second_factor":          row("302 302 302 302 302 302 302"),
    "accounts:passkey_begin":          row("405 405 405 405 405 405 405"),
    "accounts:passkey_complete":       row("405 405 405 405 405 405 405"),
    "accounts:demo":                   row("403 403 403 403 403 403 403", token="forged"),
    "accounts:sign_out":               row("405 405 405 405 405 405 405"),
    "accounts:password_forgot":        row("200 200 200 200 200 200 200"),
    "accounts:password_reset":         row("410 410 410 410 410 410 410", uid="MQ", token="forged"),
    "accounts:join":                   row("410 410 410 410 410 410 410", secret="forged"),
    "accounts:outbox":                 row("200 200 200 200 200 200 200"),
    # One's own account.
    "accounts:step_up":                row("in  200 200 200 200 200 200"),
    "accounts:demo_step_up":           row("in  405 405 405 405 405 405"),
    "accounts:enrol":                  row("403 200 200 200 200 200 200"),
    "accounts:enrol_totp":             row("403 200 200 200 200 200 200"),
    "accounts:enrol_passkey_begin":    row("405 405 405 405 405 405 405"),
    "accounts:enrol_passkey_complete": row("405 405 405 405 405 405 405"),
    # Where the policy has no recovery codes, none are made.
    "accounts:recovery_codes":         row("in  200 200 200 200 200 403"),
    "accounts:account":                row("in  200 200 200 200 200 200"),
    "accounts:session_end":            row("in  405 405 405 405 405 405", pk=NOBODY),
    "accounts:organisation_choose":    row("in  405 405 405 405 405 405"),
    "accounts:token_issue":            row("in  404 200 200 200 200 200"),
    "accounts:token_revoke":           row("in  405 405 405 405 405 405", pk=NOBODY),
    # Messages are their reader's; out of advertising anybody gets by the link of a mail.
    "accounts:notifications":          row("in  200 200 200 200 200 200"),
    "accounts:notifications_read":     row("in  405 405 405 405 405 405"),
    "accounts:notification_open":      row("in  405 405 405 405 405 405", pk=NOBODY),
    "accounts:notification_read":      row("in  405 405 405 405 405 405", pk=NOBODY),
    "accounts:notification_acknowledge": row("in 405 405 405 405 405 405", pk=NOBODY),
    "accounts:preferences":            row("in  200 200 200 200 200 200"),
    "accounts:unsubscribe":            row("404 404 404 404 404 404 404", token="forged"),
    "accounts:campaigns":              row("in  403 403 403 200 403 403"),
    # The policy is public; accepting it is for whoever has an account.
    "accounts:notices":                row("200 200 200 200 200 200 200"),
    "accounts:notice":                 row("200 200 200 200 200 200 200", slug="hospital"),
    "accounts:notice_versions":        row("200 200 200 200 200 200 200", slug="hospital"),
    "accounts:notice_version":         row("200 200 200 200 200 200 200", slug="hospital", revision=1),
    "accounts:notice_changes":         row("404 404 404 404 404 404 404", slug="hospital", revision=1),
    "accounts:policy_accept":          row("in  302 200 200 200 200 200"),
    "accounts:policy_news":            row("in  302 302 302 302 302 302"),
    "accounts:policy_declined":        row("in  200 200 200 200 200 200"),
    "accounts:own_data":               row("in  200 200 200 200 200 200"),
    "consent:subject_purposes":        row("in  404 404 404 404 404 404", pk=NOBODY),
    "consent:subject_consent":         row("in  405 405 405 405 405 405", pk=NOBODY, purpose="treatment"),
    "consent:account_close":           row("in  200 200 200 200 200 200"),
    # Anybody may read what is left in a browser; a link out needs a registered code.
    "accounts:cookies":                row("200 200 200 200 200 200 200"),
    "accounts:leaving":                row("404 404 404 404 404 404 404"),
    # The policy is an administrator's to change; what is kept, also an officer's to look at.
    "governance:policy":               row("in  403 403 403 200 403 403"),
    "governance:policy_begin":         row("in  403 403 403 405 403 403"),
    "governance:policy_discard":       row("in  403 403 403 405 403 403"),
    "governance:policy_review":        row("in  403 403 403 302 403 403"),
    "governance:policy_text":          row("in  403 403 403 200 403 403"),
    "governance:policy_withdraw":      row("in  403 403 403 405 403 403", revision=1),
    "governance:policy_part":          row("in  403 403 403 200 403 403", slug="contact"),
    "governance:policy_record_add":    row("in  403 403 403 200 403 403", path="purposes"),
    "governance:policy_record":        row("in  403 403 403 200 403 403", path="purposes", code="treatment"),
    "governance:policy_record_remove": row("in  403 403 403 405 403 403", path="purposes", code="treatment"),
    "governance:promises":             row("in  403 403 200 200 200 403"),
    "governance:inventory":            row("in  403 403 200 200 200 403"),
    # The members of an organisation are its administrator's.
    "accounts:members":                row("in  403 403 403 200 403 403"),
    "accounts:member_invite":          row("in  403 403 403 200 403 403"),
    "accounts:member_edit":            row("in  403 403 403 404 403 403", pk=NOBODY),
    "accounts:member_end":             row("in  403 403 403 405 403 403", pk=NOBODY),
    # Studies: images are for clinicians of the hospital that holds them.
    "studies:worklist":                row("in  302 200 200 302 302 200"),
    "studies:study":                   row("in  404 200 200 403 403 404", uid=STUDY),
    "studies:share":                   row("in  403 200 403 403 403 404", uid=STUDY),
    "studies:held_release":            row("in  405 405 405 405 405 405", uid=STUDY),
    "studies:doubts_settle":           row("in  405 405 405 405 405 405", uid=STUDY),
    "studies:trail":                   row("in  403 403 200 403 200 403"),
    "studies:my_record":               row("in  200 200 200 200 200 200"),
    "studies:frames":                  row("in  404 200 403 403 403 404", uid=STUDY, series_uid=SERIES),
    "studies:download":                row("in  404 200 403 403 403 404", uid=STUDY),
    "studies:upload":                  row("in  403 200 403 403 403 200"),
    "studies:upload_plain":            row("405 405 405 405 405 405 405"),
    "studies:upload_state":            row("in  403 404 403 403 403 404", pk=NOBODY),
    "studies:viewer":                  row("in  404 404 404 404 404 404", path="no-such-route"),
    "studies:viewer_home":             row("in  302 302 302 302 302 302"),
    "studies:viewer_refused":          row("in  404 200 403 403 403 404", uid=STUDY),
    # Shares.
    "consent:shares":                  row("in  200 200 200 200 200 200"),
    "consent:share":                   row("in  404 404 404 404 404 404", pk=NOBODY),
    "consent:share_revoke":            row("in  404 404 404 404 404 404", pk=NOBODY),
    "jobs:show":                       row("404 404 404 404 404 404 404", job_id=NOBODY),
    # DICOMweb: a search gives what may be seen; the rest does not exist for others.
    "dicomweb:studies":                row("401 200 200 200 200 200 200"),
    "dicomweb:study":                  row("401 404 200 403 403 403 404", study=STUDY),
    "dicomweb:study_metadata":         row("401 404 200 403 403 403 404", study=STUDY),
    "dicomweb:series_of_study":        row("401 200 200 200 200 200 200", study=STUDY),
    "dicomweb:instances_of_study":     row("401 200 200 200 200 200 200", study=STUDY),
    "dicomweb:series":                 row("401 404 200 403 403 403 404", **IN_SERIES),
    "dicomweb:series_metadata":        row("401 404 200 403 403 403 404", **IN_SERIES),
    "dicomweb:instances_of_series":    row("401 200 200 200 200 200 200", **IN_SERIES),
    "dicomweb:instance":               row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:instance_metadata":      row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:frames":                 row("401 404 200 403 403 403 404", **IN_INSTANCE, frames="1"),
    "dicomweb:study_thumbnail":        row("401 404 200 403 403 403 404", study=STUDY),
    "dicomweb:series_thumbnail":       row("401 404 200 403 403 403 404", **IN_SERIES),
    "dicomweb:instance_thumbnail":     row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:frame_thumbnail":        row("401 404 200 403 403 403 404", **IN_INSTANCE, frames="1"),
    "dicomweb:instance_rendered":      row("401 404 200 403 403 403 404", **IN_INSTANCE),
    "dicomweb:frame_rendered":         row("401 404 200 403 403 403 404", **IN_INSTANCE, frames="1"),
    # Sending in pieces: an upload is its sender's alone.
    "uploads:uploads":                 row("401 405 405 405 405 405 405"),
    "uploads:upload":                  row("401 404 404 404 404 404 404", pk=NOBODY),
    "uploads:objects":                 row("401 405 405 405 405 405 405", pk=NOBODY),
    "uploads:close":                   row("401 405 405 405 405 405 405", pk=NOBODY),
    "dicomweb:bulk":                   row("401 404 200 403 403 403 404", **IN_INSTANCE, path="7FE00010"),
}  # fmt: skip


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


# Searches are never refused: they find what may be seen.
SEARCHES = {
    "dicomweb:studies",
    "dicomweb:series_of_study",
    "dicomweb:instances_of_study",
    "dicomweb:instances_of_series",
}


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
