"""The cast of the demonstration: three organisations and the people in them. All invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Agreement, Membership, MembershipRole, Organisation, Profile, User
from accounts.rules import Role
from accounts.rules.agreements import AgreementKind
from accounts.services.acceptance import write_answer
from accounts.services.agreements import Terms, store_agreement
from accounts.services.policy import adopt_pack
from policies.selectors import effective_pack, packs_of


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    name: str
    organisation: str = ""
    roles: tuple[Role, ...] = ()
    specialty: str = ""
    npi: str = ""


ORGANISATIONS = [
    Organisation(
        slug="hospital",
        name="Hudson Valley Hospital",
        kind=Organisation.Kind.HOSPITAL,
        country="US",
        state="NY",
        residency_region="us",
        regimes=["hipaa", "ny-shield"],
        privacy_email="officer@hospital.example",
    ),
    Organisation(
        slug="imaging",
        name="Radiologie am Isartor",
        kind=Organisation.Kind.IMAGING_CENTRE,
        country="DE",
        state="BY",
        residency_region="eu",
        regimes=["gdpr", "strlschg"],
        privacy_email="officer@imaging.example",
    ),
    Organisation(
        slug="practice",
        name="Millbrook Veterinary Practice",
        kind=Organisation.Kind.VETERINARY,
        country="US",
        state="NY",
        residency_region="us",
        regimes=["ny-shield"],
        privacy_email="admin@practice.example",
    ),
]

# The pack each of them started from, and what it says of itself.
POLICIES: dict[str, dict[str, Any]] = {
    "hospital": {
        "pack_code": "image-exchange",
        "changes": {
            "title": "Privacy statement of Hudson Valley Hospital",
            "contact.officer": "Owen Hart, privacy officer",
            "contact.email": "officer@hospital.example",
            "contact.phone": "+1 845 555 0100",
            "contact.address": "Hudson Valley Hospital, 1 River Road, Beacon, NY 12508",
            "regimes": ["hipaa", "ny-shield"],
        },
    },
    "imaging": {
        "pack_code": "radiology-information-system",
        "changes": {
            "title": "Datenschutz: privacy policy of Radiologie am Isartor",
            "contact.officer": "Ilse Krämer, data protection officer",
            "contact.email": "officer@imaging.example",
            "contact.phone": "+49 89 5550 100",
            "contact.address": "Radiologie am Isartor, Zweibrückenstraße 2, 80331 München",
            "role": "controller",
            "regimes": ["gdpr"],
            "requests.patient_route": "direct",
        },
    },
    "practice": {
        "pack_code": "veterinary-teleradiology",
        "changes": {
            "title": "How Millbrook Veterinary Practice treats data",
            "contact.officer": "Marcus Bell",
            "contact.email": "admin@practice.example",
            "contact.address": "Millbrook Veterinary, 5 Church Street, Millbrook, NY 12545",
            "regimes": ["hipaa", "ny-shield"],
        },
    },
}

CAST = [
    Person(
        "clinician@hospital.example", "Dr Clara Reyes", "hospital",
        (Role.CLINICIAN,), "Radiology", "1234567893",
    ),
    Person("officer@hospital.example", "Owen Hart", "hospital", (Role.OFFICER,)),
    Person("admin@hospital.example", "Ada Brooks", "hospital", (Role.ADMINISTRATOR,)),
    Person("auditor@hospital.example", "Amir Nasser", "hospital", (Role.AUDITOR,)),
    Person(
        "clinician@imaging.example", "Dr Jonas Weber", "imaging",
        (Role.CLINICIAN,), "Diagnostische Radiologie",
    ),
    Person("officer@imaging.example", "Ilse Krämer", "imaging", (Role.OFFICER,)),
    Person(
        "vet@practice.example", "Dr Vera Lindqvist", "practice",
        (Role.CLINICIAN,), "Small animals",
    ),
    Person("admin@practice.example", "Marcus Bell", "practice", (Role.ADMINISTRATOR, Role.OFFICER)),
    Person("patient@home.example", "Paula Adler"),
    Person("owner@home.example", "Oscar Lund"),
]  # fmt: skip


@transaction.atomic
def seed_cast() -> dict[str, User]:
    """Make the organisations and people that are not there yet. Nobody gets a password."""
    organisations = {}
    for wanted in ORGANISATIONS:
        fields = {
            name: getattr(wanted, name)
            for name in (
                "name", "kind", "country", "state", "residency_region", "regimes", "privacy_email",
            )
        }  # fmt: skip
        organisation, _ = Organisation.objects.get_or_create(slug=wanted.slug, defaults=fields)
        organisations[wanted.slug] = organisation
        if not packs_of(organisation.pk):
            adopt_pack(organisation=organisation, **POLICIES[wanted.slug])
            _seed_service_agreement(organisation)
    _seed_transfer_clauses(organisations["imaging"], organisations["hospital"])
    return {person.email: _seed_person(person, organisations) for person in CAST}


def _seed_service_agreement(organisation: Organisation) -> None:
    """What the purposes with the basis "contract" rest on."""
    terms = Terms(
        kind=AgreementKind.SERVICE,
        party="Collimate, who runs this portal",
        contact="contracts@collimate.example",
        reference=f"COL-{organisation.slug.upper()}-1",
        starts_on=timezone.localdate() - timedelta(days=30),
    )
    store_agreement(organisation_id=organisation.pk, terms=terms, by=None)


def _seed_transfer_clauses(sender: Organisation, recipient: Organisation) -> None:
    """What shares from Germany to the United States rest on."""
    if Agreement.objects.filter(organisation=sender, kind=AgreementKind.TRANSFER).exists():
        return
    terms = Terms(
        kind=AgreementKind.TRANSFER,
        party=recipient.name,
        partner_id=recipient.pk,
        contact=recipient.privacy_email,
        reference="SCC-2026-1",
        mechanism="scc",
        starts_on=timezone.localdate() - timedelta(days=30),
    )
    store_agreement(organisation_id=sender.pk, terms=terms, by=None)


def _seed_person(person: Person, organisations: dict[str, Organisation]) -> User:
    user = User.objects.with_email(person.email).first()
    if user is None:
        user = User.objects.create_user(email=person.email, name=person.name)
        Profile.objects.create(user=user, specialty=person.specialty, npi=person.npi)
    if person.organisation:
        membership, _ = Membership.objects.get_or_create(
            user=user, organisation=organisations[person.organisation]
        )
        for role in person.roles:
            MembershipRole.objects.get_or_create(membership=membership, role=role)
        if membership.accepted_version_id is None:
            # So that the demonstration opens with images; a new version asks everybody.
            write_answer(
                membership=membership, pack=effective_pack(membership.organisation_id), accepts=True
            )
    return user
