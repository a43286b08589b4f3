"""Pages hold no script, style or handler of their own, and name no address but ours."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

FOLDER = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
STATIC = Path(settings.BASE_DIR) / "static"
SCRIPTS = sorted(
    path
    for folder in (STATIC, FOLDER)
    for end in ("js", "css")
    for path in folder.rglob(f"*.{end}")
)
# Pages that leave the portal as files, and have to hold their style and script: each as a file of
# its own that is put in whole.
PAPER = "paper.html"
_PUT_IN_WHOLE = re.compile(r"<(style|script)>\{% include \"[a-z/]+\.(css|js)\" %\}</\1>")
_TAG = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_OUTSIDE = re.compile(r"""(?:https?:|wss?:)?//[a-z0-9.-]+\.[a-z]{2,}""", re.IGNORECASE)
# What names a vocabulary, not a place to go to.
_NAMESPACES = ("http://www.w3.org/",)
ADDRESSES = {"src", "href", "action", "formaction", "srcset", "poster", "data"}


class Faults(HTMLParser):
    """Collects what the content security policy would refuse, or should."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.found.append(f"line {self.getpos()[0]}: inline <{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"line {self.getpos()[0]}: {name}=")
            if (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"line {self.getpos()[0]}: {name}=javascript:")
            if name in ADDRESSES and _OUTSIDE.match((value or "").strip()):
                self.found.append(f"line {self.getpos()[0]}: {name}={value}")

    handle_startendtag = handle_starttag


def faults_of(html: str) -> list[str]:
    parser = Faults()
    parser.feed(_TAG.sub(" x ", html))
    return parser.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_template_has_nothing_inline_and_goes_nowhere_else(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == PAPER or f'extends "{PAPER}"' in text:
        text = _PUT_IN_WHOLE.sub("", text)
    assert faults_of(text) == []
    get_template(str(path.relative_to(FOLDER)))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_scripts_and_styles_name_no_address_of_others(path: Path) -> None:
    found = [
        one
        for one in _OUTSIDE.findall(path.read_text(encoding="utf-8"))
        if not one.startswith(_NAMESPACES)
    ]
    # A comment begins with two slashes as well, but has no scheme.
    assert [one for one in found if ":" in one] == []


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<style>a{}</style>",
        '<p style="color:red">',
        '<p onclick="go()">',
        '<img src="//elsewhere.org/x.png">',
        '<a href="https://elsewhere.org">',
        '<a href="javascript:go()">',
        '<br onload="go()"/>',
    ],
)
def test_what_is_looked_for_is_found(html: str) -> None:
    assert len(faults_of(html)) == 1


# Addresses that are put in when a page is made. Each is one of ours, but for the two of the page
# that is passed on the way out.
_PUT_IN = re.compile(r"""(?:href|src|action|formaction)=["']\{\{\s*([^}|]+?)\s*(?:\|[^}]*)?\}\}""")
LEADS_OUT = {"link.url", "link.privacy_url"}
PUT_IN = {
    # Both are made by config.pages.
    "base.html": {"item.url", "policy_link.url"},
    "accounts/purpose_refused.html": {"policy_link.url"},
    "components/term.html": {"definition.url"},
    "accounts/enrol_totp.html": {"picture"},
    "accounts/leaving.html": LEADS_OUT,
    "studies/frames.html": {"film.large", "film.small", "other.document"},
    # Of a file to its neighbours in a folder.
    "studies/look.html": {"shot.path", "text.path"},
}


def test_every_link_that_leads_out_passes_the_page_that_says_so() -> None:
    """LIFEIMAGE-8.1, MEDDIM-11.1: no other template has an address that could be of others."""
    found = {
        str(path.relative_to(FOLDER)): set(_PUT_IN.findall(path.read_text(encoding="utf-8")))
        for path in TEMPLATES
    }
    assert {name: put_in for name, put_in in found.items() if put_in} == PUT_IN


def test_every_link_of_the_register_can_be_reached() -> None:
    used = (FOLDER / "accounts/cookies.html").read_text(encoding="utf-8")
    assert "components/external_link.html" in used
    component = (FOLDER / "components/external_link.html").read_text(encoding="utf-8")
    assert "{% url 'accounts:leaving' %}?to={{ link.code|urlencode }}" in component


def test_nothing_is_marked_as_safe_unseen() -> None:
    marked = [
        str(path.relative_to(FOLDER))
        for path in TEMPLATES
        if re.search(r"\|\s*safe\b|autoescape\s+off", path.read_text(encoding="utf-8"))
    ]
    assert marked == []
