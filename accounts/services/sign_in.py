"""Signing in: password, then a second factor, then a session that its owner can see and end."""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Container
from datetime import datetime, timedelta

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp import match_token

from accounts.models import Authenticator, RecoveryCode, RecoveryCodes, SignIn, User
from accounts.rules import FACTOR_LABELS, Actor, Factor, digest_of_secret, first_factor_of
from accounts.selectors import entry_factors_of, factors_allowed_to, must_enrol
from accounts.services.notifications import notify
from accounts.services.trail import anonymous_ref, record, user_ref

PENDING_LASTS = timedelta(minutes=10)
DEMO_LINK_LASTS = timedelta(hours=12)
RECOVERY_CODES = 10
CLOSED = (
    "This account is closed, and nothing of it is shown any more. Whoever needs records that the"
    " law still asks to keep makes a request for them: a signed authorization opens them."
)


class SignInRefused(Exception):
    """One sentence for the page; the same whether or not the person is known."""


class FactorRefused(PermissionDenied):
    """A second factor that the policy in force does not allow; one sentence for the page."""


def _is_closed(email: str, password: str) -> bool:
    """Is it a closed account, and the right password of it? Nobody else learns that it was one.

    Whoever has no such account is kept as long as whoever has.
    """
    user = User.objects.with_email(email.strip().lower()).filter(is_active=False).first()
    return (user or User(password=make_password(None))).check_password(password)


def _is_locked_out(request: HttpRequest) -> bool:
    """Too many wrong passwords: then no answer tells whether this one was right."""
    return bool(getattr(request, "axes_locked_out", False))


def check_password(request: HttpRequest, *, email: str, password: str) -> User:
    """Check the first factor.

    Raises `SignInRefused`; takes as long for an unknown address as for a known one.
    """
    user = authenticate(request, username=email.strip().lower(), password=password)
    if user is None and not _is_locked_out(request) and _is_closed(email, password):
        record(action="session.failed", actor=anonymous_ref(), outcome="refused", reason="closed")
        raise SignInRefused(CLOSED)
    if user is None:
        record(action="session.failed", actor=anonymous_ref(), outcome="refused", reason="password")
        raise SignInRefused("The e-mail address and the password do not match an account.")
    return user


def remember_first_factor(request: HttpRequest, *, user: User, public_computer: bool) -> None:
    """Keep, for ten minutes, who has passed the first factor. This opens nothing yet."""
    request.session.cycle_key()
    request.session["pending_user_id"] = user.pk
    request.session["pending_public"] = public_computer
    request.session.pop("proved_by_old_factor", None)
    request.session["pending_at"] = timezone.now().isoformat()
    if public_computer:
        # From the first cookie on: it goes when the browser is closed.
        request.session.set_expiry(0)


def remember_old_factor(request: HttpRequest, *, user: User) -> None:
    """Keep that a pending person proved it by a factor that no policy of theirs allows any more.

    It opens the setting up of another, and nothing else.
    """
    request.session.cycle_key()
    request.session["proved_by_old_factor"] = user.pk


def may_enrol(request: HttpRequest, *, user: User) -> bool:
    """Whether a pending person may set up a factor: they have none, or proved it by an old one."""
    if not entry_factors_of(user):
        return True
    return must_enrol(user) and request.session.get("proved_by_old_factor") == user.pk


def pending_user(request: HttpRequest) -> User | None:
    began = request.session.get("pending_at")
    if not began or timezone.now() - datetime.fromisoformat(began) > PENDING_LASTS:
        return None
    return User.objects.filter(pk=request.session["pending_user_id"], is_active=True).first()


def check_code(user: User, code: str, accepted: Container[Factor]) -> Factor | None:
    """Check a code of an authenticator app, or a recovery code, which is used up by it."""
    code = code.replace(" ", "").strip().lower()
    looks_like = Factor.TOTP if code.isdigit() else Factor.RECOVERY
    # What a policy does not allow is not tried: a recovery code would be used up by it.
    if looks_like not in accepted:
        return None
    device = match_token(user, code)
    if isinstance(device, Authenticator):
        return Factor.TOTP
    return Factor.RECOVERY if device is not None else None


@transaction.atomic
def complete_sign_in(request: HttpRequest, *, user: User, factor: Factor) -> None:
    """Open the session, under a new key, and list it."""
    public_computer = bool(request.session.pop("pending_public", False))
    now = timezone.now().isoformat()
    proved_at = request.session.get("pending_at", now)
    for key in ("pending_user_id", "pending_at", "proved_by_old_factor"):
        request.session.pop(key, None)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session["factor"] = factor.value
    request.session["first_factor"] = first_factor_of(factor).value
    request.session["first_proved_at"] = proved_at
    request.session["stepped_up_at"] = now
    if public_computer:
        request.session.set_expiry(0)
    request.session.save()
    browser = browser_name(request.headers.get("User-Agent", ""))
    known = set(SignIn.objects.filter(user=user).values_list("browser", flat=True))
    SignIn.objects.create(
        user=user,
        session_digest=digest_of_secret(request.session.session_key),
        browser=browser,
        factor=factor.value,
        public_computer=public_computer,
    )
    if known and browser not in known:
        notify(users=[user], template="new-browser")
    record(action="session.started", actor=user_ref(user), reason=factor.value)


