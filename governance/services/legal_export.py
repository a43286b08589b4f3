"""Hand a part of the trail to an authority, under a duty that is cited (AVMI-3.5, XENRAD-3.14)."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import IO, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from audit.selectors import entries_between
from governance.models import LegalExport
from governance.rules.legal_export import ExportRefused, check_citation, check_span
from policies.selectors import effective_pack


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, by whom, and under which duty; the days are inclusive, in UTC."""

    authority: str
    ground: str
    citation: str
    since: date
    until: date
    study_uid: str = ""


def export_under_law(*, acting: Actor, wanted: Wanted) -> tuple[LegalExport, IO[bytes]]:
    """Write the events asked for into a file, and the act into the trail.

    Returns the record, and the file at its beginning; whoever gets it closes it. Raises
    `ExportRefused`, which is recorded.
    """
    organisation_id = acting.organisation_id
    if organisation_id is None or not acting.can(Capability.DISCLOSE_UNDER_LAW):
        raise ExportRefused("Only the privacy officer hands records to authorities.")
    if not acting.is_fresh(timezone.now()):
        raise ExportRefused("Prove again that it is you, then hand it out.")
    try:
        citation = _check(organisation_id, wanted)
    except ExportRefused:
        record(action="trail.disclosure_refused", actor=acting, outcome="refused")
        raise
    with transaction.atomic():
        return _made(acting, organisation_id, wanted, citation)


def _check(organisation_id: UUID, wanted: Wanted) -> str:
    if wanted.ground not in effective_pack(organisation_id)["legal.grounds"]:
        raise ExportRefused("The privacy policy in force does not have this ground of disclosure.")
    if not wanted.authority.strip():
        raise ExportRefused("Say which authority it goes to.")
    check_span(wanted.since, wanted.until, today=timezone.now().date())
    return check_citation(wanted.citation)


def _made(
    acting: Actor, organisation_id: UUID, wanted: Wanted, citation: str
) -> tuple[LegalExport, IO[bytes]]:
    pk, found = uuid4(), tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
    digest, lines = hashlib.sha256(), 0
    for line in _lines(pk, organisation_id, wanted, citation):
        digest.update(line)
        found.write(line)
        lines += 1
    made = LegalExport.objects.create(
        id=pk, organisation_id=organisation_id, authority=wanted.authority.strip(),
        ground=wanted.ground, citation=citation, since=wanted.since, until=wanted.until,
        study_uid=wanted.study_uid, lines=lines - 1, digest=digest.hexdigest(),
        made_by_id=acting.user_id,
    )  # fmt: skip
    record(
        action="trail.disclosed",
        actor=acting,
        target=("legal_export", str(pk)),
        reason=wanted.ground,
        details={"lines": lines - 1, "digest": made.digest},
    )
    found.seek(0)
    return made, found


def _lines(pk: UUID, organisation_id: UUID, wanted: Wanted, citation: str) -> Iterator[bytes]:
    """First what it is and why, then an event a line, the earliest first."""
    yield _line({
        "export": str(pk),
        "organisation": Organisation.objects.get(pk=organisation_id).name,
        "authority": wanted.authority.strip(),
        "ground": wanted.ground,
        "citation": citation,
        "since": wanted.since.isoformat(),
        "until": wanted.until.isoformat(),
        "study": wanted.study_uid,
    })  # fmt: skip
    for entry in entries_between(
        organisation_id=organisation_id,
        since=wanted.since,
        until=wanted.until + timedelta(days=1),
        study_uid=wanted.study_uid,
    ):
        yield _line(entry)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode() + b"\n"
