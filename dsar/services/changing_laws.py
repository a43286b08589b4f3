"""Another law counts for a case than it was taken in with: by an officer, with a reason (C29).

Both pictures are seen first. The person reads why, and is told if their day has changed.
"""

from __future__ import annotations

from django.db import transaction

from accounts.rules import Actor
from dsar.models import Case
from dsar.rules.changing_laws import Change
from dsar.rules.states import Act
from dsar.selectors.laws import pictures_of
from dsar.services.entries import (
    CaseRefused,
    for_officer,
    needed,
    tell_person,
    write_entry,
    write_event,
)


@transaction.atomic
def change_laws(*, actor: Actor, case: Case, change: Change, text: str, seen: str) -> Case:
    """Change the laws that a case runs under, and with them its days.

    `seen` is the mark of the picture that the officer looked at: if somebody has changed it
    meanwhile, nothing is done. Raises `CaseRefused`.
    """
    row = for_officer(actor, case, Act.LAWS)
    why = needed(text)
    found = pictures_of(row, change)
    if found.refusal:
        raise CaseRefused(found.refusal)
    before, after = found.before, found.after
    if before.mark != seen:
        raise CaseRefused("Somebody has changed this request meanwhile. Look at it once more.")
    row.laws = [law.value for law in after.counting.laws]
    row.residence = after.counting.residence
    row.acknowledge_on, row.answer_on = after.deadlines.acknowledge_on, after.answer_on
    if found.moves:
        # Of the new day officers are reminded anew, and told anew once it is over.
        row.reminded_at = row.escalated_at = None
    row.save(update_fields=["laws", "residence", "acknowledge_on", "answer_on", "reminded_at",
                            "escalated_at"])  # fmt: skip
    entry = write_entry(row, Act.LAWS, by=actor, text=f"{why}\n\n{found.words}",
                        code=after.answer_on.isoformat())  # fmt: skip
    if found.moves:
        tell_person(row, entry)
    laws_before, laws_now = set(before.counting.laws), set(after.counting.laws)
    write_event(
        "request.laws_changed", row, actor=actor, reason=change.reason.value,
        added=sorted(laws_now - laws_before), removed=sorted(laws_before - laws_now),
        due_before=before.answer_on, due_on=after.answer_on,
    )  # fmt: skip
    return row
