"""What a log may say of a fault: which, where and in which request, and nothing of whom (C37).

The text of an exception can hold what was being worked on, a patient's name too, and so can the
address of a request; a traceback shows lines of code, which are our own. So a fault is written as
its types and places with the number of its trace, and the person sees the same number on the page.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader

HEADER = "X-Request-Id"
_OURS = Path(__file__).resolve().parent.parent
_LONGEST_CHAIN = 8
_trace: ContextVar[str] = ContextVar("number_of_the_request", default="")


def current_trace() -> str:
    """The number of the request under way; empty outside of one."""
    return _trace.get()


class TraceMiddleware:
    """Gives each request a number: the one that the network gave it, or a random one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        is_plain = given.isascii() and given.isalnum() and 8 <= len(given) <= 64
        number = given if is_plain else uuid.uuid4().hex
        # Not reset: what is streamed or written after the answer belongs to it still.
        _trace.set(number)
        request.META["HTTP_X_REQUEST_ID"] = number
        response = self.get_response(request)
        response.headers.setdefault(HEADER, number)
        return response


class FaultFormatter(logging.Formatter):
    """Writes a line as it is, and a fault by type and place alone."""

    def format(self, record: logging.LogRecord) -> str:
        when = self.formatTime(record)
        head = f"{when} {record.levelname} {record.name}: "
        if not record.exc_info or record.exc_info[1] is None:
            return head + self._said(record)
        # The words that a program put around it may hold an address or a name: left out.
        return f"{head}{fault(record.exc_info[1])} (trace {current_trace() or 'none'})"

    def _said(self, record: logging.LogRecord) -> str:
        trace = current_trace()
        said = record.getMessage()
        # A traceback that somebody else made into text, as Celery does: its words are unknown.
        if "Traceback (most recent call last)" in said:
            said = "a fault whose words are left out"
        return f"{said} (trace {trace})" if trace and record.levelno >= logging.ERROR else said


def fault(error: BaseException) -> str:
    """Say which exception came out of which places: `ValueError at studies/x.py:12 < y.py:3`."""
    said = []
    for one in _chain(error):
        places = list(_places(one.__traceback__))
        said.append(f"{_type(one)} at {' < '.join(reversed(places)) or 'no place'}")
    return ", from ".join(said)


def _type(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else (f"{kind.__module__}.{kind.__qualname__}")
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        name = path.relative_to(_OURS) if path.is_relative_to(_OURS) else Path(*path.parts[-3:])
        yield f"{name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - who asked is not said
    """The page of a fault, with the number by which its line in the log is found."""
    page = loader.get_template("500.html").render({"trace": current_trace()})
    return HttpResponseServerError(page)
