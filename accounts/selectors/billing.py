"""Invoices of an organisation, and the addresses on them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Invoice
from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key


@dataclass(frozen=True, slots=True)
class Addresses:
    billing: str
    shipping: str = ""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def invoice_context(invoice_id: UUID) -> bytes:
    return bind("collimate/invoice-addresses", invoice_id)


def invoices_of(organisation_id: UUID) -> QuerySet[Invoice]:
    return Invoice.objects.filter(organisation_id=organisation_id).order_by("-number")


def addresses_of(invoice: Invoice) -> Addresses:
    require_purpose(Category.BILLING)
    sealer = FieldSealer(open_data_key(id=invoice.key_id))
    opened = sealer.open(invoice.sealed_addresses, invoice_context(invoice.pk))
    return Addresses(**json.loads(opened))
