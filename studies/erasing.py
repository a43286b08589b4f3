"""What an erasure does with the trail of studies: what stands beside its events goes, they stay."""

from __future__ import annotations

from collections.abc import Iterator

from audit.models import Event, EventCommitment
from audit.selectors import number_for_subjects
from audit.services.erase import erase_private_values
from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose


def _plan(whose: Whose) -> Iterator[Line]:
    events = Event.objects.filter(subject_id__in=[str(one) for one in whose.subject_ids])
    beside = EventCommitment.objects.filter(event_id__in=events.values("pk")).count()
    if beside:
        yield Line(Fate.GOES, "What the trail keeps beside its entries", beside)
    acts = number_for_subjects(subject_ids=whose.subject_ids, organisation_id=whose.organisation_id)
    if acts:
        yield Line(
            Fate.STAYS, "Acts in the trail", acts,
            "the law asks for a trail (45 CFR 164.312(b)); it holds numbers, no names",
        )  # fmt: skip


def _carry_out(erased: Erased) -> None:
    for subject_id in erased.whose.subject_ids:
        erase_private_values(subject_id=subject_id)


def register() -> None:
    register_eraser(Eraser("studies", _plan, _carry_out))
