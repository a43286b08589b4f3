"""Which studies of a project are left out, and why. Pure (XENRAD-3.9, MEDDIM-3.10, 3.12)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Exclusion(StrEnum):
    GONE = "gone"
    UNSETTLED = "unsettled"
    NO_CONSENT = "no-consent"
    COLLECTED_BEFORE = "collected-before"
    DIRECTIVE = "directive"


EXCLUSION_WORDS = {
    Exclusion.GONE: "It is not here any more.",
    Exclusion.UNSETTLED: "Whose study it is has not been settled.",
    Exclusion.NO_CONSENT: "Nobody has consented to this use.",
    Exclusion.COLLECTED_BEFORE: "It was received before the policy listed this use, and nobody "
    "has consented to it.",
    Exclusion.DIRECTIVE: "The person said no to this use, and has not consented since.",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a study when it is asked whether it may be released."""

    is_here: bool
    is_settled: bool
    has_consent: bool
    came_before_purpose: bool
    # Somebody said no to this use, and has not consented since (GDPR Art. 7(3), 18, 21(6);
    # Cal. Civ. Code 1798.120, 1798.121).
    is_barred: bool = False


def exclusion_of(one: Candidate, *, needs_consent: bool) -> Exclusion | None:
    """The first reason for which a study is left out; None: it may be released."""
    if not one.is_here:
        return Exclusion.GONE
    if not one.is_settled:
        return Exclusion.UNSETTLED
    if one.is_barred:
        return Exclusion.DIRECTIVE
    if one.has_consent:
        return None
    if needs_consent:
        return Exclusion.NO_CONSENT
    return Exclusion.COLLECTED_BEFORE if one.came_before_purpose else None
