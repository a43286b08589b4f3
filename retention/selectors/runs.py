"""Reads of disposal runs, their studies and certificates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from accounts.models import MembershipRole
from accounts.rules import Actor, Capability, Role
from jobs.models import Job
from retention.models import Certificate, DisposalItem, DisposalRun
from retention.rules.disposal import KEPT_LABELS, STEP_LABELS, Fate, Kept, RunState, Step
from retention.rules.duties import DUTIES
from studies.rules.deidentification.assess import DOUBT_WORDS, Doubt
from studies.rules.reasons import SENTENCES

_SEEING = (Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
_PEOPLE = ("organisation", "first_by", "second_by", "ended_by")


def may_see_runs(actor: Actor) -> bool:
    return actor.can(Capability.APPROVE_DISPOSAL) or actor.can(Capability.SEE_TRAIL)


def runs_of(actor: Actor) -> QuerySet[DisposalRun]:
    """The runs of the organisation that somebody works for; nobody else's."""
    if not may_see_runs(actor):
        return DisposalRun.objects.none()
    rows = DisposalRun.objects.filter(organisation_id=actor.organisation_id)
    return rows.exclude(state=RunState.PLANNING).select_related(*_PEOPLE).order_by("-number")


def certificates_of(actor: Actor) -> QuerySet[Certificate]:
    rows = Certificate.objects.filter(run__in=runs_of(actor).values("pk"))
    people = ("run__organisation", "run__first_by", "run__second_by")
    return rows.select_related("run", *people).order_by("-number")


def items_of(run: DisposalRun, *, kept: bool) -> QuerySet[DisposalItem]:
    rows = DisposalItem.objects.filter(run=run).order_by("id")
    return rows.filter(step=Step.KEPT) if kept else rows.exclude(step=Step.KEPT)


@dataclass(frozen=True, slots=True)
class ItemWords:
    """A study of a run, in words: why it goes, how far it is, or why it stays."""

    item: DisposalItem
    why: str
    stands: str

    @property
    def is_there(self) -> bool:
        """Can somebody still look at it?"""
        return self.item.step in {Step.PLANNED, Step.KEPT} and self.item.kept_for != Kept.ABSENT


def words_of_items(items: list[DisposalItem]) -> list[ItemWords]:
    return [ItemWords(item, _why(item), _stands(item)) for item in items]


def _why(item: DisposalItem) -> str:
    duty = DUTIES.get(item.duty)
    return f"{duty.law} ({duty.cites})" if duty else "privacy policy"


def _stands(item: DisposalItem) -> str:
    if item.step == Step.KEPT:
        return _kept(item)
    words = STEP_LABELS[Step(item.step)] + _copied(item)
    return f"{words}. The last try failed ({item.failure})" if item.failure else words


def _kept(item: DisposalItem) -> str:
    words = KEPT_LABELS[Kept(item.kept_for)]
    if item.kept_for == Kept.IN_DOUBT:
        doubts = (f"{count}: {_doubt(code)}" for code, count in sorted(item.doubts.items()))
        words = f"{words} ({'; '.join(doubts)})"
    return words[0].upper() + words[1:]


def _doubt(code: str) -> str:
    return DOUBT_WORDS[Doubt(code)] if code in set(Doubt) else SENTENCES.get(code, code)


def _copied(item: DisposalItem) -> str:
    if item.fate != Fate.ANONYMISE:
        return ""
    if item.step == Step.PLANNED:
        return ". It is made anonymous first"
    left_out = item.objects_count - item.copied
    without = f", and {left_out} could not be" if left_out else ""
    return f". {item.copied} of its objects were made anonymous{without}"


def counts_of_run(run: DisposalRun) -> dict[str, int]:
    """How many studies are at which step, by the words for it."""
    counted = run.items.order_by().values_list("step").annotate(Count("pk"))
    found = dict(counted)
    return {STEP_LABELS[step]: found[step] for step in Step if step in found}


def reasons_to_keep(run: DisposalRun) -> dict[str, int]:
    counted = run.items.filter(step=Step.KEPT).order_by().values_list("kept_for")
    return {KEPT_LABELS[Kept(why)]: count for why, count in counted.annotate(Count("pk"))}


def can_see_disposal(user: Any, job: Job) -> bool:
    """Whoever may see the runs of an organisation sees how far their work is."""
    return job.kind.startswith("retention.") and (
        MembershipRole.objects.filter(
            membership__user_id=user.pk, membership__is_active=True,
            membership__organisation_id=job.organisation_id or None, role__in=_SEEING,
        ).exists()
    )  # fmt: skip
