"""Under which terms images may be released without people in them. Pure.

The policy says whether (`secondary.*`), the agreement with the recipient and the policy say how
(`deid.options`), and an ethics reference that somebody has looked at why (MEDDIM-3.9, 4.7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from policies.rules.categories import Category
from policies.rules.pack import Pack
from policies.rules.purposes import PURPOSE_LABELS, SECONDARY, Purpose
from studies.rules.deidentification.profile import Option, profile_of

OFF, OPT_IN = "off", "deidentified-opt-in"
PURPOSES = tuple(SECONDARY)


class Method(StrEnum):
    """By what it is known that nobody can be told from the data (45 CFR 164.514(b))."""

    SAFE_HARBOR = "safe-harbor"
    EXPERT = "expert"


METHOD_LABELS = {
    Method.SAFE_HARBOR: "Safe Harbor: every listed identifier is removed (45 CFR 164.514(b)(2))",
    Method.EXPERT: "Expert determination: an expert has found the risk very small "
    "(45 CFR 164.514(b)(1))",
}
# What these options keep is on the list of 45 CFR 164.514(b)(2)(i): dates (C), device numbers (M),
# places (B), other unique numbers (R). Moved dates are counted among them, to be on the safe side.
NEEDS_EXPERT: dict[Option, str] = {
    Option.FULL_DATES: "dates",
    Option.MODIFIED_DATES: "the distances between dates",
    Option.DEVICE: "numbers of devices",
    Option.INSTITUTION: "places",
    Option.UIDS: "numbers that lead back to the original",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody wants to release, to whom and how."""

    purpose: Purpose
    is_external: bool
    ethics_reference: str
    method: Method
    method_reference: str
    options: frozenset[Option]
    has_agreement: bool


def options_of(codes: Iterable[str]) -> frozenset[Option]:
    """Read options; raises `ProfileRefused` for one that is not known, or two that contradict."""
    return profile_of(codes).options


def needed_options(pack: Pack, agreed: Collection[str] = ()) -> frozenset[Option]:
    """What must be cleaned at least: by the policy and by the agreement with the recipient."""
    return options_of({*pack["deid.options"], *agreed})


def purposes_under(*packs: Pack) -> list[Purpose]:
    """The purposes for which every one of these policies lets images be released."""
    return [one for one in PURPOSES if all(_allows(pack, one) for pack in packs)]


def _allows(pack: Pack, purpose: Purpose) -> bool:
    return pack[SECONDARY[purpose]] != OFF and pack.lists(purpose, Category.DEIDENTIFIED)


def needs_consent(purpose: Purpose, *packs: Pack) -> bool:
    """Does any of the policies ask for the consent of each person? The stricter counts."""
    return any(pack[SECONDARY[purpose]] == OPT_IN for pack in packs)


def refusal_of_plan(plan: Plan, owner: Pack, recipient: Pack | None) -> str:
    """Why nothing may be released under this plan, and what to do; empty: it may.

    `recipient` is the policy of another organisation that is to receive it; None: it has none.
    """
    label = PURPOSE_LABELS[plan.purpose]
    if not _allows(owner, plan.purpose):
        return f"The privacy policy in force does not let images be used for “{label}”."
    if plan.is_external and (recipient is None or not _allows(recipient, plan.purpose)):
        return f"The recipient's privacy policy does not list “{label}”, and the stricter counts."
    if plan.is_external and not plan.has_agreement:
        return (
            "There is no data use agreement in force with the recipient. An administrator can "
            "record it under Agreements."
        )
    if not plan.ethics_reference.strip():
        return "Give the number under which the ethics review is filed."
    return _refusal_of_method(plan)


def _refusal_of_method(plan: Plan) -> str:
    if plan.method is Method.EXPERT:
        if plan.method_reference.strip():
            return ""
        return "Give the number under which the expert's determination is filed."
    kept = [words for option, words in NEEDS_EXPERT.items() if option in plan.options]
    if kept:
        return (
            f"Safe Harbor does not let {_joined(kept)} stay. Leave that option, or choose expert "
            "determination."
        )
    return ""


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
