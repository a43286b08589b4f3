"""A new address for an account: asked for, confirmed by a link that goes there, told to both.

Until the link was followed the old address holds, for signing in too. Whoever asks does not learn
whether an address has an account: the letter to it says so, to whoever reads that mailbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.gateways.post import send_letter
from accounts.models import EmailChange, SignIn, User
from accounts.rules import Actor, digest_of_secret
from accounts.services.notifications import notify
from accounts.services.trail import record, user_ref
from jobs.services import create_job

LETTERS = "accounts.change_letters"
ASKED, CONFIRMED = "asked", "confirmed"
LINK_LASTS = timedelta(hours=24)
NEXT_AFTER = timedelta(minutes=1)
SALT = "accounts.address"


class ChangeRefused(Exception):
    """One sentence that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter about a change: to which address, and what it says."""

    to: str
    title: str
    body: str


@transaction.atomic
def ask_for_address(*, actor: Actor, user: User, email: str) -> EmailChange:
    """Note the address that somebody wants; letters go to it and to the present one.

    Raises `ChangeRefused`.
    """
    now = timezone.now()
    if actor.token_id is not None or not actor.is_fresh(now):
        raise ChangeRefused("Prove again that it is you, then change the address.")
    email = email.strip().lower()
    if email == user.email:
        raise ChangeRefused("This is your address already.")
    earlier = EmailChange.objects.select_for_update().filter(user=user)
    if earlier.filter(asked_at__gt=now - NEXT_AFTER, confirmed_at=None).exists():
        raise ChangeRefused("A link was sent a moment ago. Wait a minute, then ask for another.")
    earlier.filter(confirmed_at=None).delete()
    change = EmailChange.objects.create(
        user=user, email=email, old_email=user.email, expires_at=now + LINK_LASTS
    )
    _send_letters(change, ASKED)
    record(action="address.asked", actor=actor, target=("account", str(user.pk)))
    return change


@transaction.atomic
def withdraw_address(*, actor: Actor) -> bool:
    """Take back a wish for another address; its link is of no use then. Safe to repeat."""
    gone, _ = EmailChange.objects.filter(user_id=actor.user_id, confirmed_at=None).delete()
    if gone:
        record(action="address.withdrawn", actor=actor, target=("account", str(actor.user_id)))
    return bool(gone)


def open_change_of(user: User) -> EmailChange | None:
    return EmailChange.objects.filter(
        user=user, confirmed_at=None, expires_at__gt=timezone.now()
    ).first()


def change_of_link(token: str) -> EmailChange | None:
    """The change that a link confirms; None if it is not ours, has ended or was used."""
    try:
        number = signing.loads(token, salt=SALT, max_age=LINK_LASTS)
    except signing.BadSignature:
        return None
    return (
        EmailChange.objects.select_related("user")
        .filter(
            pk=UUID(number),
            confirmed_at=None,
            expires_at__gt=timezone.now(),
            user__is_active=True,
        )
        .first()
    )


@transaction.atomic
def confirm_address(*, change: EmailChange, session_key: str = "") -> None:
    """Give the account its new address; every session but this one ends.

    Raises `ChangeRefused`.
    """
    row = EmailChange.objects.select_for_update().select_related("user").get(pk=change.pk)
    if row.confirmed_at is not None:
        raise ChangeRefused("This link was used already.")
    user = row.user
    row.confirmed_at, row.old_email = timezone.now(), user.email
    row.save(update_fields=["confirmed_at", "old_email"])
    user.email = row.email
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_token"])
    except IntegrityError:
        raise ChangeRefused("This address belongs to an account already.") from None
    others = SignIn.objects.filter(user=user, ended_at=None)
    others.exclude(session_digest=digest_of_secret(session_key)).update(ended_at=timezone.now())
    record(action="address.changed", actor=user_ref(user), target=("account", str(user.pk)))
    notify(users=[user], template="address-changed")
    _send_letters(row, CONFIRMED)


def _send_letters(change: EmailChange, about: str) -> None:
    create_job(
        kind=LETTERS,
        natural_key=f"{change.pk}/{about}",
        payload={"change": str(change.pk), "about": about},
    )


def send_letters(*, change_id: UUID, about: str) -> None:
    """Send what is to be told of a change; sent twice, a letter has the same number."""
    change = EmailChange.objects.select_related("user").filter(pk=change_id).first()
    if change is None:
        return
    letters = _asked(change) if about == ASKED else [_confirmed(change)]
    for letter in letters:
        number = uuid5(change.pk, f"{about}/{letters.index(letter)}")
        send_letter(letter_id=number, to=letter.to, title=letter.title, body=letter.body)
    if about == CONFIRMED:
        # The old address was kept for this letter only.
        change.delete()


def _asked(change: EmailChange) -> list[Letter]:
    token = signing.dumps(str(change.pk), salt=SALT)
    link = settings.PUBLIC_URL + reverse("accounts:email_confirm", args=[token])
    account = settings.PUBLIC_URL + reverse("accounts:account")
    if User.objects.with_email(change.email).exists():
        to_new = Letter(
            change.email,
            "This address has an account already",
            "Somebody, perhaps you, wants to use this address for another account of Collimate. It"
            " has one already, so nothing happens. If it was not you, do nothing.",
        )
    else:
        to_new = Letter(
            change.email,
            "Confirm your new address for Collimate",
            "Somebody, hopefully you, wants to use this address for an account. Open this link"
            f" within a day to confirm it:\n{link}\n\nIf it was not you, do nothing.",
        )
    to_old = Letter(
        change.old_email,
        "Another address was asked for your account",
        "Somebody signed in as you asked for another e-mail address for your account. This one"
        " holds until the other is confirmed. If it was not you, withdraw it and change your"
        f" password at once:\n{account}",
    )
    return [to_new, to_old]


def _confirmed(change: EmailChange) -> Letter:
    return Letter(
        change.old_email,
        "Your account has another address now",
        "The e-mail address of your account was changed. Letters go to the new one from now on,"
        " and you sign in with it. If it was not you, tell your administrator at once.",
    )
