"""The key that signs checkpoints, and the keys that are trusted to have signed them."""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings

from audit.rules.notes import SigningKey, VerifierKey


def signing_key(origin: str | None = None) -> SigningKey:
    """Return the key of ``settings.AUDIT_SIGNING_KEY`` (64 hexadecimal characters).

    The origin of the log is ``settings.AUDIT_ORIGIN`` or is derived from the key, never
    from the address of the portal, which may change while the log goes on.
    """
    seed = bytes.fromhex(settings.AUDIT_SIGNING_KEY)
    return SigningKey(origin or _origin(seed), seed)


def _origin(seed: bytes) -> str:
    public = SigningKey("x", seed).verifier.public
    configured: str = getattr(settings, "AUDIT_ORIGIN", "")
    return configured or f"collimate.example/audit/{sha256(public).hexdigest()[:16]}"


def trusted_keys() -> list[VerifierKey]:
    """Return the present key and those of ``settings.AUDIT_RETIRED_KEYS`` (verifier keys)."""
    retired: list[str] = getattr(settings, "AUDIT_RETIRED_KEYS", [])
    return [signing_key().verifier, *map(VerifierKey.parse, retired)]
