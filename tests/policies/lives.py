"""Five lives of one portal: what each shipped pack makes of it, and how tests live them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.test import Client, TestCase
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp.oath import totp

from accounts.models import (
    Authenticator,
    User,
)
from accounts.rules import Role
from accounts.services.members import invite_member
from studies.models import Study
from tests.factories import Cast, actor_of


@dataclass(frozen=True)
class Life:
    """What people meet under one pack."""

    proves_to_share: bool
    proof_minutes: int
    share_days: int
    closing_revokes: bool
    fate: str
    second_factors: frozenset[str]
    password: int
    idle_minutes: int
    longest_hours: int
    min_age_us: int
    mail_in_us: int  # of the hospital's four members, how many an advertisement reaches
    mail_in_eu: int
    advertises: bool
    dnt_counts: bool
    readers: str
    channels: frozenset[str]
    logs_days: int
    purposes_refused: frozenset[str]
    sells: bool
    notice: tuple[str, ...]


ALL_FACTORS = frozenset({"totp", "passkey", "recovery"})
CARE_ONLY = frozenset({"ai-training", "analytics", "advertising", "research"})
DIRECT = "Send a request to this organisation."
VIA_PROVIDER = "Patients turn to the provider that sent their data"

LIVES = {
    "image-exchange": Life(
        proves_to_share=True, proof_minutes=5, share_days=365, closing_revokes=True,
        fate="kept out of sight until the time that law asks for has passed",
        second_factors=ALL_FACTORS, password=12, idle_minutes=30, longest_hours=12,
        min_age_us=13, mail_in_us=4, mail_in_eu=0, advertises=True, dnt_counts=False,
        readers="organisation", channels=frozenset({"email", "alert"}), logs_days=90,
        # It says of its logs that trends of use are seen in them (LIFEIMAGE-15.3).
        purposes_refused=CARE_ONLY - {"analytics"}, sells=False,
        notice=(
            "members of their family", "fewer than 20 people", DIRECT, "within 72 hours",
            "any breach that may have exposed", "quoted before", "Express consent",
        ),
    ),
    "image-share": Life(
        proves_to_share=True, proof_minutes=10, share_days=180, closing_revokes=True,
        fate="kept out of sight for 365 days, then deleted",
        second_factors=ALL_FACTORS, password=14, idle_minutes=20, longest_hours=10,
        min_age_us=16, mail_in_us=4, mail_in_eu=0, advertises=True, dnt_counts=False,
        readers="organisation", channels=frozenset({"email"}), logs_days=60,
        purposes_refused=CARE_ONLY, sells=False,
        notice=(
            "fewer than 11 people", DIRECT, "within 48 hours", "any breach that may have exposed",
            "It costs: nothing", "documented consent", "goes not at all.",
        ),
    ),
    "veterinary-teleradiology": Life(
        proves_to_share=False, proof_minutes=10, share_days=365, closing_revokes=False,
        fate="kept out of sight for 730 days, then deleted",
        second_factors=ALL_FACTORS, password=12, idle_minutes=45, longest_hours=12,
        min_age_us=16, mail_in_us=0, mail_in_eu=0, advertises=False, dnt_counts=True,
        readers="role", channels=frozenset({"email", "alert"}), logs_days=90,
        purposes_refused=CARE_ONLY, sells=False,
        notice=(
            "the person concerned is the owner, not the animal", "fewer than 11 people", DIRECT,
            "within 72 hours", "any breach that may have exposed", "It costs: nothing",
            "and until the end of the diagnostic process", "made anonymous",
        ),
    ),
    "radiology-information-system": Life(
        proves_to_share=False, proof_minutes=5, share_days=365, closing_revokes=False,
        fate="kept out of sight for 90 days, then deleted",
        second_factors=frozenset({"totp", "passkey"}), password=14, idle_minutes=15,
        longest_hours=10, min_age_us=16, mail_in_us=0, mail_in_eu=0, advertises=True,
        dnt_counts=True, readers="role", channels=frozenset({"email", "alert"}), logs_days=60,
        purposes_refused=frozenset({"advertising", "research"}), sells=False,
        notice=(
            "fewer than 11 people", VIA_PROVIDER, "within 72 hours",
            "any breach that may have exposed", "It costs: nothing", "European Union",
            "an alert on the first page, until it is acknowledged",
        ),
    ),
    "surgical-planning": Life(
        proves_to_share=True, proof_minutes=10, share_days=365, closing_revokes=False,
        fate="kept out of sight for 180 days, then deleted",
        second_factors=ALL_FACTORS, password=12, idle_minutes=30, longest_hours=12,
        min_age_us=13, mail_in_us=4, mail_in_eu=0, advertises=True, dnt_counts=False,
        readers="organisation", channels=frozenset(), logs_days=90,
        purposes_refused=frozenset({"advertising"}), sells=True,
        notice=(
            "fewer than 11 people", VIA_PROVIDER, "within 72 hours",
            "of a breach where law asks for it", "It costs: nothing", "Residents of California",
            "may count as a sale or as sharing",
        ),
    ),
}  # fmt: skip
WORDS = "zebra-cliff-mango"
PASSWORD = "correct horse battery staple"
# What the imaging centre, whom things are shared with, has in its own policy: the stricter counts.
CENTRE_PROOF_MINUTES = 5


def text(page: Any) -> str:
    return unescape(page.content.decode())


def day(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def wanted(cast: Cast, *, days: int = 10) -> dict[str, str]:
    recipient = cast.stranger.memberships.get()
    return {
        "recipient": f"person:{recipient.pk}",
        "purpose": "treatment",
        "items": "study",
        "until": day(days),
    }


def share(client: Client, study: Study, form: dict[str, str]) -> Any:
    """Say what, read what it means, agree; the last answer."""
    read = client.post(f"/studies/{study.uid}/share/", form)
    digest = re.search(rb'name="digest" value="(\w+)"', read.content)
    if digest is None:
        return read
    agreed = form | {"digest": digest[1].decode(), "agree": "1"}
    return client.post(f"/studies/{study.uid}/share/", agreed)


def with_password(user: User) -> Authenticator:
    user.set_password(PASSWORD)
    user.save()
    return Authenticator.objects.create(user=user, name="app", confirmed=True)


def give_password(user: User) -> Client:
    client = Client()
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    return client


def code_of(device: Authenticator) -> dict[str, str]:
    return {"code": f"{totp(device.bin_key):06d}"}


def reset_path(user: User) -> str:
    """The address in the letter to somebody who forgot their password."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/password/reset/{uid}/{default_token_generator.make_token(user)}/"


def invited(cast: Cast) -> str:
    """Invite a newcomer to the hospital; the address in their letter."""
    admin = actor_of(cast.administrator, fresh=True)
    with TestCase.captureOnCommitCallbacks(execute=True):
        invite_member(
            acting=admin, organisation_id=admin.organisation_id, email="new@h.example",
            roles=[Role.CLINICIAN],
        )  # fmt: skip
    return str(re.search(r"/join/\S+", mail.outbox[-1].body)[0])  # type: ignore[index]
