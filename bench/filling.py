"""Fill a worklist for the benchmark: rows in bulk, as the intake makes them, and a few shares."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from bench.objects import FAMILIES, GIVEN

if TYPE_CHECKING:
    from accounts.rules import Actor

BATCH = 2_000
SHARED = 20
ENDINGS = [f"{one}{other}" for one in "AEIOU" for other in "NRST"]
STUDIES_OF_ONE = 4
FIRST_DAY, DAYS = date(2015, 1, 1), 3_650
MODALITIES = ("CT", "MR", "US", "DX", "XA")


@dataclass(frozen=True)
class Patient:
    """What one study of the list can be found by."""

    number: int
    name: str
    identifier: str
    accession: str
    day: date
    modality: str

    def attributes(self, uid: str) -> dict[str, Any]:
        """Give the study's attributes as DICOM JSON."""
        day = f"{self.day:%Y%m%d}"
        return {
            "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
            "00080020": {"vr": "DA", "Value": [day]},
            "00080030": {"vr": "TM", "Value": ["101500"]},
            "00080050": {"vr": "SH", "Value": [self.accession]},
            "00081030": {"vr": "LO", "Value": ["Chest, without contrast"]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": self.name}]},
            "00100020": {"vr": "LO", "Value": [self.identifier]},
            "00100030": {"vr": "DA", "Value": ["19700101"]},
            "00100040": {"vr": "CS", "Value": ["F"]},
            "0020000D": {"vr": "UI", "Value": [uid]},
            "00200010": {"vr": "SH", "Value": [str(self.number)]},
        }


def patients(begin: int, end: int) -> Iterator[Patient]:
    """Invent patients; the same numbers give the same ones."""
    for number in range(begin, end):
        chance = random.Random(number)
        ending = chance.choice(ENDINGS)
        yield Patient(
            number,
            f"{chance.choice(FAMILIES)}{ending}^{chance.choice(GIVEN)}",
            f"P{number // STUDIES_OF_ONE:07d}",
            f"A{number:07d}",
            FIRST_DAY + timedelta(days=chance.randrange(DAYS)),
            "SR" if number % 1000 == 7 else chance.choice(MODALITIES),
        )


def fill(actor: Actor, begin: int, end: int) -> None:
    """Add studies of the actor's organisation in batches."""
    for start in range(begin, end, BATCH):
        _fill_batch(actor, list(patients(start, min(start + BATCH, end))))


def _fill_batch(actor: Actor, listed: list[Patient]) -> None:
    from django.db import transaction

    from studies.models import Series, Study
    from vault.services.data_keys import create_data_keys

    organisation = actor.organisation_id
    assert organisation is not None
    with transaction.atomic():
        subjects = _subjects(organisation, listed)
        keys = create_data_keys(organisation_id=organisation, kind="study", count=len(listed))
        rows = [
            _study(organisation, patient, subject, key)
            for patient, subject, key in zip(
                listed, chain.from_iterable(subjects), keys, strict=True
            )
        ]
        Study.objects.bulk_create(rows, batch_size=500)
        Series.objects.bulk_create(
            [
                Series(
                    study=row, uid=f"{row.uid}.1", modality=patient.modality,
                    sealed_summary=b"", instance_count=1,
                )
                for row, patient in zip(rows, listed, strict=True)
            ],
            batch_size=500,
        )  # fmt: skip
        _file_names(
            [
                (row.pk, token)
                for row, patient in zip(rows, listed, strict=True)
                for token in _name_tokens(organisation, patient.name)
            ]
        )


@lru_cache(maxsize=100_000)
def _name_tokens(organisation: Any, name: str) -> list[bytes]:
    from studies import index

    return index.tokens_of_names(organisation, [name])


def _file_names(rows: list[tuple[int, bytes]]) -> None:
    """Some twenty rows for each study: written without a model for each of them."""
    from django.db import connection

    with connection.cursor() as cursor:
        for start in range(0, len(rows), 400):
            some = rows[start : start + 400]
            places = ", ".join(["(%s, %s)"] * len(some))
            cursor.execute(
                f"INSERT INTO studies_studynametoken (study_id, token) VALUES {places}",
                [value for row in some for value in row],
            )


def _subjects(organisation: Any, listed: list[Patient]) -> list[list[Any]]:
    """Make the patients of a batch; each is given as often as it has studies."""
    import uuid

    from consent.models import DataSubject
    from consent.selectors import subject_context
    from consent.services.subjects import IDENTIFIER_FIELD
    from vault.rules.blind_index import exact_token
    from vault.rules.sealed_field import FieldSealer
    from vault.services.data_keys import create_data_keys, open_index_key

    firsts = listed[::STUDIES_OF_ONE]
    keys = create_data_keys(organisation_id=organisation, kind="subject", count=len(firsts))
    index = open_index_key(organisation_id=organisation, field_name=IDENTIFIER_FIELD)
    rows = []
    for patient, key in zip(firsts, keys, strict=True):
        identity = uuid.uuid4()
        sealed = FieldSealer(key.key).seal(patient.name.encode(), subject_context(identity))
        token = exact_token(index, f"\x1f{patient.identifier}")
        rows.append(
            DataSubject(
                id=identity, organisation_id=organisation, kind="person", key_id=key.id,
                sealed_record=sealed, identifier_token=token,
            )
        )  # fmt: skip
    DataSubject.objects.bulk_create(rows, batch_size=500)
    return [[row] * STUDIES_OF_ONE for row in rows]


def _study(organisation: Any, patient: Patient, subject: Any, key: Any) -> Any:
    import orjson

    from studies import index
    from studies.models import Study
    from studies.sealing import study_context
    from vault.rules.sealed_field import FieldSealer

    uid = f"1.2.826.0.1.3680043.10.1999.9.{patient.number}"
    days = index.tokens_of_date(organisation, patient.day)
    return Study(
        organisation_id=organisation,
        uid=uid,
        subject=subject,
        key_id=key.id,
        sealed_summary=FieldSealer(key.key).seal(
            orjson.dumps(patient.attributes(uid)), study_context(organisation, uid)
        ),
        patient_id_token=index.token(organisation, "patient", f"\x1f{patient.identifier}"),
        identifier_token=index.token(organisation, "identifier", patient.identifier),
        accession_token=index.token(organisation, "accession", patient.accession),
        study_id_token=index.token(organisation, "study_id", str(patient.number)),
        day_token=days.day,
        month_token=days.month,
        year_token=days.year,
        modalities=f"\\{patient.modality}\\",
        series_count=1,
        instance_count=1,
    )


def share_some(ours: Actor, theirs: Actor) -> None:
    """Let a colleague elsewhere share a few studies with us, by the services of the pages."""
    from dataclasses import replace

    from django.utils import timezone

    from bench.objects import build
    from studies.services.intake import Intake
    from studies.services.uploads import open_upload

    objects = [
        build(study=n, series=0, instance=0, name=f"SHARED{n}^ANNA", rows=4, columns=4,
              pixels=bytes(32))
        for n in range(SHARED)
    ]  # fmt: skip
    upload = open_upload(actor=theirs, source="command")
    with Intake(actor=theirs, upload=upload) as intake:
        for one in objects:
            intake.take([one.data])
        intake.commit()
    fresh = replace(theirs, stepped_up_at=timezone.now(), factor="totp", first_factor="password")
    for one in objects:
        _grant(fresh, ours, one.study)


def _grant(giver: Actor, to: Actor, study_uid: str) -> None:
    from django.utils import timezone

    from accounts.models import Membership, Organisation
    from consent.rules.agreement import OfferedItem, digest_of_text
    from consent.rules.decision import Item
    from consent.services.grants import compose_agreement, create_grant
    from studies.models import Study

    owner = Organisation.objects.get(pk=giver.organisation_id)
    recipient = Membership.objects.select_related("user", "organisation").get(pk=to.membership_id)
    study = Study.objects.get(organisation=owner, uid=study_uid)
    agreement = compose_agreement(
        actor=giver, owner=owner, recipient_organisation=recipient.organisation,
        recipient=recipient, subject_name="Anna", purpose_code="treatment", may_download=False,
        expires_at=timezone.now() + timedelta(days=1),
        items=(OfferedItem(Item(study_uid), "the study", 1, "0" * 64),),
        subject_id=study.subject_id, collected_at=study.created_at,
    )  # fmt: skip
    create_grant(
        actor=giver, owner=owner, recipient_organisation=recipient.organisation,
        recipient=recipient, subject_id=study.subject_id, purpose_code="treatment",
        agreement=agreement, shown_digest=digest_of_text(agreement.text()),
    )  # fmt: skip
