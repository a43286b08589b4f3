from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest

from config.api import read_strictly


def read_json(request: HttpRequest) -> dict[str, Any]:
    """Read a small JSON object from the body; anything else is a 400."""
    try:
        value = read_strictly(request.body)
    except ValueError:
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise BadRequest("The body is not a JSON object.")
    return value
