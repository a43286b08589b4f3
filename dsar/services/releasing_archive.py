"""Release of archived records: an authorization checked, approved by a second person, handed out.

Nothing else opens the legal archive. What is opened is named study by study, the keys of these and
no others, by the one job that makes the package; and each of them is an event in the trail.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.rules import Actor, Role
from accounts.selectors import people_with
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from dsar.models import ArchiveRelease, Case, CaseDocument, CaseSubject, FeeQuote, Package
from dsar.permissions import can_answer
from dsar.rules.documents import DocumentKind
from dsar.rules.kinds import Kind
from dsar.rules.releasing import (
    Authorization,
    Basis,
    Ready,
    Stage,
    covers_only,
    fault_of,
    fault_of_term,
    refusal_to_answer,
    refusal_to_approve,
    refusal_to_check,
    refusal_to_make,
    seen_in,
)
from dsar.rules.states import UNANSWERED, Outcome
from dsar.selectors import standing_of, today_at
from dsar.selectors.identity import is_identified
from dsar.selectors.repeats import quote_of
from dsar.services.copying import Archive, package_to_make, write_package
from dsar.services.entries import CaseRefused, NotYours, locked, write_entry, write_event
from dsar.services.packaging import begin_package
from jobs.services import Run
from policies.rules.holdings import File, one_file
from retention.models import ArchivedStudy
from retention.permissions import can_approve
from studies.holdings import files_of_studies
from studies.models import Blob, Study
from studies.selectors import narrowed
from vault.rules.archive import archive_opened

RELEASE = "dsar.release_archived"
TO_APPROVE = "release-to-approve"
CHECKED, APPROVED, MADE = "release-checked", "release-approved", "release-made"


# How it stands -----------------------------------------------------------------------------------
def release_of(case: Case) -> ArchiveRelease | None:
    people = ("checked_by", "approved_by", "document")
    return ArchiveRelease.objects.filter(case=case).select_related(*people).first()


def stage_of(case: Case) -> Stage:
    release = release_of(case)
    return release.stage if release is not None else Stage.ASKED


def archived_of(case: Case) -> list[ArchivedStudy]:
    """What lies in the archive of those whose records are asked for."""
    subjects = case.subjects.values_list("subject_id", flat=True)
    rows = ArchivedStudy.objects.filter(
        organisation_id=case.organisation_id, study__subject_id__in=subjects
    )
    return list(rows.select_related("study").order_by("number"))


def papers_of(case: Case) -> list[CaseDocument]:
    rows = case.documents.filter(kind=DocumentKind.RELEASE.value, destroyed_at=None)
    return list(rows.order_by("added_at", "pk"))


def readiness_of(case: Case) -> Ready:
    quote = quote_of(case)
    return Ready(
        kind=Kind(case.kind), is_open=case.state in UNANSWERED,
        is_identified=is_identified(case), knows_whom=case.subjects.exists(),
        has_paper=bool(papers_of(case)), unauthorised=standing_of(case).unauthorised,
        waits_for_quote=quote is not None and quote.state != FeeQuote.State.ACCEPTED,
    )  # fmt: skip


def refusal_to_call_released(case: Case, outcome: Outcome) -> str:
    """Why an answer cannot say that records are released; empty if it can."""
    if case.kind != Kind.RECORDS_RELEASE:
        return ""
    return refusal_to_answer(Kind(case.kind), outcome, stage_of(case))


# Whose records -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Found:
    """Somebody of whom something lies in the archive: how much, and nothing else of them."""

    subject_id: UUID
    studies: int


@transaction.atomic
def look_in_archive(*, actor: Actor, case: Case, wanted: dict[str, str]) -> list[Found]:
    """Look in the archive by keyed hashes, and write down that somebody looked.

    Nothing is opened for it. Whoever is linked already is left out.
    """
    if not can_answer(actor, case):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    found = _found(case, wanted)
    write_event("archive.searched", case, actor=actor, found=len(found))
    return found


def _found(case: Case, wanted: dict[str, str]) -> list[Found]:
    texts = {tag: wanted[name] for name, tag in _SEARCHED.items() if wanted.get(name)}
    if not texts:
        return []
    here = case.organisation_id
    rows = Study.objects.filter(archived_at__isnull=False, organisation_id=here)
    known = set(case.subjects.values_list("subject_id", flat=True))
    counts: dict[UUID, int] = {}
    for subject_id in narrowed(rows, [here], texts, {}).values_list("subject_id", flat=True):
        if subject_id not in known:
            counts[subject_id] = counts.get(subject_id, 0) + 1
    return [Found(subject_id, count) for subject_id, count in counts.items()]


_SEARCHED = {"name": "00100010", "identifier": "00100020"}


def case_to_approve(actor: Actor, number: str) -> Case | None:
    """The request of a release, for whoever may approve one of their organisation."""
    case = (
        Case.objects.select_related("organisation")
        .filter(number=number, kind=Kind.RECORDS_RELEASE.value)
        .first()
    )
    return case if case is not None and can_approve(actor, case.organisation_id) else None


# Checking ----------------------------------------------------------------------------------------
@transaction.atomic
def check_authorization(
    *, actor: Actor, case: Case, given: Authorization, document_id: UUID, covers: Collection[str]
) -> ArchiveRelease:
    """Write down what an officer has seen in the paper. Checked anew, it needs a new approval.

    Raises `CaseRefused` with what is wrong: nothing is opened then.
    """
    row = _for_officer(actor, case)
    if refusal := refusal_to_check(readiness_of(row)):
        raise CaseRefused(refusal)
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you: your word opens the archive.")
    paper = next((one for one in papers_of(row) if one.pk == document_id), None)
    if paper is None:
        raise CaseRefused("Choose the paper that you have read.")
    there = [one.study.uid for one in archived_of(row)]
    fault = fault_of(given, today_at(row.organisation)) or covers_only(covers, there)
    if fault:
        write_event("archive.refused", row, actor=actor, basis=given.basis.value)
        raise CaseRefused(fault)
    if stage_of(row) is Stage.MADE:
        raise CaseRefused("It is released already. A new request makes a new one.")
    release, _ = ArchiveRelease.objects.update_or_create(
        case=row,
        defaults={
            "document": paper, "basis": given.basis.value, "reference": given.reference,
            "signed_on": given.signed_on, "ends_on": given.ends_on,
            "checks": sorted(one.value for one in given.checks), "covers": sorted(set(covers)),
            "checked_by_id": actor.user_id, "checked_at": timezone.now(),
            "approved_by": None, "approved_at": None,
        },
    )  # fmt: skip
    write_entry(row, CHECKED, by=actor, code=given.basis.value, shown=False)
    write_event("archive.authorization_checked", row, actor=actor, basis=given.basis.value,
                studies=len(release.covers))  # fmt: skip
    people = people_with([row.organisation_id], Role.OFFICER, Role.ADMINISTRATOR)
    notify(users=people.exclude(pk=actor.user_id), template=TO_APPROVE, target_id=row.number)
    return release


@transaction.atomic
def approve_release(*, actor: Actor, case: Case) -> ArchiveRelease:
    """The second person's word; whoever checked cannot give it."""
    row = locked(case)
    if not can_approve(actor, row.organisation_id):
        raise NotYours("Only privacy officers and administrators can approve this.")
    release = _release_or_refuse(row)
    if release.stage is not Stage.CHECKED:
        raise CaseRefused("It is approved already.")
    if refusal := refusal_to_approve(checked_by=release.checked_by_id, approver=actor.user_id):
        raise CaseRefused(refusal)
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then approve it.")
    if fault := _fault_of_term(row, release):
        raise CaseRefused(fault)
    release.approved_by_id, release.approved_at = actor.user_id, timezone.now()
    release.save(update_fields=["approved_by", "approved_at"])
    write_entry(row, APPROVED, by=actor, shown=False)
    write_event("archive.release_approved", row, actor=actor, studies=len(release.covers))
    return release


