"""What the portal keeps, field by field (C13): category, protection, name in an export.

Each app classifies its own models, and those of libraries it brought, in `<app>/inventory.py`;
`manage.py check` fails on a field that nobody classified (policies.checks). Whatever stands in a
row about a person is personal data, also a date or a number, so that follows from the category.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from policies.rules.categories import CATEGORIES, SPECIAL, Category, CategoryFacts


class Protection(StrEnum):
    READABLE = "readable in the database"
    SEALED = "encrypted, its key in another database"
    KEYED_HASH = "only a keyed hash"
    HASH = "only a hash"


@dataclass(frozen=True, slots=True)
class FieldFacts:
    label: str
    protection: Protection = Protection.READABLE
    # None: the category of its model.
    category: Category | None = None
    # Secrets, and what protects others, are never handed out, not even to whom they are about.
    exported: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of one model, as the inventory shows it."""

    model: str
    field: str
    label: str
    category: Category
    protection: Protection
    exported: bool

    @property
    def facts(self) -> CategoryFacts:
        return CATEGORIES[self.category]

    @property
    def is_personal(self) -> bool:
        return self.facts.is_personal

    @property
    def is_sealed(self) -> bool:
        return self.protection is not Protection.READABLE


def sealed(label: str, category: Category | None = None) -> FieldFacts:
    return FieldFacts(label, Protection.SEALED, category)


def keyed_hash(label: str, category: Category | None = None) -> FieldFacts:
    return FieldFacts(label, Protection.KEYED_HASH, category, exported=False)


def hashed(label: str, category: Category | None = None) -> FieldFacts:
    return FieldFacts(label, Protection.HASH, category, exported=False)


def secret(label: str, category: Category | None = None) -> FieldFacts:
    return FieldFacts(label, Protection.READABLE, category, exported=False)


def readable(label: str, category: Category) -> FieldFacts:
    """A field of another category than its model."""
    return FieldFacts(label, Protection.READABLE, category)


_entries: dict[tuple[str, str], Entry] = {}


# Model (`app.Model`), category, and of each field what it is: a text names a readable field.
Models = list[tuple[str, Category, Mapping[str, str | FieldFacts]]]


def classify(models: Models) -> None:
    """Register what an app keeps; called from its `AppConfig.ready`."""
    for model, category, fields in models:
        for field, said in fields.items():
            facts = FieldFacts(said) if isinstance(said, str) else said
            _entries[model, field] = Entry(
                model, field, facts.label, facts.category or category, facts.protection,
                facts.exported,
            )  # fmt: skip


def inventory() -> list[Entry]:
    """All that was classified, by category, then by model."""
    order = list(Category)
    return sorted(_entries.values(), key=lambda entry: (order.index(entry.category), entry.model))


def fields_of(model: str) -> list[Entry]:
    """The fields of one model (`app.Model`), in the order in which they were classified."""
    return [entry for (label, _), entry in _entries.items() if label == model]


def categories_kept() -> tuple[Category, ...]:
    """Categories of which the portal keeps at least one field."""
    kept = {entry.category for entry in _entries.values()}
    return tuple(category for category in Category if category in kept)


def unprotected() -> Iterator[str]:
    """Say which fields would stand readable although their kind is specially protected."""
    for entry in inventory():
        if entry.category in SPECIAL and not entry.is_sealed:
            yield f"{entry.model}.{entry.field} is {entry.facts.label.lower()}: seal or hash it."


def differences(fields: Mapping[str, set[str]]) -> Iterator[str]:
    """Compare with the fields that models really have; say what nobody classified, or is gone."""
    for model, names in sorted(fields.items()):
        known = {field for label, field in _entries if label == model}
        for name in sorted(names - known):
            yield f"{model}.{name} is not classified; say in the app's inventory.py what it is."
        for name in sorted(known - names):
            yield f"{model}.{name} is classified, but there is no such field."
    for model in sorted({label for label, _ in _entries} - fields.keys()):
        yield f"{model} is classified, but there is no such model."
