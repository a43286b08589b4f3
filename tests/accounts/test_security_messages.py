"""What changes about an account, its owner is told by mail, whatever they chose."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from accounts.models import Authenticator, ChannelChoice, MarketingChoice, Notification, User
from accounts.rules.messages import Category, Channel
from accounts.services import sign_in as service
from accounts.services.password_reset import SEND_LINK
from jobs.models import Job
from jobs.services import run_job
from tests.accounts.test_sign_in import PASSWORD, device, give_password, sign_in, user
from tests.factories import deliver

__all__ = ["device", "user"]
pytestmark = pytest.mark.django_db(databases=["default", "keys"])

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"


def templates() -> list[str]:
    return list(Notification.objects.order_by("created_at").values_list("template", flat=True))


def test_a_changed_password_is_mailed_also_to_whom_no_advertising_may_go(
    client: Client, user: User, device: Authenticator
) -> None:
    """MEDDIM-7.2: opted out of promotions, the security mail still arrives."""
    MarketingChoice.objects.create(
        user=user, wanted=False, source="link", decided_at=timezone.now()
    )
    for category in Category:
        for channel in Channel:
            ChannelChoice.objects.create(
                user=user, category=category, channel=channel, wanted=False
            )
    client.post("/password/forgot/", {"email": user.email})
    for job in Job.objects.filter(kind=SEND_LINK):
        run_job(job_id=job.pk)
    path = re.search(r"http://[^/]+(/\S+)", mail.outbox[0].body)[1]
    mail.outbox.clear()
    client.post(path, {"password": "another quite long sentence"})
    (letter,) = deliver()
    assert letter.subject == "Your password was changed"
    assert letter.to == [user.email]
    assert "List-Unsubscribe" not in letter.extra_headers
    assert user.name not in letter.body


def test_a_browser_that_is_new_is_mailed_and_a_known_one_is_not(
    user: User, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XENRAD-3.11."""
    monkeypatch.setattr(Authenticator, "verify_is_allowed", lambda _: (True, None))
    monkeypatch.setattr(service, "check_code", lambda *_: service.Factor.TOTP)
    for agent in (FIREFOX, FIREFOX, SAFARI, SAFARI):
        sign_in(Client(headers={"user-agent": agent}), device)
    assert templates() == ["new-browser"]
    assert [letter.subject for letter in deliver()] == [
        "Your account was opened in another browser"
    ]


def test_a_second_factor_that_is_set_up_is_mailed_once(client: Client, user: User) -> None:
    give_password(client, PASSWORD)
    client.get("/factors/app/")
    device = Authenticator.objects.get()
    client.post("/factors/app/", {"code": f"{totp(device.bin_key):06d}"})
    assert templates() == ["factor-enrolled"]
    client.post("/factors/recovery/")
    assert templates() == ["factor-enrolled", "recovery-codes-replaced"]
    assert len(deliver()) == 2


def test_a_refused_code_tells_nobody(client: Client, user: User) -> None:
    give_password(client, PASSWORD)
    client.get("/factors/app/")
    client.post("/factors/app/", {"code": "000000"})
    assert templates() == []
