"""Hardware from when it is entered until a certificate says that it holds nothing any more."""

from __future__ import annotations

from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import Membership, User
from accounts.rules import Actor
from accounts.selectors import administrators_of
from accounts.services.notifications import notify
from accounts.services.trail import record
from backups.models import Device
from backups.permissions import can_keep_devices
from backups.rules.hardware import (
    CERTIFIED_WITHIN,
    REMINDED_EVERY,
    Kind,
    Method,
    refusal_to_certify,
)
from backups.rules.messages import DEVICE_DUE


class DeviceRefused(Exception):
    """One sentence that says why, and what to do."""


def enter_device(*, actor: Actor, kind: Kind, serial: str) -> Device:
    """Enter a device that holds data of the organisation."""
    try:
        return _enter(actor, kind, serial.strip())
    except IntegrityError:
        raise DeviceRefused(
            "There is a device of this kind with this serial number already."
        ) from None


@transaction.atomic
def _enter(actor: Actor, kind: Kind, serial: str) -> Device:
    assert actor.organisation_id is not None
    if not can_keep_devices(actor, actor.organisation_id):
        raise DeviceRefused("Only administrators keep the register of hardware.")
    rows = Device.objects.filter(organisation_id=actor.organisation_id)
    device = Device.objects.create(
        organisation_id=actor.organisation_id, kind=kind.value, serial=serial,
        number=(rows.aggregate(Max("number"))["number__max"] or 0) + 1,
    )  # fmt: skip
    _write("device.entered", actor, device)
    return device


@transaction.atomic
def retire_device(*, actor: Actor, device: Device) -> Device:
    """Take a device out of service; from now on it waits for its certificate. Safe to repeat."""
    row = _own(actor, device)
    if row.retired_on is None:
        row.retired_on = timezone.now().date()
        row.save(update_fields=["retired_on"])
        _write("device.retired", actor, row)
    return row


@transaction.atomic
def certify_device(
    *, actor: Actor, device: Device, method: Method, done_on: date, witness: User, certificate: str
) -> Device:
    """Enter what shows that a device was emptied or destroyed. Final."""
    row = _own(actor, device)
    if row.certified_at is not None:
        raise DeviceRefused("Its destruction is certified already.")
    now = timezone.now()
    if refusal := refusal_to_certify(
        retired_on=row.retired_on, done_on=done_on, today=now.date(), witness=witness.pk,
        certifier=actor.user_id,
    ):  # fmt: skip
        raise DeviceRefused(refusal)
    people = Membership.objects.filter(organisation_id=row.organisation_id, is_active=True)
    if not people.filter(user=witness).exists():
        raise DeviceRefused("Whoever saw it has to be somebody of the organisation.")
    row.method, row.done_on, row.witness = method.value, done_on, witness
    row.certificate, row.certified_by_id, row.certified_at = certificate, actor.user_id, now
    row.save()
    _write("device.certified", actor, row, method=method.value, done_on=done_on)
    return row


def remind_of_devices() -> int:
    """Tell administrators of devices without certificate, weekly while that lasts."""
    now, told = timezone.now(), 0
    due = Device.objects.filter(
        Q(reminded_at=None) | Q(reminded_at__lte=now - REMINDED_EVERY),
        certified_at=None, retired_on__lt=now.date() - CERTIFIED_WITHIN,
    )  # fmt: skip
    for device in due.order_by("pk"):
        with transaction.atomic():
            Device.objects.filter(pk=device.pk).update(reminded_at=now)
            people = administrators_of(device.organisation_id)
            notify(users=people, template=DEVICE_DUE, target_id=device.number)
            told += 1
    return told


def _own(actor: Actor, device: Device) -> Device:
    row = Device.objects.select_for_update().get(pk=device.pk)
    if not can_keep_devices(actor, row.organisation_id):
        raise DeviceRefused("Only administrators keep the register of hardware.")
    return row


def _write(action: str, actor: Actor, device: Device, **details: object) -> None:
    record(
        action=action, actor=actor, organisation_id=device.organisation_id,
        target=("device", str(device.number)), details={"kind": device.kind, **details},
    )  # fmt: skip
