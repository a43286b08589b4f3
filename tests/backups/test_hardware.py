"""A device that was taken out of service is pending until a certificate says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, User
from audit.models import Event
from backups.models import Device
from backups.rules.hardware import Kind, Method, State, refusal_to_certify, state_of
from backups.services.hardware import (
    DeviceRefused,
    certify_device,
    enter_device,
    remind_of_devices,
    retire_device,
)
from tests.backups.cases import days_later
from tests.factories import Cast, actor_of

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browse = Callable[[User], Client]
DAY = date(2026, 11, 1)


def entered(cast: Cast, serial: str = "ZX-81") -> Device:
    return enter_device(actor=actor_of(cast.administrator), kind=Kind.DISK, serial=serial)


def retired(cast: Cast, serial: str = "ZX-81") -> Device:
    return retire_device(actor=actor_of(cast.administrator), device=entered(cast, serial))


def certificate(cast: Cast, **more: Any) -> dict[str, Any]:
    return {
        "method": Method.DESTROY, "done_on": timezone.now().date(), "witness": cast.officer,
        "certificate": "C-2026-7", **more,
    }  # fmt: skip


def test_how_it_stands_follows_from_days_and_the_certificate() -> None:
    assert state_of(None, False, DAY) is State.IN_USE
    assert state_of(DAY, False, DAY + timedelta(days=30)) is State.PENDING
    assert state_of(DAY, False, DAY + timedelta(days=31)) is State.OVERDUE
    assert state_of(DAY, True, DAY + timedelta(days=900)) is State.DONE


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"retired_on": None}, "out of service first"),
        ({"done_on": DAY - timedelta(days=1)}, "in use on that day"),
        ({"done_on": DAY + timedelta(days=9)}, "yet to come"),
        ({"witness": 1}, "somebody else"),
        ({}, ""),
    ],
)
def test_what_cannot_be_certified(changed: dict[str, Any], why: str) -> None:
    facts: dict[str, Any] = {
        "retired_on": DAY, "done_on": DAY, "today": DAY, "witness": 2, "certifier": 1,
    }  # fmt: skip
    refusal = refusal_to_certify(**(facts | changed))
    assert why in refusal
    assert bool(refusal) == bool(why)


def test_without_certificate_it_stays_pending_and_is_told_when_overdue(cast: Cast) -> None:
    device = retired(cast)
    told = Notification.objects.filter(template="device-due")
    assert device.state is State.PENDING
    assert remind_of_devices() == 0
    with days_later(31):
        assert Device.objects.get().state is State.OVERDUE
        assert remind_of_devices() == 1
        assert remind_of_devices() == 0
        assert set(told.values_list("user_id", flat=True)) == {cast.administrator.pk}
    with days_later(39):
        assert remind_of_devices() == 1
        certify_device(actor=actor_of(cast.administrator), device=device, **certificate(cast))
    with days_later(60):
        assert remind_of_devices() == 0
        assert Device.objects.get().state is State.DONE


def test_a_certificate_names_method_witness_and_number_and_is_final(cast: Cast) -> None:
    device, administrator = retired(cast), actor_of(cast.administrator)
    done = certify_device(actor=administrator, device=device, **certificate(cast))
    assert (done.method, done.witness, done.certificate) == ("destroy", cast.officer, "C-2026-7")
    event = Event.objects.get(action="device.certified")
    assert (event.target_id, event.details["method"]) == ("1", "destroy")
    assert "ZX-81" not in str(event.details)
    with pytest.raises(DeviceRefused, match="already"):
        certify_device(actor=administrator, device=device, **certificate(cast))


def test_the_database_has_no_half_certificate(cast: Cast) -> None:
    device = retired(cast)
    for change in (
        {"certified_at": timezone.now()},
        {
            "certified_at": timezone.now(), "method": "clear", "certificate": "x", "done_on": DAY,
            "witness": cast.officer, "certified_by": cast.officer,
        },
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Device.objects.filter(pk=device.pk).update(**change)


def test_others_keep_no_register_and_witness_nothing_here(cast: Cast) -> None:
    device = entered(cast)
    for who in (cast.officer, cast.auditor, cast.clinician, cast["admin@practice.example"]):
        with pytest.raises(DeviceRefused, match="Only administrators"):
            retire_device(actor=actor_of(who), device=device)
    with pytest.raises(DeviceRefused, match="already"):
        entered(cast)
    gone = retire_device(actor=actor_of(cast.administrator), device=device)
    with pytest.raises(DeviceRefused, match="somebody of the organisation"):
        certify_device(
            actor=actor_of(cast.administrator), device=gone,
            **certificate(cast, witness=cast.stranger),
        )  # fmt: skip


def test_the_pages_lead_from_entering_to_the_certificate(cast: Cast, client_of: Browse) -> None:
    admin, path = client_of(cast.administrator), "/retention/backups/hardware/"
    assert "No device yet" in admin.get(path).content.decode()
    assert admin.post(path, {"kind": "disk", "serial": ""}).status_code == 422
    assert admin.post(path, {"kind": "disk", "serial": "ZX-81"}).status_code == 302
    assert "already" in admin.post(path, {"kind": "disk", "serial": "ZX-81"}).content.decode()
    assert admin.post(f"{path}1/retire/").status_code == 302
    page = admin.get(f"{path}1/").content.decode()
    assert "pending destruction" in page
    assert "Enter its certificate" in page
    form = {
        "method": "purge", "done_on": timezone.now().date().isoformat(), "certificate": "C-1",
        "witness": str(cast.officer.pk),
    }  # fmt: skip
    for wrong in ({"witness": ""}, {"witness": str(cast.administrator.pk)}, {"certificate": ""},
                  {"method": "hammer"}, {"done_on": "2020-01-01"}):  # fmt: skip
        assert admin.post(f"{path}1/", form | wrong).status_code == 422
    assert admin.post(f"{path}1/", form).status_code == 302
    for who in (cast.administrator, cast.officer, cast.auditor):
        page = client_of(who).get(f"{path}1/").content.decode()
        assert "destroyed or emptied, certified" in page
        assert cast.people["officer@hospital.example"].name in page


def test_the_pages_are_closed_to_others(cast: Cast, client_of: Browse) -> None:
    entered(cast)
    path = "/retention/backups/hardware/"
    for who in (cast.officer, cast.auditor):
        browser = client_of(who)
        assert "Enter a device" not in browser.get(path).content.decode()
        assert browser.post(path, {"kind": "disk", "serial": "Y"}).status_code == 403
        assert browser.post(f"{path}1/", {}).status_code == 403
        assert browser.post(f"{path}1/retire/").status_code == 403
    elsewhere = client_of(cast["admin@practice.example"])
    assert elsewhere.get(f"{path}1/").status_code == 404
    assert elsewhere.post(f"{path}1/retire/").status_code == 404
    assert "ZX-81" not in elsewhere.get(path).content.decode()


@pytest.mark.parametrize("count", [1, 30])
def test_the_register_asks_as_much_however_long_it_is(
    cast: Cast, client_of: Browse, django_assert_max_num_queries: Any, count: int
) -> None:
    for number in range(count):
        retired(cast, f"S-{number}")
    auditor = client_of(cast.auditor)
    auditor.get("/retention/backups/hardware/")
    with django_assert_max_num_queries(14):
        auditor.get("/retention/backups/hardware/")
