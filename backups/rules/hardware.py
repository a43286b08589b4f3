"""Taking hardware out of service: how it is emptied, who saw it, and by when. Pure.

Methods are those of NIST SP 800-88 Rev. 2. A device that was taken out of service and has no
certificate is pending, and overdue after thirty days, however long that lasts.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

CERTIFIED_WITHIN = timedelta(days=30)
# Reminded anew after so long, for as long as it is overdue.
REMINDED_EVERY = timedelta(days=7)


class Kind(StrEnum):
    SERVER = "server"
    DISK = "disk"
    MEDIUM = "medium"
    WORKSTATION = "workstation"
    PORTABLE = "portable"
    MODALITY = "modality"


KIND_LABELS = {
    Kind.SERVER: "Server", Kind.DISK: "Disk or drive", Kind.MEDIUM: "Tape or other backup medium",
    Kind.WORKSTATION: "Workstation", Kind.PORTABLE: "Laptop, tablet or phone",
    Kind.MODALITY: "Imaging device",
}  # fmt: skip


class Method(StrEnum):
    CLEAR = "clear"
    PURGE = "purge"
    DESTROY = "destroy"


METHOD_LABELS = {
    Method.CLEAR: "Clear: overwritten by its own commands, and used on in the organisation",
    Method.PURGE: "Purge: cryptographic or block erase, so that no laboratory reads it",
    Method.DESTROY: "Destroy: shredded, melted or burnt",
}


class State(StrEnum):
    IN_USE = "in-use"
    PENDING = "pending"
    OVERDUE = "overdue"
    DONE = "done"


STATE_LABELS = {
    State.IN_USE: "in use", State.PENDING: "pending destruction",
    State.OVERDUE: "pending destruction, overdue", State.DONE: "destroyed or emptied, certified",
}  # fmt: skip


def state_of(retired_on: date | None, is_certified: bool, today: date) -> State:
    if retired_on is None:
        return State.IN_USE
    if is_certified:
        return State.DONE
    return State.OVERDUE if today > certified_by(retired_on) else State.PENDING


def certified_by(retired_on: date) -> date:
    """The last day for its certificate."""
    return retired_on + CERTIFIED_WITHIN


def refusal_to_certify(
    *, retired_on: date | None, done_on: date, today: date, witness: int, certifier: int
) -> str:
    """Say why a device cannot be certified so; empty: it can."""
    if retired_on is None:
        return "It is in use. Take it out of service first."
    if done_on < retired_on:
        return "It was in use on that day."
    if done_on > today:
        return "That day is yet to come."
    if witness == certifier:
        return "Whoever saw it has to be somebody else than you, who enter it."
    return ""
