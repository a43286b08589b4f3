"""What every page shows around its content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts.models import Notification
from accounts.rules import Actor, Capability
from accounts.selectors import OpenMessages, announcements_waiting_for, open_messages_of
from accounts.services.work_settings import work_settings_of
from dsar.selectors import organisations_selling
from policies.rules.pack import Pack
from policies.rules.purposes import OF_USE, Purpose
from policies.rules.terms import Definition, defined_by
from policies.selectors import packs_held


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together; its address is that of the first item."""

    label: str
    url: str
    current: bool
    items: list[Item]


Capabilities = tuple[Capability, ...] | None
_KEEP, _LOOK = Capability.MANAGE_CONFIGURATION, Capability.SEE_TRAIL
# What belongs together, and in it: label, name of the URL, what the asker must be able to do
# (None: be signed in; nothing: have no organisation).
NAVIGATION: list[tuple[str, list[tuple[str, str, Capabilities]]]] = [
    (
        "Studies",
        [
            ("Studies", "studies:worklist", (Capability.VIEW_IMAGES, Capability.SEE_SUBJECTS)),
            (
                "Rejected",
                "studies:rejected",
                (Capability.SUBMIT_STUDIES, Capability.MANAGE_MEMBERS),
            ),
        ],
    ),
    ("Send", [("Send", "studies:upload", (Capability.SUBMIT_STUDIES,))]),
    (
        "Shares",
        [("Shares", "consent:shares", (Capability.VIEW_IMAGES, Capability.REVOKE_ANY_SHARE))],
    ),
    (
        "Releases",
        [
            (
                "Releases",
                "releases:projects",
                (Capability.PREPARE_RELEASES, Capability.APPROVE_RELEASES),
            )
        ],
    ),
    ("Requests", [("Requests", "dsar:queue", (Capability.ANSWER_REQUESTS,))]),
    ("Incidents", [("Incidents", "incidents:incidents", (Capability.HANDLE_INCIDENTS,))]),
    (
        "Retention",
        [
            ("Retention", "retention:overview", (Capability.APPROVE_DISPOSAL, _LOOK)),
            ("Holds", "retention:holds", (Capability.PLACE_HOLDS, Capability.APPROVE_DISPOSAL)),
            ("Archive", "retention:archive", (Capability.APPROVE_DISPOSAL,)),
            ("Schedule", "retention:schedule", (Capability.APPROVE_DISPOSAL, _LOOK)),
            ("Records", "retention:records", (Capability.APPROVE_DISPOSAL, _LOOK)),
            ("Backups", "backups:backups", (Capability.APPROVE_DISPOSAL, _LOOK)),
            ("Hardware", "backups:devices", (Capability.APPROVE_DISPOSAL, _LOOK)),
        ],
    ),
    (
        "Organisation",
        [
            ("Members", "accounts:members", (Capability.MANAGE_MEMBERS,)),
            ("Agreements", "accounts:agreements", (_KEEP, _LOOK)),
            ("Invoices", "accounts:invoices", (_KEEP,)),
            ("Offers", "accounts:campaigns", (_KEEP,)),
            ("Use of the portal", "accounts:trends", (_KEEP,)),
            ("Support", "accounts:support", (Capability.JOIN_RECORDS,)),
        ],
    ),
    (
        "Policy",
        [
            ("Policy", "governance:policy", (_KEEP,)),
            ("Promises", "governance:promises", (_KEEP, _LOOK)),
            ("Inventory", "governance:inventory", (_KEEP, _LOOK)),
        ],
    ),
    (
        "Trail",
        [
            ("Trail", "studies:trail", (_LOOK,)),
            ("For authorities", "governance:legal_exports", (_LOOK,)),
            ("Demands", "disclosures:cases", (Capability.DISCLOSE_UNDER_LAW,)),
        ],
    ),
    ("My record", [("My record", "studies:my_record", ())]),
    (
        "My requests",
        [
            ("My requests", "dsar:mine", ()),
            ("Given out under law", "disclosures:mine", ()),
        ],
    ),
]

