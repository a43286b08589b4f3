"""Whoever gets hold of the databases, the files or the logs learns no name, number or date."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as live
from django.core import mail
from django.db import connections

from consent.rules.decision import Item
from studies.services.intake import Intake

from .conftest import CLINICIAN, COLLEAGUE, Portal
from .hostile import element
from .objects import RELATED, an_object, as_parts, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

PLANTED = {
    "family name": "Zwetschgenmüller",
    "given name": "Kunigunde",
    "name in other letters": "紫陽花山",
    "patient number": "KHN-7719-XQ",
    "issuer": "UNIKLINIK-QUARZBERG",
    "birth date": "19310417",
    "birth date as written": "1931-04-17",
    "study date": "20190823",
    "accession": "ACC-55-QQZ1",
    "study number": "STQ-8812-Z",
    "description": "Verdacht auf Fersensporn",
    "physician": "Ohneberg",
    "institution": "Klinik Quarzberg",
    "comment": "kommt mit Schwester Walburga",
    "file name": "Zwetschge_K_1931.dcm",
}
ENCODED: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "latin-1": lambda text: text.encode("latin-1", "replace"),
    "utf-16le": lambda text: text.encode("utf-16le"),
    "utf-16be": lambda text: text.encode("utf-16be"),
    "hex": lambda text: text.encode().hex().encode(),
    "reversed": lambda text: text.encode()[::-1],
    "url": lambda text: quote(text).encode(),
    "json": lambda text: text.encode("ascii", "backslashreplace"),
    # Without the digits at the ends, which depend on what stands beside.
    "base64, first place": lambda text: base64.b64encode(text.encode())[:-4],
    "base64, second place": lambda text: base64.b64encode(b"?" + text.encode())[2:-4],
    "base64, third place": lambda text: base64.b64encode(b"??" + text.encode())[3:-4],
}


def traces(data: bytes, planted: Mapping[str, str] = PLANTED) -> list[tuple[str, str]]:
    """What of the planted stands in these bytes, and in which spelling; in any case of letters."""
    folded = data.lower()
    return [
        (what, how)
        for what, text in planted.items()
        for how, encode in ENCODED.items()
        if (needle := encode(text).lower()) and needle in folded
    ]


def planted_object(number: int, **more) -> bytes:
    name = f"{PLANTED['family name']}^{PLANTED['given name']}={PLANTED['name in other letters']}"
    return an_object(
        number=number,
        name=name,
        patient=PLANTED["patient number"],
        issuer=PLANTED["issuer"],
        changes={
            0x00080020: ("DA", PLANTED["study date"]),
            0x00080050: ("SH", PLANTED["accession"]),
            0x00080080: ("LO", PLANTED["institution"]),
            0x00080090: ("PN", PLANTED["physician"]),
            0x00081030: ("LO", PLANTED["description"]),
            0x00100030: ("DA", PLANTED["birth date"]),
            0x00104000: ("LT", PLANTED["comment"]),
            0x00200010: ("SH", PLANTED["study number"]),
            0x00091010: element(0x00091010, "LO", PLANTED["comment"]),
            **more,
        },
    )


def dump_of(alias: str) -> bytes:
    """Everything of a database: its file as it is, free pages too, or each row of each table."""
    connection = connections[alias]
    if connection.vendor == "sqlite":
        return bytes(connection.connection.serialize())
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        pieces = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            pieces += [row[0].encode() for row in cursor.fetchall()]
    return b"\n".join(pieces)


def everything_on_disk(*folders: Path) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and "static" not in path.parts:
                yield str(path), path.read_bytes() + str(path).encode()


def use_the_portal(portal: Portal, client_of) -> None:
    """Store, search, look, share, be refused: by programs and on the pages."""
    client, study = portal.client(), f"/dicom-web/studies/{uid('1')}"
    body = as_parts(planted_object(1), planted_object(2))
    assert client.post("/dicom-web/studies", body, content_type=RELATED).status_code == 200
    with Intake(actor=portal.actor(), upload=portal.upload()) as intake:
        intake.take([planted_object(3)], name=PLANTED["file name"])
        intake.take([b"broken"], name=PLANTED["file name"])
        # Another patient under the same study: a refusal that is about names.
        intake.take([planted_object(4).replace(b"KHN-7719", b"KHN-7718")])
        intake.commit()
    for query in (
        "PatientName=Zwetschgenm*",
        f"PatientID={PLANTED['patient number']}",
        f"StudyDescription={PLANTED['description']}",
        "PatientBirthDate=19310417",
        f"PatientName={PLANTED['given name']}&Unknown={PLANTED['family name']}",
    ):
        client.get(f"/dicom-web/studies?{query}")
    for path in ("", "/metadata", "/series", "/instances"):
        response = client.get(study + path)
        assert response.status_code == 200
        response.getvalue()
    portal.share(Item(uid("1"), uid("1.1")))
    assert portal.client(COLLEAGUE).get(f"{study}/metadata").status_code == 200
    for email in (CLINICIAN, COLLEAGUE):
        browser = client_of(portal.people[email])
        assert PLANTED["family name"] in browser.get(f"/studies/{uid('1')}/").content.decode()
        browser.get("/", {"name": PLANTED["family name"], "identifier": PLANTED["patient number"]})


def test_the_search_itself_finds_what_is_planted() -> None:
    for what, text in PLANTED.items():
        for how, encode in ENCODED.items():
            assert (what, how) in traces(b"\0\1" + encode(text) + b"\2"), (what, how)
    hidden = base64.b64encode(b"x" + PLANTED["patient number"].encode() + b"yz")
    assert ("patient number", "base64, second place") in traces(hidden)
    assert traces(b"Test^Invented 1970") == []


def test_no_database_file_or_log_holds_a_name_a_number_or_a_date(
    portal: Portal, client_of, caplog
) -> None:
    caplog.set_level(logging.DEBUG)
    use_the_portal(portal, client_of)
    found = {}
    for alias in ("default", "keys"):
        dump = dump_of(alias)
        # Identifiers are stored as they are: the dump is of what was stored.
        assert alias == "keys" or uid("1.1.2").encode() in dump
        found[alias] = traces(dump)
    for name, data in everything_on_disk(portal.folder, live.STATE_DIR):
        found[name] = traces(data)
    # Django's own debug log of statements is off in the product; parameters would be in it.
    lines = [r.getMessage() for r in caplog.records if r.name != "django.db.backends"]
    found["logs"] = traces("\n".join(lines).encode())
    found["mail"] = traces("\n".join(str(one.message()) for one in mail.outbox).encode())
    assert {where: what for where, what in found.items() if what} == {}
    assert any("blobs" in where for where in found)
