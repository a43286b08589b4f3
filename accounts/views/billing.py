"""Invoices of the organisation (C44). No page of the portal asks for a card."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import InvoiceForm, SettleForm
from accounts.permissions import needs
from accounts.rules import Capability
from accounts.rules.billing import BillingRefused
from accounts.selectors.billing import addresses_of, invoices_of
from accounts.services.billing import cancel_invoice, issue_invoice, settle_invoice
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


@needs(Capability.MANAGE_CONFIGURATION)
@require_safe
@uses(Purpose.TRANSACTIONS, Category.BILLING)
def invoices(request: HttpRequest) -> HttpResponse:
    rows = invoices_of(request.actor.organisation_id)
    return render(request, "accounts/invoices.html", {"invoices": rows})


@needs(Capability.MANAGE_CONFIGURATION)
@require_http_methods(["GET", "POST"])
@uses(Purpose.TRANSACTIONS, Category.BILLING)
def invoice_issue(request: HttpRequest) -> HttpResponse:
    form = InvoiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = issue_invoice(acting=request.actor, bill=form.bill)
        except BillingRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Invoice {made.number} is written.")
            return redirect("accounts:invoice", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/invoice_issue.html", {"form": form}, status=status)


@needs(Capability.MANAGE_CONFIGURATION)
@require_http_methods(["GET", "POST"])
@uses(Purpose.TRANSACTIONS, Category.BILLING)
def invoice(request: HttpRequest, pk: str) -> HttpResponse:
    """One invoice with its addresses; while it is open, the payment can be noted."""
    row = get_object_or_404(invoices_of(request.actor.organisation_id), pk=pk)
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            settle_invoice(
                acting=request.actor, invoice=row, reference=form.cleaned_data["reference"]
            )
        except BillingRefused as refusal:
            form.add_error("reference", str(refusal))
        else:
            messages.success(request, f"Invoice {row.number} is paid.")
            return redirect("accounts:invoice", row.pk)
    context = {"invoice": row, "addresses": addresses_of(row), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/invoice.html", context, status=status)


@needs(Capability.MANAGE_CONFIGURATION)
@require_POST
@uses(Purpose.TRANSACTIONS, Category.BILLING)
def invoice_cancel(request: HttpRequest, pk: str) -> HttpResponse:
    row = get_object_or_404(invoices_of(request.actor.organisation_id), pk=pk)
    try:
        cancel_invoice(acting=request.actor, invoice=row)
        messages.success(request, f"Invoice {row.number} is cancelled.")
    except BillingRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:invoice", row.pk)
