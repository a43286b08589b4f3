"""What this room holds about a patient: what keeps their studies, and what was noted of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from policies.rules.categories import Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder
from retention.models import ArchivedStudy, Hold, StudyMilestone
from retention.selectors.holds import holds_on
from studies.models import Study


def _studies(whose: Whose) -> list[Study]:
    return list(
        Study.objects.filter(
            organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
        ).order_by("pk")
    )


def _milestones(whose: Whose) -> list[StudyMilestone]:
    uids = [study.uid for study in _studies(whose)]
    return list(
        StudyMilestone.objects.filter(
            organisation_id=whose.organisation_id, study_uid__in=uids
        ).order_by("noted_at", "pk")
    )


def _holdings(whose: Whose) -> Iterator[Holding]:
    in_force = list(Hold.objects.filter(organisation_id=whose.organisation_id, lifted_at=None))
    found = {hold.pk for study in _studies(whose) for hold in holds_on(study, in_force)}
    if found:
        yield Holding(
            Category.REQUESTS, "Holds that keep the studies", len(found),
            source="placed by privacy officers", kept="as evidence",
            withheld="what they are about concerns others too",
        )  # fmt: skip
    archived = ArchivedStudy.objects.filter(
        organisation_id=whose.organisation_id, study__subject_id__in=whose.subject_ids
    )
    if first := archived.order_by("archived_at").first():
        yield Holding(
            Category.IMAGES, "Studies in the legal archive", archived.count(), first.archived_at,
            kept="until the law's time has passed",
            withheld="a signed authorization opens them; ask for their release",
        )  # fmt: skip
    if milestones := _milestones(whose):
        yield Holding(
            Category.MEDICAL, "Notes that work with a study has come to an end", len(milestones),
            milestones[0].noted_at, "noted by people of the organisation", file="milestones.json",
        )  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    if milestones := _milestones(whose):
        listed = [
            {
                "study": one.study_uid,
                "what": one.get_milestone_display(),
                "happened_on": one.happened_on.isoformat(),
            }
            for one in milestones
        ]
        text = json.dumps(listed, indent=2, ensure_ascii=False)
        yield one_file("milestones.json", text.encode())


def register() -> None:
    register_holder(Holder("retention", "What keeps the studies", _holdings, _files))
