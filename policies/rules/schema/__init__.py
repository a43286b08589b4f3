"""Every key that a pack can have. Everything that is a choice in a seed is a key; law is not."""

from __future__ import annotations

from policies.rules.schema import care_of_data, people, uses
from policies.rules.schema.key import Floor, Key

KEYS: tuple[Key, ...] = (*people.KEYS, *uses.KEYS, *care_of_data.KEYS)
KEY: dict[str, Key] = {key.path: key for key in KEYS}
CROSSING: tuple[Key, ...] = tuple(key for key in KEYS if key.kind.crosses and not key.optional)

__all__ = ["CROSSING", "KEY", "KEYS", "Floor", "Key"]
