"""The end of a request for a correction: what reads otherwise now, or why not and what is said of
that (C31; GDPR Art. 16, 45 CFR 164.526)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import transaction

from accounts.rules import Actor
from accounts.services.notifications import notify
from accounts.services.trail import anonymous_ref
from consent.models import DataSubject
from dsar.models import Case
from dsar.permissions import is_person_of
from dsar.rules.directing import corrects
from dsar.rules.kinds import Kind
from dsar.rules.states import Act, Outcome
from dsar.selectors import people_working_on
from dsar.services.entries import (
    CaseRefused,
    NotYours,
    for_officer,
    locked,
    needed,
    require_now,
    tell_person,
    write_entry,
    write_event,
)
from dsar.services.handling import give_answer
from dsar.services.pausing import subjects_meant
from studies.models import Statement, Study
from studies.rules.correcting import ATTRIBUTES, value_words
from studies.services.correcting import CorrectionRefused, correct_studies, values_of
from studies.services.disagreeing import keep_statement

CORRECTED = "corrected"
ELSEWHERE = "elsewhere"


@transaction.atomic
def grant_correction(
    *,
    actor: Actor,
    case: Case,
    text: str,
    outcome: Outcome,
    values: Mapping[str, str],
    studies: Collection[str] = (),
    elsewhere: bool = False,
) -> Case:
    """Correct images of the one person a request is about, and answer it: all of it or nothing.

    `values` by tag; `studies` empty: all of theirs. `elsewhere`: it was about something else than
    images, and was put right there. Raises `CaseRefused`.
    """
    row = for_officer(actor, case, Act.ANSWER)
    if not corrects(Kind(row.kind), outcome):
        raise CaseRefused("Only a request for a correction ends like this.")
    answered = give_answer(actor=actor, row=row, text=text, outcome=outcome)
    if elsewhere and not values:
        write_entry(answered, CORRECTED, by=actor, code=ELSEWHERE, shown=False)
        return answered
    subject = _one_subject(row)
    named = frozenset(studies) or frozenset(
        Study.objects.filter(subject=subject, archived_at=None).values_list("uid", flat=True)
    )
    before = _before(subject, named)
    try:
        rows = correct_studies(
            actor=actor, subject=subject, study_uids=named, values=values, case_number=row.number
        )
    except CorrectionRefused as refusal:
        raise CaseRefused(str(refusal)) from None
    words = _words(before, values, len(rows))
    write_entry(answered, CORRECTED, by=actor, text=words, code=str(len(rows)))
    return answered


def _one_subject(case: Case) -> DataSubject:
    subjects = subjects_meant(case)
    if len(subjects) != 1:
        raise CaseRefused(
            "A correction is of one person: link exactly one to the request, under what is held."
        )
    return subjects[0]


def _before(subject: DataSubject, named: Collection[str]) -> dict[str, str]:
    rows = Study.objects.filter(subject=subject, uid__in=named, archived_at=None)
    study = rows.order_by("-id").first()
    if study is None:
        raise CaseRefused("No study of this person is held, so there is nothing to correct.")
    return values_of(study)


def _words(before: Mapping[str, str], values: Mapping[str, str], number: int) -> str:
    """What was done, as a letter says it."""
    lines = [
        f"{ATTRIBUTES[tag].label}: {value_words(tag, before[tag]) or 'nothing'}"
        f" → {value_words(tag, value)}"
        for tag, value in values.items()
    ]
    where = f"In {number} stud{'y' if number == 1 else 'ies'}, from now on wherever it is shown:"
    return "\n".join([where, *lines, "Whoever was given images of it was told."])


# Disagreement ------------------------------------------------------------------------------------
@transaction.atomic
def disagree(*, case: Case, text: str, actor: Actor | None = None) -> Case:
    """Keep the statement of whoever does not agree with a refusal, with every study of theirs.

    The caller has found the case by their session, or by the link of their letter.
    """
    row = locked(case)
    if actor is not None and not is_person_of(actor, row):
        raise NotYours("This request is somebody else's.")
    require_now(row, Act.DISAGREE)
    words = needed(text)
    write_entry(row, Act.DISAGREE, by=actor, text=words, by_person=True)
    number = keep_statement(
        actor=actor or anonymous_ref(), subjects=subjects_meant(row),
        kind=Statement.Kind.DISAGREEMENT, text=words, case_number=row.number,
    )  # fmt: skip
    write_event("request.disagreed", row, actor=actor, studies=number)
    notify(users=people_working_on(row), template="request-disagreed", target_id=row.number)
    return row


@transaction.atomic
def rebut(*, actor: Actor, case: Case, text: str) -> Case:
    """Reply once to a statement; the person gets a copy, and both go with the studies."""
    row = for_officer(actor, case, Act.REBUT)
    words = needed(text)
    entry = write_entry(row, Act.REBUT, by=actor, text=words)
    number = keep_statement(
        actor=actor, subjects=subjects_meant(row), kind=Statement.Kind.REBUTTAL, text=words,
        case_number=row.number,
    )  # fmt: skip
    tell_person(row, entry)
    write_event("request.rebutted", row, actor=actor, studies=number)
    return row
