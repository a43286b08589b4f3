"""The public notice, made from the pack alone, so that it cannot say other than what runs.

Sections are plain values; templates/components/notice.html shows them. Nothing here is a text
about what a policy "usually" says: each sentence follows from a key, a floor or the inventory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rules.categories import PERSONAL, Category
from policies.rules.notice import care, uses
from policies.rules.notice.care import fate_of_account
from policies.rules.notice.section import Section
from policies.rules.pack import Pack

__all__ = ["Section", "fate_of_account", "notice_of"]


def notice_of(pack: Pack, *, kept: Iterable[Category]) -> tuple[Section, ...]:
    """Make the notice of a policy; `kept` are the categories that the portal really keeps."""
    return tuple(_sections(pack, [category for category in kept if category in PERSONAL]))


def _sections(pack: Pack, kept: list[Category]) -> Iterator[Section]:
    yield uses.whom(pack)
    yield uses.collected(pack, kept)
    yield uses.purposes(pack)
    yield uses.never(pack)
    yield uses.disclosure(pack)
    yield uses.under_law(pack)
    yield uses.places(pack)
    yield care.kept(pack, kept)
    yield care.security(pack)
    yield care.rights(pack)
    if set(pack["regimes"]) & {"ccpa", "caloppa", "shine-the-light"}:
        yield care.california(pack)
    yield care.closing_account(pack)
    yield care.messages(pack)
    yield care.traces(pack)
    yield care.links()
    yield care.children(pack)
    yield care.changes(pack)
    if pack["definitions"]:
        terms = tuple((one["term"], one["means"]) for one in pack["definitions"].values())
        yield Section("terms", "Terms", terms=terms)
    yield care.contact(pack)
