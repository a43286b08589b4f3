"""Payment card numbers: what looks like one is never taken, anywhere (C44). Pure.

ISO/IEC 7812-1: 12 to 19 digits, an issuer's prefix, a check digit by Luhn. Card numbers belong
with a payment processor (PCI DSS 4.0, requirement 3); the portal keeps its reference alone.
"""

from __future__ import annotations

import re
from typing import Final

# Not part of a UID, of a longer number or of a word: those have letters, points or hyphens and
# digits around. Between the digits, blanks and hyphens as people write them.
_RUN: Final = re.compile(r"(?<![\w.])(?<!\d[ -])\d(?:[ -]?\d){12,18}(?![ -]?\d)(?![\w.]\w)")
# Visa; Mastercard; American Express; Discover and UnionPay; JCB; Diners Club.
_ISSUERS: Final = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"6(?:011|4[4-9]|5|2)"), {16, 17, 18, 19}),
    (re.compile(r"35(?:2[89]|[3-8])"), {16, 17, 18, 19}),
    (re.compile(r"3(?:0[0-5]|[689])"), {14, 16}),
)


def holds_card_number(text: str) -> bool:
    """Does a text hold something that can only be the number of a payment card?"""
    return any(is_card_number(re.sub(r"\D", "", found.group())) for found in _RUN.finditer(text))


def is_card_number(digits: str) -> bool:
    issued = any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in _ISSUERS)
    return issued and passes_luhn(digits)


def passes_luhn(digits: str) -> bool:
    """Check the last digit by Luhn (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
