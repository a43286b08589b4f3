"""Defaults of the REST API; imports no app."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import ParseError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import JSONParser

MOST_JSON: Final = 64 * 1024


def read_strictly(raw: bytes) -> Any:
    """Read JSON that all readers read alike (RFC 7493, I-JSON); raises `ValueError`.

    Refuses what others would understand otherwise or not at all: a name twice, NaN and endless
    numbers, lone surrogates, NUL (which PostgreSQL does not store), more than 64 KiB.
    """
    if len(raw) > MOST_JSON:
        raise ValueError("JSON of more than 64 KiB")
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_named_once,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    for text in _texts(value):
        text.encode()  # fails for a lone surrogate
        if "\0" in text:
            raise ValueError("a NUL")
    return value


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without end")
    return number


def _texts(value: Any) -> Iterator[str]:
    """Give every text in a value, names included; as deep as it was read, so without recursion."""
    rest = [value]
    while rest:
        match rest.pop():
            case str(text):
                yield text
            case Mapping() as members:
                rest += [*members.keys(), *members.values()]
            case list(items):
                rest += items


class StrictJSONParser(JSONParser):
    """Takes a small body of JSON, read strictly."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        try:
            return read_strictly(stream.read(MOST_JSON + 1))
        except ValueError:
            raise ParseError("The body is not JSON that can be read in one way only.") from None


class Pagination(LimitOffsetPagination):
    default_limit = 50
    max_limit = 500


def described(
    endpoints: list[tuple[str, str, str, Any]], **_: Any
) -> list[tuple[str, str, str, Any]]:
    """Keep in the schema what is ours to describe: DICOMweb is described by its standard."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
