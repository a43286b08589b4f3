"""Makes what tests need, by the same services that people use."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory
from django.utils import timezone
from pydicom.dataset import Dataset

from accounts.models import Membership, User
from accounts.rules import Actor, Factor, Scope
from accounts.selectors import actor_of_user
from accounts.services.notifications import MAIL
from accounts.services.sign_in import complete_sign_in
from accounts.services.tokens import issue_token
from jobs.models import Job
from jobs.rules.states import State
from jobs.services import run_job
from studies.gateways.demo_images import as_part10
from studies.rules.demo_uids import uid_of
from studies.rules.results import Result
from studies.services.intake import Intake
from studies.services.uploads import open_upload

BY_PASSWORD = {"first_factor": "password", "first_proved_at": timezone.now()}
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Cast:
    """The people of the demonstration, by what they are to the hospital's images."""

    people: dict[str, User]

    def __getitem__(self, email: str) -> User:
        return self.people[email]

    @property
    def clinician(self) -> User:
        return self.people["clinician@hospital.example"]

    @property
    def officer(self) -> User:
        return self.people["officer@hospital.example"]

    @property
    def administrator(self) -> User:
        return self.people["admin@hospital.example"]

    @property
    def auditor(self) -> User:
        return self.people["auditor@hospital.example"]

    @property
    def stranger(self) -> User:
        """A clinician of another organisation, with whom nothing was shared."""
        return self.people["clinician@imaging.example"]

    @property
    def patient(self) -> User:
        return self.people["patient@home.example"]

    @property
    def owner(self) -> User:
        return self.people["owner@home.example"]


def signed_in_client(user: User, factor: Factor = Factor.TOTP) -> Client:
    """Open a session as a sign-in with a second factor does; it is listed and recorded."""
    request = RequestFactory().get("/")
    request.session = SessionStore()
    complete_sign_in(request, user=user, factor=factor)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return client


def token_client(user: User, *scopes: Scope) -> Client:
    """A program with an API token for these scopes."""
    membership = Membership.objects.select_related("organisation").get(user=user)
    _, secret = issue_token(
        acting=actor_of_user(user, membership.organisation),
        membership=membership,
        name="test",
        scopes=list(scopes),
        lasts=timedelta(days=1),
    )
    return Client(headers={"authorization": f"Bearer {secret}"})


def actor_of(user: User, *, fresh: bool = False) -> Actor:
    """Give a person as an actor, in their first organisation."""
    found = actor_of_user(user) if user.memberships.exists() else Actor(user.pk, user.name)
    if fresh:
        return replace(found, stepped_up_at=timezone.now(), factor=Factor.TOTP.value, **BY_PASSWORD)
    return found


def small_ct_object(
    *, study: str = "one", series: str = "one", number: int = 1, size: int = 16, **attributes: Any
) -> bytes:
    """Write a CT slice; names stand for UIDs, ``attributes`` replace what it says of itself."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = CT_STORAGE
    dataset.SOPInstanceUID = uid_of("test", study, series, str(number))
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (
        uid_of("test", study),
        uid_of(study, series),
    )
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20260901", "101500", "A-1"
    dataset.Modality, dataset.StudyDescription = "CT", "Small CT"
    dataset.PatientName, dataset.PatientID = "Adler^Paula", "HVH-1"
    dataset.PatientBirthDate, dataset.PatientSex = "19720314", "F"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", 1, number
    dataset.ImagePositionPatient = [0, 0, number * 5]
    dataset.ImageOrientationPatient, dataset.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = size
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    ramp = np.arange(size * size, dtype="<u2").reshape(size, size) + number
    dataset.PixelData = (ramp % 4096).astype("<u2").tobytes()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return as_part10(dataset)


def take_in(actor: Actor, *objects: bytes) -> list[Result]:
    """Send objects as one submission."""
    with Intake(actor=actor, upload=open_upload(actor=actor, source="command")) as intake:
        for one in objects:
            intake.take([one])
        return intake.commit()


def deliver() -> list[EmailMessage]:
    """Run every mail job that waits, and give what went out by that."""
    before = len(mail.outbox)
    for job in Job.objects.filter(kind=MAIL, state=State.WAITING):
        run_job(job_id=job.pk)
    return list(mail.outbox[before:])


def text_of(answer: Any) -> str:
    """What a page says, without its tags and runs of spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())
