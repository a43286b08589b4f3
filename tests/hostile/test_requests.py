"""Hostile requests to the real server: a clear refusal, nothing stored, and it goes on serving.

What has no counterpart here: there is no address that takes JSON about shares (a share is agreed
to on a page), none that patches a person, and none that deletes; the uploads, the account form
and the pages for sharing and revoking are what a browser could be made to send to.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests.hostile.conftest import (
    COLLEAGUE,
    STUDIES,
    UPLOADS,
    Portal,
)
from tests.studies.hostile import ROOT
from tests.studies.objects import RELATED, an_object, as_parts

pytestmark = pytest.mark.slow

EVIL = "https://evil.example"
MB = 1 << 20
OBJECT = an_object(study="55")
IMAGE = f"{STUDIES}/{ROOT}50/series/{ROOT}50.1/instances/{ROOT}50.1.1"
ELSEWHERE = f"{STUDIES}/{ROOT}51"
Headers = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One request in one or more forms; `allowed` are its statuses, 0 for a connection cut."""

    allowed: str
    method: str = "POST"
    paths: tuple[str, ...] = (STUDIES,)
    bodies: tuple[bytes, ...] = (b"",)
    headers: Headers = field(default_factory=dict)
    who: str = "program"

    def statuses(self) -> set[int]:
        return {int(one) for one in self.allowed.split()}


def get(allowed: str, *paths: str, headers: Headers | None = None, method: str = "GET") -> Case:
    return Case(allowed, method, paths, headers=headers or {})


def stow(allowed: str, *bodies: bytes, path: str = STUDIES, **headers: str) -> Case:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Case(allowed, paths=(path,), bodies=bodies, headers={"Content-Type": RELATED} | named)


def json_to_uploads(*bodies: str) -> Case:
    sent = tuple(body.encode() for body in bodies)
    return Case("400", paths=(UPLOADS,), bodies=sent, headers={"Content-Type": "application/json"})


def described(*pointers: str) -> bytes:
    """DICOM JSON whose bulk data is to be fetched from somewhere."""
    parts = [
        {"00080018": {"vr": "UI", "Value": [ROOT + "9"]},
         "7FE00010": {"vr": "OB", "BulkDataURI": pointer}} for pointer in pointers
    ]  # fmt: skip
    head = b"--b\r\nContent-Type: application/dicom+json\r\n\r\n"
    return head + json.dumps(parts).encode() + b"\r\n--b--\r\n"


