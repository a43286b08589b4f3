"""What is held about a person: each room names its part, for whoever asks (GDPR Art. 15, C30).

A room registers a `Holder` from its `AppConfig.ready`. A collection asks all of them; one that
cannot answer is named, so that nobody calls an incomplete answer complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from policies.rules.categories import Category


@dataclass(frozen=True, slots=True)
class Whose:
    """A person as one organisation knows them: as patients or animals' owners, and by account."""

    organisation_id: UUID
    subject_ids: frozenset[UUID] = frozenset()
    user_id: int | None = None
    # Whether an erasure takes the account too: only if its person has asked for just that.
    ends_account: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of thing that is held, as the answer lists it (GDPR Art. 15(1)(a) to (g))."""

    category: Category
    what: str
    number: int
    since: datetime | None = None
    source: str = ""
    recipients: tuple[str, ...] = ()
    kept: str = ""
    # Not handed out, and why: it is about others, or would be no copy of anything.
    withheld: str = ""
    # The file of the room's own that hands it out, where it is one by itself.
    file: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a copy. `pieces` opens it when its turn comes; `size` in bytes, if known."""

    path: str
    pieces: Callable[[], Iterator[bytes]]
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A room's part: what it lists, and what it hands out."""

    code: str
    label: str
    holdings: Callable[[Whose], Iterable[Holding]]
    files: Callable[[Whose], Iterable[File]]
    # The same without images, for a copy that is made while somebody waits; None: `files`.
    in_words: Callable[[Whose], Iterable[File]] | None = None


_holders: dict[str, Holder] = {}


def register_holder(holder: Holder) -> None:
    """Raises ValueError if another room has the code."""
    if _holders.setdefault(holder.code, holder) != holder:
        raise ValueError(f"two rooms say what is held under {holder.code}")


def holders() -> list[Holder]:
    """Every registered holder, by code."""
    return sorted(_holders.values(), key=lambda one: one.code)


def one_file(path: str, content: bytes) -> File:
    """A small file that is there already."""
    return File(path, lambda: iter([content]), len(content))
