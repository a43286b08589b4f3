from __future__ import annotations

import hashlib
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from consent.rules.decision import Action, Resource
from consent.services.decisions import Refused, authorise, decide
from policies.selectors import packs_held
from studies.models import Upload

# What whoever sends images confirms, once for each upload (C07). Its digest goes on record.
_ATTESTATION = (
    "I am allowed to send these images: I act for the patient or the animal's owner, or under "
    "the instructions of whoever is responsible for them, and the law lets this organisation "
    "receive and keep them."
)
_OF_MINORS = (
    " Where they are of a minor, I am the parent or guardian, or act for them and have what "
    "consent the law asks for."
)


def attestation_for(organisation_id: UUID | None) -> str:
    """What senders confirm under the policy of the organisation (XENRAD-9.3, MEDDIM-10.4)."""
    held = packs_held(organisation_id) if organisation_id else ()
    return _ATTESTATION + (_OF_MINORS if not held or held[-1]["minors.attestation"] else "")


def open_upload(*, actor: Actor, source: str, save: bool = True) -> Upload:
    """Begin a submission, with the sender's attestation.

    One that is taken in by a single request need not be saved: its rows are written with it.
    Raises `consent.services.decisions.Refused` if the sender's role or token does not allow it.
    """
    if actor.organisation_id is None:
        raise _no_organisation(actor)
    resource = Resource(organisation_id=actor.organisation_id, study_uid="")
    decision = decide(actor=actor, action=Action.STORE, resource=resource)
    if not decision.is_permit:
        authorise(
            actor=actor,
            action=Action.STORE,
            resource=resource,
            event="upload.opened",
            decision=decision,
        )
    upload = Upload(
        organisation_id=actor.organisation_id,
        submitted_by_id=actor.user_id,
        source=source,
        agreement_id=actor.agreement_id,
        attested_at=timezone.now(),
        attestation_digest=hashlib.sha256(
            attestation_for(actor.organisation_id).encode()
        ).hexdigest(),
        state=Upload.State.OPEN if save else Upload.State.CLOSED,
        closed_at=None if save else timezone.now(),
    )
    if save:
        upload.save(force_insert=True)
    return upload


def _no_organisation(actor: Actor) -> Refused:
    resource = Resource(organisation_id=UUID(int=0), study_uid="")
    return Refused(decide(actor=actor, action=Action.STORE, resource=resource), resource)


@transaction.atomic
def close_upload(*, upload: Upload) -> None:
    """End a submission. Safe to repeat."""
    Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN).update(
        state=Upload.State.CLOSED, closed_at=timezone.now()
    )
