"""What changes from one version of a policy to the next, in words that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.rules.kinds import ByPlace, Codes, Records, Words
from policies.rules.schema import KEY, KEYS, Key


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `direction` says for whom: stricter, weaker, or another (not ordered)."""

    key: str
    label: str
    before: str
    after: str
    direction: str
    material: bool


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """List what differs, in the order of the schema."""
    return tuple(_changes(before, after))


def is_material(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Does anything change that reaches people or their data?"""
    return any(change.material for change in _changes(before, after))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in KEYS:
        old, new = before.get(key.path), after.get(key.path)
        if _same(old, new):
            continue
        if isinstance(key.kind, Records) and old is not None and new is not None:
            yield from _records(key, key.kind, old, new)
        else:
            yield Change(
                key.path, key.label, _said(key, old), _said(key, new),
                _direction(key, old, new), key.material,
            )  # fmt: skip


def _records(
    key: Key, kind: Records, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """Say it record by record: nobody reads a list of twenty purposes twice to find the one."""
    names = kind.options or {}
    for code in [*old, *(code for code in new if code not in old)]:
        one, other = old.get(code), new.get(code)
        if _same(one, other):
            continue
        yield Change(
            key.path,
            f"{key.label}: {names.get(code) or (other or one or {}).get('term', code)}",
            kind.words({"": one})[2:-1] if one else "not listed",
            kind.words({"": other})[2:-1] if other else "not listed",
            _direction(key, {code: one} if one else {}, {code: other} if other else {}),
            key.material,
        )


def _same(one: Any, other: Any) -> bool:
    """Compare values from a document with values from a database, where tuples are lists."""
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return list(one) == list(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _said(key: Key, value: Any) -> str:
    return "not given" if value is None else key.kind.words(value)


def _direction(key: Key, old: Any, new: Any) -> str:
    if not key.kind.crosses or old is None or new is None:
        return "other"
    joined = key.kind.join(old, new)
    if _same(joined, key.kind.join(new, new)):
        return "stricter"
    return "weaker" if _same(joined, key.kind.join(old, old)) else "other"


def summarised(change: Change) -> str:
    kind = KEY[change.key].kind
    if isinstance(kind, Words) and len(change.after) > 80:
        return f"{change.label}: reworded"
    if isinstance(kind, Codes | ByPlace | Records):
        return f"{change.label}: {change.before} → {change.after}"
    return f"{change.label}: {change.before} → {change.after}"
