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
    NO_AGREEMENT = "no-agreement"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Use:
    """A use of personal data: what for, and of which categories."""

    purpose: Purpose
    categories: frozenset[Category]
    # Where policies name the same thing differently: what it is for if `purpose` is not listed.
    otherwise: tuple[Purpose, ...] = ()


def use(purpose: Purpose, *categories: Category, otherwise: tuple[Purpose, ...] = ()) -> Use:
    return Use(purpose, frozenset(categories), otherwise)


def as_listed(pack: Pack | None, wanted: Use) -> Use:
    """Give the use under the first of its purposes that the pack lists, or as it was declared."""
    for purpose in (wanted.purpose, *wanted.otherwise):
        if pack is not None and pack.purpose(purpose) is not None:
            return Use(purpose, wanted.categories)
    return wanted


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
        case Why.NO_AGREEMENT:
            return (
                f"“{label}” rests on the organisation's service agreement, and that has ended. "
                "An administrator can record the one that follows it under Agreements."
            )
        case Why.ROLE:
            return f"Your role does not include this kind of data: {data}."
        case Why.NOT_LISTED:
            return f"The privacy policy in force does not list the purpose “{label}”."
        case Why.NOT_FOR_CATEGORY:
            return f"The privacy policy in force lists “{label}”, but not for: {data}."
        case Why.COLLECTED_BEFORE:
            return (
                f"This was collected before the privacy policy listed “{label}”. "
                "It needs fresh consent of the person concerned."
            )


def check_use(pack: Pack | None, wanted: Use, *, lapsed: Callable[[], bool] | None = None) -> None:
    """Raise `PurposeRefused` unless the pack lists the purpose for every category.

    `lapsed` says whether the contract has ended that a purpose with that basis rests on; it is
    asked only of such a purpose (GDPR Art. 6(1)(b)).
    """
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
    if lapsed is not None and listed.basis == "contract" and lapsed():
        raise PurposeRefused(Why.NO_AGREEMENT, wanted.purpose)


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


def uses(
    purpose: Purpose, *categories: Category, otherwise: tuple[Purpose, ...] = ()
) -> Callable[[Declared], Declared]:
    """Declare what a view, a job or a command uses personal data for.

    Stands nearest to the function, so that decorators around it carry it on. What declares
    nothing is refused at run time, and found by tests/policies/test_purposes.py.
    """

    def declare(declared: Declared) -> Declared:
        declared.use = use(purpose, *categories, otherwise=otherwise)  # type: ignore[attr-defined]
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
Readable = Callable[[Category], bool]
_current: ContextVar[Use | None] = ContextVar("use_of_personal_data", default=None)
# What the roles of whoever asks let be opened; None: nobody with a role asks.
_readable: ContextVar[Readable | None] = ContextVar("readable_by_role", default=None)


def enter_use(wanted: Use | None, readable: Readable | None = None) -> None:
    """Say what this thread uses data for from now on; None: nothing was named.

    `readable` says which categories the roles of the asker include.
    """
    _current.set(wanted)
    _readable.set(readable)


@contextmanager
def resume_use() -> Iterator[None]:
    """Go on afterwards with the use that is named now."""
    tokens = _current.set(_current.get()), _readable.set(_readable.get())
    try:
        yield
    finally:
        _current.reset(tokens[0])
        _readable.reset(tokens[1])


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
            with resume_use():
                # No role of whoever asked last in this thread: a job acts for the organisation.
                enter_use(use(purpose, *categories))
                return work(*args, **kwargs)

        return uses(purpose, *categories)(named)

    return declare


def current_purpose() -> str:
    """The purpose that was named, for the trail; empty if none was."""
    found = _current.get()
    return found.purpose.value if found and found.categories else ""


def require_any_purpose(category: Category) -> None:
    """The door of what goes with every act, such as the name of who took part in it."""
    if _current.get() is None:
        raise PurposeRefused(Why.NO_PURPOSE, "", category)


def require_purpose(category: Category) -> None:
    """The door of every reader of sealed data: refuse to open it for no purpose (LIFEIMAGE-5.2)."""
    found = _current.get()
    if found is None:
        raise PurposeRefused(Why.NO_PURPOSE, "", category)
    if category not in found.categories and found.purpose not in ALWAYS:
        raise PurposeRefused(Why.NO_PURPOSE, found.purpose, category)
    readable = _readable.get()
    if readable is not None and not readable(category):
        raise PurposeRefused(Why.ROLE, found.purpose, category)
