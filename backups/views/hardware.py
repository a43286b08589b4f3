"""The register of hardware: what held data, and what shows that it holds none any more."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import needs
from accounts.rules import Capability
from backups.forms import CertificateForm, DeviceForm
from backups.models import Device
from backups.permissions import can_keep_devices
from backups.rules.hardware import Kind, Method, State
from backups.selectors import devices_of, possible_witnesses
from backups.services.hardware import DeviceRefused, certify_device, enter_device, retire_device
from policies.rules.categories import Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose


def _may_keep(request: HttpRequest) -> bool:
    return can_keep_devices(request.actor, request.actor.organisation_id)


def _refuse_to_write(request: HttpRequest) -> None:
    if request.method == "POST" and not _may_keep(request):
        raise PermissionDenied("Only administrators keep the register of hardware.")


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.CONFIGURATION, Category.PROFESSIONAL)
def devices(request: HttpRequest) -> HttpResponse:
    """All devices, those that wait for a certificate first; and a form to enter one."""
    _refuse_to_write(request)
    form = DeviceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = enter_device(
                actor=request.actor, kind=Kind(given["kind"]), serial=given["serial"]
            )
        except DeviceRefused as refusal:
            form.add_error("serial", str(refusal))
        else:
            messages.success(request, "Entered.")
            return redirect("backups:device", made.number)
    order = [State.OVERDUE, State.PENDING, State.IN_USE, State.DONE]
    found = sorted(devices_of(request.actor), key=lambda one: order.index(one.state))
    context = {"devices": found, "form": form if _may_keep(request) else None}
    status = 422 if form.is_bound else 200
    return render(request, "backups/devices.html", context, status=status)


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_http_methods(["GET", "POST"])
@uses(Purpose.LEGAL_OBLIGATION, Category.CONFIGURATION, Category.PROFESSIONAL)
def device(request: HttpRequest, number: int) -> HttpResponse:
    """One device; posted to, its certificate of destruction is entered."""
    found = get_object_or_404(devices_of(request.actor), number=number)
    _refuse_to_write(request)
    form = CertificateForm(request.POST or None, people=possible_witnesses(request.actor))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data | {"method": Method(form.cleaned_data["method"])}
        try:
            certify_device(actor=request.actor, device=found, **given)
        except DeviceRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Its destruction is certified.")
            return redirect("backups:device", number)
    is_open = found.state in {State.PENDING, State.OVERDUE} and _may_keep(request)
    context = {
        "device": found,
        "form": form if is_open else None,
        "may_retire": found.state is State.IN_USE and _may_keep(request),
    }
    return render(request, "backups/device.html", context, status=422 if form.is_bound else 200)


@needs(Capability.MANAGE_CONFIGURATION)
@require_POST
@uses(Purpose.LEGAL_OBLIGATION, Category.CONFIGURATION)
def device_retire(request: HttpRequest, number: int) -> HttpResponse:
    """Take a device out of service."""
    found: Device = get_object_or_404(devices_of(request.actor), number=number)
    retire_device(actor=request.actor, device=found)
    messages.success(request, "Taken out of service. It waits for its certificate now.")
    return redirect("backups:device", number)
