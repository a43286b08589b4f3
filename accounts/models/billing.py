"""Invoices."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models.people import Organisation, User
from accounts.rules.billing import INVOICE_STATE_LABELS, InvoiceState


class Invoice(models.Model):
    """What an organisation owes for the service (C44): apart from anything about patients."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.PositiveIntegerField()
    about = models.CharField(max_length=120)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3)
    state = models.CharField(
        max_length=10,
        choices=[(one.value, INVOICE_STATE_LABELS[one]) for one in InvoiceState],
        default=InvoiceState.OPEN,
    )
    # Where it goes, and where what was bought goes; sealed under the invoice's own key.
    key_id = models.UUIDField()
    sealed_addresses = models.BinaryField()
    # The payment processor's reference. There is no place for a card's number.
    payment_reference = models.CharField(max_length=80, blank=True, default="")
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True)
    issued_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="invoice_number_once"),
            models.CheckConstraint(
                condition=models.Q(state="paid") ^ models.Q(payment_reference=""),
                name="invoice_paid_by_reference",
            ),
        ]
