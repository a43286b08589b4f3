"""How the controls of releases are broken."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from accounts.rules import ROLE_CAPABILITIES, Capability, Role
from policies.rules.gate import NO_PERSONAL_DATA
from policies.rules.purposes import SECONDARY, Purpose
from releases.models import SnapshotBlock
from releases.rules.aggregates.blocks import Blocks
from releases.rules.aggregates.tables import Table, table_of
from releases.rules.aggregates.vocabulary import Facts
from releases.rules.risk import Risk
from tests.governance.tools import Breaking, accepts_anything, gives, item, pack, patched

NO_RISK = Risk(2, None, (), 11)


def everything_shown(blocks: Blocks, *by: str, at_least: int) -> Table:
    """A table that hides its small cells by zero, so that the sums give them away."""
    table = table_of(blocks, *by, at_least=at_least)
    lines = tuple(
        replace(line, people=sum(cell or 0 for cell in line.cells) + 3) for line in table.lines
    )
    return replace(table, lines=lines)


RELEASES: list[tuple[str, Breaking]] = [
    ("releases.people-taken-out", gives("releases.controls.doubts_of", [])),
    ("releases.people-taken-out", gives("releases.controls.Cleaner.clean", None)),
    ("releases.terms-asked", gives("releases.controls.refusal_of_plan", "")),
    ("releases.terms-asked", gives("releases.controls.refusal_of_plan", "No.")),
    ("releases.terms-asked", gives("releases.controls.purposes_under", [])),
    ("releases.consent-asked", gives("releases.controls.exclusion_of", None)),
    ("releases.consent-asked", gives("releases.controls.can_be_done", False)),
    (
        "releases.consent-asked",
        item(SECONDARY, Purpose.AI_TRAINING, "secondary.research"),
    ),
    ("releases.risk-measured", gives("releases.controls.risk_of", NO_RISK)),
    ("releases.agreement-cleans", gives("releases.controls.needed_options", frozenset())),
    ("releases.project-ends", gives("releases.controls.schedules", [])),
    ("releases.project-ends", gives("releases.controls.can_be_done", True)),
    (
        "releases.project-ends",
        item(ROLE_CAPABILITIES, Role.RESEARCHER, frozenset({Capability.LOOK_UP_LINKS})),
    ),
    ("releases.counts-in-groups", gives("releases.rules.aggregates.cutting._halves", ())),
    ("releases.counts-in-groups", patched("releases.controls.table_of", everything_shown)),
    ("releases.counts-in-groups", gives("releases.controls.refusal_to_replace", "")),
    ("releases.counts-in-groups", gives("releases.rules.aggregates.blocks.check_group_size", None)),
    ("releases.counts-in-groups", accepts_anything(SnapshotBlock)),
    ("releases.counts-scanned", gives("releases.rules.aggregates.tables.must_not_identify", None)),
    ("releases.counts-scanned", gives("releases.controls.facts_of", Facts())),
    ("releases.counts-apart", patched("releases.controls.counts_alone", nullcontext)),
    ("releases.counts-inside", gives("releases.services.counting.can_read_counts", True)),
    ("releases.counts-inside", gives("releases.services.counting.record", None)),
    ("releases.counts-inside", gives("releases.controls.declared_use", NO_PERSONAL_DATA)),
    ("releases.counts-inside", pack("purposes", {})),
]
