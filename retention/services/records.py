"""Ending records that are no study when their time is over: each night, a batch at a time.

Nobody approves it: the policy has said it, and people have accepted it. Holds and open requests
are asked in the transaction that deletes; nothing is deleted while the clock cannot be trusted.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation
from accounts.services.trail import record, system_ref
from policies.rules.records import Ending, RecordKind, record_kinds
from retention.models import RecordPurge
from retention.selectors.records import Over, guard_of_records, over_now
from retention.services.clock import require_clock
from retention.services.holds import lock_organisation
from studies.rules.keeping import day_everywhere

AT_ONCE: Final = 200


def purge_records(*, organisation: Organisation) -> RecordPurge | None:
    """End what is over, kind by kind; return the report of the day, None if nothing was over.

    Safe to repeat, and to interrupt: each batch is one transaction with its line of the report.
    Raises `ClockJumped`.
    """
    over = Over(organisation, day_everywhere(timezone.now()))
    for kind in record_kinds():
        rule = over.rules.get(kind.category)
        if kind.ending is Ending.TERM and rule is not None and rule.is_carried_out:
            while _purge_batch(kind, over) == AT_ONCE:
                pass
    return RecordPurge.objects.filter(organisation=organisation, purged_on=over.today).first()


@transaction.atomic
def _purge_batch(kind: RecordKind, over: Over) -> int:
    assert kind.term is not None, kind.code
    require_clock()
    lock_organisation(over.organisation.pk)
    going, held = over_now(over, kind, guard_of_records(over.organisation.pk))
    rows = list(going.order_by("pk")[:AT_ONCE])
    number = held.count()
    if not rows and not number:
        return 0
    kind.term.purge(rows)
    _report(kind, over, gone=len(rows), held=number)
    return len(rows)


def _report(kind: RecordKind, over: Over, *, gone: int, held: int) -> None:
    report, _ = RecordPurge.objects.select_for_update().get_or_create(
        organisation=over.organisation, purged_on=over.today
    )
    line = report.lines.setdefault(kind.code, {"gone": 0})
    line |= {"gone": line["gone"] + gone, "held": held, "before": _day(kind, over).isoformat()}
    report.save(update_fields=["lines"])
    if gone:
        details: dict[str, Any] = {"kind": kind.code, "gone": gone, "held": held}
        record(
            action="records.purged", actor=system_ref(), organisation_id=over.organisation.pk,
            target=("records", str(report.pk)), details=details,
        )  # fmt: skip


def _day(kind: RecordKind, over: Over) -> date:
    moment = over.moment(kind)
    assert moment is not None, kind.code
    return moment.date()
