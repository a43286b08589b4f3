"""Certificates of destruction: issued once for a run, signed with the key of the trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record, system_ref
from audit.rules.notes import NoteRefused, open_note, sign_note
from audit.services.keys import signing_key, trusted_keys
from retention.models import Certificate, CertificateAddendum, DisposalItem, DisposalRun
from retention.rules.backups import end_of_backups
from retention.rules.certificate import BACKUPS, Facts, Line, addendum_of, digest_of, text_of
from retention.rules.disposal import ENDED, Fate, Step


def issue_certificate(*, run: DisposalRun) -> Certificate:
    """Sign what a run destroyed; call it in the transaction that ends the run, or, where no study
    went, the erasure that it belongs to.

    Raises ValueError while a study of it is neither gone nor kept.
    """
    if run.items.exclude(step__in=ENDED).exists():
        raise ValueError("a study of this run is not finished")
    number = (Certificate.objects.aggregate(Max("number"))["number__max"] or 0) + 1
    facts, ends_on = _facts(run, number, timezone.now())
    certificate = Certificate.objects.create(
        run=run, number=number, note=sign_note(text_of(facts), signing_key()),
        issued_at=facts.issued_at, backups_end_on=ends_on,
    )  # fmt: skip
    record(
        action="certificate.issued", actor=system_ref(), organisation_id=run.organisation_id,
        target=("certificate", str(number)),
        details={"run": run.pk, "studies": facts.studies, "digest": facts.digest},
    )  # fmt: skip
    return certificate


def _facts(run: DisposalRun, number: int, issued_at: datetime) -> tuple[Facts, date | None]:
    """What it says, and the last day that it names for backups."""
    gone = list(run.items.filter(step=Step.GONE).order_by("study_uid"))
    times = [item.key_destroyed_at for item in gone if item.key_destroyed_at]
    verified = [item.gone_at for item in gone if item.gone_at]
    kept = Counter(run.items.filter(step=Step.KEPT).values_list("kept_for", flat=True))
    keys = {UUID(one) for item in gone for one in item.key_ids}
    keys |= {item.subject_key_id for item in gone if item.subject_key_id}
    anonymous = [item for item in gone if item.fate == Fate.ANONYMISE]
    approvals = ((run.first_by_id, run.first_at), (run.second_by_id, run.second_at))
    backups, ends_on = end_of_backups(max(times, default=issued_at)) or (BACKUPS, None)
    facts = Facts(
        number=number, issued_at=issued_at, organisation_id=str(run.organisation_id),
        run=run.number, version_id=str(run.version_id), studies=len(gone),
        objects=sum(item.objects_count for item in gone), bytes=sum(item.bytes for item in gone),
        keys=len(keys), files=sum(len(item.blob_names) for item in gone),
        first_key_at=min(times, default=None), last_key_at=max(times, default=None),
        verified_at=max(verified, default=None), beside=tuple(run.beside),
        digest=digest_of(_lines(gone)), kept=kept,
        anonymous=len(anonymous), copies=sum(item.copied for item in anonymous),
        left_out=sum(item.objects_count - item.copied for item in anonymous),
        approvals=tuple((str(who), at) for who, at in approvals if at), backups=backups,
    )  # fmt: skip
    return facts, ends_on


def _lines(items: list[DisposalItem]) -> list[Line]:
    return [
        Line(item.study_uid, item.digest, item.key_destroyed_at)
        for item in items
        if item.key_destroyed_at
    ]


# Addenda -----------------------------------------------------------------------------------------
def certificates_awaiting_backups() -> Iterator[tuple[Certificate, datetime]]:
    """Certificates that named a last day of backups and have no addendum, each with the moment at
    which its last key was destroyed."""
    waiting = Certificate.objects.filter(addendum=None).exclude(backups_end_on=None)
    last = Coalesce(Max("run__items__key_destroyed_at"), "issued_at")
    for row in waiting.annotate(last=last).order_by("number"):
        yield row, row.last


@transaction.atomic
def issue_addendum(*, certificate: Certificate) -> CertificateAddendum:
    """Sign that the last backup has ended; the room of backups has made sure. Safe to repeat."""
    row = Certificate.objects.select_for_update().select_related("run").get(pk=certificate.pk)
    if found := CertificateAddendum.objects.filter(certificate=row).first():
        return found
    assert row.backups_end_on is not None
    gone, now = list(row.run.items.filter(step=Step.GONE)), timezone.now()
    digest = digest_of(_lines(gone))
    text = addendum_of(number=row.number, digest=digest, issued_at=now, named_on=row.backups_end_on)
    record(
        action="certificate.completed", actor=system_ref(),
        organisation_id=row.run.organisation_id, target=("certificate", str(row.number)),
        details={"run": row.run_id, "digest": digest},
    )  # fmt: skip
    return CertificateAddendum.objects.create(
        certificate=row, note=sign_note(text, signing_key()), issued_at=now
    )


def check_addendum(certificate: Certificate) -> Checked | None:
    """Verify the addendum and that it is of this certificate; None if there is none."""
    found = CertificateAddendum.objects.filter(certificate=certificate).first()
    if found is None:
        return None
    try:
        text, is_signed = open_note(found.note, trusted_keys()), True
    except NoteRefused:
        text, is_signed = found.note, False
    gone = list(certificate.run.items.filter(step=Step.GONE))
    said = f"\ncertificate: {certificate.number}\ndigest: {digest_of(_lines(gone))}\n"
    return Checked(text, is_signed, said in text)


@dataclass(frozen=True, slots=True)
class Checked:
    """What looking at a certificate again shows."""

    text: str
    is_signed: bool
    agrees: bool

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Its lines, as names and values; the first line is its title."""
        pairs = (line.partition(": ") for line in self.text.splitlines()[1:] if line)
        return [(name, value) for name, _, value in pairs]


def check_certificate(certificate: Certificate) -> Checked:
    """Verify the signature, and that the studies on record are those that it speaks of."""
    try:
        text, is_signed = open_note(certificate.note, trusted_keys()), True
    except NoteRefused:
        text, is_signed = certificate.note, False
    gone = list(certificate.run.items.filter(step=Step.GONE))
    return Checked(text, is_signed, f"\ndigest: {digest_of(_lines(gone))}\n" in text)


@transaction.atomic
def note_looking_at_certificate(*, actor: Actor, certificate: Certificate) -> Checked:
    record(
        action="certificate.viewed", actor=actor,
        organisation_id=certificate.run.organisation_id,
        target=("certificate", str(certificate.number)),
    )  # fmt: skip
    return check_certificate(certificate)
