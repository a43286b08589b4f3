"""Many studies, some at a time: so that nothing grows with the store."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.db.models import QuerySet

from studies.models import Study

AT_ONCE = 1_000


def batches_of(studies: QuerySet[Study]) -> Iterator[list[Study]]:
    """Give them in batches, a subject's studies beside each other."""
    rows = studies.order_by("subject_id", "id").iterator(chunk_size=AT_ONCE)
    while batch := list(islice(rows, AT_ONCE)):
        yield batch
