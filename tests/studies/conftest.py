"""A portal with its demonstration cast, an empty store, and ways to act in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from accounts.rules import Actor, Scope
from accounts.selectors import actor_of_user
from accounts.services.tokens import issue_token
from audit.models import Event
from config.celery import app
from consent.models import DataSubject, Grant
from consent.rules.agreement import OfferedItem, digest_of_text
from consent.rules.decision import Item
from consent.services.grants import compose_agreement, create_grant
from studies import index
from studies.models import Blob, Instance, Series, Study, Upload
from studies.rules.results import Result
from studies.services.intake import Intake
from studies.services.uploads import open_upload
from tests.factories import BY_PASSWORD
from tests.seeding import seeded_cast
from vault.models import DataKey

CLINICIAN, COLLEAGUE = "clinician@hospital.example", "clinician@imaging.example"
OFFICER, AUDITOR, VET = (
    "officer@hospital.example",
    "auditor@hospital.example",
    "vet@practice.example",
)
PATIENT = "patient@home.example"


@dataclass(frozen=True)
class Kept:
    """How much of everything there is."""

    studies: int
    series: int
    instances: int
    blobs: int
    subjects: int
    keys: int
    files: int


class Portal:
    """The cast and the store of one test."""

    def __init__(self, people: dict[str, User], folder: Path) -> None:
        self.people, self.folder = people, folder

    def actor(self, email: str = CLINICIAN, *, fresh: bool = False) -> Actor:
        actor = actor_of_user(self.people[email])
        if not fresh:
            return actor
        return replace(actor, stepped_up_at=timezone.now(), factor="totp", **BY_PASSWORD)

    def organisation(self, slug: str) -> Organisation:
        return Organisation.objects.get(slug=slug)

    def upload(self, email: str = CLINICIAN) -> Upload:
        return open_upload(actor=self.actor(email), source="command")

    def take(self, *objects: bytes, email: str = CLINICIAN, only_study: str = "") -> list[Result]:
        """Take objects in as one submission."""
        upload = self.upload(email)
        with Intake(actor=self.actor(email), upload=upload, only_study=only_study) as intake:
            for one in objects:
                intake.take([one])
            return intake.commit()

    def kept(self) -> Kept:
        """Count rows, living keys of studies and subjects, and files of the store."""
        return Kept(
            studies=Study.objects.count(),
            series=Series.objects.count(),
            instances=Instance.objects.count(),
            blobs=Blob.objects.count(),
            subjects=DataSubject.objects.count(),
            keys=DataKey.objects.filter(
                kind__in=["study", "subject"], destroyed_at__isnull=True
            ).count(),
            files=sum(path.is_file() for path in self.folder.rglob("*")),
        )

    def events(self, action: str) -> list[Event]:
        return list(Event.objects.filter(action=action).order_by("id"))

    def token(self, email: str = CLINICIAN, *scopes: Scope) -> str:
        membership = Membership.objects.get(user=self.people[email])
        _, secret = issue_token(
            acting=self.actor(email),
            membership=membership,
            name="test",
            scopes=list(scopes or (Scope.READ, Scope.WRITE)),
            lasts=timedelta(days=1),
        )
        return secret

    def client(self, email: str = CLINICIAN, *scopes: Scope) -> Client:
        """A program with a token."""
        return Client(headers={"authorization": f"Bearer {self.token(email, *scopes)}"})

    def share(
        self, *items: Item, to: str = COLLEAGUE, by: str = CLINICIAN, may_download: bool = False
    ) -> Grant:
        """Share with one person, by the service that the page uses."""
        actor = self.actor(by, fresh=True)
        owner = Organisation.objects.get(pk=actor.organisation_id)
        study = Study.objects.get(organisation=owner, uid=items[0].study_uid)
        recipient = Membership.objects.select_related("user", "organisation").get(
            user=self.people[to]
        )
        agreement = compose_agreement(
            actor=actor,
            owner=owner,
            recipient_organisation=recipient.organisation,
            recipient=recipient,
            subject_name="Test",
            purpose_code="treatment",
            may_download=may_download,
            expires_at=timezone.now() + timedelta(days=1),
            items=tuple(OfferedItem(item, "an item", 1, "0" * 64) for item in items),
            subject_id=study.subject_id,
            collected_at=study.created_at,
        )
        return create_grant(
            actor=actor,
            owner=owner,
            recipient_organisation=recipient.organisation,
            recipient=recipient,
            subject_id=study.subject_id,
            purpose_code="treatment",
            agreement=agreement,
            shown_digest=digest_of_text(agreement.text()),
        )


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what would have been sent to the broker."""
    heard: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: heard.append(name))
    return heard


@pytest.fixture
def blob_folder(tmp_path: Path, settings) -> Path:
    settings.STORAGE_URL = f"file://{tmp_path / 'blobs'}"
    return tmp_path / "blobs"


@pytest.fixture
def forgotten_keys() -> Iterator[None]:
    """End without index keys in memory: each test has other ones."""
    yield
    index._index_key.cache_clear()


@pytest.fixture
def portal(db: None, blob_folder: Path, forgotten_keys: None, rings: list[str]) -> Portal:
    return Portal(seeded_cast(), blob_folder)


@pytest.fixture
def living_portal(
    transactional_db: None, blob_folder: Path, forgotten_keys: None, rings: list[str]
) -> Portal:
    """A portal whose rows are committed, for threads and for other processes."""
    return Portal(seeded_cast(), blob_folder)
