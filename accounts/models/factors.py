"""Second factors that are ours: an app's codes, and recovery codes (XENRAD-2.4)."""

from __future__ import annotations

import time
import uuid
from base64 import b32encode
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP
from django_otp.util import random_hex

from accounts.fields import SealedText, keyed_hash
from policies.rules.categories import Category


def new_seed() -> str:
    """Make a seed of 160 bits, as RFC 4226 section 4 recommends."""
    return str(random_hex(20))


class Authenticator(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]
    """An app that shows a code every 30 seconds (RFC 6238).

    django-otp's own device keeps the seed in the clear, from which anybody makes the codes; so
    the device is ours and only its counting is django-otp's (XENRAD-2.4).
    """

    seal_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    seed = SealedText(
        "authenticator.seed",
        row="seal_id",
        category=Category.CREDENTIALS.value,
        default=new_seed,
    )
    # How many steps the app's clock was off, and the step of the last code that was taken.
    drift = models.SmallIntegerField(default=0)
    last_t = models.BigIntegerField(default=-1)

    @property
    def bin_key(self) -> bytes:
        return bytes.fromhex(self.seed)

    @property
    def config_url(self) -> str:
        """What the app reads from the picture."""
        issuer = settings.OTP_TOTP_ISSUER
        values = {
            "secret": b32encode(self.bin_key).decode(),
            "algorithm": "SHA1",
            "digits": 6,
            "period": 30,
            "issuer": issuer,
        }
        return f"otpauth://totp/{quote(f'{issuer}:{self.user.email}')}?{urlencode(values)}"

    def verify_token(self, token: str) -> bool:
        """Take a code once; a wrong one makes the next try wait, each time longer."""
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(self.bin_key, drift=self.drift)
        totp.time = time.time()
        # One step of 30 seconds to either side, for clocks that differ.
        if not (token.isascii() and token.isdigit()) or not totp.verify(
            int(token), tolerance=1, min_t=self.last_t + 1
        ):
            self.throttle_increment(commit=True)
            return False
        self.last_t, self.drift = totp.t(), totp.drift
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        return 1


class RecoveryCodes(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]
    """A set of codes for somebody who has lost everything else; each opens once."""

    def verify_token(self, token: str) -> bool:
        if not self.verify_is_allowed()[0]:
            return False
        used, _ = self.codes.filter(digest=self.digest_of(token)).delete()
        if not used:
            self.throttle_increment(commit=True)
            return False
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def digest_of(self, code: str) -> bytes:
        """Hash a code under the platform's key: of 40 bits, a plain hash would be guessed."""
        return keyed_hash("recovery.code", f"{self.user_id}/{code}")

    def get_throttle_factor(self) -> int:
        return 1


class RecoveryCode(models.Model):
    """One code that was not used yet: only its keyed hash."""

    codes = models.ForeignKey(RecoveryCodes, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["codes", "digest"], name="recovery_code_once")
        ]
