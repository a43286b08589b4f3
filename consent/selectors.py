from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.rules import Actor, Capability
from consent.models import DataSubject, Grant, GrantItem, PurposeConsent
from consent.rules.decision import GrantFacts, Item
from consent.rules.identity import Identity
from policies.rules.categories import Category
from policies.rules.gate import listed_since, require_purpose
from policies.rules.pack import ListedPurpose
from policies.selectors import packs_held
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key, open_data_keys


def subject_context(subject_id: UUID) -> bytes:
    return bind("collimate/subject", subject_id)


def grant_context(grant_id: UUID) -> bytes:
    return bind("collimate/grant-text", grant_id)


def names_recipient(actor: Actor) -> Q:
    """Grants that name this person, or everybody in the organisation they work for."""
    return Q(recipient_organisation_id=actor.organisation_id) & (
        Q(recipient=None) | Q(recipient_id=actor.membership_id)
    )


def in_force(at: datetime) -> Q:
    return Q(revoked_at=None, granted_at__lte=at, expires_at__gt=at)


def grant_facts(actor: Actor, *, study_uid: str, organisation_id: UUID) -> list[GrantFacts]:
    """Every grant, ended ones too, that names the actor and anything of the study."""
    if actor.organisation_id is None:
        return []
    items = (
        GrantItem.objects.filter(study_uid=study_uid, grant__organisation_id=organisation_id)
        .filter(
            Q(grant__recipient=None) | Q(grant__recipient_id=actor.membership_id),
            grant__recipient_organisation_id=actor.organisation_id,
        )
        .select_related("grant")
    )
    found: dict[UUID, tuple[Grant, list[Item]]] = {}
    for row in items:
        _, list_ = found.setdefault(row.grant_id, (row.grant, []))
        list_.append(Item(row.study_uid, row.series_uid, row.instance_uid))
    return [
        GrantFacts(
            id=grant.pk,
            purpose=grant.purpose,
            may_download=grant.may_download,
            granted_at=grant.granted_at,
            expires_at=grant.expires_at,
            revoked_at=grant.revoked_at,
            items=tuple(list_),
        )
        for grant, list_ in found.values()
    ]


def may_be_listed(actor: Actor, *, at: datetime) -> Q:
    """The decision for lists, in SQL: over rows with `organisation_id` and `uid` of a study."""
    if actor.organisation_id is None:
        return Q(pk__in=[])
    own = Q(pk__in=[])
    if actor.can(Capability.SEE_SUBJECTS):
        own = Q(organisation_id=actor.organisation_id)
    if not actor.can(Capability.VIEW_IMAGES):
        return own
    active = Grant.objects.filter(names_recipient(actor), in_force(at))
    if not active.exists():
        return own
    items = GrantItem.objects.filter(
        study_uid=OuterRef("uid"),
        grant__organisation_id=OuterRef("organisation_id"),
        grant__in=active,
    )
    return own | Exists(items)


def granting_organisations(actor: Actor, *, at: datetime) -> list[UUID]:
    """Organisations that share something with the actor now; their index keys serve a search."""
    if actor.organisation_id is None:
        return []
    return list(
        Grant.objects.filter(names_recipient(actor), in_force(at))
        .order_by()
        .values_list("organisation_id", flat=True)
        .distinct()
    )


def grants_given(actor: Actor) -> QuerySet[Grant]:
    return _with_names(Grant.objects.filter(organisation_id=actor.organisation_id))


def grants_received(actor: Actor) -> QuerySet[Grant]:
    return _with_names(Grant.objects.filter(names_recipient(actor)))


def grants_known_to(actor: Actor) -> QuerySet[Grant]:
    """What the actor gave (their organisation), received, or is themselves the subject of."""
    return _with_names(
        Grant.objects.filter(
            Q(organisation_id=actor.organisation_id)
            | names_recipient(actor)
            | Q(subject_id__in=subjects_of_account(actor.user_id).values("pk"))
        )
    )


def grants_of_study(*, organisation_id: UUID, study_uid: str) -> QuerySet[Grant]:
    return _with_names(
        Grant.objects.filter(organisation_id=organisation_id, items__study_uid=study_uid).distinct()
    )


def grants_of_subjects(subject_ids: Iterable[UUID]) -> QuerySet[Grant]:
    return _with_names(Grant.objects.filter(subject_id__in=list(subject_ids)))


def _with_names(grants: QuerySet[Grant]) -> QuerySet[Grant]:
    return (
        grants.select_related(
            "organisation", "recipient_organisation", "recipient__user", "granted_by", "revoked_by"
        )
        .prefetch_related(Prefetch("items", GrantItem.objects.order_by("pk")))
        .order_by("-granted_at")
    )


def subjects_of_account(user_id: int) -> QuerySet[DataSubject]:
    """Whom a patient, or an animal's owner, may ask about."""
    return DataSubject.objects.filter(accounts__user_id=user_id).select_related("organisation")


def purpose_consent_of(subject_id: UUID, purpose: str) -> PurposeConsent | None:
    return PurposeConsent.objects.filter(
        subject_id=subject_id, purpose=purpose, withdrawn_at=None
    ).first()


def subjects_spoken_for_by(actor: Actor) -> QuerySet[DataSubject]:
    """Whose consent an actor can give or record: their own, or their organisation's patients'."""
    own = Q(pk__in=subjects_of_account(actor.user_id).values("pk"))
    if actor.organisation_id is not None and actor.can(Capability.SHARE_STUDIES):
        own |= Q(organisation_id=actor.organisation_id)
    return DataSubject.objects.filter(own).select_related("organisation")


@dataclass(frozen=True, slots=True)
class PurposeLine:
    """A purpose of sharing, and whether it reaches what was received before it was listed."""

    purpose: ListedPurpose
    since: datetime | None
    given: PurposeConsent | None


def purposes_for(subject: DataSubject) -> list[PurposeLine]:
    """The purposes that images of somebody can be shared for; `since` None: from the beginning."""
    packs = packs_held(subject.organisation_id)
    given = {
        one.purpose: one
        for one in PurposeConsent.objects.filter(
            subject_id=subject.pk, withdrawn_at=None
        ).select_related("given_by")
    }
    lines = []
    for purpose in packs[-1].shareable_purposes if packs else ():
        since = listed_since(packs, purpose.code, Category.IMAGES)
        young = since is not None and since > packs[0].effective_at
        lines.append(PurposeLine(purpose, since if young else None, given.get(purpose.code)))
    return lines


def identities(subjects: Iterable[DataSubject]) -> dict[UUID, Identity]:
    """Open the records of many subjects: one query for all their keys."""
    require_purpose(Category.IDENTITY)
    rows = list(subjects)
    keys = open_data_keys(ids=[row.key_id for row in rows])
    return {
        row.pk: Identity.from_json(
            FieldSealer(keys[row.key_id]).open(row.sealed_record, subject_context(row.pk))
        )
        for row in rows
    }


def agreed_text(grant: Grant) -> str:
    """The exact words that were agreed to."""
    require_purpose(Category.CONSENT)
    sealer = FieldSealer(open_data_key(id=grant.key_id))
    return sealer.open(grant.sealed_text, grant_context(grant.pk)).decode()
