"""Agreements: recorded, ended, and the other parties told when the policy changes (C11, C12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.gateways.post import send_letter
from accounts.models import Agreement, AgreementNotice, Organisation
from accounts.rules import Actor, Capability
from accounts.rules.agreements import SIGNED_MECHANISMS, AgreementKind, AgreementState
from accounts.rules.messages import Channel, words_of
from accounts.selectors import those_who_answer
from accounts.selectors.agreements import (
    agreement_context,
    agreements_in_force,
    contacts_of,
    forget_agreements,
)
from accounts.services.notifications import mail_each, notify
from accounts.services.trail import record
from jobs.services import Run, create_job
from policies.selectors import packs_held
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key

TELL = "accounts.tell_partners"


@dataclass(frozen=True, slots=True)
class Resting:
    """What a room above rests on agreements: what would end with one, in words, and its end."""

    ends_with: Callable[[Agreement], list[str]]
    end: Callable[[Actor, Agreement], object]


_resting: list[Resting] = []


def register_resting(one: Resting) -> None:
    """Have this asked before an agreement ends, and done when it does, in the same transaction."""
    if one not in _resting:
        _resting.append(one)


def what_ends_with(agreement: Agreement) -> list[str]:
    return [words for one in _resting for words in one.ends_with(agreement)]


class AgreementRefused(Exception):
    """One sentence that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement says; `partner_id` where the other party takes part in the portal."""

    kind: AgreementKind
    party: str
    contact: str
    reference: str
    starts_on: date
    ends_on: date | None = None
    partner_id: UUID | None = None
    # Of a data use agreement: what is cleaned beyond the policy's options.
    deid_options: tuple[str, ...] = ()
    # What goes to them counts as sale or sharing as California has it.
    sale_or_share: bool = False
    # Of clauses for transfers abroad: which of them.
    mechanism: str = ""


@transaction.atomic
def record_agreement(*, acting: Actor, terms: Terms) -> Agreement:
    """Write down an agreement that was signed. It cannot be altered afterwards, only ended."""
    organisation_id = _require(acting)
    if terms.ends_on is not None and terms.ends_on < terms.starts_on:
        raise AgreementRefused("An agreement cannot end before it starts. Correct one of the days.")
    if terms.deid_options and terms.kind is not AgreementKind.DATA_USE:
        raise AgreementRefused("Only a data use agreement says what is cleaned from images.")
    if terms.kind is AgreementKind.DATA_USE and terms.partner_id is None:
        raise AgreementRefused(
            "Say as which organisation the other party takes part: images without people in them "
            "are handed out in the portal."
        )
    if terms.sale_or_share and not _may_sell_or_share(organisation_id):
        raise AgreementRefused(
            "Your privacy policy says that nothing is sold or shared. Change it first, or record "
            "an agreement that does neither."
        )
    if refusal := _refusal_of_mechanism(terms):
        raise AgreementRefused(refusal)
    if terms.partner_id == organisation_id:
        raise AgreementRefused("An organisation has no agreement with itself. Choose another.")
    made = store_agreement(organisation_id=organisation_id, terms=terms, by=acting.user_id)
    _write(acting, made, "agreement.recorded")
    return made


def _refusal_of_mechanism(terms: Terms) -> str:
    """Why what is said of transfers abroad does not fit the kind of agreement, if so."""
    if terms.kind is not AgreementKind.TRANSFER:
        return "Only clauses for transfers abroad name a mechanism." if terms.mechanism else ""
    if terms.mechanism == "privacy-shield":
        return (
            "Privacy Shield protects no transfer: the Court of Justice declared it invalid on"
            " 16 July 2020 (C-311/18). Choose what was signed in its place."
        )
    if terms.mechanism not in SIGNED_MECHANISMS:
        return "Say which clauses were signed: shares across the border rest on them."
    return ""


def _may_sell_or_share(organisation_id: UUID) -> bool:
    """Does the policy in force say that something counts as that? It carries the opt-out then."""
    held = packs_held(organisation_id)
    return bool(held) and bool(held[-1]["sale_share.allowed"])


def store_agreement(*, organisation_id: UUID, terms: Terms, by: int | None) -> Agreement:
    key = create_data_key(organisation_id=organisation_id, kind="agreement")
    pk = uuid4()
    made = Agreement.objects.create(
        id=pk,
        organisation_id=organisation_id,
        kind=terms.kind,
        party=terms.party.strip(),
        partner_id=terms.partner_id,
        key_id=key.id,
        sealed_contact=FieldSealer(key.key).seal(
            terms.contact.strip().encode(), agreement_context(pk)
        ),
        reference=terms.reference.strip(),
        deid_options=sorted(terms.deid_options),
        sale_or_share=terms.sale_or_share,
        mechanism=terms.mechanism,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        recorded_by_id=by,
    )
    _forget()
    return made


@transaction.atomic
def end_agreement(*, acting: Actor, agreement: Agreement) -> Agreement:
    """End an agreement early, from today on. Safe to repeat."""
    if _require(acting) != agreement.organisation_id:
        raise AgreementRefused("This agreement is another organisation's.")
    today = timezone.localdate()
    if agreement.term.state(today) in {AgreementState.EXPIRED, AgreementState.ENDED}:
        return agreement
    agreement.ended_on = today
    agreement.save(update_fields=["ended_on"])
    _write(acting, agreement, "agreement.ended")
    _forget()
    for one in _resting:
        one.end(acting, agreement)
    return agreement


@transaction.atomic
def tell_partners(*, organisation_id: UUID, version_id: UUID, template: str) -> int:
    """Tell every party of an agreement in force of a version, once (LIFEIMAGE-14.3).

    By mail to the address in the agreement, and in the portal to the officers and administrators
    of a partner that takes part in it. Whose agreement has ended is told nothing.
    """
    agreements = agreements_in_force(organisation_id)
    fresh = AgreementNotice.objects.bulk_create(
        [
            AgreementNotice(agreement=one, version_id=version_id, template=template)
            for one in agreements
        ]
    )
    partners = {one.partner_id for one in agreements if one.partner_id}
    slug = Organisation.objects.values_list("slug", flat=True).get(pk=organisation_id)
    if partners:
        notify(
            users=those_who_answer(partners),
            template=template,
            target_id=slug,
            channels=frozenset({Channel.PORTAL}),
        )
    if fresh:
        create_job(
            kind=TELL,
            natural_key=f"{version_id}:{template}",
            payload={"version_id": version_id, "template": template},
            total=len(fresh),
        )
    return len(fresh)


def mail_partners(run: Run) -> None:
    """Send what has not gone out; a letter is sent outside of any transaction."""
    unsent = AgreementNotice.objects.filter(
        version_id=run.payload["version_id"], template=run.payload["template"],
        mailed_at=None, mail_given_up=False,
    ).select_related("agreement__organisation")  # fmt: skip
    rows = list(unsent.order_by("pk"))
    contacts = contacts_of([row.agreement for row in rows])
    mail_each(run, rows, lambda row: _send(row, contacts[row.agreement_id]))


def _send(row: AgreementNotice, contact: str) -> None:
    words = words_of(row.template)
    organisation = row.agreement.organisation
    where = settings.PUBLIC_URL + reverse(words.route, args=[organisation.slug])
    send_letter(
        letter_id=row.pk,
        to=contact,
        title=words.title,
        body=(
            f"{words.sentence}\n\n{organisation.name}: {where}\n\n"
            f"--\nCollimate sends this because of the agreement {row.agreement.reference}.\n"
        ),
    )


def soon(today: date) -> date:
    """Agreements that end before this day are pointed out where they are listed."""
    return today + timedelta(days=60)


def _forget() -> None:
    """Ask anew in this transaction, and once more after it, for others may ask in between."""
    forget_agreements()
    transaction.on_commit(forget_agreements)


def _require(acting: Actor) -> UUID:
    if acting.organisation_id is None or not acting.can(Capability.MANAGE_CONFIGURATION):
        raise AgreementRefused("Only administrators of the organisation record its agreements.")
    return acting.organisation_id


def _write(acting: Actor, agreement: Agreement, action: str) -> None:
    record(
        action=action,
        actor=acting,
        organisation_id=agreement.organisation_id,
        target=("agreement", str(agreement.pk)),
        details={"kind": agreement.kind},
    )
