"""Take a portable copy in, on any portal: its digests first, its schema, then its images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

from accounts.rules import Actor
from dsar.rules.portable import DATA, NotPortable, checked
from dsar.services.copying import SUMS
from studies.models import Instance
from studies.rules.archive import BROKEN_MEMBER
from studies.rules.results import Result
from studies.services.intake import Intake
from studies.services.uploads import close_upload, open_upload

BLOCK: Final = 256 * 1024
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it: objects that the copy names, those that are here now, and what was said."""

    studies: int
    named: int
    here: int
    results: tuple[Result, ...]

    @property
    def is_whole(self) -> bool:
        return self.named == self.here


def import_copy(*, actor: Actor, path: Path) -> Imported:
    """Take in the images of a portable copy, under the attestation of whoever does it.

    Nothing is taken before every digest was found to be right and the document fits the schema.
    Shares and consents stay what they are: what somebody agreed to elsewhere holds there alone.
    Raises `NotPortable`, and `Refused` for whoever may send nothing here.
    """
    document = _checked_document(path)
    # All of it was read and is what it was: what fails from here on is no fault of the archive.
    with ZipFile(path) as archive:
        results = _take(actor, archive, document)
    uids = _uids_of(document)
    here = sum(
        Instance.objects.filter(
            organisation_id=actor.organisation_id, uid__in=uids[place : place + BATCH]
        ).count()
        for place in range(0, len(uids), BATCH)
    )
    return Imported(len(document["studies"]), len(uids), here, tuple(results))


def _uids_of(document: Mapping[str, Any]) -> list[str]:
    return [one["uid"] for study in document["studies"] for one in study["objects"]]


def _checked_document(path: Path) -> dict[str, Any]:
    try:
        with ZipFile(path) as archive:
            _check_digests(archive)
            return checked(archive.read(DATA))
    except BROKEN_MEMBER:
        raise NotPortable("This is no archive that can be read to its end.") from None


def _check_digests(archive: ZipFile) -> None:
    """Every file has its digest, and each digest its file."""
    names = archive.namelist()
    if len(names) != len(set(names)) or SUMS not in names or DATA not in names:
        raise NotPortable(
            f"It is no portable copy: it needs {SUMS} and {DATA}, and each file once."
        )
    listed = {}
    for line in archive.read(SUMS).decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    if listed.keys() != set(names) - {SUMS}:
        raise NotPortable(f"What {SUMS} lists is not what is there.")
    for name, digest in listed.items():
        found = sha256()
        for block in _blocks(archive, name):
            found.update(block)
        if found.hexdigest() != digest:
            raise NotPortable(f"{name} is not what it was: its digest differs.")


def _blocks(archive: ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as member:
        while block := member.read(BLOCK):
            yield block


def _take(actor: Actor, archive: ZipFile, document: Mapping[str, Any]) -> list[Result]:
    files = [one["file"] for study in document["studies"] for one in study["objects"]]
    if missing := set(files) - set(archive.namelist()):
        raise NotPortable(f"{len(missing)} of the objects that it names are not in it.")
    upload = open_upload(actor=actor, source="command")
    results: list[Result] = []
    for place in range(0, len(files), BATCH):
        with Intake(actor=actor, upload=upload) as intake:
            for file in files[place : place + BATCH]:
                intake.take(_blocks(archive, file), name=file)
            results += intake.commit()
    close_upload(upload=upload)
    return results