@transaction.atomic
def step_up(request: HttpRequest, *, factor: Factor) -> None:
    """Note that the person has just proved again who they are; the session gets a new key."""
    row = SignIn.objects.get(session_digest=digest_of_secret(request.session.session_key))
    request.session.cycle_key()
    request.session["stepped_up_at"] = timezone.now().isoformat()
    request.session["factor"] = factor.value
    request.session.save()
    SignIn.objects.filter(pk=row.pk).update(
        session_digest=digest_of_secret(request.session.session_key)
    )
    record(action="session.stepped_up", actor=request.actor, reason=factor.value)


@transaction.atomic
def sign_out(request: HttpRequest) -> bool:
    """End the session; returns whether it was on a computer that others use too."""
    row = SignIn.objects.filter(
        session_digest=digest_of_secret(request.session.session_key or "")
    ).first()
    if request.actor is not None and row is not None:
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
        record(action="session.ended", actor=request.actor)
    logout(request)
    return row is not None and row.public_computer


@transaction.atomic
def end_session(*, actor: Actor, sign_in: SignIn) -> None:
    """End one of one's own sessions, from anywhere. Takes effect on its next request."""
    sign_in.ended_at = timezone.now()
    sign_in.save(update_fields=["ended_at"])
    record(action="session.ended", actor=actor, target=("session", str(sign_in.pk)))


@transaction.atomic
def end_all_sessions(*, user: User) -> int:
    """End every session of a person whose password or membership has changed."""
    return SignIn.objects.filter(user=user, ended_at=None).update(ended_at=timezone.now())


def browser_name(user_agent: str) -> str:
    """Say which browser in two words; the whole text would be a fingerprint."""
    browsers = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {"Windows": "Windows", "Android": "Android", "iPhone": "iOS", "Mac OS": "macOS"}
    systems["Linux"] = "Linux"
    browser = next((name for mark, name in browsers.items() if mark in user_agent), "A program")
    system = next((name for mark, name in systems.items() if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def require_allowed(user: User, factor: Factor) -> None:
    """Raise `FactorRefused` for a factor that a policy of the person's organisations forbids."""
    if factor not in factors_allowed_to(user):
        raise FactorRefused(
            f"The privacy policy of your organisation does not allow {FACTOR_LABELS[factor]} as "
            "second factor. Set up another."
        )


@transaction.atomic
def begin_totp(user: User) -> Authenticator:
    """Make the secret that the person's app is to hold; it counts once it has been used."""
    require_allowed(user, Factor.TOTP)
    Authenticator.objects.filter(user=user, confirmed=False).delete()
    return Authenticator.objects.create(user=user, name="Authenticator app", confirmed=False)


@transaction.atomic
def confirm_totp(*, user: User, code: str) -> bool:
    require_allowed(user, Factor.TOTP)
    device = Authenticator.objects.filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token(code.replace(" ", "")):
        return False
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    note_enrolled_factor(user=user, factor=Factor.TOTP)
    return True


@transaction.atomic
def note_enrolled_factor(*, user: User, factor: Factor) -> None:
    """Write down that a second factor was set up, and tell its owner."""
    record(action="factor.enrolled", actor=user_ref(user), reason=factor.value)
    notify(users=[user], template="factor-enrolled")


@transaction.atomic
def issue_recovery_codes(user: User) -> list[str]:
    """Replace all recovery codes; they are shown this once."""
    require_allowed(user, Factor.RECOVERY)
    replaced, _ = RecoveryCodes.objects.filter(user=user).delete()
    held = RecoveryCodes.objects.create(user=user, name="Recovery codes")
    codes = [b32encode(secrets.token_bytes(5)).decode().lower() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(codes=held, digest=held.digest_of(code)) for code in codes
    )
    record(action="factor.enrolled", actor=user_ref(user), reason=Factor.RECOVERY.value)
    # The first ones come with the second factor itself, of which the owner is told.
    if replaced:
        notify(users=[user], template="recovery-codes-replaced")
    return codes


def demo_token(user: User) -> str:
    """Sign a link that opens a demonstration account, once; honoured in demo mode only."""
    value = {"user": user.pk, "once": secrets.token_urlsafe(12)}
    return signing.dumps(value, salt="accounts.demo")


def user_of_demo_token(token: str) -> User | None:
    """Use up a link and say whom it opens; None if it is not ours, has ended or was used."""
    try:
        value = signing.loads(token, salt="accounts.demo", max_age=DEMO_LINK_LASTS)
    except signing.BadSignature:
        return None
    if not _is_first_use(value["once"]):
        return None
    return User.objects.filter(pk=value["user"], is_active=True).first()


def _is_first_use(once: str) -> bool:
    """Remember a used link as an empty session under its digest, which ends when the link does.

    The table's primary key settles which of two uses at the same time was the first.
    """
    _, made = Session.objects.get_or_create(
        session_key=f"demo{digest_of_secret(once)[:36]}",
        defaults={
            "session_data": SessionStore().encode({}),
            "expire_date": timezone.now() + DEMO_LINK_LASTS,
        },
    )
    return made
