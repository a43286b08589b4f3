"""Numbers of cases: read out on the telephone, and not to be guessed. Pure.

Eight letters and digits of Crockford's base 32, which leaves out what is taken for something
else: 40 bits. A number alone opens nothing; it only names.
"""

from __future__ import annotations

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
HALF: Final = 4
PATTERN: Final = re.compile(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}")
_MISREAD: Final = str.maketrans("OIL", "011")


def number_of(random_bits: int) -> str:
    """Write 40 random bits as a number, such as `K7QD-3MWX`."""
    letters = "".join(ALPHABET[random_bits >> (5 * place) & 31] for place in range(2 * HALF))
    return f"{letters[:HALF]}-{letters[HALF:]}"


def as_typed(number: str) -> str:
    """The number that somebody meant who typed it in small letters, or an O for a zero."""
    plain = re.sub(r"[\s-]", "", number.upper()).translate(_MISREAD)
    return f"{plain[:HALF]}-{plain[HALF:]}"
