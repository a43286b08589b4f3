"""What the database says of people who have an account: nothing that can be read."""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.http import HttpRequest
from django.utils import timezone

from accounts.controls.signing_in import require_order
from accounts.fields import SealedText
from accounts.models import Authenticator, RecoveryCode, User
from accounts.rules import session_expired, session_limits
from accounts.services.failed_tries import name_of_attempt
from accounts.services.sign_in import issue_recovery_codes
from policies.controls.trying import undone
from policies.rules.categories import Category
from policies.rules.controls import Values, control, require
from policies.rules.inventory import Protection, inventory

MARK = "control@control.invalid"
NAME = "Nobody Nowhere"
# By scrypt, or none that could be given.
HASHED = r"^(scrypt\$|!|$)"
ABOUT_PEOPLE = (Category.ACCOUNT, Category.PROFESSIONAL)
_WORDS = (models.CharField, models.TextField)
# Codes and short words of the portal's own, not of anybody's making.
_CODES = {
    ("accounts.User", "residence"), ("accounts.MembershipRole", "role"),
    # A register or partner by name, and a code: about the list, not about anybody on it.
    ("accounts.Invitation", "source"), ("accounts.Invitation", "basis"),
    ("accounts.WorkSettings", "modality"), ("accounts.WorkSettings", "colours"),
}  # fmt: skip


@control("accounts.people-sealed", "Names and addresses of accounts lie encrypted in the database")
def people_sealed() -> str:
    with undone():
        somebody = User.objects.create(email=MARK, name=NAME)
        kept = _row_of("accounts_user", somebody.pk)
        require(User.objects.with_email(MARK.upper()).exists(), "An account is not found again.")
    readable = [mark for mark in (MARK, NAME) if mark.encode() in kept]
    require(not readable, "The database holds an address or a name as it is.")
    entries = [
        one
        for one in inventory()
        if one.model.startswith("accounts.") and one.category in ABOUT_PEOPLE
    ]
    bare = [
        f"{one.model}.{one.field}"
        for one in entries
        if isinstance(_field(one.model, one.field), _WORDS)
        and one.protection is Protection.READABLE
        and (one.model, one.field) not in _CODES
    ]
    require(not bare, f"In the clear: {', '.join(bare)}.")
    for one in entries:
        if one.protection is Protection.SEALED:
            # Under the accounts' own key, or bytes under a key of the row.
            sealed = isinstance(_field(one.model, one.field), SealedText | models.BinaryField)
            require(sealed, f"{one.model}.{one.field} is not sealed.")
    tried = name_of_attempt(HttpRequest(), {"username": MARK}) or ""
    require(MARK not in tried, "Failed sign-ins keep the address.")
    require("email" in settings.AXES_SENSITIVE_PARAMETERS, "Failed sign-ins keep the form.")
    require(settings.AXES_USERNAME_CALLABLE is not None, "Failed sign-ins keep the address.")
    return "A name and an address were stored, and the row held neither."


@control("accounts.secrets-sealed", "No password, seed or recovery code stands in the database")
def secrets_sealed() -> str:
    plain = User.objects.exclude(password__regex=HASHED)
    require(not plain.exists(), "A password is not hashed by scrypt.")
    with undone():
        somebody = User.objects.create(email=MARK, name=NAME)
        device = Authenticator.objects.create(user=somebody, name="app")
        kept = _row_of("accounts_authenticator", device.pk)
        exposed = device.seed.encode() in kept or device.bin_key in kept
        require(not exposed, "The seed of an authenticator lies in the clear.")
        codes = issue_recovery_codes(somebody)
        held = b"".join(bytes(one) for one in RecoveryCode.objects.values_list("digest", flat=True))
        require(not any(code.encode() in held for code in codes), "Recovery codes can be read.")
    return "A seed was sealed, codes were hashed under a key, and passwords are scrypt's."


@control("accounts.tries-counted", "Six wrong passwords close the door, as does leaving it alone",
         of_policy=True)  # fmt: skip
def tries_counted(values: Values) -> str:
    require(getattr(settings, "AXES_ENABLED", True), "Wrong passwords are not counted.")
    require(0 < settings.AXES_FAILURE_LIMIT <= 6, "More than six tries are let pass.")
    first = settings.AUTHENTICATION_BACKENDS[0]
    require(first == "axes.backends.AxesStandaloneBackend", "The count is not asked first.")
    require(
        getattr(settings, "AXES_LOCK_OUT_AT_FAILURE", True),
        "Tries are counted, and nobody is stopped.",
    )
    require_order("accounts.middleware.ActorMiddleware", "axes.middleware.AxesMiddleware")
    idle = values["session.idle_minutes"]
    limits = session_limits(public_computer=False, idle_minutes=idle, absolute_hours=None)
    now = timezone.now()
    left = now - timedelta(minutes=idle, seconds=1)
    ended = session_expired(limits=limits, now=now, started_at=left, seen_at=left)
    require(ended, "An unused session goes on.")
    return f"After {settings.AXES_FAILURE_LIMIT} tries it locks; unused, it ends in {idle} minutes."


def _row_of(table: str, number: int) -> bytes:
    """Everything that the database holds of a row, as bytes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [number])  # noqa: S608
        return b"\0".join(_as_bytes(value) for value in cursor.fetchone())


def _as_bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _field(model: str, name: str) -> object:
    return apps.get_model(model)._meta.get_field(name)
