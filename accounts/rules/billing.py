"""Invoices: their states, and what may stand for a payment. Pure (C44)."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final

from accounts.rules.cards import holds_card_number


class InvoiceState(StrEnum):
    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"


INVOICE_STATE_LABELS = {
    InvoiceState.OPEN: "Open",
    InvoiceState.PAID: "Paid",
    InvoiceState.CANCELLED: "Cancelled",
}
# ISO 4217.
CURRENCIES = {"USD": "US dollar", "EUR": "Euro", "GBP": "Pound sterling", "CHF": "Swiss franc",
              "CAD": "Canadian dollar"}  # fmt: skip
MOST: Final = Decimal("1000000.00")
# What processors call a payment: pi_3MtwBw, or BANK-2026-11-26/17. Never a card.
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][\w./:-]{3,79}")


class BillingRefused(Exception):
    """One sentence that says why, and what to do."""


def check_amount(amount: Decimal) -> Decimal:
    if not Decimal("0.01") <= amount <= MOST:
        raise BillingRefused(f"An amount lies between 0.01 and {MOST:,}.")
    if amount != amount.quantize(Decimal("0.01")):
        raise BillingRefused("An amount has two places after the point at most.")
    return amount


def check_reference(reference: str) -> str:
    """Return the processor's reference of a payment; refuse a card's number and what is none."""
    tidy = reference.strip()
    if holds_card_number(tidy):
        raise BillingRefused(
            "This is the number of a card. Give the payment processor's reference of the payment."
        )
    if not _REFERENCE.fullmatch(tidy):
        raise BillingRefused(
            "A reference has 4 to 80 letters, figures and . / : - _, as the processor gave it."
        )
    return tidy


def next_state(state: InvoiceState, wanted: InvoiceState) -> InvoiceState:
    """An open invoice is paid or cancelled, once; nothing is taken back."""
    if state is not InvoiceState.OPEN or wanted is InvoiceState.OPEN:
        raise BillingRefused(
            f"The invoice is {INVOICE_STATE_LABELS[state].lower()} already. Write another one."
        )
    return wanted
