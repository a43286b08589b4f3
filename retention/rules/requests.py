"""Open requests hold as well: the room that takes them in says whose records they concern. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

# Takes an organisation, subjects of it, and the request that is being carried out, which does not
# count; gives those about whom another is open.
Look = Callable[[UUID, Collection[UUID], UUID | None], set[UUID]]
_looks: dict[str, Look] = {}


def register_open_requests(name: str, look: Look) -> None:
    """Have this asked before anything is destroyed; called from `AppConfig.ready`."""
    _looks[name] = look


# Gives the accounts whose people asked something that is still open.
People = Callable[[], Collection[int]]
_people: dict[str, People] = {}


def register_people_asking(name: str, people: People) -> None:
    """Have this asked before what hangs on an account is destroyed; from `AppConfig.ready`."""
    _people[name] = people


def people_asking() -> set[int]:
    return {one for people in _people.values() for one in people()}


# Takes the request whose disposal has ended, in the transaction that ends it.
Listener = Callable[[UUID], None]
_listeners: dict[str, Listener] = {}


def register_carried_out(name: str, listener: Listener) -> None:
    """Have this told when the disposal for a request has ended; from `AppConfig.ready`."""
    _listeners[name] = listener


def tell_carried_out(request_id: UUID) -> None:
    for listener in _listeners.values():
        listener(request_id)


def subjects_of_open_requests(
    organisation_id: UUID, subjects: Collection[UUID], but_for: UUID | None = None
) -> set[UUID]:
    return {one for look in _looks.values() for one in look(organisation_id, subjects, but_for)}
