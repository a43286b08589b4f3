"""The control of which laws count: by the person's place, and by hand only for a reason of law."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from accounts.controls.signing_in import gate_of
from accounts.rules import Capability
from accounts.rules.messages import template_named
from dsar.actions import ACTIONS
from dsar.rules.changing_laws import (
    Change,
    Counting,
    Reason,
    changed,
    cites_of,
    day_of,
    refusal_to_change,
)
from dsar.rules.clocks import Request, reckon
from dsar.rules.kinds import Kind
from dsar.rules.laws import Asked, Law, laws_for
from dsar.rules.letters import TEMPLATE_OF
from dsar.rules.offers import offers
from dsar.rules.states import Act
from policies.rules.controls import Values, control, require

# A month from here is not thirty days.
RECEIVED = date(2027, 1, 31)


@control("dsar.laws-by-person", "Which rights somebody has follows from where they live",
         of_policy=True)  # fmt: skip
def laws_by_person(values: Values) -> str:
    asked = Asked("US", "MT", tuple(values["regimes"]), values["subject.mode"] != "veterinary")
    places = {place: laws_for(place, asked) for place in ("FR", "US-CA", "US-TX")}
    like = Request(Kind.ACCESS, (), RECEIVED, "US", 120, 120)
    days, rights = set(), set()
    for laws in places.values():
        days.add(reckon(replace(like, laws=laws)).answer_on)
        rights.add(frozenset((one.kind, one.group) for one in offers(replace(like, laws=laws))))
    require(len(rights) == len(places), "Other places have the same rights.")
    require(len(days) > 1, "Other places have the same day for the answer.")
    _by_hand()
    return (
        f"In Paris, California and Texas {len(rights)} lists of rights were offered. By hand a law"
        " went by its own paragraph, the GDPR of a resident of France stayed, and no day got later"
        " without one."
    )


def _by_hand() -> None:
    gate = gate_of("dsar:laws")
    require(gate == Capability.ANSWER_REQUESTS, "Others than officers change the laws.")
    before = Counting((Law.GDPR, Law.HIPAA), "FR")
    role = Change(Reason.ROLE, laws=frozenset({Law.HIPAA}))
    require(not refusal_to_change(before, role), "No law can be taken away at all.")
    require(
        cites_of(before, changed(before, role, ()), Reason.ROLE), "It goes without a paragraph."
    )
    for reason in (Reason.ROLE, Reason.DATA):
        stays = refusal_to_change(before, Change(reason, laws=frozenset({Law.GDPR})))
        require(stays, "The GDPR is taken from a resident of France.")
    moved = changed(before, Change(Reason.MOVED, "US-TX"), (Law.HIPAA,))
    require(Law.GDPR in moved.laws, "Who moves loses the rights of the day they asked.")
    also = changed(before, Change(Reason.ALSO, laws=frozenset({Law.LGPD})), ())
    require({*before.laws, Law.LGPD} == {*also.laws}, "Another law cannot be added.")
    later = date(2027, 5, 1)
    require(day_of(RECEIVED, later, {}) == RECEIVED, "A day gets later without a reason of law.")
    require(day_of(RECEIVED, later, {Law.HIPAA: "-"}) == later, "No day can get later.")
    template_named(TEMPLATE_OF[Act.LAWS])
    require("request.laws_changed" in dict(ACTIONS), "The trail knows nothing of it.")
