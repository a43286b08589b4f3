"""What can go wrong with keys, sealed bytes and the places they are stored in."""

from __future__ import annotations


class VaultError(Exception):
    """Base of every error that the vault raises on purpose."""


class SealError(VaultError):
    """Sealed bytes could not be opened; nothing unauthenticated was released."""


class UnknownVersion(SealError):
    """The bytes do not begin with a magic and version that this release can open."""


class WrongKey(SealError):
    """The key commitment does not match.

    The commitment covers key, salt and context together, so another key, another
    context (the blob lies under another name) and an altered header cannot be told apart.
    """


class Tampered(SealError):
    """A chunk or field failed authentication: altered, moved, or sealed for another context."""


class Truncated(Tampered):
    """The bytes end where no sealed message can end, or sooner than their known size."""


class StoredKeyError(VaultError):
    """Base of the errors about stored keys."""


class KeyUnknown(StoredKeyError):
    """No key of this identity was ever stored here."""


class KeyDestroyed(StoredKeyError):
    """The key existed and was destroyed; what it sealed cannot be read again."""


class KeyArchived(StoredKeyError):
    """The key lies in the legal archive, and nobody has said that it is to be opened here."""


class MasterKeyUnknown(StoredKeyError):
    """A key was wrapped by a master key that this process has not been given."""


class StorageError(VaultError):
    """Base of the errors of the blob store."""


class StorageFull(StorageError):
    """The store has no room left (ENOSPC, EDQUOT, or the object store's own word for it)."""


class BlobMissing(StorageError):
    """No blob of this name is stored."""


class StorageUnreachable(StorageError):
    """The store did not answer, or answered with a fault of its own; trying later may help."""
