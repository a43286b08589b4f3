"""That somebody was old enough, as a mark that they carry on with: it says nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core import signing

from accounts.models import Invitation

LASTS: Final = timedelta(hours=1)
_SALT: Final = "accounts.age"


def age_shown(invitation: Invitation) -> str:
    return signing.dumps(str(invitation.pk), salt=_SALT)


def shows_age(invitation: Invitation, mark: str) -> bool:
    """Was it shown for this invitation, within the last hour?"""
    try:
        shown = signing.loads(mark, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return False
    return bool(shown == str(invitation.pk))
