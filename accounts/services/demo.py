"""The cast of the demonstration: three organisations and the people in them. All invented."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts.models import Membership, MembershipRole, Organisation, Profile, User
from accounts.rules import Role


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
        pack_code="hospital-us",
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
        pack_code="imaging-eu",
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
        pack_code="veterinary-us",
        privacy_email="admin@practice.example",
    ),
]

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
                "name", "kind", "country", "state", "residency_region", "regimes", "pack_code",
                "privacy_email",
            )
        }  # fmt: skip
        organisations[wanted.slug], _ = Organisation.objects.get_or_create(
            slug=wanted.slug, defaults=fields
        )
    return {person.email: _seed_person(person, organisations) for person in CAST}


def _seed_person(person: Person, organisations: dict[str, Organisation]) -> User:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        user = User.objects.create_user(email=person.email, name=person.name)
        Profile.objects.create(user=user, specialty=person.specialty, npi=person.npi)
    if person.organisation:
        membership, _ = Membership.objects.get_or_create(
            user=user, organisation=organisations[person.organisation]
        )
        for role in person.roles:
            MembershipRole.objects.get_or_create(membership=membership, role=role)
    return user