# Pages that are there only if the policy lists one of these purposes; else they would refuse.
OF_PURPOSES: dict[str, tuple[Purpose, ...]] = {
    "accounts:trends": OF_USE,
    "accounts:support": (Purpose.SUPPORT,),
    "releases:projects": (Purpose.RESEARCH, Purpose.AI_TRAINING),
}


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The main navigation: only what the asker may open."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {
            "policy_link": {"url": reverse("accounts:notices"), "since": None},
            "may_sell_or_share": SimpleLazyObject(_somebody_sells),
        }
    sections = list(_sections(actor, request.path))
    items = [item for section in sections for item in section.items]
    # Where people begin to work, an announcement is shown until they have taken note of it.
    at_home = any(item.url == request.path for item in items)
    # Asked only if the page shows its masthead: fragments and programs do not.
    open_messages = SimpleLazyObject(lambda: open_messages_of(actor))
    return {
        "defined": SimpleLazyObject(lambda: _definitions(actor)),
        "main_navigation": sections,
        "can_release": any(item.url == reverse("releases:projects") for item in items),
        "sub_navigation": next((one for one in sections if one.current), None),
        "colours": SimpleLazyObject(lambda: _colours(actor)),
        "policy_link": _policy_link(actor),
        "may_sell_or_share": SimpleLazyObject(lambda: _sells(actor)),
        "open_messages": open_messages,
        "announcements": _Announcements(actor, open_messages) if at_home else [],
    }


_SELLS = "pages.somebody-sells"
OWN_ACCOUNT = "/consent/account/"


def _is_listed(actor: Actor, name: str) -> bool:
    if name not in OF_PURPOSES:
        return True
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    return bool(held) and any(held[-1].purpose(purpose) for purpose in OF_PURPOSES[name])


def _colours(actor: Actor) -> str:
    """Light or dark, if the policy lets that be remembered and the person had it remembered."""
    settings = work_settings_of(actor)
    return settings.colours if settings else ""


def _sections(actor: Actor, path: str) -> Iterator[Section]:
    """What the asker may open, and which of it they are at."""
    for label, pages in NAVIGATION:
        found = [
            (name, reverse(route))
            for name, route, capabilities in pages
            if _may_open(actor, capabilities) and _is_listed(actor, route)
        ]
        if not found:
            continue
        here = max((url for _, url in found if _is_inside(path, url)), key=len, default="")
        items = [Item(name, url, url == here) for name, url in found]
        yield Section(label, found[0][1], bool(here), items)


def _may_open(actor: Actor, capabilities: Capabilities) -> bool:
    if capabilities == ():
        return actor.organisation_id is None
    return capabilities is None or any(actor.can(one) for one in capabilities)


def _is_inside(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))


def _policy_link(actor: Actor) -> dict[str, Any]:
    """The notice in force, at the foot of every page (MEDDIM-14.4)."""
    pack = _pack(actor)
    if pack is None:
        return {"url": reverse("accounts:notices"), "since": None}
    url = reverse("accounts:notice", args=[actor.organisation_slug])
    return {"url": url, "since": pack.effective_at}


def _sells(actor: Actor) -> bool:
    """Does the policy that somebody works under carry the opt-out? Who has none sees it if any
    organisation's does."""
    if actor.organisation_id is None:
        return _somebody_sells()
    pack = _pack(actor)
    return pack is not None and bool(pack["sale_share.allowed"])


def _somebody_sells() -> bool:
    """As long as a policy is remembered, so that pages of visitors cost no query."""
    found: bool | None = cache.get(_SELLS)
    if found is None:
        found = bool(organisations_selling())
        cache.set(_SELLS, found, 30)
    return found


def _definitions(actor: Actor) -> dict[str, Definition]:
    pack = _pack(actor)
    if pack is None:
        return {}
    return defined_by(pack, reverse("accounts:notice", args=[actor.organisation_slug]))


def _pack(actor: Actor) -> Pack | None:
    if not actor.organisation_id or not actor.organisation_slug:
        return None
    held = packs_held(actor.organisation_id)
    return held[-1] if held else None


class _Announcements:
    """What waits to be acknowledged; looked up only if something does."""

    def __init__(self, actor: Actor, open_messages: SimpleLazyObject[OpenMessages]) -> None:
        self._actor, self._open = actor, open_messages

    def __iter__(self) -> Iterator[Notification]:
        return iter(announcements_waiting_for(self._actor) if self._open.waiting else [])
