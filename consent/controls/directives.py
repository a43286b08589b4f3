"""The controls of what people say against a use: it acts at once, and ends as its law says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.controls.signing_in import gate_of
from accounts.models import Agreement
from accounts.rules import Capability
from consent.controls import OWNER, STUDY, _asked, _clinician, _grant, _require_denied
from consent.models import Directive
from consent.rules.decision import Action, Reason, decide
from consent.rules.directives import (
    DIRECTIVES,
    SENSITIVE_ALLOWED,
    Bar,
    DirectiveKind,
    Wanted,
    checked,
    purposes_reached,
    refusal_to_lift,
    with_buyers,
)
from consent.selectors.directives import directives_of
from policies.controls.purposes import pack_with
from policies.controls.trying import undone
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.purposes import CARE, SECONDARY, Purpose

HELD_FOR = timedelta(days=1)


def _bar(kind: DirectiveKind, *purposes: str, **more: Any) -> Bar:
    return Bar(kind, purposes_reached(kind, purposes), timezone.now() - HELD_FOR, **more)


def _own(bars: list[Bar], action: Action = Action.VIEW, purpose: str = "treatment") -> Any:
    return decide(
        actor=_clinician(OWNER), action=action, resource=STUDY, grants=(), at=timezone.now(),
        lists=lambda _: True, purpose=purpose, bars=bars,
    )  # fmt: skip


@control("consent.restriction-holds", "What is locked is kept, and used for nothing")
def restriction_holds() -> str:
    grant, locked = _grant(timezone.now()), [_bar(DirectiveKind.RESTRICTION)]
    require(_asked(grant).is_permit, "Nothing is shared even without a restriction.")
    refused = _asked(grant, bars=locked)
    _require_denied(refused, Reason.RESTRICTED, "What is locked is shown to others.")
    named = [_bar(DirectiveKind.RESTRICTION, Purpose.TREATMENT)]
    _require_denied(_own(named), Reason.RESTRICTED, "It is used for what was named.")
    require(_own(named, Action.STORE).is_permit, "What is locked is not stored.")
    claims = Purpose.LEGAL_CLAIMS not in DIRECTIVES[DirectiveKind.RESTRICTION].reach
    require(claims, "It stands in the way of legal claims.")
    for kind in (DirectiveKind.RESTRICTION, DirectiveKind.OPT_OUT):
        early = refusal_to_lift(kind, by_person=False, announced=False, case_number="")
        require(early, "It is lifted without the person knowing.")
    require(not refusal_to_lift(DirectiveKind.RESTRICTION, by_person=True, announced=False,
                                case_number=""), "The person cannot lift it.")  # fmt: skip
    where = str(directives_of(OWNER).query).partition(" WHERE ")[2]
    require("lifted_at" not in where, "What was lifted is forgotten.")
    facts = {"organisation_id": OWNER, "kind": "restriction", "source": "portal"}
    with undone(), must_refuse(IntegrityError, "A restriction of nothing"), transaction.atomic():
        Directive.objects.create(**facts, subject_id=OWNER, purposes="")
    return "A share of something locked was refused, and so was lifting it unannounced."


@control(
    "consent.objection-barred", "What patients object to stops for them", of_policy=True,
)  # fmt: skip
def objection_barred(values: Values) -> str:
    # Art. 21(1), at its end: but for legal claims.
    interests = [
        one.code for one in pack_with(values).purposes
        if one.may_be_objected_to and one.code != Purpose.LEGAL_CLAIMS
    ]  # fmt: skip
    asked = checked(Wanted(DirectiveKind.OBJECTION), can_be_objected_to=interests)
    for purpose in (*interests, Purpose.MARKETING):
        within = purpose in asked.purposes
        require(within, f"An objection does not reach {purpose}.")
        bar = Bar(DirectiveKind.OBJECTION, asked.purposes, timezone.now())
        refused = _own([bar], purpose=purpose)
        _require_denied(refused, Reason.OBJECTED, f"It goes on after an objection: {purpose}.")
    require(_own([Bar(DirectiveKind.OBJECTION, asked.purposes, timezone.now())]).is_permit,
            "An objection ends treatment.")  # fmt: skip
    return f"{len(interests) + 1} uses were refused after an objection, and treatment was not."


@control("consent.sensitive-limited", "Limited to care, data is used for care alone")
def sensitive_limited() -> str:
    limit = [_bar(DirectiveKind.LIMIT_SENSITIVE)]
    beyond = (Purpose.ANALYTICS, *SECONDARY, Purpose.ADVERTISING)
    for purpose in beyond:
        _require_denied(_own(limit, purpose=purpose), Reason.LIMITED, f"Goes on: {purpose}.")
    for purpose in CARE:
        require(_own(limit, purpose=purpose).is_permit, f"Care is refused: {purpose}.")
    return f"{len(beyond)} uses beyond care were refused, {len(CARE)} of care were not."


@control(
    "consent.limit-reaches-all", "Whatever goes beyond care can be limited", of_policy=True,
)  # fmt: skip
def limit_reaches_all(values: Values) -> str:
    reach = DIRECTIVES[DirectiveKind.LIMIT_SENSITIVE].reach
    beyond = [one.code for one in pack_with(values).purposes if one.code not in SENSITIVE_ALLOWED]
    for code in beyond:
        require(Purpose(code) in reach, f"Nobody can limit: {code}.")
    require(gate_of("dsar:directives") == "signed-in", "Nobody comes to the page for it.")
    return f"{len(beyond)} purposes of the policy go beyond 11 CCR 7027(m); all can be limited."


@control("consent.sale-barred", "Who opts out is kept from those who get data for value")
def sale_barred() -> str:
    require(not Agreement._meta.get_field("sale_or_share").null, "No agreement says what counts.")
    gate = gate_of("accounts:agreement_record")
    require(gate == Capability.MANAGE_CONFIGURATION, "Nobody can say what counts, or everybody.")
    buyer = _clinician().organisation_id
    assert buyer is not None
    out, now = [_bar(DirectiveKind.OPT_OUT)], timezone.now()
    for purpose in CARE - {Purpose.TREATMENT}:
        grant = _grant(now, purpose=purpose)
        require(_asked(grant, bars=out).is_permit, "An opt-out ends care with everybody.")
        refused = _asked(grant, bars=with_buyers(out, [buyer]))
        _require_denied(refused, Reason.OPTED_OUT, f"It still goes there for {purpose}.")
        elsewhere = _asked(grant, bars=with_buyers(out, [OWNER]))
        require(elsewhere.is_permit, "It ends for others as well.")
    own = _grant(now, purpose=Purpose.TREATMENT)
    treated = _asked(own, bars=with_buyers(out, [buyer]))
    require(treated.is_permit, "Treatment ends with an opt-out.")
    return f"After an opt-out {len(CARE) - 1} uses were refused to a buyer, and to nobody else."


@control("consent.opt-out-covers", "Who opts out is in no release to others")
def opt_out_covers() -> str:
    out = [_bar(DirectiveKind.OPT_OUT)]
    for purpose in (*SECONDARY, Purpose.ADVERTISING, Purpose.MARKETING):
        grant = _grant(timezone.now(), purpose=purpose)
        _require_denied(_asked(grant, bars=out), Reason.OPTED_OUT, f"It goes out for {purpose}.")
    require(_asked(_grant(timezone.now()), bars=out).is_permit, "An opt-out ends care.")
    return "Research, training and advertising were refused after an opt-out, and care was not."
