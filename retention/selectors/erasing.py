"""What an erasure would let go, for whoever thinks of asking: nothing is planned by looking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from accounts.models import Organisation
from retention.rules.disposal import KEPT_LABELS, Kept
from retention.rules.keeping import Keeping, why_not_erased
from retention.selectors.holds import guard_of
from retention.selectors.keeping import keeping_of_studies, terms_of
from studies.models import Study
from studies.rules.keeping import day_everywhere
from studies.selectors import HIDDEN, THERE


def erasure_forecast(
    organisation: Organisation, subject_ids: Collection[UUID]
) -> tuple[int, dict[str, int]]:
    """How many studies of these subjects would go, and why how many would stay, until when.

    That there is a hold, or another request, is not told here: it can be about somebody else.
    """
    # Of the same that a plan looks at.
    rows = Study.objects.filter(
        THERE | HIDDEN, organisation=organisation, subject_id__in=subject_ids
    )
    studies = list(rows.select_related("organisation").order_by("id"))
    keepings = keeping_of_studies(studies, terms_of(organisation))
    guard, today = guard_of(organisation.pk, studies), day_everywhere(timezone.now())
    reasons: Counter[str] = Counter()
    for study in studies:
        keeping = keepings.get(study.pk)
        why = why_not_erased(keeping, today)
        if why is not None:
            reasons[_words(why, keeping)] += 1
        elif guard.bar_for(study):
            reasons["something else has to end first; the answer says what"] += 1
    return len(studies) - reasons.total(), dict(sorted(reasons.items()))


def _words(why: Kept, keeping: Keeping | None) -> str:
    if why is Kept.LAW and keeping is not None and keeping.floor is not None:
        floor = keeping.floor
        return f"the law asks for it until {floor.until:%-d %B %Y} ({floor.cites})"
    return KEPT_LABELS[why]
