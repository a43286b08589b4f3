"""Every link that leads out of the portal (C43). Pure.

No template names another site. It names a code of this register, and the reader passes a
page that says where the link goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


class LinkInvalid(ValueError):
    """An address that may not be linked to; the sentence says why."""


@dataclass(frozen=True, slots=True)
class ExternalLink:
    """A page of somebody else: `why` one would go, and their privacy policy where known."""

    code: str
    label: str
    url: str
    why: str
    privacy_url: str = ""

    def __post_init__(self) -> None:
        for url in filter(None, (self.url, self.privacy_url)):
            parts = urlsplit(url)
            if parts.scheme != "https" or not parts.hostname or parts.username:
                raise LinkInvalid(f"{self.code}: an external link is an https address.")
            if parts.query:
                raise LinkInvalid(f"{self.code}: an external link carries no parameters.")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


LINKS = (
    ExternalLink(
        code="cookies-firefox",
        label="Firefox",
        url="https://support.mozilla.org/en-US/kb/clear-cookies-and-site-data-firefox",
        why="how to remove cookies in Firefox",
        privacy_url="https://www.mozilla.org/en-US/privacy/websites/",
    ),
    ExternalLink(
        code="cookies-chrome",
        label="Chrome",
        url="https://support.google.com/chrome/answer/95647",
        why="how to remove cookies in Chrome",
        privacy_url="https://policies.google.com/privacy",
    ),
    ExternalLink(
        code="cookies-safari",
        label="Safari",
        url="https://support.apple.com/guide/safari/manage-cookies-sfri11471/mac",
        why="how to remove cookies in Safari",
        privacy_url="https://www.apple.com/legal/privacy/",
    ),
    ExternalLink(
        code="cookies-edge",
        label="Edge",
        url="https://support.microsoft.com/en-us/microsoft-edge/delete-cookies-in-microsoft-edge-63947406-40ac-c3b8-57b9-2a946a29ae09",
        why="how to remove cookies in Edge",
        privacy_url="https://www.microsoft.com/en-us/privacy/privacystatement",
    ),
    ExternalLink(
        code="gpc",
        label="Global Privacy Control",
        url="https://globalprivacycontrol.org/",
        why="what Global Privacy Control is and which browsers send it",
    ),
)


def link_named(code: str) -> ExternalLink | None:
    return next((link for link in LINKS if link.code == code), None)
