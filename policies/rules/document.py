"""Read a pack from text, and check it against the schema. Nothing in the text is trusted.

Packs are YAML, because people write them. Of YAML only plain data is read: no aliases (a few
lines of them can stand for gigabytes), no tags, no dates, no `no` for false (it is also Norway).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from policies.rules.findings import Finding, PackInvalid, invalid
from policies.rules.kinds import Wrong
from policies.rules.purposes import PROHIBITED
from policies.rules.schema import KEY, KEYS

LARGEST: Final = 200_000
_DEEPEST: Final = 8
_BOOL: Final = "tag:yaml.org,2002:bool"
_INT: Final = "tag:yaml.org,2002:int"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.depth += 1
        if wrong := self._wrong(event):
            raise yaml.MarkedYAMLError(problem=wrong, problem_mark=event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def _wrong(self, event: Any) -> str:
        if isinstance(event, yaml.AliasEvent):
            return "aliases (*name) are not read; write it out"
        if getattr(event, "tag", None):
            return "tags (!name) are not read"
        return "nested too deep" if self.depth > _DEEPEST else ""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ARG002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), value in zip(node.value, keys, strict=True):
            if not isinstance(value, str):
                raise yaml.MarkedYAMLError(
                    problem=f"{value!r} must be in quotes", problem_mark=key.start_mark
                )
            if keys.count(value) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{value!r} is given twice", problem_mark=key.start_mark
                )
        return super().construct_mapping(node, deep=True)


_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(_INT, re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789"))


def read_pack(text: str | bytes) -> dict[str, Any]:
    """Return the checked values of a pack by key; raise `PackInvalid` with all that is wrong."""
    return check_document(load_yaml(text))


def load_yaml(text: str | bytes, *, largest: int = LARGEST) -> Any:
    """Read plain data of at most so many bytes, or raise `PackInvalid` that names the line."""
    if len(text) > largest:
        raise invalid(f"is larger than {largest // 1000} kB; a policy is a few pages long.")
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that reads still less
    except UnicodeDecodeError:
        raise invalid("is not UTF-8 text.") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise invalid(f"{where}{getattr(error, 'problem', None) or 'is not YAML'}.") from None


def check_document(document: Any) -> dict[str, Any]:
    """Check every key of a nested document; return checked values by dotted key."""
    if not isinstance(document, Mapping):
        raise invalid("must be a mapping of keys to values.")
    if findings := _prohibited(document):
        raise PackInvalid(findings)
    flat, findings = _flattened(document)
    values: dict[str, Any] = {}
    for key in KEYS:
        if key.path not in flat:
            if not key.optional:
                findings.append(Finding(key.path, f"is missing. {key.meaning}"))
            continue
        try:
            values[key.path] = key.kind.check(flat[key.path])
        except Wrong as wrong:
            findings.append(Finding(key.path, str(wrong)))
    if findings:
        raise PackInvalid(findings)
    return values


def _prohibited(document: Mapping[Any, Any]) -> list[Finding]:
    """A purpose that no pack can have is refused with its reason, not as an unknown word."""
    purposes = document.get("purposes")
    if not isinstance(purposes, Mapping):
        return []
    return [
        Finding("purposes", f"{code}: {reason}")
        for code, reason in PROHIBITED.items()
        if code in purposes
    ]


def _flattened(document: Mapping[Any, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """Take sections apart into dotted keys; report keys that no schema knows."""
    flat: dict[str, Any] = {}
    findings: list[Finding] = []
    sections = {path.partition(".")[0] for path in KEY if "." in path}
    for name, value in document.items():
        if name in KEY:
            flat[name] = value
        elif name in sections and isinstance(value, Mapping):
            for inner, deeper in value.items():
                path = f"{name}.{inner}"
                if path in KEY:
                    flat[path] = deeper
                else:
                    findings.append(_unknown(path))
        elif name in sections:
            findings.append(Finding(str(name), "must be a section with keys of its own."))
        else:
            findings.append(_unknown(str(name)))
    return flat, findings


def _unknown(path: str) -> Finding:
    near = difflib.get_close_matches(path, KEY, n=1)
    return Finding(
        path[:80], "is no key of a policy." + (f" Did you mean {near[0]}?" if near else "")
    )


def canonical(values: Mapping[str, Any]) -> str:
    """Return the one text of checked values: sorted keys, no spaces."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(values: Mapping[str, Any]) -> str:
    """SHA-256 over `canonical`, in hexadecimal."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()


def written(values: Mapping[str, Any]) -> str:
    """Write checked values as a document that a person can edit and `read_pack` takes."""
    nested: dict[str, Any] = {}
    for key in KEYS:
        if key.path not in values:
            continue
        section, _, inner = key.path.partition(".")
        if inner:
            nested.setdefault(section, {})[inner] = _plain(values[key.path])
        else:
            nested[section] = _plain(values[key.path])
    return str(yaml.safe_dump(nested, sort_keys=False, allow_unicode=True, width=96))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return value
