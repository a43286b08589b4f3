"""Signing in: two factors, no enumeration, sessions that end, and a trail of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp

from accounts.models import Authenticator, SignIn, User
from accounts.rules import PUBLIC_COMPUTER_LIMITS, SESSION_LIMITS, Factor
from accounts.selectors import actor_of_session
from accounts.services import sign_in as service
from accounts.services.password_reset import SEND_LINK
from audit.models import Event
from jobs.models import Job
from jobs.services import run_job
from tests.factories import Cast, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

PASSWORD = "correct horse battery staple"
SIGN_IN = "/sign-in/"
HOME = "/account/"


@pytest.fixture
def user() -> User:
    return User.objects.create_user(email="c@h.example", name="Clara", password=PASSWORD)


@pytest.fixture
def device(user: User) -> Authenticator:
    return Authenticator.objects.create(user=user, name="app", confirmed=True)


def code_of(device: Authenticator) -> str:
    return f"{totp(device.bin_key):06d}"


def give_password(client: Client, password: str = PASSWORD, **more: str) -> object:
    return client.post(SIGN_IN, {"email": "c@h.example", "password": password, **more})


def sign_in(client: Client, device: Authenticator, **more: str) -> None:
    give_password(client, **more)
    answer = client.post("/sign-in/second-factor/", {"code": code_of(device)})
    assert answer.status_code == 302, answer.content


def actions() -> list[str]:
    return list(Event.objects.order_by("occurred_at", "id").values_list("action", flat=True))


def test_password_and_code_open_a_session(client: Client, device: Authenticator) -> None:
    sign_in(client, device)
    assert client.get(HOME).status_code == 200
    assert actions() == ["session.started"]
    assert SignIn.objects.get().factor == "totp"


def test_a_password_alone_opens_nothing(client: Client, device: Authenticator) -> None:
    give_password(client)
    assert client.get(HOME)["Location"].startswith(SIGN_IN)


def test_the_first_sign_in_forces_a_second_factor(client: Client, user: User) -> None:
    assert give_password(client)["Location"] == "/sign-in/second-factor/"
    assert client.get("/sign-in/second-factor/")["Location"] == "/factors/"
    page = client.get("/factors/app/")
    assert b"data:image/svg+xml" in page.content
    answer = client.post("/factors/app/", {"code": code_of(Authenticator.objects.get())})
    assert answer["Location"] == "/factors/recovery/"
    codes = re.findall(r"<li>(\w+)</li>", client.get("/factors/recovery/").content.decode())
    assert len(codes) == service.RECOVERY_CODES
    assert codes[0] not in client.get("/factors/recovery/").content.decode(), "shown once"


def test_a_code_opens_once(client: Client, device: Authenticator) -> None:
    give_password(client)
    code = code_of(device)
    assert client.post("/sign-in/second-factor/", {"code": code}).status_code == 302
    other = Client()
    give_password(other)
    assert other.post("/sign-in/second-factor/", {"code": code}).status_code == 422


def test_a_recovery_code_opens_once(client: Client, user: User, device: Authenticator) -> None:
    code = service.issue_recovery_codes(user)[0]
    for expected in (302, 422):
        other = Client()
        give_password(other)
        assert other.post("/sign-in/second-factor/", {"code": code}).status_code == expected


def test_somebody_who_passed_only_the_password_cannot_add_a_factor(
    client: Client, device: Authenticator
) -> None:
    give_password(client)
    assert client.get("/factors/app/").status_code == 403
    assert client.post("/factors/passkey/begin/").status_code == 403


def test_a_session_found_open_cannot_be_given_a_factor(
    client: Client, device: Authenticator
) -> None:
    sign_in(client, device)
    later = timezone.now() + timedelta(minutes=11)
    with time_machine.travel(later):
        for page in ("/factors/", "/factors/app/"):
            assert client.get(page)["Location"].startswith("/sign-in/again/"), page
        for step in ("/factors/passkey/begin/", "/factors/passkey/complete/"):
            assert client.post(step, "{}", content_type="application/json").status_code == 403
    assert client.post("/factors/passkey/begin/").status_code == 200


def test_the_half_open_door_closes_after_ten_minutes(client: Client, device: Authenticator) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        give_password(client)
        clock.shift(service.PENDING_LASTS + timedelta(seconds=1))
        answer = client.post("/sign-in/second-factor/", {"code": code_of(device)})
    assert answer["Location"] == SIGN_IN


def test_known_and_unknown_addresses_get_the_same_answer(
    client: Client, device: Authenticator, settings: object
) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    known = give_password(client, "wrong")
    unknown = client.post(SIGN_IN, {"email": "nobody@h.example", "password": "wrong"})
    same = [
        re.sub(rb'(value|hx-headers)="[^"]*"|\'[^\']*\'', b"", page.content)
        for page in (known, unknown)
    ]
    assert known.status_code == unknown.status_code == 422
    assert same[0].replace(b"c@h.example", b"") == same[1].replace(b"nobody@h.example", b"")
    assert actions() == ["session.failed", "session.failed"]


def test_too_many_tries_close_the_door_for_a_while(client: Client, device: Authenticator) -> None:
    """XENRAD-3.5: the sixth wrong password locks."""
    statuses = [give_password(client, "wrong").status_code for _ in range(6)]
    assert statuses == [422, 422, 422, 422, 422, 429]
    assert give_password(client).status_code == 429, "also with the right password"


def test_the_session_gets_a_new_key_at_each_step(client: Client, device: Authenticator) -> None:
    client.get(SIGN_IN)
    client.session["planted"] = "1"
    keys = [client.session.session_key]
    give_password(client)
    keys.append(client.session.session_key)
    client.post("/sign-in/second-factor/", {"code": code_of(device)})
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "evil", ["//evil.example", "/\\evil.example", "https:evil", "javascript:alert(1)"]
)
def test_the_way_on_stays_on_this_site(client: Client, device: Authenticator, evil: str) -> None:
    give_password(client, next=evil)
    answer = client.post("/sign-in/second-factor/", {"code": code_of(device)})
    assert answer["Location"] == "/"


def test_a_session_ends_when_it_is_not_used(client: Client, device: Authenticator) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, device)
        clock.shift(SESSION_LIMITS.idle + timedelta(minutes=2))
        assert client.get(HOME).status_code == 302


def test_a_session_ends_at_last_however_busy(client: Client, device: Authenticator) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, device)
        for _ in range(int(SESSION_LIMITS.absolute / timedelta(minutes=20))):
            assert client.get(HOME).status_code == 200
            clock.shift(timedelta(minutes=20))
        clock.shift(timedelta(seconds=1))
        assert client.get(HOME).status_code == 302


def test_a_shared_computer_is_signed_out_after_five_minutes(
    client: Client, device: Authenticator
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, device, public_computer="on")
        assert client.cookies["collimate_session"]["expires"] == ""
        clock.shift(PUBLIC_COMPUTER_LIMITS.idle + timedelta(seconds=1))
        assert client.get(HOME).status_code == 302


def test_one_browser_can_end_another(client: Client, device: Authenticator) -> None:
    sign_in(client, device)
    row = SignIn.objects.get()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        other = Client()
        sign_in(other, device)
        assert other.post(reverse("accounts:session_end", args=[row.pk])).status_code == 302
        assert client.get(HOME).status_code == 302, "the first browser is out"
        assert other.get(HOME).status_code == 200


def test_nobody_ends_the_session_of_somebody_else(client: Client, device: Authenticator) -> None:
    sign_in(client, device)
    stranger = User.objects.create_user(email="s@x.example", name="S", password=PASSWORD)
    row = SignIn.objects.create(user=stranger, session_digest="x" * 64, browser="b", factor="totp")
    assert client.post(reverse("accounts:session_end", args=[row.pk])).status_code == 404


def test_signing_out_is_a_post(client: Client, device: Authenticator) -> None:
    sign_in(client, device)
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert client.get(HOME).status_code == 302
    assert actions()[-1] == "session.ended"


def test_step_up_asks_for_the_factor_again(client: Client, device: Authenticator) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        sign_in(client, device)
        clock.shift(timedelta(minutes=6))
        answer = client.post("/sign-in/again/", {"code": code_of(device), "next": "/account/"})
        assert answer["Location"] == "/account/"
    assert actions()[-1] == "session.stepped_up"


def test_a_forgotten_password_is_set_by_a_link_that_works_once(
    client: Client, device: Authenticator, settings: object
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    sign_in(client, device)
    asked = Client()
    for email in ("c@h.example", "nobody@h.example"):
        page = asked.post(
            "/password/forgot/", {"email": email}, headers={"X-Forwarded-Host": "evil"}
        )
        assert page.status_code == 200
    assert mail.outbox == [], "no mail server is waited for"
    for job in Job.objects.filter(kind=SEND_LINK):
        run_job(job_id=job.pk)
    assert len(mail.outbox) == 1
    link = re.search(r"http://\S+", mail.outbox[0].body)[0]
    assert link.startswith("http://localhost:")
    path = re.sub(r"^http://[^/]+", "", link)
    assert asked.post(path, {"password": "short"}).status_code == 200, "refused, with the reason"
    new = "another quite long sentence"
    assert asked.post(path, {"password": new})["Location"] == SIGN_IN
    assert asked.post(path, {"password": new}).status_code == 410
    assert client.get(HOME).status_code == 302, "all sessions have ended"
    assert actions()[-1] == "password.changed"


def test_demo_links_are_for_demonstrations_on_this_computer_only(
    client: Client, user: User, settings: object
) -> None:
    token = service.demo_token(user)
    assert client.post(f"/sign-in/demo/{token}/", REMOTE_ADDR="10.0.0.9").status_code == 404
    settings.DEMO = False  # type: ignore[attr-defined]
    assert client.post(f"/sign-in/demo/{token}/").status_code == 404
    settings.DEMO = True  # type: ignore[attr-defined]
    assert client.post("/sign-in/demo/forged/").status_code == 403
    assert client.post(f"/sign-in/demo/{token}/").status_code == 302
    assert client.get(HOME).status_code == 200


def test_a_session_knows_both_proofs_it_was_begun_with(
    client: Client, device: Authenticator
) -> None:
    sign_in(client, device)
    actor = actor_of_session(device.user, client.session)
    assert (actor.first_factor, actor.factor) == ("password", "totp")
    assert actor.first_proved_at is not None
    assert actor.stepped_up_at is not None
    assert actor.first_proved_at <= actor.stepped_up_at
    # One that began before this was noted can only have begun with a password.
    older = client.session
    del older["first_factor"], older["first_proved_at"]
    assert actor_of_session(device.user, older).first_factor == "password"


def test_only_who_had_a_factor_is_told_that_the_policy_allows_none(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People of the demonstration have none and were told so, too."""
    words = "allows none of your second factors"
    client = signed_in_client(cast.clinician, Factor.DEMO)
    page = client.get("/sign-in/again/").content.decode()
    assert words not in page
    assert "Go on without a phone" in page
    Authenticator.objects.create(user=cast.clinician, name="app", confirmed=True)
    assert words not in client.get("/sign-in/again/").content.decode()
    monkeypatch.setattr("accounts.selectors.factors_allowed_to", lambda _: {Factor.PASSKEY})
    assert words in client.get("/sign-in/again/").content.decode()
