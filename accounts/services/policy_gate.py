"""Whoever asks, and for whatever: first the policy, and what it allows (C10, C12)."""

from __future__ import annotations

from typing import Final

from accounts.rules import Actor
from accounts.services.trail import record
from policies.rules.gate import PurposeRefused, Use, Why, check_use, enter_use
from policies.rules.pack import Pack
from policies.rules.purposes import Purpose
from policies.selectors import packs_held

# What nobody loses by not accepting a policy: getting in and out, and one's rights.
WITHOUT_ACCEPTANCE: Final = frozenset({Purpose.AUTHENTICATION, Purpose.RIGHTS})


class NotAccepted(Exception):
    """The asker has not accepted the policy that is in force."""


def enter(actor: Actor | None, wanted: Use | None) -> None:
    """Let a use begin, or raise `NotAccepted` or `PurposeRefused`, which is recorded.

    From here on, whatever is read is read for this purpose.
    """
    enter_use(None)
    if wanted is None:
        raise refused(actor, PurposeRefused(Why.NO_PURPOSE, ""))
    if actor is not None and actor.organisation_id is not None:
        held = packs_held(actor.organisation_id)
        pack = held[-1] if held else None
        if needs_acceptance(actor, pack, wanted):
            raise NotAccepted(
                "Sign in and accept the privacy policy that is in force; until then, nothing of "
                "the organisation is shown."
            )
        try:
            check_use(pack, wanted)
        except PurposeRefused as refusal:
            raise refused(actor, refusal) from None
    enter_use(wanted)


def needs_acceptance(actor: Actor, pack: Pack | None, wanted: Use) -> bool:
    if pack is None or not wanted.categories or wanted.purpose in WITHOUT_ACCEPTANCE:
        return False
    return actor.accepted_version != pack.id


def refused(actor: Actor | None, refusal: PurposeRefused) -> PurposeRefused:
    """Write down that a use was refused, and give the refusal back to be raised."""
    if actor is not None:
        record(
            action="purpose.refused",
            actor=actor,
            outcome="refused",
            purpose=refusal.purpose,
            reason=refusal.why.value,
            details={"category": refusal.category.value if refusal.category else ""},
        )
    return refusal
