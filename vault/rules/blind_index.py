"""Search sealed values without opening them: keyed tokens for exact, prefix and date search.

A token is HMAC-SHA-256 under a key of its own per organisation and field, cut to 16 bytes. Equal
values give equal tokens *within one organisation and field*, which is what makes search possible
and is what an index reveals to a holder of the database. Prefix tokens reveal in addition which
values share a beginning. Without the key nobody can test a guess (birth dates and patient numbers
are few enough to guess them all).
"""

from __future__ import annotations

import hmac
import unicodedata
from calendar import monthrange
from datetime import date, timedelta

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.rules.contexts import bind

TOKEN_BYTES = 16
LONGEST_PREFIX = 16


def index_key(root: bytes, organisation_id: str, field: str) -> bytes:
    """Derive the index key of one field from the organisation's index root (32 bytes)."""
    info = bind("collimate/blind-index@v1", organisation_id, field)
    return HKDF(SHA256(), 32, salt=None, info=info).derive(root)


def normalised(text: str) -> str:
    """Fold a text to what people mean when they search: case, accents and padding do not count.

    Case-folded NFKD without combining marks, without spaces around it and without the carets
    that pad a person's name (DICOM PS3.5 section 6.2.1).
    """
    folded = _folded(text)
    # Folding can bring forth what folds again (a ligature under a mark): repeat until it rests.
    while (again := _folded(folded)) != folded:
        folded = again
    return folded


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return bare.strip().rstrip("^ ")


def exact_token(key: bytes, text: str) -> bytes:
    """Token of the whole normalised text."""
    return _token(key, "exact", normalised(text))


def verbatim_token(key: bytes, text: str) -> bytes:
    """Token of a text as it is, for what must not be folded: é and e are two mailboxes."""
    return _token(key, "verbatim", text)


def prefix_tokens(key: bytes, text: str) -> list[bytes]:
    """Tokens to store: one for each of the first 1 to 16 characters of the normalised text."""
    folded = normalised(text)
    longest = min(len(folded), LONGEST_PREFIX)
    return [_token(key, "prefix", folded[:end]) for end in range(1, longest + 1)]


def prefix_query(key: bytes, beginning: str) -> bytes | None:
    """Token to look for; ``None`` if nothing is left of the beginning once it is normalised.

    A beginning of more than 16 characters is cut to 16: the caller compares the rest itself.
    """
    folded = normalised(beginning)[:LONGEST_PREFIX]
    return _token(key, "prefix", folded) if folded else None


def date_labels(day: date) -> list[str]:
    """Labels of a day: its year, its month, itself (``2024``, ``2024-02``, ``2024-02-29``)."""
    text = day.isoformat()
    return [text[:4], text[:7], text]


def date_tokens(key: bytes, day: date) -> list[bytes]:
    """Tokens to store for a day: of its year, its month and itself."""
    return [label_token(key, label) for label in date_labels(day)]


def label_token(key: bytes, label: str) -> bytes:
    """Token to look for: that of one label out of ``range_cover``."""
    return _token(key, "date", label)


def range_cover(start: date, end: date) -> list[str]:
    """Cover the days from ``start`` to ``end``, both included, with the fewest labels.

    Whole years where they fit, whole months else, days at the edges; in order of time; empty if
    ``end`` comes before ``start``. Taking the longest label that begins at each day is optimal,
    because labels are nested or apart, never overlapping.
    """
    labels: list[str] = []
    day = start
    while day <= end:
        label, last = _longest_label(day, end)
        labels.append(label)
        if last == date.max:
            break
        day = last + timedelta(days=1)
    return labels


def _longest_label(day: date, end: date) -> tuple[str, date]:
    year, month, itself = date_labels(day)
    last_of_year = date(day.year, 12, 31)
    last_of_month = date(day.year, day.month, monthrange(day.year, day.month)[1])
    if (day.month, day.day) == (1, 1) and last_of_year <= end:
        return year, last_of_year
    if day.day == 1 and last_of_month <= end:
        return month, last_of_month
    return itself, day


def _token(key: bytes, use: str, text: str) -> bytes:
    return hmac.digest(key, bind(use, text), "sha256")[:TOKEN_BYTES]
