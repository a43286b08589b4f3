"""Telling those who process data for the organisation that a person's data is to be erased.

GDPR Art. 28(3)(g), Cal. Civ. Code 1798.105(c)(1): whoever holds data for the organisation erases it
as well. The letter names nobody; whose data it is the officer says by a way that is safe, and notes
that the erasure was confirmed.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.gateways.post import send_letter
from accounts.models import Agreement
from accounts.rules import Actor
from accounts.rules.agreements import AgreementKind
from accounts.selectors.agreements import agreements_in_force, contacts_of
from accounts.services.notifications import mail_each
from dsar.models import Erasure, ErasureNotice
from dsar.permissions import can_answer
from dsar.services.entries import NotYours, write_event
from jobs.services import Run, create_job

TELL = "dsar.tell_processors"
# Of images without people in them nobody is told: nothing in them is the person's any more.
PROCESSING = (AgreementKind.SERVICE, AgreementKind.ASSOCIATE, AgreementKind.PROCESSING)


def processors_of(organisation_id: UUID) -> list[Agreement]:
    """The agreements under which somebody holds data for the organisation now."""
    return [one for one in agreements_in_force(organisation_id) if one.kind in PROCESSING]


def pass_on(erasure: Erasure) -> int:
    """Note whom to tell, and have them told; in the transaction that ends an erasure."""
    case = erasure.case
    notices = [
        ErasureNotice(erasure=erasure, agreement=one) for one in processors_of(case.organisation_id)
    ]
    ErasureNotice.objects.bulk_create(notices, ignore_conflicts=True)
    if notices:
        create_job(
            kind=TELL, natural_key=str(erasure.pk), payload={"erasure": str(erasure.pk)},
            organisation_id=case.organisation_id, total=len(notices),
        )  # fmt: skip
    return len(notices)


def tell_processors(run: Run) -> None:
    """Mail what has not gone out; a letter is sent outside of any transaction."""
    unsent = ErasureNotice.objects.filter(
        erasure_id=UUID(run.payload["erasure"]), mailed_at=None, mail_given_up=False
    ).select_related("agreement__organisation", "erasure__case")
    rows = list(unsent.order_by("pk"))
    contacts = contacts_of([row.agreement for row in rows])
    mail_each(run, rows, lambda row: _send(row, contacts[row.agreement_id]))


def _send(row: ErasureNotice, contact: str) -> None:
    organisation, agreement = row.agreement.organisation, row.agreement
    send_letter(
        letter_id=row.pk, to=contact, title="Data to be erased for a request",
        body=(
            f"{organisation.name} has erased what it holds about a person, who asked for it.\n\n"
            f"Under the agreement {agreement.reference} you hold data for it. Erase what you hold "
            "about the same person as well, and have those do so whom you gave it to. Whose data "
            "it is the privacy office tells you by a way that is safe.\n\n"
            f"Confirm it to {organisation.privacy_email}, and name the request "
            f"{row.erasure.case.number}.\n"
        ),
    )  # fmt: skip


def notices_of(erasure: Erasure) -> list[ErasureNotice]:
    return list(
        erasure.notices.select_related("agreement", "confirmed_by").order_by("agreement__party")
    )


@transaction.atomic
def confirm_passed_on(*, actor: Actor, notice: ErasureNotice) -> ErasureNotice:
    """Note that whoever was told has confirmed to have erased it too. Safe to repeat."""
    rows = ErasureNotice.objects.select_related("erasure__case").select_for_update(of=("self",))
    row = rows.get(pk=notice.pk)
    if not can_answer(actor, row.erasure.case):
        raise NotYours("Only privacy officers of the organisation that was asked can do this.")
    if row.confirmed_at is None:
        row.confirmed_at, row.confirmed_by_id = timezone.now(), actor.user_id
        row.save(update_fields=["confirmed_at", "confirmed_by"])
        write_event(
            "request.erasure_confirmed", row.erasure.case, actor=actor,
            agreement=str(row.agreement_id),
        )  # fmt: skip
    return row
