"""Look up whom a pseudonym stands for: one at a time, with a reason, and written down."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from consent.models import DataSubject
from releases.models import Project
from releases.permissions import can_look_up
from releases.rules.states import State
from releases.sealing import link_context
from releases.selectors import link_named, subject_named
from releases.services.projects import ReleaseRefused
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key


class LinkReason(StrEnum):
    FINDING = "finding"
    WITHDRAWAL = "withdrawal"
    QUALITY = "quality"
    LAW = "law"


LINK_REASONS = {
    LinkReason.FINDING: "A finding that the patient should know of",
    LinkReason.WITHDRAWAL: "The patient takes consent back",
    LinkReason.QUALITY: "An error in the data",
    LinkReason.LAW: "A law or a court asks for it",
}


@transaction.atomic
def open_link(*, actor: Actor, project: Project, code: str, reason: LinkReason) -> DataSubject:
    """Say whose pseudonym this is. Raises `ReleaseRefused`."""
    if not can_look_up(actor, project):
        raise ReleaseRefused("Only a privacy officer can look up whom a pseudonym stands for.")
    if not actor.is_fresh(timezone.now()):
        raise ReleaseRefused("Prove again that it is you, then look it up.")
    if project.state in {State.ENDING, State.ENDED}:
        raise ReleaseRefused("The project has ended, and its linking table is destroyed.")
    link = link_named(project, code)
    if link is None:
        raise ReleaseRefused("This project has no such pseudonym. Copy it from the file's name.")
    opened = FieldSealer(open_data_key(id=project.link_key_id)).open(
        bytes(link.sealed_subject), link_context(project.pk, link.code)
    )
    subject = subject_named(project, UUID(opened.decode()))
    if subject is None:
        raise ReleaseRefused("What is held about this person has been erased since.")
    record(
        action="release.link_opened", actor=actor, organisation_id=project.organisation_id,
        subject_id=subject.pk, target=("release", str(project.pk)), reason=reason.value,
    )  # fmt: skip
    return subject
