"""Markup in a DICOM attribute is shown as the letters it is, and is never part of a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from consent.rules.decision import Item

from .conftest import CLINICIAN, COLLEAGUE, Portal
from .objects import an_object, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "</title><svg onload=alert(1)>",
    "{{ 7|add:7 }}{% now %}",
]
PAGES = ["/", f"/studies/{uid('1')}/", f"/studies/{uid('1')}/share/"]


class Reader(HTMLParser):
    """Reads a page as a browser would: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def running(self) -> list[tuple[str, dict[str, str | None]]]:
        """What would run something: handlers, and scripts that are not files of ours."""
        return [
            (tag, attributes)
            for tag, attributes in self.tags
            if any(name.startswith("on") for name in attributes)
            or "autofocus" in attributes
            or attributes.get("src") == "x"
            or (tag == "script" and not (attributes.get("src") or "").startswith("/static/"))
        ]


@pytest.mark.parametrize("text", MARKUP)
@pytest.mark.parametrize("page", PAGES)
def test_markup_in_names_and_descriptions_is_shown_and_never_run(
    portal: Portal, client_of, page: str, text: str
) -> None:
    portal.take(
        an_object(
            name=text,
            changes={
                0x00081030: ("LO", text[:64]),
                0x0008103E: ("LO", text[:64]),
                0x00080050: ("SH", text[:16]),
            },
        )
    )
    portal.share(Item(uid("1")))
    readers = [CLINICIAN] if page.endswith("/share/") else [CLINICIAN, COLLEAGUE]
    for email in readers:
        response = client_of(portal.people[email]).get(page)
        assert response.status_code == 200
        read = Reader(response.content.decode())
        assert len(read.tags) > 20
        assert read.running == []
        # Shown as it was sent, not dropped, and not evaluated by the template either.
        assert text[:16] in read.text
        assert "script-src 'self'" in response["Content-Security-Policy"]
