"""Holders of the master key, the root that wraps every organisation's key.

``MASTER_KEY`` (64 hexadecimal digits) is the plain case. ``MASTER_KEY_FILE``, if the settings
have it, names a file that holds them and whose access rights are checked. A key management
service is reached by ``MASTER_KEY_PROVIDER``: the dotted name of a callable that returns a
``MasterKey``. While a rotation runs, ``MASTER_KEY_PREVIOUS`` holds the keys that are being
replaced, separated by commas.
"""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from vault.rules.errors import MasterKeyUnknown
from vault.rules.key_wrap import KEY_BYTES, master_key_id, unwrap_key, wrap_key


class MasterKey(Protocol):
    """What the vault asks of a holder of the master key, in process or in a service.

    ``context`` is authenticated, not secret: a wrap must not open under another context.
    ``unwrap`` raises ``vault.rules.errors.Tampered`` if it does not open.
    """

    @property
    def id(self) -> str:
        """Name this key, in at most 64 characters; a new key has a new name."""

    def wrap(self, key: bytes, *, context: bytes) -> bytes:
        """Wrap a key of 32 bytes."""

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return the key that ``wrap`` was given."""


class LocalMasterKey:
    """A master key in the memory of this process."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ImproperlyConfigured("a master key is 32 bytes: 64 hexadecimal digits")
        self._key = key
        self.id = master_key_id(key)

    @classmethod
    def from_hex(cls, text: str) -> LocalMasterKey:
        """Read 64 hexadecimal digits."""
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError:
            # The text is a secret: it must not reach a log through the error that quotes it.
            raise ImproperlyConfigured("a master key is 64 hexadecimal digits") from None

    @classmethod
    def from_file(cls, path: Path) -> LocalMasterKey:
        """Read the digits from a file that its owner, and at most its group, may read."""
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO):
            raise ImproperlyConfigured(f"others may read or change the master key file {path}")
        return cls.from_hex(path.read_text(encoding="ascii"))

    def wrap(self, key: bytes, *, context: bytes) -> bytes:
        """Wrap a key of 32 bytes."""
        return wrap_key(key, under=self._key, context=context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return the key that ``wrap`` was given."""
        return unwrap_key(wrapped, under=self._key, context=context)


def current_master_key() -> MasterKey:
    """Give the master key that wraps from now on."""
    return _configured()[0]


def master_key_named(name: str) -> MasterKey:
    """Give the current or a previous master key; raise ``MasterKeyUnknown`` for any other."""
    for master in _configured():
        if master.id == name:
            return master
    raise MasterKeyUnknown(f"master key {name} is not configured here")


def _configured() -> tuple[MasterKey, ...]:
    return _providers(
        getattr(settings, "MASTER_KEY_PROVIDER", ""),
        str(getattr(settings, "MASTER_KEY_FILE", "") or ""),
        settings.MASTER_KEY,
        getattr(settings, "MASTER_KEY_PREVIOUS", "") or "",
    )


@lru_cache(maxsize=4)
def _providers(dotted: str, file: str, current: str, previous: str) -> tuple[MasterKey, ...]:
    older = [text for text in previous.split(",") if text.strip()]
    first: MasterKey
    if dotted:
        first = import_string(dotted)()
        # A move to a key management service still has to open what the local key wrapped.
        older += [current] if current else []
    elif file:
        first = LocalMasterKey.from_file(Path(file))
    else:
        first = LocalMasterKey.from_hex(current)
    return (first, *(LocalMasterKey.from_hex(text) for text in older))
