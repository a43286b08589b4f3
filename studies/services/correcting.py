"""Correcting what images say: new values on every way out, the stored objects as they came (C31).

The decision of a privacy officer on a request; search and lists find the new value at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.rules import Actor, Capability
from accounts.services.trail import record
from config.statements import insert
from consent.models import DataSubject
from consent.services.grants import tell_recipients
from consent.services.subjects import IdentityTaken, correct_identity
from studies import index
from studies.gateways.corrections import sealed
from studies.gateways.objects import ObjectReader
from studies.models import Correction, Instance, Study, StudyNameToken
from studies.rules.attributes import parsed, text_of
from studies.rules.coercing import CannotCoerce
from studies.rules.correcting import (
    ATTRIBUTES,
    ValueRefused,
    checked_value,
    identity_changes,
)
from studies.rules.display import day_of
from studies.rules.messages import CORRECTED
from studies.selectors import REJECTED, study_summaries
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_keys

_TOGETHER = 200


class CorrectionRefused(Exception):
    """One sentence that says why nothing was corrected, and what to do."""


@transaction.atomic
def correct_studies(
    *,
    actor: Actor,
    subject: DataSubject,
    study_uids: Iterable[str],
    values: Mapping[str, str],
    case_number: str,
) -> list[Correction]:
    """Give studies of somebody new values, by tag; what is of the person holds for all of them.

    Tried on every object first: all of it or nothing. Raises `CorrectionRefused`.
    """
    if actor.organisation_id != subject.organisation_id or not (
        actor.can(Capability.ANSWER_REQUESTS) and case_number
    ):
        raise CorrectionRefused("Only privacy officers correct, and only for a request.")
    wanted = checked_values(values)
    named = frozenset(study_uids)
    studies = _locked(subject)
    if beyond := named - {study.uid for study in studies}:
        raise CorrectionRefused(f"{len(beyond)} of the studies are not of this person.")
    of_person = {tag for tag in wanted if ATTRIBUTES[tag].of_person}
    rows = [
        row
        for study in studies
        if (row := _corrected(actor, study, _for(study, wanted, of_person, named), case_number))
    ]
    if not rows:
        raise CorrectionRefused("Everything says that already: there is nothing to correct.")
    _try_objects([row.study for row in rows])
    if changes := identity_changes({tag: wanted[tag] for tag in of_person}):
        try:
            correct_identity(subject=subject, changes=changes)
        except IdentityTaken as taken:
            raise CorrectionRefused(str(taken)) from None
    for row in rows:
        _index_again(row.study)
    tell_recipients(
        organisation_id=subject.organisation_id, study_uids=[row.study.uid for row in rows],
        template=CORRECTED.code,
    )  # fmt: skip
    return rows


def checked_values(values: Mapping[str, str], *, today: date | None = None) -> dict[str, str]:
    """The values as DICOM writes them. Raises `CorrectionRefused` with what is wrong."""
    day = today or timezone.now().date()
    found = {}
    for tag, text in values.items():
        try:
            found[tag] = checked_value(tag, text, today=day)
        except ValueRefused as refusal:
            label = ATTRIBUTES[tag].label if tag in ATTRIBUTES else tag
            raise CorrectionRefused(f"{label}: {refusal}") from None
    if not found:
        raise CorrectionRefused("Write at least one new value.")
    return found


def values_of(study: Study) -> dict[str, str]:
    """What a study says now of everything that can be corrected, by tag."""
    attributes = parsed(study_summaries([study])[0])
    return {tag: _text(attributes, tag) for tag in ATTRIBUTES}


def _locked(subject: DataSubject) -> list[Study]:
    # Without any object it is being disposed of, and its key may be gone.
    return list(
        Study.objects.select_for_update()
        .filter(Q(instance_count__gt=0) | REJECTED, subject=subject, archived_at=None)
        .order_by("uid")
    )


def _for(
    study: Study, wanted: Mapping[str, str], of_person: set[str], named: frozenset[str]
) -> dict[str, str]:
    """What is corrected in one study: the person's everywhere, the rest where it was named."""
    is_named = study.uid in named
    return {tag: value for tag, value in wanted.items() if tag in of_person or is_named}


