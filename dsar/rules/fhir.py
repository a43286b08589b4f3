"""What is held as FHIR R4 resources, for programs (HL7 FHIR 4.0.1). Pure.

One Bundle of type collection: a Patient, an ImagingStudy for each study, a Consent for each share.
Only what is known is written; nothing is invented to fill an element.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from consent.rules.identity import Identity
from policies.rules.purposes import PURPOSE_OF_USE, Purpose
from studies.rules.display import StudyWords, day_of

_GENDERS: Final = {"M": "male", "F": "female", "O": "other"}
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_REASONS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_LOINC: Final = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class StudyFacts:
    uid: str
    words: StudyWords
    modalities: tuple[str, ...]
    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class ShareFacts:
    id: UUID
    recipient: str
    purpose: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    study_uids: tuple[str, ...]


def bundle(
    *,
    made_at: datetime,
    people: Mapping[UUID, Identity],
    studies: Iterable[tuple[UUID, StudyFacts]],
    shares: Iterable[tuple[UUID, ShareFacts]],
) -> dict[str, Any]:
    """Give everything as one Bundle; each study and share with the id of its person."""
    resources = [_patient(pk, one) for pk, one in people.items()]
    resources += [_imaging_study(pk, one) for pk, one in studies]
    resources += [_consent(pk, one) for pk, one in shares]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": made_at.isoformat(timespec="seconds"),
        "entry": [
            {"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in resources
        ],
    }  # fmt: skip


def _patient(pk: UUID, one: Identity) -> dict[str, Any]:
    family, given, *_ = [*one.name.split("^"), "", ""]
    name = {"family": family, "given": given.split() or None, "text": one.display_name}
    birth = day_of(one.birth_date)
    return _known({
        "resourceType": "Patient",
        "id": str(pk),
        "identifier": [_known({"value": one.identifier, "assigner": _display(one.issuer)})]
        if one.identifier else None,
        "name": [_known(name)] if one.name else None,
        "gender": _GENDERS.get(one.sex, "unknown") if one.sex else None,
        "birthDate": birth.isoformat() if birth else None,
    })  # fmt: skip


def _display(text: str) -> dict[str, str] | None:
    return {"display": text} if text else None


def _imaging_study(pk: UUID, one: StudyFacts) -> dict[str, Any]:
    return _known({
        "resourceType": "ImagingStudy",
        "id": _id_of(one.uid),
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{one.uid}"}],
        "status": "available",
        "modality": [{"system": _DICOM, "code": code} for code in one.modalities] or None,
        "subject": {"reference": f"urn:uuid:{pk}"},
        "started": _day(one.words.date),
        "numberOfSeries": one.series,
        "numberOfInstances": one.instances,
        "description": one.words.description or None,
    })  # fmt: skip


def _consent(pk: UUID, one: ShareFacts) -> dict[str, Any]:
    code = PURPOSE_OF_USE.get(Purpose(one.purpose)) if one.purpose in set(Purpose) else None
    provision = _known({
        "type": "permit",
        "period": {"start": one.granted_at.isoformat(timespec="seconds"),
                   "end": (one.revoked_at or one.expires_at).isoformat(timespec="seconds")},
        "actor": [{
            "role": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                "code": "IRCP",
            }]},
            "reference": {"display": one.recipient},
        }],
        "purpose": [{"system": _REASONS, "code": code}] if code else None,
        "data": [
            {"meaning": "instance",
             "reference": {"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}}}
            for uid in one.study_uids
        ] or None,
    })  # fmt: skip
    return {
        "resourceType": "Consent",
        "id": str(one.id),
        "status": "inactive" if one.revoked_at else "active",
        "scope": {"coding": [{"system": _SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": _LOINC, "code": "59284-0"}]}],
        "patient": {"reference": f"urn:uuid:{pk}"},
        "dateTime": one.granted_at.isoformat(timespec="seconds"),
        "policyRule": {"text": "the privacy policy in force at that moment"},
        "provision": provision,
    }


def _id_of(uid: str) -> str:
    """An id of a resource has letters, digits, hyphens and dots, and 64 of them at the most."""
    return uid[:64]


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [])}
