"""A place for copies: a folder, or a bucket of an object store.

What is written appears whole or not at all. The names come from `backups.rules.names`, which
checks what becomes a path.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from backups.rules.refusals import CopyDamaged

PIECE = 1024 * 1024
Sink = Callable[[bytes | memoryview], object]


@dataclass(frozen=True, slots=True)
class Written:
    size: int
    digest: str


class Counting:
    """A sink that counts and hashes what passes through it into another."""

    def __init__(self, into: Callable[[memoryview], object]) -> None:
        self._into, self._hash, self._size = into, hashlib.sha256(), 0

    def __call__(self, piece: bytes | memoryview) -> None:
        self._hash.update(piece)
        self._size += len(piece)
        self._into(memoryview(piece))

    @property
    def written(self) -> Written:
        return Written(self._size, self._hash.hexdigest())


class Place(ABC):
    """Where copies lie. As text it is the address by which it is found again.

    Any call may raise `PlaceRefused`, and `PlaceFull` when writing.
    """

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def write(self, name: str, fill: Callable[[Sink], object]) -> Written:
        """Have `fill` write pieces into a copy of this name; nothing is left if it fails."""

    @abstractmethod
    def read(self, name: str) -> Iterator[bytes]:
        """Yield a copy in pieces of `PIECE`, the last shorter; raises `CopyDamaged` if none is."""

    @abstractmethod
    def has(self, name: str) -> bool: ...

    @abstractmethod
    def delete(self, name: str) -> bool:
        """Delete a copy for good; tell whether there was one. Safe to repeat."""

    @abstractmethod
    def delete_folder(self, name: str) -> None: ...

    @abstractmethod
    def generations(self) -> list[str]:
        """Give the folders of generations, finished or not, the oldest first."""

    @abstractmethod
    def blob_names(self) -> Iterator[str]: ...

    @abstractmethod
    def clear_leftovers(self) -> None:
        """Remove what a writer that was killed left; nobody else writes under the lock."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Keep others from writing here meanwhile; a lock ends with its process."""

    @abstractmethod
    def lies_with(self, other: Place) -> bool:
        """Would whoever copies the one of both have the other, or some of it?"""

    def is_there(self) -> bool:
        """A disk that is not mounted looks like a place without anything in it."""
        return self.has("lock")

    def write_text(self, name: str, text: str) -> Written:
        return self.write(name, lambda sink: sink(text.encode()))

    def read_text(self, name: str) -> str:
        try:
            return b"".join(self.read(name)).decode()
        except UnicodeDecodeError:
            raise CopyDamaged(f"{name} in {self} is no text.") from None

    def digest_of(self, name: str) -> Written:
        counted = Counting(lambda _: None)
        for piece in self.read(name):
            counted(piece)
        return counted.written
