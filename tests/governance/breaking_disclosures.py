"""How the controls of disclosures under law are broken, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from disclosures.models import Disclosure, Item, Notice, Release
from disclosures.rules import standing
from disclosures.rules.grounds import GROUND_FACTS
from policies.rules.holdings import one_file
from tests.governance.tools import Breaking, accepts_anything, gives, item, pack, patched

HERE = "disclosures.controls"
RELEASES_ALL = gives(f"{HERE}.refusal_to_release", "")
RELEASES_NOTHING = gives(f"{HERE}.refusal_to_release", "Never.")


def steps_without(code: str) -> Breaking:
    """A rule that has forgotten one of the steps."""

    def forget(tools) -> None:

        every = standing.steps
        tools.patch.setattr(
            standing, "steps", lambda *given: [one for one in every(*given) if one.code != code]
        )

    return forget


def ground(code: str, **changed: object) -> Breaking:
    return item(GROUND_FACTS, code, replace(GROUND_FACTS[code], **changed))


DISCLOSURES: list[tuple[str, Breaking]] = [
    ("disclosures.case-first", accepts_anything(Release)),
    ("disclosures.case-first", gives(f"{HERE}.gate_of", "signed-in")),
    ("disclosures.case-first", gives("disclosures.rules.standing.refusal_to_change", "")),
    ("disclosures.case-first", RELEASES_NOTHING),
    ("disclosures.instrument-attached", steps_without("document")),
    ("disclosures.instrument-attached", steps_without("validity")),
    ("disclosures.instrument-attached", steps_without("approval")),
    ("disclosures.instrument-attached", ground("law", document="The order")),
    ("disclosures.instrument-attached", RELEASES_NOTHING),
    ("disclosures.grounds-by-policy", gives(f"{HERE}.offered", tuple(GROUND_FACTS))),
    ("disclosures.grounds-by-policy", RELEASES_ALL),
    ("disclosures.two-people", gives(f"{HERE}.refusal_of_person", "")),
    ("disclosures.two-people", gives(f"{HERE}.refusal_of_person", "Never.")),
    ("disclosures.two-people", steps_without("approval")),
    ("disclosures.two-people", steps_without("rationale")),
    ("disclosures.two-people", accepts_anything(Disclosure)),
    ("disclosures.two-people", accepts_anything(Release)),
    ("disclosures.terms-accounts", ground("terms", only_accounts=False)),
    ("disclosures.terms-accounts", gives(f"{HERE}.refusal_to_map", "Never.")),
    ("disclosures.emergency-reviewed", ground("safety", is_emergency=False)),
    ("disclosures.emergency-reviewed", gives(f"{HERE}.needs_second", False)),
    ("disclosures.emergency-reviewed", patched(f"{HERE}.review_due", lambda now: now)),
    (
        "disclosures.emergency-reviewed",
        patched(f"{HERE}.review_due", lambda now: now + timedelta(days=90)),
    ),
    ("disclosures.emergency-reviewed", gives(f"{HERE}.schedules", ())),
    ("disclosures.necessity-signed", steps_without("necessity")),
    ("disclosures.necessity-signed", gives(f"{HERE}.gate_of", "signed-in")),
    ("disclosures.items-justified", steps_without("items")),
    ("disclosures.items-justified", accepts_anything(Item)),
    ("disclosures.only-ordered", gives(f"{HERE}.refusal_to_map", "")),
    ("disclosures.only-ordered", accepts_anything(Item)),
    ("disclosures.only-ordered", gives(f"{HERE}.tidy_citation", "the law")),
    ("disclosures.only-ordered", gives(f"{HERE}.manifest", one_file("MANIFEST.csv", b""))),
    ("disclosures.narrowed-first", steps_without("narrowing")),
    ("disclosures.narrowed-first", gives(f"{HERE}.gate_of", "signed-in")),
    ("disclosures.told-before", pack("legal.advance_notice", False)),
    ("disclosures.told-before", steps_without("notice")),
    ("disclosures.told-before", gives("disclosures.rules.standing.refusal_of_notices", "Never.")),
    ("disclosures.told-before", gives(f"{HERE}.refusal_of_waiting", "")),
    ("disclosures.told-before", gives(f"{HERE}.refusal_of_prohibition", "")),
    ("disclosures.told-before", accepts_anything(Notice)),
    ("disclosures.told-before", gives(f"{HERE}.schedules", ())),
    ("disclosures.told-what", gives(f"{HERE}.gate_of", "public")),
    ("disclosures.told-what", gives(f"{HERE}.render_to_string", "Something was given out.")),
]
