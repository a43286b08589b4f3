from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from policies.rules import Pack, parse_pack

FOLDER = Path(__file__).parent / "packs"


@cache
def packs() -> dict[str, Pack]:
    """All packs that ship, by code. They are files, so they cannot change while we run."""
    found = (parse_pack(json.loads(path.read_text("utf-8"))) for path in FOLDER.glob("*.json"))
    return {pack.code: pack for pack in found}


def effective_pack(code: str) -> Pack:
    return packs()[code]
