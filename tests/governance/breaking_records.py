"""How the controls of ending records are broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from accounts.models import Invoice
from policies.rules import records
from policies.rules.erasing import Fate, Line
from retention.models import DisposalRun
from retention.rules.disposal import NEXT, Step
from retention.rules.keeping import Claim, Keeping
from tests.governance.tools import (
    Breaking,
    Tools,
    accepts_anything,
    gives,
    item,
    patched,
    without,
)

RECORDS = "retention.controls.records"
ACCOUNT = "dsar.controls.account"


def line(category: str, **said: str) -> Breaking:
    """A schedule whose line for a category says something else."""

    def change(tools: Tools) -> None:
        lines = dict(tools.values["retention"])
        lines[category] = {**lines[category], **said}
        for name in [name for name, value in said.items() if not value]:
            del lines[category][name]
        tools.values["retention"] = lines

    return change


def unsaid(category: str) -> Breaking:
    def change(tools: Tools) -> None:
        lines = dict(tools.values["retention"])
        del lines[category]
        tools.values["retention"] = lines

    return change


def ends(code: str, **other: object) -> Breaking:
    """A kind of record that finds or deletes something else."""
    kind = records._kinds[code]
    assert kind.term is not None, code
    return item(records._kinds, code, replace(kind, term=replace(kind.term, **other)))  # type: ignore[arg-type]


def other_step(tools: Tools) -> None:
    """Files first, and the key after them."""
    tools.patch.setitem(NEXT, Step.WITHDRAWN, Step.FILES_DELETED)


NEVER = (Claim(date(2020, 3, 2), "never", "nothing"),)
ENDLESS = Keeping(date(2020, 3, 2), NEVER, "delete", is_endless=True)
BEFORE = Keeping(date(2020, 3, 1), NEVER, "delete")
AT_ONCE = Keeping(date(2020, 3, 2), NEVER, "delete")

RECORDS_BROKEN: list[tuple[str, Breaking]] = [
    ("retention.accounts-end", unsaid("account")),
    ("retention.accounts-end", line("account", trigger="examination")),
    ("retention.accounts-end", without(records._kinds, "accounts.account")),
    ("retention.accounts-end", gives(f"{RECORDS}.erase_account", None)),
    ("retention.accounts-end", patched(
        "retention.rules.records.Rule.last_start_over", lambda *_: date(2026, 6, 20),
    )),
    ("retention.everything-ends", without(records._kinds, "accounts.invoices")),
    ("retention.everything-ends", unsaid("technical")),
    ("retention.everything-ends", gives(f"{RECORDS}.is_used", True)),
    ("retention.everything-ends", gives("retention.rules.records.is_used", True)),
    ("retention.purged-nightly", gives(f"{RECORDS}.schedules", [])),
    ("retention.purged-nightly", ends("accounts.messages", purge=lambda _: None)),
    ("retention.purged-nightly", patched(
        "retention.rules.records.Rule.last_start_over", lambda *_: date(2026, 6, 1),
    )),
    ("retention.purged-nightly", patched(
        "retention.rules.records.Rule.last_start_over", lambda *_: date(2020, 6, 1),
    )),
    ("retention.invoices-stay", line("billing", cites="")),
    ("retention.invoices-stay", line("billing", keep="7 days")),
    ("retention.invoices-stay", gives(f"{RECORDS}.read_duty", None)),
    ("retention.invoices-stay", patched(
        f"{RECORDS}.erase_account", lambda **_: Invoice.objects.all().delete(),
    )),
    ("retention.below-law-refused", gives(f"{RECORDS}.below_law", [])),
    ("retention.below-law-refused", gives(f"{RECORDS}.duties_over", ())),
    ("retention.diagnosis-first", line("images", and_until="")),
    ("retention.diagnosis-first", gives(f"{RECORDS}.keeping_of", AT_ONCE)),
    ("retention.diagnosis-first", gives(f"{RECORDS}.keeping_of", ENDLESS)),
    ("retention.anonymous-apart", gives(f"{RECORDS}.keeping_without_a_person", BEFORE)),
    ("retention.anonymous-apart", gives(f"{RECORDS}.destroy_way_back", None)),
    ("retention.disposal-final", other_step),
    ("retention.disposal-final", item(NEXT, Step.FILES_DELETED, Step.GONE)),
    ("retention.disposal-final", gives(f"{RECORDS}.destroy_way_back", None)),
    ("retention.disposal-final", accepts_anything(DisposalRun)),
    ("dsar.account-deleted", gives(f"{ACCOUNT}.gate_of", "public")),
    ("dsar.account-deleted", gives(f"{ACCOUNT}.erasers", [])),
    ("dsar.account-deleted", gives(f"{ACCOUNT}.end_account", None)),
    ("dsar.account-deleted", gives(f"{ACCOUNT}.letter_text", "Done.")),
    ("dsar.account-deleted", gives(f"{ACCOUNT}.plan_account", [Line(Fate.GOES, "All", 1)])),
    ("dsar.account-deleted", gives("consent.services.ending_accounts.sole_roles_at", [])),
]  # fmt: skip
