"""Whoever asks, and for whatever: first the policy, and what it allows (C10, C12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from accounts.rules import Actor, may_use
from accounts.selectors.agreements import service_agreement_lapsed
from accounts.services.trail import record
from policies.rules.categories import Category
from policies.rules.gate import PurposeRefused, Use, Why, as_listed, check_use, enter_use
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, Purpose
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
        organisation_id = actor.organisation_id
        held = packs_held(organisation_id)
        pack = held[-1] if held else None
        if needs_acceptance(actor, pack, wanted):
            raise NotAccepted(
                "Sign in and accept the privacy policy that is in force; until then, nothing of "
                "the organisation is shown."
            )
        wanted = as_listed(pack, wanted)
        try:
            check_use(pack, wanted, lapsed=contract_of(organisation_id, wanted))
        except PurposeRefused as refusal:
            raise refused(actor, refusal) from None
    enter_use(wanted, readable_for(actor, wanted))


def readable_for(actor: Actor | None, wanted: Use) -> Callable[[Category], bool] | None:
    """Say what sensitive data the asker's roles let be opened; None: no role is asked for.

    The pages ask for capabilities as well; this holds where one forgets to (MEDDIM-1.3). Of
    people without an organisation it is asked whether a record is theirs, not what they are.
    """
    if actor is None or actor.organisation_id is None or wanted.purpose in ALWAYS:
        return None
    return lambda category: may_use(actor.capabilities, category)


def contract_of(organisation_id: UUID, wanted: Use) -> Callable[[], bool] | None:
    """Say how to ask whether the service agreement has ended; None: nobody loses this use by it.

    (AVMI-4.2.)
    """
    if wanted.purpose in WITHOUT_ACCEPTANCE:
        return None
    return lambda: service_agreement_lapsed(organisation_id)


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
