"""The studies of the demonstration, taken in as a clinician of each organisation would.

Everything goes through the services that real images go through: the gate, the seal, the rows,
the events. Safe to repeat: a study that is there is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from accounts.rules import Actor, Factor
from accounts.selectors import actor_of_user
from consent.models import Grant
from consent.rules.agreement import OfferedItem, digest_of_contents, digest_of_text
from consent.rules.decision import Item
from consent.services.grants import compose_agreement, create_grant
from consent.services.subjects import link_account
from studies.models import Instance, Study
from studies.rules.demo_uids import uid_of
from studies.services.intake import Intake
from studies.services.uploads import close_upload, open_upload

SHARE_LASTS = timedelta(days=60)
# Of the files that pydicom carries for its own tests: many kinds, and one the gate holds back.
PYDICOM_FILES = (
    "693_J2KI.dcm", "CT_small.dcm", "ExplVR_BigEnd.dcm", "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm", "MR_small.dcm", "SC_rgb_rle_2frame.dcm", "examples_jpeg2k.dcm",
    "examples_overlay.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "examples_ybr_color.dcm", "liver_1frame.dcm", "reportsi.dcm", "rtdose_rle.dcm",
    "test-SR.dcm", "waveform_ecg.dcm",
)  # fmt: skip

# The object of CT_small.dcm, by which we know that they were sent.
UID_OF_CT_SMALL = "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"

Draw = Callable[[dict[str, Any], str], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A generated study: who sends it, who may see it at home, and what its files say."""

    name: str
    sender: str
    attributes: dict[str, Any]
    draw: Draw
    account: str = ""


_ADLER = {
    "PatientName": "Adler^Paula",
    "PatientID": "HVH-204817",
    "IssuerOfPatientID": "HVH",
    "PatientBirthDate": "19720314",
    "PatientSex": "F",
}
_BRANDT = {
    "PatientName": "Brandt^Jörg",
    "PatientID": "RI-55012",
    "IssuerOfPatientID": "RI",
    "PatientBirthDate": "19580922",
    "PatientSex": "M",
}
_DOG = {
    "PatientName": "Lund^Bella",
    "PatientID": "MVP-0093",
    "IssuerOfPatientID": "MVP",
    "PatientBirthDate": "20190405",
    "PatientSex": "F",
    "PatientSexNeutered": "ALTERED",
    "PatientSpeciesDescription": "Canine",
    "PatientBreedDescription": "Labrador Retriever",
    "ResponsiblePerson": "Lund^Oscar",
    "ResponsiblePersonRole": "OWNER",
    "ResponsibleOrganization": "Millbrook Veterinary Practice",
}


def _of_day(day: str, hour: str, description: str, accession: str) -> dict[str, str]:
    return {
        "StudyDate": day,
        "StudyTime": hour,
        "StudyDescription": description,
        "AccessionNumber": accession,
        "ReferringPhysicianName": "",
    }


def _ct(attributes: dict[str, Any], name: str) -> Iterator[bytes]:
    from studies.gateways.demo_images import chest_ct

    return chest_ct(attributes, study=name)


def _mr(attributes: dict[str, Any], name: str) -> Iterator[bytes]:
    from studies.gateways.demo_images import head_mr

    return head_mr(attributes, study=name)


def _us(attributes: dict[str, Any], name: str) -> Iterator[bytes]:
    from studies.gateways.demo_images import vessel_ultrasound

    return vessel_ultrasound(attributes, study=name)


def _dx(attributes: dict[str, Any], name: str) -> Iterator[bytes]:
    from studies.gateways.demo_images import dog_radiographs

    return dog_radiographs(attributes, study=name)


DRAWN = (
    Drawn(
        "hospital chest", "clinician@hospital.example",
        {**_ADLER, **_of_day("20260914", "101500", "CT chest with contrast", "HVH26-1187")},
        _ct, "patient@home.example",
    ),
    Drawn(
        "imaging head", "clinician@imaging.example",
        {**_BRANDT, **_of_day("20261002", "084000", "MRT Schädel", "RI26-0420")}, _mr,
    ),
    Drawn(
        "imaging carotid", "clinician@imaging.example",
        {**_BRANDT, **_of_day("20261002", "093000", "Sonographie Karotis", "RI26-0421")}, _us,
    ),
    Drawn(
        "practice thorax", "vet@practice.example",
        {**_DOG, **_of_day("20261019", "163000", "Thorax, two views", "MVP26-031")},
        _dx, "owner@home.example",
    ),
)  # fmt: skip
SHARED = "imaging head"
SHARED_WITH = "clinician@hospital.example"


