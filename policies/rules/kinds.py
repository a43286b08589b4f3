"""Kinds of value that a key of a pack can have.

Each kind checks a value, says it in words, and joins two values into the stricter one. A join
is commutative, associative and idempotent, so "at least as strict as" is what it defines:
`a` is at least as strict as `b` where the join of both is `a`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol


class Wrong(ValueError):
    """A value that does not fit its kind; the text says what would."""


class Stricter(Enum):
    """Which way a value gets stricter."""

    LOWER = "lower"
    HIGHER = "higher"
    FEWER = "fewer"
    MORE = "more"


class Kind(Protocol):
    """What every kind offers. `crosses` is False where no value is stricter than another."""

    @property
    def crosses(self) -> bool: ...

    def check(self, value: Any) -> Any:
        """Return the value in its one canonical form, or raise `Wrong`."""

    def join(self, one: Any, other: Any, /) -> Any:
        """Return the stricter of two checked values."""

    def words(self, value: Any) -> str: ...


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no; `stricter` says which of the two binds more."""

    stricter: bool
    crosses: bool = True

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise Wrong("must be true or false.")
        return value

    def join(self, one: bool, other: bool) -> bool:
        return self.stricter if self.stricter in {one, other} else not self.stricter

    def words(self, value: bool) -> str:
        return "yes" if value else "no"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number with a unit, within bounds."""

    unit: str
    least: int
    most: int
    stricter: Stricter
    crosses: bool = True

    def check(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"must be a whole number of {self.unit}, without quotes.")
        if not self.least <= value <= self.most:
            raise Wrong(f"must be between {self.least} and {self.most} {self.unit}.")
        return value

    def join(self, one: int, other: int) -> int:
        return min(one, other) if self.stricter is Stricter.LOWER else max(one, other)

    def words(self, value: int) -> str:
        return f"{value} {self.unit[:-1] if value == 1 else self.unit}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few codes; where `ranked`, from the weakest to the strictest."""

    options: Mapping[str, str]
    ranked: bool = False

    @property
    def crosses(self) -> bool:
        return self.ranked

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise Wrong(f"must be one of: {', '.join(self.options)}.")
        return value

    def join(self, one: str, other: str) -> str:
        rank = list(self.options)
        return max(one, other, key=rank.index)

    def words(self, value: str) -> str:
        return self.options[value]


