"""Send the models of the vault to the key database, and everything else away from it."""

# ruff: noqa: ARG002 - the signatures and _meta are Django's own

from __future__ import annotations

from typing import Any

from django.db.models import Model

KEYS = "keys"
APP = "vault"


class KeysRouter:
    """Wrapped keys live apart from what they open, so that a backup of data holds no key."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Read keys from the key database."""
        return KEYS if model._meta.app_label == APP else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Write keys to the key database."""
        return KEYS if model._meta.app_label == APP else None

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Refuse relations that would cross the two databases."""
        return (one._meta.app_label == APP) == (other._meta.app_label == APP)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Make the tables of keys in the key database only, all others in ``default`` only."""
        return (db == KEYS) == (app_label == APP)
