"""A link to set a new password: asked for by anybody, sent to whoever has the account."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.fields import token_of_email
from accounts.models import User
from jobs.services import create_job

SEND_LINK = "accounts.send_reset_link"


@transaction.atomic
def request_reset_link(*, email: str) -> None:
    """Note that a link is wanted; a worker sends it, if anybody has this address.

    The same rows are written for every address, and no mail server is waited for: neither the
    answer nor the time it takes tells who has an account. One letter a minute and address.
    """
    email = email.strip().lower()
    user = User.objects.with_email(email).filter(is_active=True).first()
    digest = token_of_email(email).hex()
    create_job(
        kind=SEND_LINK,
        natural_key=f"{digest}/{timezone.now():%Y%m%d%H%M}",
        payload={"user_id": user.pk if user else 0},
    )


def send_reset_link(*, user_id: int) -> None:
    """Send the link; nothing for an address that nobody has. Sent twice, both links work once."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    # Built on our own address, never on the request's Host, which the asker chooses.
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("accounts:password_reset", args=[uid, default_token_generator.make_token(user)])
    send_mail(
        "Set a new password for Collimate",
        f"Somebody, hopefully you, asked for a new password. Set it here:\n"
        f"{settings.PUBLIC_URL}{path}\n\nIf it was not you, do nothing.",
        None,
        [user.email],
    )
