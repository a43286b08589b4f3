"""Whom a study is about, as its files say, and when two sayings cannot be the same one. Pure."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Identity:
    """A patient or an animal as DICOM's Patient Module names them (PS3.3 C.7.1.1).

    Names are in DICOM's form (family^given^middle^prefix^suffix), one per component group;
    dates are YYYYMMDD. Empty where the files say nothing.
    """

    name: str = ""
    name_ideographic: str = ""
    name_phonetic: str = ""
    identifier: str = ""
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""
    species: str = ""
    breed: str = ""
    responsible_person: str = ""
    responsible_role: str = ""
    responsible_organisation: str = ""

    @property
    def is_animal(self) -> bool:
        return bool(self.species or self.breed or self.responsible_role == "OWNER")

    @property
    def key(self) -> str:
        """What one organisation tells its subjects apart by: issuer and identifier."""
        return f"{self.issuer.strip()}\x1f{self.identifier.strip()}"

    @property
    def display_name(self) -> str:
        return readable_name(self.name) or readable_name(self.name_ideographic) or "No name given"

    def to_json(self) -> bytes:
        return json.dumps({k: v for k, v in asdict(self).items() if v}).encode()

    @classmethod
    def from_json(cls, document: bytes) -> Identity:
        return cls(**{k: v for k, v in json.loads(document).items() if k in _FIELDS})


_FIELDS = frozenset(field.name for field in fields(Identity))


def readable_name(name: str) -> str:
    """Turn DICOM's family^given^middle^prefix^suffix into words, family name first."""
    family, given, middle, prefix, suffix = (name.split("^") + [""] * 5)[:5]
    rest = " ".join(part.strip() for part in (prefix, given, middle) if part.strip())
    shown = ", ".join(part for part in (family.strip(), rest) if part)
    return f"{shown} {suffix.strip()}".strip()


def doubts(known: Identity, said: Identity) -> tuple[str, ...]:
    """Say why one identifier may be naming two subjects; empty if nothing speaks for it."""
    found = []
    if known.name and said.name and not _same_name(known.name, said.name):
        found.append("name")
    if known.birth_date and said.birth_date and known.birth_date != said.birth_date:
        found.append("birth-date")
    if {known.sex, said.sex} == {"M", "F"}:
        found.append("sex")
    if known.is_animal != said.is_animal:
        found.append("kind")
    return tuple(found)


DOUBT_WORDS = {
    "name": "the name differs",
    "birth-date": "the birth date differs",
    "sex": "the sex differs",
    "kind": "one is a person and the other an animal",
}


def _same_name(one: str, other: str) -> bool:
    return _folded(one) == _folded(other)


def _folded(name: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKD", name).casefold()
    bare = "".join(c for c in text if not unicodedata.combining(c))
    return tuple(part.strip() for part in bare.rstrip("^ ").split("^"))
