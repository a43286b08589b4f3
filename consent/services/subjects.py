from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.services.trail import record, system_ref
from consent.models import DataSubject, SubjectAccount
from consent.rules.identity import Identity, doubts
from consent.selectors import identities, subject_context
from vault.rules.blind_index import exact_token
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key, open_data_key, open_index_key

IDENTIFIER_FIELD = "subject.identifier"


@dataclass(frozen=True, slots=True)
class Matched:
    """The subject that an identity was matched to, and what speaks against the match."""

    subject: DataSubject
    doubts: tuple[str, ...] = ()


@transaction.atomic
def match_subject(*, organisation_id: UUID, identity: Identity) -> Matched:
    """Find the subject with this issuer and identifier inside the organisation, or make one.

    An identity without identifier is never matched: two unnamed patients are two. Where the
    identifier fits and the rest does not, the doubts are returned for a person to settle;
    nothing is merged or overwritten.
    """
    if not identity.identifier.strip():
        return Matched(_create(organisation_id, identity, None))
    index = open_index_key(organisation_id=organisation_id, field_name=IDENTIFIER_FIELD)
    token = exact_token(index, identity.key)
    known = DataSubject.objects.filter(
        organisation_id=organisation_id, identifier_token=token
    ).first()
    if known is None:
        return Matched(_create(organisation_id, identity, token))
    return Matched(known, doubts(identities([known])[known.pk], identity))


def _create(organisation_id: UUID, identity: Identity, token: bytes | None) -> DataSubject:
    key = create_data_key(organisation_id=organisation_id, kind="subject")
    subject_id = uuid.uuid4()
    return DataSubject.objects.create(
        id=subject_id,
        organisation_id=organisation_id,
        kind=_kind_of(identity),
        key_id=key.id,
        sealed_record=FieldSealer(key.key).seal(identity.to_json(), subject_context(subject_id)),
        identifier_token=token,
    )


def _kind_of(identity: Identity) -> DataSubject.Kind:
    return DataSubject.Kind.ANIMAL if identity.is_animal else DataSubject.Kind.PERSON


@transaction.atomic
def link_account(*, user: User, subject: DataSubject) -> SubjectAccount:
    """Let a person see what is held about a subject: themselves, or their animal."""
    link, made = SubjectAccount.objects.get_or_create(user=user, subject=subject)
    if made:
        record(
            action="subject.linked",
            actor=system_ref(),
            organisation_id=subject.organisation_id,
            subject_id=subject.pk,
            target=("user", str(user.pk)),
        )
    return link


class IdentityTaken(Exception):
    """Another patient has this number; two people are never merged by a correction."""


@transaction.atomic
def correct_identity(*, subject: DataSubject, changes: Mapping[str, str]) -> DataSubject:
    """Put other values into what is known of somebody; the caller keeps the old ones, and the
    event. Raises `IdentityTaken`."""
    row = DataSubject.objects.select_for_update().get(pk=subject.pk)
    identity = replace(identities([row])[row.pk], **changes)
    if identity.identifier.strip():
        index = open_index_key(organisation_id=row.organisation_id, field_name=IDENTIFIER_FIELD)
        row.identifier_token = exact_token(index, identity.key)
    same = DataSubject.objects.filter(
        organisation_id=row.organisation_id, identifier_token=row.identifier_token
    )
    if row.identifier_token is not None and same.exclude(pk=row.pk).exists():
        raise IdentityTaken("Another patient has this number. Nothing was changed or merged.")
    sealer = FieldSealer(open_data_key(id=row.key_id))
    row.sealed_record = sealer.seal(identity.to_json(), subject_context(row.pk))
    row.kind = _kind_of(identity)
    row.save(update_fields=["identifier_token", "sealed_record", "kind"])
    return row
