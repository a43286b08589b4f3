"""What protects data that goes abroad, as the policy in force says it. Pure (MEDDIM-12.5).

A draft of the answer: an officer reads it, and adds what the policy does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.rules.schema import KEY

_PARTS: Final = ("transfers.mechanisms", "residency.regions")


_OPENING: Final = (
    "You asked which safeguards protect personal data that is transferred to other countries."
    " By our privacy policy they are:"
)
_CLOSING: Final = (
    "If you need a copy of the clauses that we have signed with a recipient, write which transfer"
    " it is about."
)


def safeguards_text(values: Mapping[str, Any]) -> str:
    keys = [KEY[path] for path in _PARTS]
    parts = [f"- {key.label}: {key.kind.words(values[key.path])}." for key in keys]
    return "\n".join([_OPENING, "", *parts, "", _CLOSING])
