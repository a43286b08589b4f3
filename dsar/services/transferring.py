"""A copy straight to another provider (GDPR Art. 20(2), AVMI-8.6): by the word of its person, who
has just proved who they are; fetched there by an officer, as it was made, with its digests."""

from __future__ import annotations

from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor
from accounts.services.notifications import notify
from dsar.models import Case, Transfer
from dsar.permissions import is_person_of
from dsar.rules.kinds import Kind
from dsar.selectors import people_answering
from dsar.selectors.agents import answer_is_persons
from dsar.selectors.transfers import receivers_for, transfers_to
from dsar.services.entries import CaseRefused, NotYours, locked, write_entry, write_event
from dsar.services.packaging import is_there, package_context, package_of
from vault.services.blobs import SealedBlob, open_blob
from vault.services.data_keys import open_data_key

SENT_ON = "sent-on"


@transaction.atomic
def name_receiver(*, actor: Actor, case: Case, to: Organisation) -> Transfer:
    """Let another provider fetch the copy. Raises `CaseRefused`."""
    row = locked(case)
    if not is_person_of(actor, row) or answer_is_persons(row):
        raise NotYours("Only the person whose data it is sends it on.")
    package = package_of(row)
    if row.kind != Kind.PORTABILITY or package is None or not is_there(row, package):
        raise CaseRefused("There is no portable copy to be had here, or not any more.")
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then send it.")
    if not receivers_for(row).filter(pk=to.pk).exists():
        raise CaseRefused("Choose another organisation of this portal.")
    try:
        with transaction.atomic():
            transfer = Transfer.objects.create(
                id=uuid4(), package=package, to=to, named_by_id=actor.user_id
            )
    except IntegrityError:
        raise CaseRefused("They can fetch it already.") from None
    write_entry(row, SENT_ON, by=actor, code=to.slug, by_person=True)
    write_event("request.transfer_named", row, actor=actor, to=str(to.pk), factor=actor.factor)
    notify(users=people_answering(to.pk), template="request-transferred", target_id="")
    return transfer


@transaction.atomic
def take_back(*, actor: Actor, case: Case, transfer_id: object) -> None:
    """Let them no longer fetch it; what they have fetched they have."""
    row = locked(case)
    if not is_person_of(actor, row):
        raise NotYours("Only the person whose data it is takes it back.")
    found = Transfer.objects.filter(pk=transfer_id, package__case=row, withdrawn_at=None).first()
    if found is None:
        raise CaseRefused("That was taken back already.")
    found.withdrawn_at = timezone.now()
    found.save(update_fields=["withdrawn_at"])
    write_event("request.transfer_withdrawn", row, actor=actor, to=str(found.to_id))


@transaction.atomic
def open_transfer(*, actor: Actor, transfer: Transfer) -> tuple[Transfer, SealedBlob]:
    """Open a copy for an officer of the provider that its person named."""
    found = transfers_to(actor).filter(pk=transfer.pk).first()
    if found is None:
        raise NotYours("This copy goes to somebody else, or cannot be had any more.")
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then fetch it.")
    package = found.package
    blob = open_blob(
        package.blob_name, key=open_data_key(id=package.key_id),
        context=package_context(package.pk),
    )  # fmt: skip
    found.fetched_by_id, found.fetched_at = actor.user_id, timezone.now()
    found.save(update_fields=["fetched_by", "fetched_at"])
    write_event(
        "request.transfer_fetched", package.case, actor=actor, to=str(found.to_id),
        bytes=package.size,
    )  # fmt: skip
    return found, blob
