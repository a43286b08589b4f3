"""Papers of a request: which there are, which are missing, and how long they are kept."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from dsar.models import Case, CaseDocument
from dsar.rules.documents import DocumentKind
from dsar.rules.states import Act
from dsar.selectors.agents import authority_of
from policies.rules.categories import Category
from policies.selectors import packs_held
from retention.rules.holds import Scope
from retention.rules.periods import Period
from retention.selectors.holds import holds_in_force


def documents_of(case: Case) -> QuerySet[CaseDocument]:
    """The papers of a case, those that are gone as well."""
    return case.documents.select_related("added_by", "case").order_by("added_at", "pk")


def asked_documents(case: Case) -> set[DocumentKind]:
    """Which papers the person was asked for and has not sent since; whoever asks for somebody else
    is always asked for what shows that they may."""
    asked: dict[str, datetime] = {}
    for code, at in case.entries.filter(act=Act.ASK_DOCUMENT).values_list("code", "at"):
        asked[code] = max(at, asked.get(code, at))
    sent: dict[str, datetime] = {}
    for kind, at in case.documents.filter(by_person=True).values_list("kind", "added_at"):
        sent[kind] = max(at, sent.get(kind, at))
    if DocumentKind.AUTHORITY not in sent and authority_of(case) is not None:
        asked.setdefault(DocumentKind.AUTHORITY, case.received_at)
    return {DocumentKind(kind) for kind, at in asked.items() if kind not in sent or sent[kind] < at}


def is_held(case: Case) -> bool:
    """Does a hold keep what belongs to this case: of the organisation, or of whom it is about?"""
    subjects = set(case.subjects.values_list("subject_id", flat=True))
    return any(
        hold.scope is Scope.ORGANISATION
        or (hold.scope is Scope.SUBJECT and hold.subject_id in subjects)
        for hold in holds_in_force(case.organisation_id)
    )


def policy_term(organisation_id: UUID) -> Period | None:
    """How long the policy in force keeps requests; None if it does not say."""
    held = packs_held(organisation_id)
    line = held[-1]["retention"].get(Category.REQUESTS.value) if held else None
    return Period.read(line["keep"]) if line else None
