"""WebAuthn ceremonies, by django-otp-webauthn and py_webauthn.

Imported where a ceremony is held and not at start: the libraries are large and most requests
never need them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.models import User


class PasskeyRefused(Exception):
    """The browser's answer does not prove possession of a passkey of this person."""


def _helper(request: HttpRequest) -> Any:
    from django_otp_webauthn.helpers import WebAuthnHelper

    return WebAuthnHelper(request=request)


def begin_registration(request: HttpRequest, user: User) -> tuple[dict, dict]:
    """Return the options for the browser and the state to keep until its answer."""
    return _helper(request).register_begin(user=user)


def complete_registration(
    request: HttpRequest, user: User, *, state: Mapping, answer: Mapping
) -> Any:
    """Store and return the new credential.

    Raises `PasskeyRefused`.
    """
    return _refusing(_helper(request).register_complete, user=user, state=state, data=answer)


def begin_authentication(request: HttpRequest, user: User) -> tuple[dict, dict]:
    return _helper(request).authenticate_begin(user=user, require_user_verification=False)


def complete_authentication(
    request: HttpRequest, user: User, *, state: Mapping, answer: Mapping
) -> Any:
    """Return the credential that was used.

    Raises `PasskeyRefused`.
    """
    return _refusing(_helper(request).authenticate_complete, user=user, state=state, data=answer)


def _refusing(ceremony: Any, **arguments: Any) -> Any:
    from django_otp_webauthn.exceptions import OTPWebAuthnApiError
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return ceremony(**arguments)
    except (OTPWebAuthnApiError, WebAuthnException, KeyError, ValueError) as error:
        raise PasskeyRefused(type(error).__name__) from error
