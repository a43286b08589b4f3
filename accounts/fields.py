"""Columns of accounts that hold sealed text, and keyed hashes by which it is found.

Layout of a sealed column: ``key id 16 | sealed field`` (vault.rules.sealed_field); the context is
the place (such as ``account.email``) and the row. It is opened when it is looked at, never when
the row is fetched, and only for a purpose (policies.rules.gate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from policies.rules.categories import Category
from policies.rules.gate import require_any_purpose, require_purpose
from vault.rules.blind_index import verbatim_token
from vault.rules.contexts import bind
from vault.services.shared_keys import sealer_of, shared_index_key, shared_key_id

if TYPE_CHECKING:
    _TextColumn = models.Field[str, str]
    _BytesColumn = models.BinaryField[bytes, bytes]
else:
    _TextColumn, _BytesColumn = models.Field, models.BinaryField

KIND = "account"
KEY_ID_BYTES = 16


def seal_text(text: str, *, place: str, row: object) -> bytes:
    """Seal a text for one place of one row. Nothing stays nothing: an empty text says no more."""
    if not text:
        return b""
    key_id = shared_key_id(kind=KIND)
    return key_id.bytes + sealer_of(key_id).seal(text.encode(), _context(place, row))


def open_text(sealed: bytes, *, place: str, row: object) -> str:
    """Open what `seal_text` sealed; raises `vault.rules.errors.SealError` if it was altered."""
    if not sealed:
        return ""
    key_id = UUID(bytes=bytes(sealed[:KEY_ID_BYTES]))
    return sealer_of(key_id).open(sealed[KEY_ID_BYTES:], _context(place, row)).decode()


def keyed_hash(place: str, text: str) -> bytes:
    """Hash a text under the platform's key of this place; equal texts give equal hashes."""
    return verbatim_token(shared_index_key(field_name=place), text)


def token_of_email(email: str) -> bytes:
    """The hash by which an account is found; capitals do not count."""
    return keyed_hash("account.email", email.strip().lower())


def _context(place: str, row: object) -> bytes:
    return bind("collimate/account-field@v1", place, str(row))


class Sealed(bytes):
    """A sealed value that nobody has looked at yet."""


class _OpensWhenRead(DeferredAttribute):
    field: SealedText

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = self.field.opened(value, instance)
        return value

    # With this, what stands in the row's dictionary does not go past the method above.
    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedText(_TextColumn):
    """Text for the program, sealed bytes in the database. Cannot be searched or sorted there.

    `row` names the attribute that tells rows apart and is known before the row is saved.
    `goes_with_acts`: opened for any purpose, if one is named; else only for one that lists the
    category.
    """

    descriptor_class = _OpensWhenRead
    empty_strings_allowed = True

    def __init__(
        self,
        place: str = "",
        *args: Any,
        row: str = "id",
        category: str = Category.ACCOUNT.value,
        goes_with_acts: bool = False,
        **kwargs: Any,
    ) -> None:
        self.place, self.row, self.category = place, row, category
        self.goes_with_acts = goes_with_acts
        super().__init__(*args, **kwargs)
        if self.max_length:
            self.validators.append(MaxLengthValidator(self.max_length))

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs |= {"place": self.place, "row": self.row}
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def opened(self, sealed: bytes, instance: models.Model) -> str:
        ask = require_any_purpose if self.goes_with_acts else require_purpose
        ask(Category(self.category))
        return open_text(sealed, place=self.place, row=getattr(instance, self.row))

    def pre_save(self, instance: models.Model, add: bool) -> Any:  # noqa: ARG002
        value = instance.__dict__.get(self.attname)
        if isinstance(value, str):
            return Sealed(seal_text(value, place=self.place, row=getattr(instance, self.row)))
        return value

    def from_db_value(self, value: Any, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def get_db_prep_value(
        self,
        value: Any,
        connection: Any,
        prepared: bool = False,  # noqa: ARG002
    ) -> Any:
        if isinstance(value, str) and value:
            raise TypeError(f"{self.place} is sealed row by row: save the row, do not update it.")
        return None if value is None else connection.Database.Binary(bytes(value or b""))

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse to compare: no two sealed values are equal."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(
            **{"form_class": forms.CharField, "max_length": self.max_length, **kwargs}
        )


class EmailHash(_BytesColumn):
    """The keyed hash of the sealed address beside it: unique, and what accounts are found by."""

    def __init__(self, *args: Any, of: str = "email", **kwargs: Any) -> None:
        self.of = of
        kwargs.setdefault("max_length", 16)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"of": self.of}

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        text = instance.__dict__.get(self.of)
        # Still sealed means not changed.
        if isinstance(text, str) and not isinstance(text, Sealed):
            setattr(instance, self.attname, token_of_email(text))
        return super().pre_save(instance, add)
