"""The list of rejected studies: what, why, who, and until when each can be restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.rules import Actor
from accounts.selectors.names import names_of
from accounts.services.trail import record
from consent.selectors import may_be_listed
from policies.selectors import packs_held
from studies.models import Instance, Rejection, Study
from studies.permissions import answers_for_members
from studies.rules.display import StudyWords, words_of_study
from studies.rules.rejecting import (
    REASONS,
    Reason,
    Why,
    refusal_to_restore,
    restorable_until,
    restore_days,
)
from studies.sealing import rejection_context
from studies.selectors import study_summaries
from vault.rules.sealed_field import FieldSealer
from vault.selectors import tombstones_of
from vault.services.data_keys import open_data_keys

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Row:
    """`words` are left out for whoever may not know of patients."""

    rejection: Rejection
    words: StudyWords | None
    modalities: str
    reason: Reason
    note: str
    by: str
    until: date
    is_over: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    page: Page[Any]
    rows: list[Row]


def rejections_for(actor: Actor) -> QuerySet[Rejection]:
    """What the actor can restore, the latest first: all of it for administrators, else one's own.

    What went to the legal archive since is there, and not here.
    """
    rows = Rejection.objects.filter(
        study__organisation_id=actor.organisation_id, study__archived_at=None
    )
    if not answers_for_members(actor):
        of_others = Instance.objects.filter(study=OuterRef("study")).exclude(
            upload__submitted_by_id=actor.user_id
        )
        rows = rows.filter(~Exists(of_others))
    found = rows.select_related("study").annotate(object_count=Count("study__instances"))
    return found.order_by("-at", "pk")


def rejected_list(*, actor: Actor, page: str | None) -> Rejected:
    """Return one page of what the actor can restore, and record that it was read."""
    found = Paginator(rejections_for(actor), PER_PAGE).get_page(page)
    rows = list(found.object_list)
    # Of what is being disposed of nothing opens any more.
    gone = set(tombstones_of([row.study.key_id for row in rows]))
    whole = [row for row in rows if row.study.key_id not in gone]
    words, notes = _words(actor, whole), _notes(whole)
    names = names_of({str(row.by_id) for row in rows})
    days = days_to_restore(actor)
    record(action="study.rejected_listed", actor=actor, details={"results": len(rows)})
    return Rejected(found, [
        _row(one, words.get(one.pk), notes.get(one.pk, ""), names.get(str(one.by_id), ""), days)
        for one in rows
    ])  # fmt: skip


def days_to_restore(actor: Actor) -> int:
    """How long the policy of the actor's organisation leaves for it."""
    held = packs_held(actor.organisation_id) if actor.organisation_id else ()
    return restore_days(held[-1].values if held else {})


def _row(rejection: Rejection, words: StudyWords | None, note: str, by: str, days: int) -> Row:
    until = restorable_until(rejection.at.date(), days)
    return Row(
        rejection, words, ", ".join(filter(None, rejection.study.modalities.split("\\"))),
        REASONS[Why(rejection.why)], note, by, until,
        bool(refusal_to_restore(until, timezone.now())),
    )  # fmt: skip


def _notes(rows: Sequence[Rejection]) -> dict[int, str]:
    """What was noted with them: one query for all keys."""
    keys = open_data_keys(ids={row.study.key_id for row in rows})
    return {
        row.pk: FieldSealer(keys[row.study.key_id])
        .open(row.sealed_note, rejection_context(row.study.organisation_id, row.study.uid))
        .decode()
        for row in rows
    }


def _words(actor: Actor, rows: Sequence[Rejection]) -> dict[int, StudyWords]:
    """By the same decision as any list: whose a study is knows who may know of patients."""
    known = list(
        Study.objects.filter(
            may_be_listed(actor, at=timezone.now()), pk__in=[row.study_id for row in rows]
        )
    )
    return {
        study.pk: words_of_study(orjson.loads(summary))
        for study, summary in zip(known, study_summaries(known), strict=True)
    }
