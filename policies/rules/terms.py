"""Terms that the policy in force defines, for the pages that use them (LIFEIMAGE-1.0). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from policies.rules.pack import Pack

# What policies call the data about patients; a page that speaks of it explains the policy's word.
HEALTH_DATA = (
    "protected-health-information", "health-information", "medical-data", "diagnostic-data",
    "sensitive-data",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    code: str
    term: str
    means: str
    url: str


def defined_by(pack: Pack, notice_url: str) -> dict[str, Definition]:
    """Give each definition by its code, with underscores as templates want them.

    `health_data` is whatever the policy calls the data about patients.
    """
    found = {
        code: Definition(code, one["term"], one["means"], f"{notice_url}#terms")
        for code, one in pack["definitions"].items()
    }
    health = next((found[code] for code in HEALTH_DATA if code in found), None)
    by_name = {code.replace("-", "_"): one for code, one in found.items()}
    return by_name | ({"health_data": health} if health else {})