def _corrected(
    actor: Actor, study: Study, wanted: Mapping[str, str], case_number: str
) -> Correction | None:
    before = values_of(study)
    changed = {
        tag: {"old": before[tag], "new": value}
        for tag, value in wanted.items()
        if before[tag] != value
    }
    if not changed:
        return None
    key = open_data_keys(ids=[study.key_id])[study.key_id]
    row = Correction(study=study, case_number=case_number, by_id=actor.user_id)
    row.sealed_values = sealed(changed, row, FieldSealer(key))
    row.save(force_insert=True)
    record(
        action="study.corrected", actor=actor, subject_id=study.subject_id,
        target=("study", study.uid),
        details={
            "attributes": [f"{tag[:4]}.{tag[4:]}" for tag in sorted(changed)],
            "case": case_number.lower(),
            "correction": str(row.pk),
        },
    )  # fmt: skip
    return row


def _try_objects(studies: Sequence[Study]) -> None:
    """Every object must be able to carry the new values, or none of them does."""
    rows = Instance.objects.filter(study__in=[study.pk for study in studies])
    batch: list[Instance]
    for batch in _batches(rows.select_related("blob").defer("sealed_metadata", "layout")):
        with ObjectReader(batch) as reader:
            for row in batch:
                try:
                    reader.length(row)
                except CannotCoerce as reason:
                    raise CorrectionRefused(
                        f"One of the objects cannot carry this. {reason} Nothing was changed."
                    ) from None


def _batches(rows: Any) -> Iterator[list[Instance]]:
    batch: list[Instance] = []
    for row in rows.order_by("blob_id", "offset").iterator(chunk_size=_TOGETHER):
        batch.append(row)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


# What is found -----------------------------------------------------------------------------------
def _index_again(study: Study) -> None:
    """Let the study be found by what it says now, and by nothing that it said before."""
    attributes = parsed(study_summaries([study])[0])
    owner = study.organisation_id
    study.identifier_token = index.token_or_none(owner, "identifier", _text(attributes, "00100020"))
    study.accession_token = index.token_or_none(owner, "accession", _text(attributes, "00080050"))
    study.study_id_token = index.token_or_none(owner, "study_id", _text(attributes, "00200010"))
    days = index.tokens_of_date(owner, day_of(_text(attributes, "00080020")))
    study.day_token, study.month_token, study.year_token = days.day, days.month, days.year
    study.changed_at = timezone.now()
    # `patient_id_token` stays: by it, what the device still sends is known to be of this study.
    study.save(
        update_fields=["identifier_token", "accession_token", "study_id_token", "day_token",
                       "month_token", "year_token", "changed_at"]
    )  # fmt: skip
    StudyNameToken.objects.filter(study=study).delete()
    names = _names(attributes, "00100010")
    tokens = index.tokens_of_names(owner, [*names, *_names(attributes, "00102297")])
    tokens += index.tokens_of_whole_names(owner, names)
    insert([StudyNameToken(study=study, token=token) for token in dict.fromkeys(tokens)])


def _names(attributes: dict[str, Any], tag: str) -> list[str]:
    values = attributes.get(tag, {}).get("Value") or [{}]
    return [str(group) for group in values[0].values()] if isinstance(values[0], dict) else []


def _text(attributes: dict[str, Any], tag: str) -> str:
    """A value as it would be written; of a name all its groups."""
    if ATTRIBUTES[tag].vr != "PN":
        return text_of(attributes, tag)
    values = attributes.get(tag, {}).get("Value") or [None]
    groups = values[0] if isinstance(values[0], dict) else {}
    parts = [groups.get(one, "") for one in ("Alphabetic", "Ideographic", "Phonetic")]
    return "=".join(parts).rstrip("=")
