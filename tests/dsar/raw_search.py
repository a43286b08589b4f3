"""Reads everything there is, as nobody but a test can: each row, each file, with seals that open.

`transparent` lets sealed fields stand as they are written, so that a search through the rows sees
what they say; objects and copies in the store are opened by the keys of the rows that name them.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from disclosures.models import Paper
from disclosures.sealing import paper_context
from dsar.models import Package
from dsar.services.packaging import package_context
from studies.models import Blob
from studies.sealing import blob_context
from vault.services.blobs import open_blob, stored_names
from vault.services.data_keys import open_data_key

_TAG, _HEAD = 16, 13  # of a sealed field: what ends it, and version and nonce before it


class Glass:
    """A cipher that hides nothing, with lengths like those of the real one."""

    def __init__(self, _key: bytes) -> None:
        pass

    def encrypt(self, _nonce: bytes, value: bytes, _context: bytes) -> bytes:
        return bytes(value) + bytes(_TAG)

    def decrypt(self, _nonce: bytes, sealed: bytes, _context: bytes) -> bytes:
        return bytes(sealed)[:-_TAG]


@pytest.fixture
def transparent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.rules.sealed_field.AESGCM", Glass)


def _spellings(text: str) -> list[bytes]:
    given = text.encode().lower()
    return [given, text.lower().encode("utf-16le"), given.hex().encode()]


def marks_in(data: bytes, planted: Mapping[str, str]) -> set[str]:
    folded = data.lower()
    return {
        what for what, text in planted.items() if any(one in folded for one in _spellings(text))
    }


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, memoryview | bytes | bytearray):
        return bytes(value)
    return b"" if value is None else str(value).encode()


def _unpacked(value: bytes) -> bytes:
    """What is compressed inside a sealed field stands behind its nonce."""
    try:
        return zlib.decompressobj().decompress(value[_HEAD:])
    except zlib.error:
        return b""


def rows_with(planted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every table and column in which something planted stands, and what it is."""
    for alias in ("default", "keys"):
        connection = connections[alias]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                names = [column[0] for column in cursor.description]
                for row in cursor.fetchall():
                    for name, value in zip(names, row, strict=True):
                        data = _bytes_of(value)
                        for what in marks_in(data + _unpacked(data), planted):
                            yield f"{table}.{name}", what


def _read(name: str, key_id: Any, context: bytes) -> bytes:
    with open_blob(name, key=open_data_key(id=key_id), context=context) as blob:
        return blob.read()


def _members(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return b"\n".join(name.encode() + opened.read(name) for name in opened.namelist())


def files_with(planted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every file of the store, by the row that names it. A file that no row names is a fault."""
    found: dict[str, tuple[str, bytes]] = {}
    for one in Blob.objects.select_related("study"):
        context = blob_context(one.study.organisation_id)
        found[one.name] = ("an object", _read(one.name, one.key_id, context))
    for package in Package.objects.exclude(blob_name=""):
        content = _read(package.blob_name, package.key_id, package_context(package.pk))
        found[package.blob_name] = ("a copy", _members(content))
    for paper in Paper.objects.all():
        content = _read(paper.blob_name, paper.key_id, paper_context(paper.pk))
        found[paper.blob_name] = ("a document of a disclosure", content)
    there = set(stored_names(before=timezone.now() + timedelta(days=1)))
    assert there <= set(found), "a file lies in the store that no row names"
    for where, content in found.values():
        for what in marks_in(content, planted):
            yield where, what
    for path in settings.STATE_DIR.rglob("*.log*"):
        for what in marks_in(path.read_bytes(), planted):
            yield path.name, what


def raw_search(planted: Mapping[str, str]) -> dict[str, set[str]]:
    """Where each thing that was planted stands."""
    found: dict[str, set[str]] = {}
    for where, what in (*rows_with(planted), *files_with(planted)):
        found.setdefault(what, set()).add(where)
    return found
