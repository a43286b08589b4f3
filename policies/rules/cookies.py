"""Every cookie, and whatever else a page leaves in a browser: the register (C37). Pure.

`tests/browser/test_cookies.py` compares it with what a browser really gets: nothing more,
nothing less.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class RegisterInvalid(ValueError):
    """An entry that says too little; the sentence names what is missing."""


class Purpose(StrEnum):
    SECURITY = "security"
    NAVIGATION = "navigation"
    FUNCTION = "function"
    PERFORMANCE = "performance"


class Place(StrEnum):
    """Where in the browser it lies."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local storage"
    SESSION_STORAGE = "session storage"
    DATABASE = "database of the browser"


@dataclass(frozen=True, slots=True)
class BrowserItem:
    """One thing that the portal leaves in a browser.

    `lifetime` is None for what goes when the browser is closed. `deployed_name` is the name
    where the portal is served by TLS, if it differs there.
    """

    name: str
    place: Place
    purpose: Purpose
    explanation: str
    implication: str
    read_by: str
    lifetime: timedelta | None
    hidden_from_scripts: bool = False
    deployed_name: str = ""
    # On a computer that others use too, what would last otherwise goes with the browser.
    lasts_on_shared_computers: bool = True
    demo_only: bool = False

    def __post_init__(self) -> None:
        for word in ("name", "purpose", "explanation", "implication", "read_by"):
            if not getattr(self, word):
                raise RegisterInvalid(f"{self.name or 'An entry'} of the register has no {word}.")
        if self.purpose not in set(Purpose):
            raise RegisterInvalid(f"{self.name}: {self.purpose!r} is not a purpose.")

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.name, self.deployed_name or self.name})

    @property
    def is_persistent(self) -> bool:
        return self.lifetime is not None

    @property
    def hours(self) -> int:
        """The lifetime in whole hours, rounded up; 0 for what goes with the browser."""
        return -(-self.lifetime // timedelta(hours=1)) if self.lifetime else 0


US = "Only this portal."

REGISTER = (
    BrowserItem(
        name="collimate_session",
        deployed_name="__Host-session",
        place=Place.COOKIE,
        purpose=Purpose.SECURITY,
        explanation="A random number by which the portal knows again who signed in here, or that"
        " somebody opted out of sale and sharing in this browser.",
        implication="It stands for you while you are signed in. It holds nothing about you, and"
        " scripts cannot read it. Whoever copies it could act as you, so sign out when you leave.",
        read_by=US,
        lifetime=timedelta(hours=12),
        hidden_from_scripts=True,
        lasts_on_shared_computers=False,
    ),
    BrowserItem(
        name="csrftoken",
        place=Place.COOKIE,
        purpose=Purpose.SECURITY,
        explanation="A random number that shows that a form was filled in on a page of this"
        " portal, and not on somebody else's.",
        implication="It says nothing about you and is not tied to your account.",
        read_by=US,
        lifetime=None,
    ),
    BrowserItem(
        name="i18nextLng",
        place=Place.SESSION_STORAGE,
        purpose=Purpose.FUNCTION,
        explanation="The language in which the image viewer is shown, taken from your browser.",
        implication="It says which language your browser is set to, and goes with the tab.",
        read_by=US,
        lifetime=None,
    ),
    BrowserItem(
        name="cornerstone3D.renderingCapabilities",
        place=Place.SESSION_STORAGE,
        purpose=Purpose.PERFORMANCE,
        explanation="What your graphics card can do, so that the viewer need not try it out for"
        " each image.",
        implication="It says something of your computer and nothing of you. It is not sent to us,"
        " and goes with the tab.",
        read_by=US,
        lifetime=None,
    ),
    BrowserItem(
        name="loglevel",
        place=Place.SESSION_STORAGE,
        purpose=Purpose.FUNCTION,
        explanation="How much the viewer tells of its faults in the browser's own console.",
        implication="It says nothing about you, and goes with the tab.",
        read_by=US,
        lifetime=None,
    ),
)


def item_named(name: str) -> BrowserItem | None:
    return next((item for item in REGISTER if name in item.names), None)
