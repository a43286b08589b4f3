from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.rules import Actor, Capability
from consent.models import DataSubject, Directive, Grant, GrantItem, PurposeConsent
from consent.rules.decision import GrantFacts, Item
from consent.rules.directives import DirectiveKind, unpacked
from consent.rules.identity import Identity
from consent.selectors.directives import unbarred
from policies.rules.categories import Category, labels_of
from policies.rules.gate import listed_since, require_purpose
from policies.rules.pack import ListedPurpose, Pack
from policies.rules.purposes import SECONDARY
from policies.rules.schema.uses import BASES
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
        unbarred(actor, subject="subject_id"),
        study_uid=OuterRef("uid"),
        grant__organisation_id=OuterRef("organisation_id"),
        grant__in=active,
    )
    return own | Exists(items)


def subjects_directed_by(actor: Actor) -> QuerySet[DataSubject]:
    """Whose directives an actor may see: their own, or as an officer of the holder all."""
    may = Q(pk__in=subjects_of_account(actor.user_id).values("pk"))
    if actor.can(Capability.ANSWER_REQUESTS):
        may |= Q(organisation_id=actor.organisation_id)
    return DataSubject.objects.filter(may).select_related("organisation")


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
            "organisation",
            "recipient_organisation",
            "recipient__user",
            "granted_by",
            "revoked_by",
            "transfer_agreement",
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


def consenting_to(purpose: str, subject_ids: Iterable[UUID]) -> set[UUID]:
    """Who among these people has consented to a purpose: one query for 10,000 of them."""
    wanted = list(subject_ids)
    found: set[UUID] = set()
    for place in range(0, len(wanted), 10_000):
        rows = PurposeConsent.objects.filter(
            subject_id__in=wanted[place : place + 10_000], purpose=purpose, withdrawn_at=None
        )
        found.update(rows.values_list("subject_id", flat=True))
    return found


def subjects_spoken_for_by(actor: Actor) -> QuerySet[DataSubject]:
    """Whose consent an actor can give or record: their own, or their organisation's patients'."""
    own = Q(pk__in=subjects_of_account(actor.user_id).values("pk"))
    if actor.organisation_id is not None and actor.can(Capability.SHARE_STUDIES):
        own |= Q(organisation_id=actor.organisation_id)
    return DataSubject.objects.filter(own).select_related("organisation")


@dataclass(frozen=True, slots=True)
class PurposeLine:
    """A purpose, whether it reaches images received before it, and whether consent is asked.

    `without_people`: only with the person taken out, for research or the training of software.
    """

    purpose: ListedPurpose
    since: datetime | None
    given: PurposeConsent | None
    without_people: bool = False
    always_asked: bool = False

    @property
    def asks(self) -> bool:
        """Is there something to consent to?"""
        return self.always_asked or self.since is not None


def purposes_for(subject: DataSubject) -> list[PurposeLine]:
    """What images of somebody can be used for beyond their own treatment here.

    Sharing, and research and training without the person in them; `since` None: listed from the
    beginning.
    """
    packs = packs_held(subject.organisation_id)
    if not packs:
        return []
    given = {
        one.purpose: one
        for one in PurposeConsent.objects.filter(
            subject_id=subject.pk, withdrawn_at=None
        ).select_related("given_by")
    }
    lines = [
        PurposeLine(one, _younger(packs, one.code, Category.IMAGES), given.get(one.code))
        for one in packs[-1].shareable_purposes
    ]
    for code, path in SECONDARY.items():
        listed = packs[-1].purpose(code)
        if listed is None or packs[-1][path] == "off":
            continue
        since = _younger(packs, code, Category.DEIDENTIFIED)
        asked = packs[-1][path] == "deidentified-opt-in"
        lines.append(PurposeLine(listed, since, given.get(code), True, asked))
    return lines


def _younger(packs: Sequence[Pack], code: str, category: Category) -> datetime | None:
    """From when on a purpose is listed, if that is not from the beginning."""
    since = listed_since(packs, code, category)
    return since if since is not None and since > packs[0].effective_at else None


@dataclass(frozen=True, slots=True)
class OwnPurposeLine:
    """What a member's data is used for, on what basis, and whether they object to it."""

    purpose: ListedPurpose
    basis: str
    data: list[str]
    objected_at: datetime | None


def purposes_of_member(actor: Actor) -> list[OwnPurposeLine]:
    """Every purpose of the policy that the member works under; first what can be objected to."""
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    objections = {
        purpose: row.set_at
        for row in Directive.objects.filter(
            user_id=actor.user_id, organisation_id=actor.organisation_id,
            kind=DirectiveKind.OBJECTION, lifted_at=None,
        )
        for purpose in unpacked(row.purposes)
    }  # fmt: skip
    return [
        OwnPurposeLine(one, BASES[one.basis], labels_of(one.categories), objections.get(one.code))
        for one in sorted(
            held[-1].purposes if held else (), key=lambda one: not one.may_be_objected_to
        )
    ]


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
