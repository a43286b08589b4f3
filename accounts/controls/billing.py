"""Payments: no card's number anywhere, and invoices apart from patients (C44)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.test import RequestFactory

from accounts.controls.signing_in import gate_of, require_order
from accounts.middleware import CardNumberMiddleware, _field_with_card_number
from accounts.models import Invoice
from accounts.rules import Capability
from accounts.rules.billing import BillingRefused, check_reference
from policies.controls.trying import undone
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.inventory import fields_of

# Numbers that issuers publish for tests; they stand for no account.
TEST_CARDS = ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005")


@control("accounts.no-card-number", "No card's number is taken, in any field")
def no_card_number() -> str:
    require_order("accounts.middleware.ActorMiddleware", "accounts.middleware.CardNumberMiddleware")
    factory = RequestFactory()
    for card in TEST_CARDS:
        asked = [
            factory.post("/", {"remark": f"Take it from {card}."}),
            factory.post("/", f'{{"remark": "{card}"}}', content_type="application/json"),
        ]
        for request in asked:
            found = _field_with_card_number(request, CardNumberMiddleware.EXEMPT)
            require(found, f"A {request.content_type} with a card's number is taken.")
        with must_refuse(BillingRefused, "A card's number as reference of a payment"):
            check_reference(card)
    plain = factory.post("/", {"uid": "1.2.840.113619.2.55.3.604688119.971.1234567890.1"})
    require(not _field_with_card_number(plain, CardNumberMiddleware.EXEMPT), "A UID is refused.")
    return f"{len(TEST_CARDS)} test cards were refused in a form, in JSON and as a reference."


@control(
    "accounts.billing-apart",
    "Invoices lie apart from patients, and have their own term",
    of_policy=True,
)
def billing_apart(values: Values) -> str:
    require("billing" in values["retention"], "Nothing says how long invoices are kept.")
    entries = {one.field: one for one in fields_of("accounts.Invoice")}
    require(entries["sealed_addresses"].is_sealed, "Addresses lie in the clear.")
    related = {
        field.related_model._meta.app_label
        for field in Invoice._meta.get_fields()
        if field.related_model is not None
    }
    require(related == {"accounts"}, "Deleting a patient's data would reach an invoice.")
    for page in ("invoices", "invoice", "invoice_issue"):
        gate = gate_of(f"accounts:{page}")
        require(gate == Capability.MANAGE_CONFIGURATION, f"Others come to {page}.")
    with undone():
        refused = must_refuse(IntegrityError, "An invoice paid without a reference")
        with refused, transaction.atomic():
            Invoice.objects.create(
                organisation_id=UUID(int=1), number=1, about="Nothing", amount=Decimal(1),
                currency="USD", key_id=uuid4(), sealed_addresses=b"", state="paid",
            )  # fmt: skip
    return "No invoice is tied to a patient; one without the payment's reference was refused."
