"""A request that was made before: taken together with the earlier one, whose clock runs on."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from dsar.models import Case
from dsar.rules.repeats import refusal_to_join
from dsar.rules.states import Act, Outcome, State
from dsar.sealing import OpenCase
from dsar.selectors.repeats import earlier_cases, earlier_of
from dsar.services.documents import end_with_answer
from dsar.services.entries import (
    CaseRefused,
    for_officer,
    locked,
    tell_person,
    write_entry,
    write_event,
)

ASKED_AGAIN = "asked-again"


def joinable(case: Case) -> list[Case]:
    """The open requests of the same person that it can be taken together with."""
    can = {one.number for one in earlier_of(case) if not refusal_to_join(one)}
    return [one for one in earlier_cases(case) if one.number in can]


@transaction.atomic
def join_case(*, actor: Actor, case: Case, to: Case) -> Case:
    """Answer a request with the earlier one. What was written goes along; who asked there, and
    how that was shown, stays as it is: nothing of this one proves anything of that one."""
    row = for_officer(actor, case, Act.JOIN)
    if to.pk not in {one.pk for one in joinable(row)}:
        raise CaseRefused("Choose an open request of the same person and kind.")
    earlier = locked(to)
    written = OpenCase(row).written.text
    write_entry(earlier, ASKED_AGAIN, by=actor, text=written, code=row.number, by_person=True)
    now = timezone.now()
    row.joined_to, row.outcome = earlier, Outcome.JOINED.value
    row.state, row.answered_at, row.closed_at = State.CLOSED.value, now, now
    row.waiting_since = None
    row.save(update_fields=["joined_to", "outcome", "state", "answered_at", "closed_at",
                            "waiting_since"])  # fmt: skip
    words = (
        f"You asked the same before. Both are answered together, as request {earlier.number}, by"
        f" {earlier.answer_on:%d %B %Y} at the latest: its time runs since it was received."
    )
    entry = write_entry(row, Act.ANSWER, by=actor, text=words, code=Outcome.JOINED.value)
    end_with_answer(row)
    tell_person(row, entry)
    write_event("request.joined", row, actor=actor, to=str(earlier.pk))
    return row
