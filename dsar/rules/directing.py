"""Which directive a granted request sets, and what a person sets themself. Pure (C33, C35)."""

from __future__ import annotations

from consent.rules.directives import DirectiveKind
from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome

DIRECTIVES_OF: dict[Kind, tuple[DirectiveKind, ...]] = {
    Kind.RESTRICTION: (
        DirectiveKind.RESTRICTION,
        DirectiveKind.DISCLOSURE,
        DirectiveKind.HEALTH_PLAN,
    ),
    Kind.OBJECTION: (DirectiveKind.OBJECTION,),
    Kind.LIMIT_SENSITIVE: (DirectiveKind.LIMIT_SENSITIVE,),
    Kind.OPT_OUT: (DirectiveKind.OPT_OUT,),
    Kind.WITHDRAW_CONSENT: (DirectiveKind.WITHDRAWAL,),
}
_DONE = frozenset({Outcome.GRANTED, Outcome.PARTLY})
# That something was paid for in full is seen by the organisation, so that one goes by a request.
SET_BY_PERSON = tuple(kind for kind in DirectiveKind if kind is not DirectiveKind.HEALTH_PLAN)


def sets_directive(kind: Kind, outcome: Outcome) -> bool:
    """Does an answer like this say something that the portal has to hold from then on?"""
    return kind in DIRECTIVES_OF and outcome in _DONE


def corrects(kind: Kind, outcome: Outcome) -> bool:
    """Does an answer like this say that something reads otherwise from then on?"""
    return kind is Kind.CORRECTION and outcome in _DONE