@dataclass(frozen=True, slots=True)
class Codes:
    """Some of a set of codes. FEWER: what is allowed; MORE: what is done or demanded."""

    options: Mapping[str, str]
    stricter: Stricter
    crosses: bool = True
    may_be_empty: bool = True

    def check(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise Wrong(f"must be a list of some of: {', '.join(self.options)}.")
        if unknown := [one for one in value if one not in self.options]:
            raise Wrong(f"{unknown[0]!r} is none of: {', '.join(self.options)}.")
        if len(set(value)) != len(value):
            raise Wrong("names the same thing twice.")
        if not value and not self.may_be_empty:
            raise Wrong("must name at least one.")
        return self._ordered(set(value))

    def _ordered(self, codes: set[str]) -> tuple[str, ...]:
        return tuple(code for code in self.options if code in codes)

    def join(self, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
        if self.stricter is Stricter.FEWER:
            return self._ordered(set(one) & set(other))
        return self._ordered(set(one) | set(other))

    def words(self, value: tuple[str, ...]) -> str:
        return ", ".join(self.options[code] for code in value) or "none"


_BREAKS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Words:
    """Text of an organisation's own. No words are stricter than others."""

    longest: int
    form: str = ""
    example: str = ""
    may_be_empty: bool = False
    crosses: bool = False

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong("must be text.")
        text = value.strip()
        if _BREAKS.search(text):
            raise Wrong("holds characters that cannot be seen; type it anew.")
        if not text and not self.may_be_empty:
            raise Wrong("must not be empty.")
        if len(text) > self.longest:
            raise Wrong(f"is longer than {self.longest} characters.")
        if text and self.form and not re.fullmatch(self.form, text):
            raise Wrong(f"has not the form of {self.example}.")
        return text

    def join(self, *_values: str) -> str:
        raise TypeError("words do not cross organisations")

    def words(self, value: str) -> str:
        return value or "not given"


PLACE: Final = re.compile(r"default|[A-Z]{2}(-[A-Z0-9]{1,3})?|EEA")


@dataclass(frozen=True, slots=True)
class ByPlace:
    """A value for each country or state (ISO 3166-1, 3166-2, or EEA), and one for elsewhere."""

    of: Whole | Choice

    @property
    def crosses(self) -> bool:
        return self.of.crosses

    def check(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or "default" not in value:
            raise Wrong("must give a value for places, and one named default for elsewhere.")
        checked = {}
        for place, inner in value.items():
            if not isinstance(place, str) or not PLACE.fullmatch(place):
                raise Wrong(f"{place!r} is no country (US), state (US-CA), EEA or default.")
            try:
                checked[place] = self.of.check(inner)
            except Wrong as wrong:
                raise Wrong(f"{place} {wrong}") from None
        return dict(sorted(checked.items()))

    def join(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        places = sorted({*one, *other})
        return {
            place: self.of.join(one.get(place, one["default"]), other.get(place, other["default"]))
            for place in places
        }

    def words(self, value: Mapping[str, Any]) -> str:
        named = [f"{place}: {self.of.words(one)}" for place, one in value.items()]
        named.sort(key=lambda text: text.startswith("default:"))
        return "; ".join(named).replace("default:", "elsewhere:")


@dataclass(frozen=True, slots=True)
class Records:
    """Several records, each with a code of its own, and the same fields.

    Fields whose kind does not cross are the organisation's own, and are dropped by a join.
    """

    options: Mapping[str, str] | None
    fields: Mapping[str, Kind]
    optional: frozenset[str] = frozenset()
    stricter: Stricter = Stricter.FEWER
    crosses: bool = True
    most: int = 60
    code: re.Pattern[str] = field(default=re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"))

    def check(self, value: Any) -> dict[str, dict[str, Any]]:
        if not isinstance(value, Mapping):
            raise Wrong("must be a list of records, each under its own code.")
        if len(value) > self.most:
            raise Wrong(f"has more than {self.most} records.")
        return {code: self._checked(code, record) for code, record in value.items()}

    def _checked(self, code: Any, record: Any) -> dict[str, Any]:
        if self.options is not None and code not in self.options:
            raise Wrong(f"{code!r} is none of: {', '.join(self.options)}.")
        if not isinstance(code, str) or not self.code.fullmatch(code):
            raise Wrong(f"{code!r} must be a code of small letters, digits and hyphens.")
        if not isinstance(record, Mapping):
            raise Wrong(f"{code} must have the fields {', '.join(self.fields)}.")
        if unknown := [name for name in record if name not in self.fields]:
            raise Wrong(f"{code} has a field {unknown[0]!r}, which is none of its fields.")
        checked = {}
        for name, kind in self.fields.items():
            if name not in record:
                if name in self.optional:
                    continue
                raise Wrong(f"{code} lacks {name}.")
            try:
                checked[name] = kind.check(record[name])
            except Wrong as wrong:
                raise Wrong(f"{code}, {name} {wrong}") from None
        return checked

    def join(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        both = set(one) & set(other)
        codes = both if self.stricter is Stricter.FEWER else set(one) | set(other)
        return {
            code: self._joined([side[code] for side in (one, other) if code in side])
            for code in sorted(codes)
        }

    def _joined(self, records: list[Mapping[str, Any]]) -> dict[str, Any]:
        found = {}
        for name, kind in self.fields.items():
            values = [record[name] for record in records if name in record]
            if kind.crosses and values:
                found[name] = kind.join(values[0], values[-1])
        return found

    def words(self, value: Mapping[str, Any]) -> str:
        names = self.options or {}
        return "; ".join(
            names.get(code, code)
            + " ("
            + ", ".join(
                f"{name.replace('_', ' ')}: {self.fields[name].words(inner)}"
                for name, inner in record.items()
            )
            + ")"
            for code, record in value.items()
        )


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time as `7 years`, `6 months` or `30 days`; how long is for a schedule to say."""

    crosses: bool = False

    def check(self, value: Any) -> str:
        found = (
            re.fullmatch(r"([1-9]\d{0,4}) (day|month|year)s?", value)
            if isinstance(value, str)
            else None
        )
        if found is None:
            raise Wrong("must be a period such as: 30 days, 6 months, 7 years.")
        number, unit = found.groups()
        return f"{number} {unit}" + ("" if number == "1" else "s")

    def join(self, *_values: str) -> str:
        raise TypeError("periods do not cross organisations")

    def words(self, value: str) -> str:
        return value
