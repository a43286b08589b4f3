"""The log of faults: which, where, in which request; never whom or what was worked on (C37)."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.test import Client
from gunicorn.config import Config

from config.faults import FaultFormatter, fault
from config.server_log import ServerLogger
from tests.factories import Cast, actor_of, small_ct_object, take_in

MARKER = "Marker^Matilda"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the handler of the settings writes, on a stream of its own."""
    made: dict = settings.LOGGING
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        logging.config.DictConfigurator(made).configure_formatter(
            dict(made["formatters"][made["handlers"]["stderr"]["formatter"]])
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


@pytest.mark.django_db(databases=["default", "keys"])
def test_a_fault_while_a_patient_is_looked_at_leaves_a_trace_and_no_name(
    cast: Cast, client_of: Callable[..., Client], log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XENRAD-2.17."""
    take_in(actor_of(cast.clinician), small_ct_object(PatientName=MARKER))

    def show(request: object, template: str, context: dict, **_: object) -> None:
        names = [row.words.name for row in context["found"].rows]
        assert any("Matilda" in name for name in names), "the fault does hold the name"
        raise LookupError(f"cannot show {names} for {context}")

    monkeypatch.setattr("studies.views.worklist.render", show)
    browser = client_of(cast.clinician)
    browser.raise_request_exception = False
    answer = browser.get("/?name=Marker")
    said = log.getvalue()
    assert answer.status_code == 500
    trace = answer["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", trace)
    assert trace in said and trace in answer.content.decode()
    assert "LookupError at tests/operating/test_faults.py" in said
    assert "studies/views/worklist.py:" in said
    for mark in ("Matilda", "Marker", "name=", "Reyes", "hospital.example"):
        assert mark not in said, mark


def test_a_fault_that_comes_of_another_is_told_by_both() -> None:
    try:
        try:
            raise KeyError(MARKER)
        except KeyError as error:
            raise RuntimeError(f"no {MARKER}") from error
    except RuntimeError as error:
        said = fault(error)
    assert re.match(r"RuntimeError at \S+:\d+, from KeyError at \S+:\d+$", said)


def test_a_traceback_that_came_as_text_is_left_out(log: StringIO) -> None:
    """Celery writes one into its own line."""
    logging.getLogger("celery.app.trace").error(
        "Task raised: %s\n%s", MARKER, f"Traceback (most recent call last):\n  x = {MARKER}"
    )
    assert "Matilda" not in log.getvalue()


def test_other_lines_are_written_as_they_are(log: StringIO) -> None:
    logging.getLogger("studies").warning("%s files wait", 3)
    assert log.getvalue().rstrip().endswith("WARNING studies: 3 files wait")


def test_the_web_servers_own_log_leaves_it_out_too() -> None:
    """An answer can break off when half of it is out; then gunicorn writes, and not Django."""
    server = ServerLogger(Config())
    (handler,) = server.error_log.handlers
    assert isinstance(handler.formatter, FaultFormatter)
    try:
        raise OSError(MARKER)
    except OSError:
        line = handler.formatter.format(
            server.error_log.makeRecord(
                "gunicorn.error", logging.ERROR, "x", 1, "Error handling request %s",
                (f"/?name={MARKER}",), sys.exc_info(),
            )
        )  # fmt: skip
    assert "Matilda" not in line
    assert "OSError at" in line


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "taken"),
    [("0123456789abcdef", True), ("short", False), ("a b c d e f g h", False), ("x" * 65, False),
     ("Paula-Adler-1972", False)],
)  # fmt: skip
def test_a_request_keeps_the_number_that_the_network_gave_it(given: str, taken: bool) -> None:
    answer = Client().get("/cookies/", headers={"x-request-id": given})
    assert (answer["X-Request-Id"] == given) is taken
    assert answer["X-Request-Id"].isalnum()
