"""Cases of disclosure, as far as a test wants them, by the services of the pages."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from disclosures.models import Disclosure, Item, Notice, Release
from disclosures.rules.standing import Check
from disclosures.selectors import Concerned, concerned_by, items_of, today_of
from disclosures.services.noticing import Prohibition, Telling, record_prohibition, tell_person
from disclosures.services.opening import Demand, narrow_case, open_case, sign_case
from disclosures.services.packaging import fetch_package, spend
from disclosures.services.papers import add_paper
from disclosures.services.releasing import approve_case, release_case
from disclosures.services.scoping import Named, add_clause, choose_items, map_item
from jobs.services import run_job
from studies.models import Study
from tests.dsar.papers import pdf
from tests.factories import Cast, actor_of
from tests.policies.packs import under

SURGICAL, RADIOLOGY = "surgical-planning", "radiology-information-system"
AUTHORITY, REFERENCE = "District Court of Marker", "24-CV-1138"
NECESSITY = "The court orders it, and I believe that nothing less would do."


def demand(ground: str = "court-order", **more: Any) -> Demand:
    today = timezone.now().date()
    facts: dict[str, Any] = {
        "ground": ground, "authority": AUTHORITY, "reference": REFERENCE,
        "citation": "45 CFR 164.512(e)", "received_on": today - timedelta(days=2),
        "answer_on": today + timedelta(days=30), "rationale": "Forged invoices were found.",
    }  # fmt: skip
    return Demand(**(facts | more))


def opened(cast: Cast, ground: str = "court-order", pack: str = "", **more: Any) -> Disclosure:
    if pack:
        under(cast, pack)
    return open_case(actor=actor_of(cast.officer), demand=demand(ground, **more))


def with_paper(cast: Cast, row: Disclosure) -> None:
    add_paper(actor=actor_of(cast.officer), disclosure=row, content=pdf())


def signed(cast: Cast, row: Disclosure, by: User | None = None) -> None:
    sign_case(
        actor=actor_of(by or cast.officer, fresh=True), disclosure=row, checks=list(Check),
        validity="Called the clerk.", necessity=NECESSITY,
    )  # fmt: skip


def clause(cast: Cast, row: Disclosure, text: str = "All images of the left knee.") -> int:
    return add_clause(actor=actor_of(cast.officer), disclosure=row, text=text).number


def mapped(
    cast: Cast, row: Disclosure, named: Named | Study, reason: str = "It shows the knee.",
    number: int | None = 1,
) -> Item:  # fmt: skip
    one = Named(study_uid=named.uid) if isinstance(named, Study) else named
    return map_item(
        actor=actor_of(cast.officer), disclosure=row, clause_number=number, named=one,
        reason=reason,
    )  # fmt: skip


def ticked(cast: Cast, row: Disclosure, *numbers: int) -> None:
    choose_items(actor=actor_of(cast.officer), disclosure=row, numbers=numbers)


def scoped(cast: Cast, row: Disclosure, *studies: Study) -> None:
    clause(cast, row)
    ticked(cast, row, *(mapped(cast, row, one).number for one in studies))


def narrowed(cast: Cast, row: Disclosure) -> None:
    narrow_case(
        actor=actor_of(cast.officer), disclosure=row, asked="All records since 2010.",
        objected="Objected to all but the knee; the court agreed.", counsel="Counsel agreed.",
    )  # fmt: skip


def whom(row: Disclosure) -> Concerned:
    return concerned_by(items_of(row))[0]


def told(cast: Cast, row: Disclosure, **more: Any) -> Notice:
    telling = Telling(**({"way": "portal", "days": 0, "reason": "The court gave two days."} | more))
    return tell_person(
        actor=actor_of(cast.officer), disclosure=row, whom=whom(row), telling=telling
    )


def prohibited(cast: Cast, row: Disclosure, ends_on: date | None = None) -> Notice:
    until = ends_on or today_of(row) + timedelta(days=20)
    return record_prohibition(
        actor=actor_of(cast.officer), disclosure=row, whom=whom(row),
        prohibition=Prohibition("18 USC 2705(b)", until),
    )  # fmt: skip


def approved(cast: Cast, row: Disclosure, by: User | None = None) -> None:
    approve_case(actor=actor_of(by or cast.administrator, fresh=True), disclosure=row)


def ready(cast: Cast, *studies: Study, ground: str = "court-order", pack: str = "") -> Disclosure:
    """All is done but the notice and the approval."""
    row = opened(cast, ground, pack)
    if row.facts.is_compelled:
        with_paper(cast, row)
    signed(cast, row)
    scoped(cast, row, *studies)
    if row.facts.is_compelled:
        narrowed(cast, row)
    return row


def released(cast: Cast, row: Disclosure) -> Release:
    """Released by the officer, and the package made."""
    release = release_case(actor=actor_of(cast.officer, fresh=True), disclosure=row)
    assert release.job_id is not None
    run_job(job_id=release.job_id)
    release.refresh_from_db()
    return release


def given_out(cast: Cast, *studies: Study) -> Disclosure:
    row = ready(cast, *studies)
    told(cast, row)
    approved(cast, row)
    assert released(cast, row).state == Release.State.READY
    row.refresh_from_db()
    return row


def fetched(cast: Cast, row: Disclosure) -> zipfile.ZipFile:
    release, blob = fetch_package(actor=actor_of(cast.officer, fresh=True), disclosure=row)
    with blob:
        content = blob.read()
    spend(release, by=cast.officer.pk)
    return zipfile.ZipFile(io.BytesIO(content))


def files_in(package: zipfile.ZipFile) -> set[str]:
    """The names of what was given out: all but what lists it."""
    lists = {"MANIFEST.csv", "COVER.html", "SHA256SUMS"}
    return set(package.namelist()) - lists


def lines_of(package: zipfile.ZipFile) -> Sequence[list[str]]:
    return list(csv.reader(io.StringIO(package.read("MANIFEST.csv").decode())))[1:]
