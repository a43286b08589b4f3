"""What people write about a hold, sealed under the hold's own key."""

from __future__ import annotations

from uuid import UUID

from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from retention.models import Hold
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key

KEY_KIND = "hold"


def archive_context(study_id: int) -> bytes:
    return bind("collimate/archived-study", study_id)


class OpenHold:
    """A hold whose key is open: for one page, or one act."""

    def __init__(self, hold: Hold, key: bytes | None = None) -> None:
        require_purpose(Category.REQUESTS)
        self.hold = hold
        self._sealer = FieldSealer(key or open_data_key(id=hold.key_id))

    @property
    def matter(self) -> str:
        return self._open("matter")

    @property
    def reason(self) -> str:
        return self._open("reason")

    @property
    def lift_reason(self) -> str:
        return self._open("lift_reason")

    def seal(self, field: str, text: str) -> None:
        context = _context(self.hold.pk, field)
        setattr(self.hold, f"sealed_{field}", self._sealer.seal(text.encode(), context))

    def _open(self, field: str) -> str:
        sealed = getattr(self.hold, f"sealed_{field}")
        if sealed is None:
            return ""
        return self._sealer.open(sealed, _context(self.hold.pk, field)).decode()


def _context(hold_id: UUID, field: str) -> bytes:
    return bind("collimate/hold", hold_id, field)