@transaction.atomic
def prepare_release(*, actor: Actor, case: Case) -> tuple[Package, str]:
    """Have the package made; returns it with the code for whoever has no account (else empty)."""
    row = _for_officer(actor, case)
    release = _release_or_refuse(row)
    if refusal := refusal_to_make(release.stage, readiness_of(row)):
        raise CaseRefused(refusal)
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then have it made.")
    if row.closed_at is not None:
        raise CaseRefused("This case is closed. A new request makes a new one.")
    if fault := _fault_of_term(row, release):
        raise CaseRefused(fault)
    return begin_package(actor=actor, row=row, kind=RELEASE, once=True)


def _for_officer(actor: Actor, case: Case) -> Case:
    row = locked(case)
    if not can_answer(actor, row):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    return row


def _release_or_refuse(row: Case) -> ArchiveRelease:
    release = ArchiveRelease.objects.select_for_update().filter(case=row).first()
    if release is None:
        raise CaseRefused(
            refusal_to_check(readiness_of(row))
            or "No authorization has been checked: nothing in the archive is opened without one."
        )
    return release


def _fault_of_term(row: Case, release: ArchiveRelease) -> str:
    return fault_of_term(release.signed_on, release.ends_on, today_at(row.organisation))


# Making ------------------------------------------------------------------------------------------
def make_release(run: Run) -> None:
    """Write what the authorization covers into one sealed archive. A kill begins it anew."""
    package = package_to_make(run)
    if package is None:
        return
    case = package.case
    release = ArchiveRelease.objects.get(case=case)
    studies = _covered(case, release)
    with archive_opened(_keys_of(studies)):
        files = [*files_of_studies(studies), _statement(case, release, studies)]
        write_package(run, package, Archive(files), then=lambda: _note_made(case, release, studies))


def _covered(case: Case, release: ArchiveRelease) -> list[Study]:
    """Asked for anew: whose records they are may have been taken back since."""
    subjects = CaseSubject.objects.filter(case=case).values("subject_id")
    rows = Study.objects.filter(
        organisation_id=case.organisation_id, archived_at__isnull=False, uid__in=release.covers,
        subject_id__in=subjects,
    )  # fmt: skip
    return list(rows.order_by("pk"))


def _keys_of(studies: list[Study]) -> set[UUID]:
    blobs = Blob.objects.filter(study__in=[one.pk for one in studies])
    return {one.key_id for one in studies} | set(blobs.values_list("key_id", flat=True))


def _statement(case: Case, release: ArchiveRelease, studies: list[Study]) -> File:
    """What was released on which authority, to go along with it."""
    context = {
        "case": case, "release": release, "studies": studies, "made_at": timezone.now(),
        "basis": Basis(release.basis), "checks": seen_in(release.checks),
    }  # fmt: skip
    return one_file("RELEASE.html", render_to_string("dsar/release_report.html", context).encode())


def _note_made(case: Case, release: ArchiveRelease, studies: list[Study]) -> None:
    """One event for each study, in the transaction that ends the work: it is a disclosure."""
    ArchiveRelease.objects.filter(pk=release.pk).update(made_at=timezone.now())
    write_entry(case, MADE, by=None, shown=False)
    for study in studies:
        record(
            action="archive.released", actor=system_ref(), organisation_id=case.organisation_id,
            subject_id=study.subject_id, target=("study", study.uid), reason=release.basis,
            details={"case": case.number.lower(), "checked_by": release.checked_by_id,
                     "approved_by": release.approved_by_id},
        )  # fmt: skip
