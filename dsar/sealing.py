"""What people write in requests, sealed: one key for each case, one for each draft."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from dsar.models import Authority, Case, CaseEntry, FeeQuote, RequestDraft
from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from vault.rules.blind_index import exact_token
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key, open_index_key

KEY_KIND = "request"
EMAIL_FIELD = "request.email"


@dataclass(frozen=True, slots=True)
class Written:
    """Who asks, and in which words."""

    name: str
    email: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """In whose name somebody asks, as they say; the age of a child only."""

    name: str
    email: str = ""
    age: int | None = None


def email_token(organisation_id: UUID, email: str) -> bytes | None:
    """The keyed hash by which requests of one address are found; None without an address."""
    if not email:
        return None
    key = open_index_key(organisation_id=organisation_id, field_name=EMAIL_FIELD)
    return exact_token(key, email)


def seal_case(case: Case, written: Written, key: bytes) -> None:
    """Put the words into the fields of a case."""
    _seal_words(case, written, FieldSealer(key))


def _seal_words(case: Case, written: Written, sealer: FieldSealer) -> None:
    for name in ("name", "email", "text"):
        value = getattr(written, name).encode()
        setattr(case, f"sealed_{name}", sealer.seal(value, _context(case.pk, name)))


class OpenCase:
    """A case whose key is open: for one page, or one act."""

    def __init__(self, case: Case) -> None:
        require_purpose(Category.REQUESTS)
        self.case = case
        self._sealer = FieldSealer(open_data_key(id=case.key_id))

    @property
    def written(self) -> Written:
        return Written(*(self._open(name) for name in ("name", "email", "text")))

    def _open(self, name: str) -> str:
        sealed = getattr(self.case, f"sealed_{name}")
        return self._sealer.open(sealed, _context(self.case.pk, name)).decode()

    def reseal(self, written: Written) -> None:
        """Put other words into the fields, under the same key."""
        _seal_words(self.case, written, self._sealer)

    def seal_person(self, authority: Authority, person: Person) -> None:
        value = json.dumps(asdict(person)).encode()
        authority.sealed_person = self._sealer.seal(value, _context(self.case.pk, "person"))

    def person_of(self, authority: Authority) -> Person:
        context = _context(self.case.pk, "person")
        return Person(**json.loads(self._sealer.open(authority.sealed_person, context)))

    def seal_items(self, quote: FeeQuote, items: Sequence[Mapping[str, Any]]) -> None:
        value = json.dumps(list(items)).encode()
        quote.sealed_items = self._sealer.seal(value, _context(quote.pk, "items"))

    def items_of(self, quote: FeeQuote) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self._sealer.open(quote.sealed_items, _context(quote.pk, "items"))
        )
        return found

    def seal_entry(self, entry: CaseEntry, text: str) -> None:
        entry.sealed_text = (
            self._sealer.seal(text.encode(), _context(entry.pk, "entry")) if text else None
        )

    def text_of(self, entry: CaseEntry) -> str:
        if entry.sealed_text is None:
            return ""
        return self._sealer.open(entry.sealed_text, _context(entry.pk, "entry")).decode()


def seal_draft(draft: RequestDraft, record: Mapping[str, Any], key: bytes) -> None:
    value = json.dumps(record).encode()
    draft.sealed_record = FieldSealer(key).seal(value, _context(draft.pk, "draft"))


def open_draft(draft: RequestDraft) -> dict[str, Any]:
    require_purpose(Category.REQUESTS)
    sealer = FieldSealer(open_data_key(id=draft.key_id))
    found: dict[str, Any] = json.loads(
        sealer.open(draft.sealed_record, _context(draft.pk, "draft"))
    )
    return found


def _context(row: UUID, field: str) -> bytes:
    return bind("collimate/request", row, field)
