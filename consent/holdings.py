"""What this room holds about a patient, or an animal's owner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Organisation
from consent.models import DataSubject, Directive, Grant, PurposeConsent
from consent.rules.directives import unpacked
from consent.selectors import agreed_text, grants_of_subjects, identities
from consent.selectors.directives import reason_of
from policies.rules.categories import CATEGORIES, Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder


def _subjects(whose: Whose) -> list[DataSubject]:
    return list(
        DataSubject.objects.filter(
            pk__in=whose.subject_ids, organisation_id=whose.organisation_id
        ).order_by("created_at", "pk")
    )


def _grants(whose: Whose) -> list[Grant]:
    ids: list[UUID] = [one.pk for one in _subjects(whose)]
    return list(grants_of_subjects(ids).order_by("granted_at", "pk"))


def _consents(whose: Whose) -> list[PurposeConsent]:
    return list(
        PurposeConsent.objects.filter(
            subject_id__in=whose.subject_ids, organisation_id=whose.organisation_id
        ).order_by("given_at", "pk")
    )


def _directives(whose: Whose) -> list[Directive]:
    mine = Q(subject_id__in=whose.subject_ids)
    if whose.user_id is not None:
        mine |= Q(user_id=whose.user_id)
    rows = Directive.objects.filter(mine, organisation_id=whose.organisation_id)
    return list(rows.order_by("set_at", "pk"))


def _holdings(whose: Whose) -> Iterator[Holding]:
    subjects, grants, consents = _subjects(whose), _grants(whose), _consents(whose)
    directives = _directives(whose)
    if subjects:
        yield Holding(
            Category.IDENTITY, "Who the patient is", len(subjects), subjects[0].created_at,
            CATEGORIES[Category.IDENTITY].source.value, file="identity.json",
        )  # fmt: skip
    if grants:
        recipients = sorted({grant.recipient_organisation.name for grant in grants})
        yield Holding(
            Category.CONSENT, "Shares, with what was agreed to", len(grants),
            grants[0].granted_at, "given by whoever shared", tuple(recipients),
            "as evidence, also after the images are gone", file="shares.json",
        )  # fmt: skip
    if consents:
        yield Holding(
            Category.CONSENT, "Consents to a purpose", len(consents), consents[0].given_at,
            CATEGORIES[Category.CONSENT].source.value, (), "as evidence", file="consents.json",
        )  # fmt: skip
    if directives:
        yield Holding(
            Category.CONSENT, "What was said against a use", len(directives), directives[0].set_at,
            CATEGORIES[Category.CONSENT].source.value, (), "as evidence", file="directives.json",
        )  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    found = identities(_subjects(whose))
    if found:
        people = [{k: v for k, v in asdict(one).items() if v} for one in found.values()]
        yield _json("identity.json", people)
    if shares := shares_told(whose):
        yield _json("shares.json", shares)
    if consents := consents_told(whose):
        yield _json("consents.json", consents)
    if directives := _directives(whose):
        yield _json("directives.json", [_directive(one) for one in directives])


def shares_told(whose: Whose) -> list[dict[str, Any]]:
    return [_share(one) for one in _grants(whose)]


def consents_told(whose: Whose) -> list[dict[str, Any]]:
    return [_consent(one) for one in _consents(whose)]


def _share(grant: Grant) -> dict[str, Any]:
    return {
        "to": grant.recipient_organisation.name,
        "purpose": grant.purpose,
        "may_download": grant.may_download,
        "from": grant.granted_at.isoformat(),
        "until": grant.expires_at.isoformat(),
        "revoked": grant.revoked_at.isoformat() if grant.revoked_at else None,
        "studies": [item.study_uid for item in grant.items.all()],
        "agreed_to": agreed_text(grant),
    }


def _consent(one: PurposeConsent) -> dict[str, Any]:
    return {
        "purpose": one.purpose,
        "given": one.given_at.isoformat(),
        "by_the_person": one.by_subject,
        "document": one.document,
        "withdrawn": one.withdrawn_at.isoformat() if one.withdrawn_at else None,
    }


def _directive(one: Directive) -> dict[str, Any]:
    named = Organisation.objects.filter(pk__in=unpacked(one.recipients))
    return {
        "what": one.facts.label,
        "law": one.facts.cites,
        "purposes": sorted(unpacked(one.purposes)),
        "studies": sorted(unpacked(one.studies)) or "all",
        "towards": sorted(named.values_list("name", flat=True)) or "everybody",
        "said": one.set_at.isoformat(),
        "by": one.source,
        "request": one.case_number,
        "why": reason_of(one),
        "lifted": one.lifted_at.isoformat() if one.lifted_at else None,
    }


def _json(path: str, value: Any) -> File:
    return one_file(path, json.dumps(value, indent=2, ensure_ascii=False).encode())


def register() -> None:
    register_holder(Holder("consent", "Identity, shares and consents", _holdings, _files))
