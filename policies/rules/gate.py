"""The purpose gate: may data of these categories be used for this purpose, under this policy?

(C12.) Three answers short of yes: the policy lists no such purpose; not for this category; or not
for data that was collected before the policy listed it (MEDDIM-3.14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from policies.rules.categories import CATEGORY_LABELS, Category
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, PURPOSE_LABELS, Purpose


class Why(StrEnum):
    NOT_LISTED = "purpose-not-listed"
    NOT_FOR_CATEGORY = "purpose-not-for-category"
    COLLECTED_BEFORE = "collected-before-purpose"
    NO_PURPOSE = "no-purpose"
    NO_POLICY = "no-policy"


@dataclass(frozen=True, slots=True)
class Use:
    """A use of personal data: what for, and of which categories."""

    purpose: Purpose
    categories: frozenset[Category]


def use(purpose: Purpose, *categories: Category) -> Use:
    return Use(purpose, frozenset(categories))


class PurposeRefused(Exception):
    """The policy in force does not let this use happen. Says which purpose and category."""

    def __init__(self, why: Why, purpose: str, category: Category | None = None) -> None:
        self.why, self.purpose, self.category = why, purpose, category
        super().__init__(_sentence(why, purpose, category))


def _sentence(why: Why, purpose: str, category: Category | None) -> str:
    label = PURPOSE_LABELS[Purpose(purpose)] if purpose in set(Purpose) else purpose
    data = CATEGORY_LABELS[category] if category else ""
    match why:
        case Why.NO_PURPOSE:
            about = f" ({data})" if data else ""
            return f"This use of personal data{about} names no purpose, so it is refused."
        case Why.NO_POLICY:
            return "The organisation has no policy in force, so nothing can be used under it."
        case Why.NOT_LISTED:
            return f"The privacy policy in force does not list the purpose “{label}”."
        case Why.NOT_FOR_CATEGORY:
            return f"The privacy policy in force lists “{label}”, but not for: {data}."
        case Why.COLLECTED_BEFORE:
            return (
                f"This was collected before the privacy policy listed “{label}”. "
                "It needs fresh consent of the person concerned."
            )


def check_use(pack: Pack | None, wanted: Use) -> None:
    """Raise `PurposeRefused` unless the pack lists the purpose for every category."""
    if wanted.purpose in ALWAYS:
        return
    if pack is None:
        raise PurposeRefused(Why.NO_POLICY, wanted.purpose)
    listed = pack.purpose(wanted.purpose)
    if listed is None:
        raise PurposeRefused(Why.NOT_LISTED, wanted.purpose)
    for category in sorted(wanted.categories):
        if category.value not in listed.categories:
            raise PurposeRefused(Why.NOT_FOR_CATEGORY, wanted.purpose, category)


def listed_since(packs: Sequence[Pack], purpose: str, category: Category) -> datetime | None:
    """From when on has a policy listed this use without a break? None: it does not now.

    `packs` are the versions that have held, the one in force last. A use that the very first
    version listed has been listed from the beginning, whatever was collected before it.
    """
    since = None
    for pack in reversed(packs):
        if not pack.lists(purpose, category):
            break
        since = pack.effective_at
    if since is not None and packs and since == packs[0].effective_at:
        return datetime.min.replace(tzinfo=since.tzinfo)
    return since


def check_collected(
    packs: Sequence[Pack],
    purpose: str,
    categories: Iterable[Category],
    *,
    collected_at: datetime,
    consented: bool,
) -> None:
    """Raise `PurposeRefused` where a purpose is younger than the data, and nobody consented."""
    for category in categories:
        since = listed_since(packs, purpose, category)
        if since is not None and collected_at < since and not consented:
            raise PurposeRefused(Why.COLLECTED_BEFORE, purpose, category)


# How code says what it uses data for -------------------------------------------------------------
Declared = TypeVar("Declared")
# For what touches no personal data at all: a page of help, the state of the server.
NO_PERSONAL_DATA = Use(Purpose.SECURITY, frozenset())


def uses(purpose: Purpose, *categories: Category) -> Callable[[Declared], Declared]:
    """Declare what a view, a job or a command uses personal data for.

    Stands nearest to the function, so that decorators around it carry it on. What declares
    nothing is refused at run time, and found by tests/policies/test_purposes.py.
    """

    def declare(declared: Declared) -> Declared:
        declared.use = use(purpose, *categories)  # type: ignore[attr-defined]
        return declared

    return declare


def uses_no_personal_data(declared: Declared) -> Declared:
    declared.use = NO_PERSONAL_DATA  # type: ignore[attr-defined]
    return declared


def declared_use(view: Any) -> Use | None:
    """Find the declaration of a view: on the function, or on the class it was made from."""
    for one in (view, getattr(view, "cls", None), getattr(view, "view_class", None)):
        if isinstance(found := getattr(one, "use", None), Use):
            return found
    return None


# What is under way -------------------------------------------------------------------------------
_current: ContextVar[Use | None] = ContextVar("use_of_personal_data", default=None)


def enter_use(wanted: Use | None) -> None:
    """Say what this thread uses data for from now on; None: nothing was named."""
    _current.set(wanted)


@contextmanager
def resume_use() -> Iterator[None]:
    """Go on afterwards with the use that is named now."""
    token = _current.set(_current.get())
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def using(purpose: Purpose, *categories: Category) -> Iterator[None]:
    """Name the purpose of a stretch of work that no request or job has named."""
    token = _current.set(use(purpose, *categories))
    try:
        yield
    finally:
        _current.reset(token)


Work = Callable[..., Any]


def under(purpose: Purpose, *categories: Category) -> Callable[[Work], Work]:
    """Declare what a job or a command uses personal data for, and name it while it runs."""

    def declare(work: Work) -> Work:
        @wraps(work)
        def named(*args: Any, **kwargs: Any) -> Any:
            with using(purpose, *categories):
                return work(*args, **kwargs)

        return uses(purpose, *categories)(named)

    return declare


def current_purpose() -> str:
    """The purpose that was named, for the trail; empty if none was."""
    found = _current.get()
    return found.purpose.value if found and found.categories else ""


def require_purpose(category: Category) -> None:
    """The door of every reader of sealed data: refuse to open it for no purpose (LIFEIMAGE-5.2)."""
    found = _current.get()
    if found is None:
        raise PurposeRefused(Why.NO_PURPOSE, "", category)
    if category not in found.categories and found.purpose not in ALWAYS:
        raise PurposeRefused(Why.NO_PURPOSE, found.purpose, category)
