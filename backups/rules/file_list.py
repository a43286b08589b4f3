"""The list of sealed files of a generation: a line each with name, size and SHA-256. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backups.rules.names import blob_path
from backups.rules.refusals import CopyDamaged


@dataclass(frozen=True, slots=True)
class Listed:
    name: str
    size: int
    digest: str

    @property
    def line(self) -> str:
        return f"{self.name} {self.size} {self.digest}\n"


def read_list(lines: Iterable[str]) -> Iterator[Listed]:
    """Read a list line by line; raises `CopyDamaged`."""
    for number, line in enumerate(lines, start=1):
        try:
            name, size, digest = line.split()
            blob_path(name)
            if len(digest) != 64 or int(size) < 0:
                raise ValueError
        except ValueError:
            raise CopyDamaged(f"Line {number} of the list of files is none.") from None
        yield Listed(name, int(size), digest)
