"""Invoices: written, paid or cancelled; never altered, and never with a card's number (C44)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Invoice, Organisation
from accounts.rules import Actor, Capability
from accounts.rules.billing import (
    CURRENCIES,
    BillingRefused,
    InvoiceState,
    check_amount,
    check_reference,
    next_state,
)
from accounts.rules.cards import holds_card_number
from accounts.selectors.billing import Addresses, invoice_context
from accounts.services.trail import record
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key


@dataclass(frozen=True, slots=True)
class Bill:
    about: str
    amount: Decimal
    currency: str
    addresses: Addresses


@transaction.atomic
def issue_invoice(*, acting: Actor, bill: Bill) -> Invoice:
    """Write an invoice under the organisation's next number. Raises `BillingRefused`."""
    organisation_id = _require(acting)
    if bill.currency not in CURRENCIES:
        raise BillingRefused(f"The currency is one of {', '.join(CURRENCIES)}.")
    for text in (bill.about, bill.addresses.billing, bill.addresses.shipping):
        if holds_card_number(text):
            raise BillingRefused("This holds the number of a card. The portal never takes one.")
    # Two at the same moment wait for one another here, so that numbers have no gaps.
    Organisation.objects.select_for_update().get(pk=organisation_id)
    last = Invoice.objects.filter(organisation_id=organisation_id).aggregate(Max("number"))
    key, pk = create_data_key(organisation_id=organisation_id, kind="invoice"), uuid4()
    made = Invoice.objects.create(
        id=pk, organisation_id=organisation_id, number=(last["number__max"] or 0) + 1,
        about=bill.about.strip(), amount=check_amount(bill.amount), currency=bill.currency,
        key_id=key.id, issued_by_id=acting.user_id,
        sealed_addresses=FieldSealer(key.key).seal(bill.addresses.to_json(), invoice_context(pk)),
    )  # fmt: skip
    _write(acting, made, "invoice.issued")
    return made


@transaction.atomic
def settle_invoice(*, acting: Actor, invoice: Invoice, reference: str) -> Invoice:
    """Note that an invoice was paid: by the processor's reference of the payment, and only that."""
    return _changed(acting, invoice, InvoiceState.PAID, check_reference(reference))


@transaction.atomic
def cancel_invoice(*, acting: Actor, invoice: Invoice) -> Invoice:
    return _changed(acting, invoice, InvoiceState.CANCELLED, "")


def _changed(acting: Actor, invoice: Invoice, wanted: InvoiceState, reference: str) -> Invoice:
    if _require(acting) != invoice.organisation_id:
        raise BillingRefused("This invoice is another organisation's.")
    row = Invoice.objects.select_for_update().get(pk=invoice.pk)
    row.state = next_state(InvoiceState(row.state), wanted)
    row.payment_reference, row.settled_at = reference, timezone.now()
    row.save(update_fields=["state", "payment_reference", "settled_at"])
    _write(acting, row, f"invoice.{wanted.value}")
    return row


def _require(acting: Actor) -> UUID:
    if acting.organisation_id is None or not acting.can(Capability.MANAGE_CONFIGURATION):
        raise BillingRefused("Only administrators of the organisation keep its invoices.")
    return acting.organisation_id


def _write(acting: Actor, invoice: Invoice, action: str) -> None:
    record(action=action, actor=acting, target=("invoice", str(invoice.pk)))
