"""Store objects in another DICOMweb server by STOW-RS (DICOM PS3.18 section 10.5)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

SECONDS: Final = 120
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LARGEST_ANSWER: Final = 16 << 20
# Failed SOP Sequence, and the reason in an item of it (PS3.18 Annex I).
_FAILED, _REASON, _INSTANCE = "00081198", "00081197", "00081155"


class StowRefused(Exception):
    """The server did not take all of it; says what it answered."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could lead the objects, and the token, to somebody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class StowServer:
    """A server that takes objects at `url`, such as https://host/dicom-web/studies."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise StowRefused("Images go over https only. Give an address that begins with it.")
        self._url, self._token = url.rstrip("/"), token
        self._opener = urllib.request.build_opener(_NoRedirect)

    def store(self, objects: Sequence[bytes]) -> None:
        """Store some objects in one request; raises `StowRefused` unless all were taken."""
        boundary = uuid.uuid4().hex
        request = urllib.request.Request(  # noqa: S310 - https, or the loopback
            self._url, data=_body(objects, boundary), method="POST", headers=self._headers(boundary)
        )
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                said = answer.read(_LARGEST_ANSWER)
                _require_all(said, answer.status)
        except urllib.error.HTTPError as error:
            raise StowRefused(f"The server answered {error.code}{_failures(error)}.") from error
        except (urllib.error.URLError, OSError) as error:
            raise StowRefused("The server cannot be reached, or left in the middle.") from error

    def _headers(self, boundary: str) -> dict[str, str]:
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
        }
        return headers | ({"Authorization": f"Bearer {self._token}"} if self._token else {})


def _body(objects: Sequence[bytes], boundary: str) -> bytes:
    pieces = []
    for one in objects:
        pieces += [
            f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode(),
            one,
            b"\r\n",
        ]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _require_all(said: bytes, status: int) -> None:
    """200 means that all were stored; 202 that some were not, or with a remark."""
    if status == HTTPStatus.OK:
        return
    failed = _failed_in(said)
    if failed or status != HTTPStatus.ACCEPTED:
        raise StowRefused(f"The server answered {status}{_words(failed)}.")


def _failures(error: urllib.error.HTTPError) -> str:
    return _words(_failed_in(error.read(_LARGEST_ANSWER)))


def _failed_in(said: bytes) -> list[str]:
    try:
        items = json.loads(said)[_FAILED]["Value"]
    except (ValueError, KeyError, TypeError, IndexError):
        return []
    return [
        f"{item.get(_INSTANCE, {}).get('Value', ['?'])[0]} "
        f"(reason {item.get(_REASON, {}).get('Value', ['?'])[0]})"
        for item in items
    ]


def _words(failed: list[str]) -> str:
    if not failed:
        return ""
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return f" and did not take {', '.join(failed[:3])}{more}"
