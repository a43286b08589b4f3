"""What an erasure does with holds: they stay. Studies go by a disposal of their own."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose
from retention.models import Hold, StudyMilestone
from retention.selectors.holds import holds_on
from studies.models import Study


def _plan(whose: Whose) -> Iterator[Line]:
    studies = list(
        Study.objects.filter(
            organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
        )
    )
    # Lifted ones too: what they were about is written in them.
    holds = list(Hold.objects.filter(organisation_id=whose.organisation_id))
    found = {hold.pk for study in studies for hold in holds_on(study, holds)}
    found |= {hold.pk for hold in holds if hold.subject_id in whose.subject_ids}
    if found:
        yield Line(
            Fate.STAYS, "Holds on studies", len(found),
            "they are needed for legal claims (GDPR Art. 17(3)(e))",
        )  # fmt: skip
    noted = StudyMilestone.objects.filter(
        organisation_id=whose.organisation_id, study_uid__in=[study.uid for study in studies]
    ).count()
    if noted:
        yield Line(
            Fate.CHANGES, "Notes that work with a study has ended", noted,
            "each goes with its study",
        )  # fmt: skip


def _carry_out(_erased: Erased) -> None:
    return


def register() -> None:
    register_eraser(Eraser("retention", _plan, _carry_out))
