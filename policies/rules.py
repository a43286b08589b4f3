"""What a policy pack says, as plain values. First form: purposes, shares and the notice's name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


class PackInvalid(ValueError):
    """A pack that cannot run; the message names the key and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Purpose:
    code: str
    label: str
    legal_basis: str
    shareable: bool


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of the policy that an organisation runs under."""

    code: str
    version: str
    title: str
    effective_on: date
    purposes: tuple[Purpose, ...]
    share_lasts_at_most: timedelta
    notice: tuple[str, ...]
    digest: str

    def purpose(self, code: str) -> Purpose | None:
        return next((purpose for purpose in self.purposes if purpose.code == code), None)

    @property
    def shareable_purposes(self) -> tuple[Purpose, ...]:
        return tuple(purpose for purpose in self.purposes if purpose.shareable)


def parse_pack(document: Mapping[str, Any]) -> Pack:
    """Read a pack document; refuse one that lacks a key or has a purpose without a legal basis."""
    try:
        purposes = tuple(
            Purpose(item["code"], item["label"], item["legal_basis"], bool(item["shareable"]))
            for item in document["purposes"]
        )
        pack = Pack(
            code=document["code"],
            version=document["version"],
            title=document["title"],
            effective_on=date.fromisoformat(document["effective_on"]),
            purposes=purposes,
            share_lasts_at_most=timedelta(days=int(document["share_lasts_at_most_days"])),
            notice=tuple(document["notice"]),
            digest=digest_of(document),
        )
    except KeyError as missing:
        raise PackInvalid(f"The pack lacks the key {missing}.") from None
    for purpose in purposes:
        if not purpose.legal_basis:
            raise PackInvalid(f"The purpose {purpose.code!r} names no legal basis.")
    if not purposes:
        raise PackInvalid("The pack lists no purpose, so nothing could be done under it.")
    return pack


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 over the document with sorted keys and no spaces, in hexadecimal."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
