"""Controls: an account is closed for whom it is known to be; the archive is opened by two."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.controls.signing_in import gate_of
from accounts.rules import Capability
from dsar.models import ArchiveRelease
from dsar.rules.closing import refusal_to_answer as refusal_to_call_closed
from dsar.rules.closing import refusal_to_close
from dsar.rules.documents import DOCUMENT_KINDS, DocumentKind
from dsar.rules.kinds import KINDS, Kind
from dsar.rules.releasing import (
    Authorization,
    Basis,
    Ready,
    Stage,
    checks_for,
    fault_of,
    refusal_to_answer,
    refusal_to_approve,
    refusal_to_check,
    refusal_to_make,
)
from dsar.rules.states import RECORDED_BY_OFFICER, Door, Outcome
from dsar.services.releasing_archive import RELEASE
from jobs.rules.kinds import kind_named
from policies.controls.trying import undone
from policies.rules.controls import Values, control, must_refuse, require

READ = date(2026, 9, 1)
_WHOLE = Ready(Kind.RECORDS_RELEASE, True, True, True, True)


@control(
    "dsar.closing-logged", "A mail closes an account, once it is known who wrote it",
    of_policy=True,
)  # fmt: skip
def closing_logged(values: Values) -> str:
    require(values["contact.email"], "The policy names no e-mail address for it.")
    require(Door.EMAIL in RECORDED_BY_OFFICER, "Officers cannot write down what came by e-mail.")
    for page in ("dsar:record", "dsar:close_account"):
        gate = gate_of(page)
        require(gate == Capability.ANSWER_REQUESTS, f"Officers do not come to {page}, or all do.")
    require(KINDS[Kind.ACCOUNT_CLOSURE].needs_identity, "It is asked of nobody who they are.")
    kind = Kind.ACCOUNT_CLOSURE
    unknown = refusal_to_close(kind, is_open=True, is_identified=False)
    require(unknown, "An account is closed for somebody of whom nothing is known.")
    known = refusal_to_close(kind, is_open=True, is_identified=True)
    require(not known, "It is not closed for whoever it is known to be either.")
    called = refusal_to_call_closed(Outcome.GRANTED, has_open_account=True)
    require(called, "An answer says that an account is closed which is open.")
    return f"Just now closing one was refused with: {unknown}"


def _authorization(basis: Basis) -> Authorization:
    return Authorization(
        basis, READ - timedelta(days=9), READ + timedelta(days=9), frozenset(checks_for(basis)),
        "order 1",
    )  # fmt: skip


def _refuses_what_is_not_whole() -> int:
    """Take each line away from an authorization that would open; returns how many there are."""
    tried = 0
    for basis in Basis:
        whole = _authorization(basis)
        require(not fault_of(whole, READ), "What says all that it must is refused.")
        for one in checks_for(basis):
            short = replace(whole, checks=whole.checks - {one})
            require(fault_of(short, READ), f"It opens without: {one.value}.")
            tried += 1
        over = replace(whole, ends_on=READ - timedelta(days=1))
        require(fault_of(over, READ), "It opens although its time is over.")
    return tried


@control("dsar.archive-authorized", "Archived records go out under a signed authorization alone")
def archive_authorized() -> str:
    without = refusal_to_check(replace(_WHOLE, has_paper=False))
    require(without, "Archived records are released without any paper.")
    require(
        refusal_to_check(replace(_WHOLE, is_identified=False)), "To whoever asks, known or not."
    )
    tried = _refuses_what_is_not_whole()
    require(
        not DOCUMENT_KINDS[DocumentKind.RELEASE].at_decision, "The paper is not kept as evidence."
    )
    require(refusal_to_approve(checked_by=1, approver=1), "One person checks it and approves it.")
    for stage in (Stage.ASKED, Stage.CHECKED):
        require(refusal_to_make(stage, _WHOLE), f"A package is made when it is {stage.value}.")
        said = refusal_to_answer(Kind.RECORDS_RELEASE, Outcome.GRANTED, stage)
        require(said, "An answer calls released what is not.")
    alone = {
        "case_id": UUID(int=1), "document_id": UUID(int=2), "basis": Basis.AUTHORIZATION.value,
        "signed_on": READ, "ends_on": READ, "checked_by_id": 1, "approved_by_id": 1,
    }  # fmt: skip
    with undone(), must_refuse(IntegrityError, "A release by one person"), transaction.atomic():
        ArchiveRelease.objects.create(**alone)
    require(gate_of("dsar:release_check") == Capability.ANSWER_REQUESTS, "Others can check it.")
    gate = gate_of("dsar:release_approve")
    require(gate == Capability.APPROVE_DISPOSAL, "Others can approve it, or nobody.")
    kind_named(RELEASE)
    return (
        f"An authorization was tried without each of {tried} lines and refused each time; the"
        " database refused a release by one person."
    )