def seed_studies(people: dict[str, User]) -> int:
    """Take in what is not there yet, link patient and owner, share one; return how many are new."""
    made = 0
    for drawn in DRAWN:
        actor = actor_of_user(people[drawn.sender])
        study = _study(actor, drawn.name)
        if study is None:
            _send(actor, (("", one) for one in drawn.draw(drawn.attributes, drawn.name)))
            study = _study(actor, drawn.name)
            made += 1
        if study is None:
            raise RuntimeError(f"The demonstration's study {drawn.name!r} was refused.")
        if drawn.account:
            link_account(user=people[drawn.account], subject=study.subject)
    made += _seed_pydicom(actor_of_user(people[SHARED_WITH]))
    sender = next(drawn.sender for drawn in DRAWN if drawn.name == SHARED)
    _seed_share(actor_of_user(people[sender]), people[SHARED_WITH])
    return made


def _study(actor: Actor, name: str) -> Study | None:
    return Study.objects.filter(organisation_id=actor.organisation_id, uid=uid_of(name)).first()


def _send(actor: Actor, objects: Iterable[tuple[str, bytes]]) -> None:
    upload = open_upload(actor=actor, source="command")
    with Intake(actor=actor, upload=upload) as intake:
        for name, data in objects:
            intake.take_whole(data, name=name)
        intake.commit()
    close_upload(upload=upload)


def _seed_pydicom(actor: Actor) -> int:
    """Send pydicom's own files, unless one that only they have is there."""
    sent = Instance.objects.filter(
        organisation_id=actor.organisation_id, uid=UID_OF_CT_SMALL
    ).exists()
    spec = find_spec("pydicom")
    if sent or spec is None or not spec.submodule_search_locations:
        return 0
    folder = Path(spec.submodule_search_locations[0]) / "data" / "test_files"
    found = [folder / name for name in PYDICOM_FILES if (folder / name).exists()]
    _send(actor, ((path.name, path.read_bytes()) for path in found))
    return len(found)


@transaction.atomic
def _seed_share(actor: Actor, recipient: User) -> None:
    """Share one study as its clinician, once; after a revocation it stays revoked."""
    study = _study(actor, SHARED)
    if study is None or Grant.objects.filter(items__study_uid=study.uid).exists():
        return
    membership = Membership.objects.select_related("organisation").get(user=recipient)
    now = timezone.now()
    # Nobody proved anything here, and the evidence says so: the factor is "demo".
    demo = Factor.DEMO.value
    actor = replace(actor, stepped_up_at=now, factor=demo, first_factor=demo, first_proved_at=now)
    owner = Organisation.objects.get(pk=actor.organisation_id)
    agreement = compose_agreement(
        actor=actor,
        owner=owner,
        recipient_organisation=membership.organisation,
        recipient=membership,
        subject_name="Brandt, Jörg (ID RI-55012, born 1958-09-22)",
        purpose_code="second-opinion",
        may_download=True,
        expires_at=now + SHARE_LASTS,
        items=(_whole(study),),
        subject_id=study.subject_id,
        collected_at=study.created_at,
    )
    create_grant(
        actor=actor,
        owner=owner,
        recipient_organisation=membership.organisation,
        recipient=membership,
        subject_id=study.subject_id,
        purpose_code="second-opinion",
        agreement=agreement,
        shown_digest=digest_of_text(agreement.text()),
    )


def _whole(study: Study) -> OfferedItem:
    contents = [
        bytes(content)
        for content in Instance.objects.filter(study=study, held=False).values_list(
            "content_token", flat=True
        )
    ]
    words = f"The study “MRT Schädel of 02 October 2026, {len(contents)} objects”, all of it"
    return OfferedItem(Item(study.uid), words, len(contents), digest_of_contents(contents))
