"""Keys of records that law alone still asks for: named apart, and opened only on purpose. Pure.

Such a key is wrapped under a key of the archive of its organisation, which has epochs of its own.
Whoever opens one has to say so around it (`archive_opened`), key by key: what works on records of
care says nothing, and is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

_PREFIX: Final = "archive:"
_opened: ContextVar[frozenset[UUID]] = ContextVar("archive_opened", default=frozenset())


def archive_of(organisation_id: UUID | int | str) -> str:
    """Name the archive of an organisation, as wrapped keys name whose they are."""
    return f"{_PREFIX}{organisation_id}"


def is_archive(name: str) -> bool:
    return name.startswith(_PREFIX)


@contextmanager
def archive_opened(ids: Collection[UUID]) -> Iterator[None]:
    """Let these keys of an archive be opened in here, and no others."""
    token = _opened.set(frozenset(ids))
    try:
        yield
    finally:
        _opened.reset(token)


def may_be_opened(organisation: str, key_id: UUID) -> bool:
    """Is it an ordinary key, or one of the archive that was asked for?"""
    return not is_archive(organisation) or key_id in _opened.get()
