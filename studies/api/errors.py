"""One way to say no to a program: problem details (RFC 9457) with our reason code."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from studies.api.body import json_response


def problem(status: int, code: str, sentence: str, **more: Any) -> HttpResponse:
    """Answer with a status, a code for programs and a sentence for people."""
    value = {"status": status, "code": code, "detail": sentence, **more}
    return json_response(value, status=status, content_type="application/problem+json")
