"""Studies that may be due, found without opening any: what cannot be due is left out unread.

When an examination was is read back from its keyed hash, and so is what came after it. Whether a
birth date makes a difference is not known here: whoever goes on with what is given looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q

from consent.models import DataSubject
from retention.rules.facts import MILESTONE_LABELS
from retention.rules.horizon import last_start
from retention.rules.schedule import Scheduled
from retention.selectors.batches import AT_ONCE
from retention.selectors.keeping import Ends, Seen, facts_from, milestones_of, modalities_of
from studies import index
from studies.models import Study
from studies.selectors import THERE

_OF_EXAMINATION = frozenset({"examination", "last-contact"})
_COLUMNS = (
    "id", "subject_id", "subject__kind", "uid", "modalities", "doubts", "created_at", "year_token",
    "day_token", "is_anonymous", "is_long_ago",
)  # fmt: skip


def prospects(organisation_id: UUID, ends: Ends, today: date) -> Iterator[list[Study]]:
    """Give them in batches, a subject's studies beside each other."""
    for subjects in _batches(_rows(organisation_id, ends, today)):
        uids = [row.uid for rows in subjects for row in rows if row.is_long_ago]
        milestones = milestones_of(organisation_id, uids)
        likely = [
            row.id for rows in subjects
            for row in _likely(organisation_id, rows, milestones, ends, today)
        ]  # fmt: skip
        if likely:
            yield list(Study.objects.filter(pk__in=likely).order_by("subject_id", "id"))


def _rows(organisation_id: UUID, ends: Ends, today: date) -> Iterator[Any]:
    """All studies of every subject of whom one was made long ago."""
    studies = Study.objects.filter(THERE, organisation_id=organisation_id)
    is_over = _is_long_ago(organisation_id, ends, today)
    rows = studies.filter(subject_id__in=studies.filter(is_over).values("subject_id"))
    rows = rows.annotate(is_long_ago=ExpressionWrapper(is_over, output_field=BooleanField()))
    listed = rows.order_by("subject_id", "id").values_list(*_COLUMNS, named=True)
    return listed.iterator(chunk_size=AT_ONCE)


def _batches(rows: Iterable[Any]) -> Iterator[list[list[Any]]]:
    """Whole subjects, some at a time."""
    batch: list[list[Any]] = []
    size = 0
    for _, group in groupby(rows, key=attrgetter("subject_id")):
        batch.append(list(group))
        size += len(batch[-1])
        if size >= AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _likely(
    organisation_id: UUID, rows: Sequence[Any], milestones: Mapping[str, dict[str, date]],
    ends: Ends, today: date,
) -> Iterator[Any]:  # fmt: skip
    """Of one subject, what may be due by all that is known without opening anything."""
    days = [index.day_of_tokens(organisation_id, row.year_token, row.day_token) for row in rows]
    if None in days:
        # Some day is not told by its hash.
        yield from (row for row in rows if row.is_long_ago)
        return
    seen, is_animal = Seen(), rows[0].subject__kind == DataSubject.Kind.ANIMAL
    for row, day in zip(rows, days, strict=True):
        seen.note(day or date.min, is_mammogram="MG" in modalities_of(row.modalities))
    for row, day in zip(rows, days, strict=True):
        if row.is_long_ago:
            noted = milestones.get(row.uid, {})
            facts = facts_from(row, day, seen, is_animal=is_animal, milestones=noted)
            until = ends.not_before(facts, is_anonymous=row.is_anonymous)
            if until is not None and today > until:
                yield row


# In SQL ------------------------------------------------------------------------------------------
def _is_long_ago(organisation_id: UUID, ends: Ends, today: date) -> Q:
    """What the shortest of the policy's periods leaves."""
    terms = ends.terms
    of_people = Q(is_anonymous=False) & _is_over(organisation_id, terms.schedule, today)
    of_nobody = Q(is_anonymous=True) & _is_over(organisation_id, terms.of_anonymous, today)
    return of_people | of_nobody


def _is_over(organisation_id: UUID, schedule: Sequence[Scheduled], today: date) -> Q:
    """Every line of a schedule has to be over; what somebody has to note is not asked for here."""
    if not schedule:
        return Q(pk__in=[])
    found = Q()
    for line in schedule:
        start = last_start(line.keep, today)
        if start is None:
            return Q(pk__in=[])
        if line.trigger in _OF_EXAMINATION:
            found &= _examined_until(organisation_id, start, today)
        elif line.trigger not in MILESTONE_LABELS:
            found &= Q(created_at__lt=datetime.combine(start + timedelta(days=1), time(), UTC))
    return found


def _examined_until(organisation_id: UUID, start: date, today: date) -> Q:
    """Not examined after a day, as far as hashes of days tell; what gives no day stays in."""
    # To the end of this year, for a whole year is one hash.
    after = index.tokens_of_range(
        organisation_id, start + timedelta(days=1), date(today.year, 12, 31)
    )
    later = Q()
    for column, tokens in after.items():
        if tokens:
            later |= Q(**{f"{column}_token__in": tokens})
    return Q(day_token=None) | ~later
