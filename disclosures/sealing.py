"""What stands in a case of disclosure, sealed under the case's own key."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from disclosures.models import Clause, Disclosure, Item, Notice, Statement
from policies.rules.categories import Category
from policies.rules.gate import require_purpose
from vault.rules.contexts import bind
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key

KEY_KIND: Final = "disclosure"
PAPER_KEY: Final = "disclosure-paper"
PACKAGE_KEY: Final = "disclosure-package"


def paper_context(paper_id: UUID) -> bytes:
    return bind("collimate/disclosure-paper", paper_id)


def package_context(release_id: UUID) -> bytes:
    return bind("collimate/disclosure-package", release_id)


class OpenDisclosure:
    """A case whose key is open: for one page, or one act."""

    def __init__(self, disclosure: Disclosure, key: bytes | None = None) -> None:
        require_purpose(Category.REQUESTS)
        self.disclosure = disclosure
        self._sealer = FieldSealer(key or open_data_key(id=disclosure.key_id))

    def seal(self, text: str, *place: object) -> bytes:
        return self._sealer.seal(text.encode(), self._context(place))

    def _open(self, sealed: bytes | memoryview | None, *place: object) -> str:
        return self._sealer.open(bytes(sealed), self._context(place)).decode() if sealed else ""

    def _context(self, place: tuple[object, ...]) -> bytes:
        return bind("collimate/disclosure", self.disclosure.pk, ".".join(map(str, place)))

    @property
    def authority(self) -> str:
        return self._open(self.disclosure.sealed_authority, "authority")

    @property
    def reference(self) -> str:
        return self._open(self.disclosure.sealed_reference, "reference")

    def statement(self, one: Statement) -> str:
        return self._open(one.sealed_text, "statement", one.kind)

    def clause(self, one: Clause) -> str:
        return self._open(one.sealed_text, "clause", one.number)

    def label(self, one: Item) -> str:
        return self._open(one.sealed_label, "label", one.number)

    def reason(self, one: Item) -> str:
        return self._open(one.sealed_reason, "item", one.number)

    def notice(self, one: Notice) -> str:
        return self._open(one.sealed_reason, "notice", one.subject_id or one.account_id)