KEYS = "PatientID PatientName StudyDate AccessionNumber includefield StudyInstanceUID".split()
CASES: dict[str, Case] = {
    # Bodies ---------------------------------------------------------------------------------
    "no boundary": stow("400 415", as_parts(OBJECT), Content_Type="multipart/related"),
    "endless boundary": stow(
        "400 413 431", b"x", Content_Type=f"multipart/related; boundary={'b' * 20_000}"
    ),
    "no closing boundary": stow("400", as_parts(OBJECT, closed=False)[:-20]),
    "100,000 empty parts": stow("400 413", as_parts(*[b""] * 100_000)),
    "a page that calls itself an image": stow("400 409 415", as_parts(b"<html><script>1")),
    "a compressed body": stow(
        "400 413 415", gzip.compress(bytes(64 * MB)), Content_Encoding="gzip"
    ),
    "an object of another study": stow("409", as_parts(OBJECT), path=f"{STUDIES}/1.2.3.4.5"),
    "addresses to fetch": stow(
        "400 409 415",
        described("http://169.254.169.254/", "file:///etc/passwd", "gopher://127.0.0.1/"),
        Content_Type='multipart/related; type="application/dicom+json"; boundary=b',
    ),
    # Searches -------------------------------------------------------------------------------
    "limits that are none": get(
        "400",
        *(f"{STUDIES}?limit={one}" for one in ("-1", "1" + "0" * 18, "NaN")),
        f"{STUDIES}?limit=1&offset={2**63}",
    ),
    "storms of parameters": get(
        "200 400 414 431",
        f"{STUDIES}?" + "&".join(f"k{n}=1" for n in range(5000)),
        f"{STUDIES}?" + "&".join(f"k{n}=1" for n in range(900)),
        f"{STUDIES}?PatientName=%00",
        f"{STUDIES}?PatientName=" + "*?" * 500,
        f"{STUDIES}?PatientName=a" + "*?" * 120,
        f"{STUDIES}?StudyDescription=" + "*?" * 120 + "x",
    ),
    "words of a database": get("200 400", *(f"{STUDIES}?{k}=%27%20OR%201%3D1--%20" for k in KEYS)),
    # Images ---------------------------------------------------------------------------------
    "frames that are none": get(
        "400 404 406 414",
        *(f"{IMAGE}/frames/{one}" for one in ("0", "-1", "1" + "0" * 20)),
        f"{IMAGE}/frames/{','.join(['1'] * 10_000)}",
        f"{IMAGE}/frames/{','.join(['1'] * 4_000)}",
    ),
    "a picture without end": get("400", f"{IMAGE}/rendered?viewport=100000,100000&quality=0"),
    "a storm of ranges": get(
        "200 206 400 416 431",
        f"{IMAGE}/frames/1",
        headers={"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 2600, 2))},
    ),
    # Places ---------------------------------------------------------------------------------
    "climbing paths": get(
        "400 404",
        *(
            STUDIES + one
            for one in ("/..%2f..%2f..%2fetc%2fpasswd", "/%252e%252e%252f", "/1.2.3%00", "/....//x")
        ),
        "/static/..%2f..%2fconfig%2fsettings.py",
        "/static/../../config/settings.py",
    ),
    # A browser led here by another site -------------------------------------------------------
    "a foreign site sends a form of images": Case(
        "403",
        bodies=(as_parts(OBJECT),),
        headers={"Origin": EVIL, "Content-Type": "multipart/form-data; boundary=boundary-of-tests"},
        who="person",
    ),
    "a foreign site sends images as such": Case(
        "403",
        bodies=(as_parts(OBJECT),),
        headers={"Origin": EVIL, "Content-Type": RELATED},
        who="person",
    ),
    "a foreign site sends text": Case(
        "403 415",
        paths=(UPLOADS, f"/studies/{ROOT}50/share/", "/account/tokens/new/", "/sign-out/"),
        bodies=(b'{"attested":true}',),
        headers={"Origin": "null", "Content-Type": "text/plain"},
        who="person",
    ),
    # JSON -----------------------------------------------------------------------------------
    "JSON nested 100,000 deep": json_to_uploads(
        "[" * 100_000 + "]" * 100_000, '{"attested":' * 5000 + "1" + "}" * 5000
    ),
    "JSON that is odd": json_to_uploads(
        '{"attested":NaN}',
        '{"attested":true,"more":NaN}',
        '{"attested":true,"days":1e400}',
        '{"attested":true,"days":' + "9" * 4400 + "}",
        '{"attested":false,"attested":true}',
        '{"attested":true,"note":"a\\u0000b"}',
        '{"attested":true,"note":"\\ud800"}',
        '{"attested":true} {}',
        "\ufeff{}",
    ),
    # Methods --------------------------------------------------------------------------------
    "TRACE": get("400 403 404 405 501", "/", STUDIES, method="TRACE"),
    "DELETE": get("404 405", f"{STUDIES}/{ROOT}50", IMAGE, method="DELETE"),
    "another method in a header": Case(
        "400 403 404 405 409",
        paths=(f"{STUDIES}/{ROOT}50",),
        bodies=(as_parts(OBJECT),),
        headers={"X-HTTP-Method-Override": "DELETE", "Content-Type": RELATED},
    ),
    "reading what changes something": Case("405", "GET", ("/sign-out/",), who="person"),
    "asking for the head of what changes something": Case(
        "405", "HEAD", ("/sign-out/", "/sign-in/again/demo/"), who="person"
    ),
}


@pytest.fixture(scope="module", autouse=True)
def stored(portal: Portal) -> None:
    """One study of the clinician's, and one that is a colleague's elsewhere."""
    assert portal.stow(an_object(study="50")).status_code == 200
    with portal.program_of(COLLEAGUE) as colleague:
        body = as_parts(an_object(study="51"))
        answer = colleague.post(portal.at(STUDIES), body, headers={"Content-Type": RELATED})
        assert answer.status_code == 200


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes


def ask(portal: Portal, method: str, path: str, body: bytes, headers: Headers, who: str) -> Answer:
    """Send exactly this, as a program with a token or as a person's browser with its cookies."""
    place = urlsplit(portal.site.address)
    if who == "program":
        headers = headers | {"Authorization": str(portal.program.headers["Authorization"])}
    elif who == "person":
        cookies = portal.person.cookies.get_dict()
        headers = headers | {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        link.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            link.putheader(name, value)
        # It may be refused before all of it was sent, and the answer be there.
        with suppress(BrokenPipeError, ConnectionResetError):
            link.endheaders(body)
        answer = link.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    except (ConnectionError, http.client.HTTPException):
        return Answer(0, {}, b"")
    finally:
        link.close()


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_request_is_refused_and_the_next_one_served(portal: Portal, name: str) -> None:
    case, before, wrong = CASES[name], portal.kept(), {}
    for path in case.paths:
        for body in case.bodies:
            with portal.bounded():
                answer = ask(portal, case.method, path, body, case.headers, case.who)
            if answer.status not in case.statuses():
                wrong[path[:90], body[:60]] = answer.status, answer.body[:200]
            assert b"Traceback" not in answer.body and b"root:" not in answer.body
    assert wrong == {}
    assert portal.kept().stored == before.stored
    portal.check_next_is_taken()
    assert portal.person.get(portal.at("/account/")).url.endswith("/account/"), "still signed in"


# Framing of requests ----------------------------------------------------------------------------
def say(portal: Portal, *lines: str, body: bytes) -> bytes:
    """Say it to the server byte for byte, end, and give all it answers."""
    place = urlsplit(portal.site.address)
    token = portal.program.headers["Authorization"]
    common = (f"Host: {place.netloc}", f"Authorization: {token!s}")
    head = "\r\n".join([lines[0], *common, *lines[1:], "", ""]).encode()
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as link:
        link.sendall(head + body)
        link.shutdown(socket.SHUT_WR)
        told = b""
        try:
            while piece := link.recv(65536):
                told += piece
        except ConnectionResetError:
            pass
        return told


SMUGGLED = b"0\r\n\r\nGET /account/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Content-Length: 4", "Content-Length: 40"),
        ("Content-Length: +4",),
        ("Content-Length: 4\x0b",),
    ],
    ids="both two-encodings unknown space two-lengths sign control".split(),
)
def test_a_request_framed_in_two_ways_is_one_request_or_none(
    portal: Portal, lines: tuple[str, ...]
) -> None:
    before = portal.kept()
    told = say(portal, f"POST {STUDIES} HTTP/1.1", *lines, body=SMUGGLED)
    assert told.count(b"HTTP/1.1 ") <= 1
    assert not told or re.match(rb"HTTP/1\.1 (4\d\d|501) ", told)
    assert portal.kept().stored == before.stored
    portal.check_next_is_taken()


