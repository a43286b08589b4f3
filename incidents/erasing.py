"""What an erasure does with incidents: that somebody was told, and of what, stays."""

from __future__ import annotations

from collections.abc import Iterator

from incidents.models import Affected
from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose


def _plan(whose: Whose) -> Iterator[Line]:
    """Of incidents of which they were told; the others are not in what is said to be held."""
    rows = Affected.objects.filter(
        incident__organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
    ).exclude(told="")
    if number := rows.count():
        yield Line(
            Fate.STAYS, "Letters about incidents that touched the data", number,
            "they show who was told of a breach, and go when the policy's term for the trail is"
            " over (GDPR Art. 33(5); 45 CFR 164.414(b))",
        )  # fmt: skip


def _carry_out(_erased: Erased) -> None:
    """A number and a list of studies stay; names were never in it, and the study itself is gone."""


def register() -> None:
    register_eraser(Eraser("incidents", _plan, _carry_out))
