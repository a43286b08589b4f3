"""What people write of an incident, sealed under its own key."""

from __future__ import annotations

import json
from dataclasses import asdict
from uuid import UUID

from incidents.models import Incident, IncidentEntry
from incidents.rules.letters import Draft
from incidents.rules.states import Factors
from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key

KEY_KIND = "incident"


class OpenIncident:
    """An incident whose key is open: for one page, or one act."""

    def __init__(self, incident: Incident, key: bytes | None = None) -> None:
        require_purpose(Category.TRAIL)
        self.incident = incident
        self._sealer = FieldSealer(key or open_data_key(id=incident.key_id))

    @property
    def title(self) -> str:
        return self._open(self.incident.sealed_title, self.incident.pk, "title")

    def seal_title(self, text: str) -> None:
        self.incident.sealed_title = self._seal(text, self.incident.pk, "title")

    @property
    def factors(self) -> Factors | None:
        if self.incident.sealed_factors is None:
            return None
        return Factors(
            **json.loads(self._open(self.incident.sealed_factors, self.incident.pk, "factors"))
        )

    def seal_factors(self, factors: Factors) -> None:
        value = json.dumps(asdict(factors))
        self.incident.sealed_factors = self._seal(value, self.incident.pk, "factors")

    @property
    def letter(self) -> Draft | None:
        if self.incident.sealed_letter is None:
            return None
        return Draft(
            **json.loads(self._open(self.incident.sealed_letter, self.incident.pk, "letter"))
        )

    def seal_letter(self, draft: Draft) -> None:
        value = json.dumps(asdict(draft))
        self.incident.sealed_letter = self._seal(value, self.incident.pk, "letter")

    def seal_entry(self, entry: IncidentEntry, text: str) -> None:
        entry.sealed_text = self._seal(text, entry.pk, "entry")

    def text_of(self, entry: IncidentEntry) -> str:
        return self._open(entry.sealed_text, entry.pk, "entry") if entry.sealed_text else ""

    def _seal(self, text: str, row: UUID, field: str) -> bytes:
        return self._sealer.seal(text.encode(), _context(row, field))

    def _open(self, sealed: bytes | memoryview, row: UUID, field: str) -> str:
        return self._sealer.open(bytes(sealed), _context(row, field)).decode()


def _context(row: UUID, field: str) -> bytes:
    return bind("collimate/incident", row, field)