@pytest.mark.parametrize("size", [b"+4", b"-4", b"0x4", b"4_0", b"\xff", b"4;" + b"x" * 20_000])
def test_a_chunk_of_an_impossible_size_is_refused(portal: Portal, size: bytes) -> None:
    told = say(
        portal,
        f"POST {STUDIES} HTTP/1.1",
        "Transfer-Encoding: chunked",
        "Content-Type: application/dicom",
        body=size + b"\r\nabcd\r\n0\r\n\r\n",
    )
    assert not told or re.match(rb"HTTP/1\.1 4\d\d ", told)
    portal.check_next_is_taken()


def test_a_body_shorter_than_announced_stores_nothing_and_is_one_refusal(portal: Portal) -> None:
    before = portal.kept()
    told = say(
        portal,
        f"POST {STUDIES} HTTP/1.1",
        f"Content-Type: {RELATED}",
        "Content-Length: 1000000",
        body=as_parts(OBJECT),
    )
    after = portal.kept()
    assert not told or re.match(rb"HTTP/1\.1 4\d\d ", told)
    assert after.stored == before.stored and after.refusals == before.refusals + 1
    portal.check_next_is_taken()


# What others may find out -----------------------------------------------------------------------
@pytest.mark.parametrize(
    "what", ["", "/metadata", "/thumbnail", "/series", "/series/1.2/instances/1.3/rendered"]
)
def test_a_study_elsewhere_looks_like_one_that_is_nowhere(portal: Portal, what: str) -> None:
    answers = [
        ask(portal, "GET", f"{STUDIES}/{uid}{what}", b"", {}, "program")
        for uid in (f"{ROOT}51", f"{ROOT}59")
    ]
    assert answers[0].status == answers[1].status
    assert answers[0].body.replace(b"8888.51", b"8888.59") == answers[1].body
    # A search finds nothing there; everything else is not there.
    assert (answers[0].status, answers[0].body) == (200, b"[]") or answers[0].status == 404


@pytest.mark.parametrize("path", [STUDIES, UPLOADS, "/", "/sign-in/"])
def test_no_other_site_may_read_answers(portal: Portal, path: str) -> None:
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "GET"):
        for who in ("nobody", "person"):
            answer = ask(portal, method, path, b"", asked, who)
            assert answer.status < 500
            assert not [name for name in answer.headers if name.startswith("access-control-")]
