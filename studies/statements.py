"""The few statements that every request for pixels and every stored object runs.

What comes back are ordinary rows, with the columns that these paths need; others load on use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db import connection

from config.statements import adapted, fetch, places
from studies.models import Blob, Instance, Series, Study

_SHOWN_STUDY: Final = (
    "id", "organisation_id", "uid", "subject_id", "instance_count", "held_count",
)  # fmt: skip
_FILED_STUDY: Final = (
    *_SHOWN_STUDY, "key_id", "patient_id_token", "modalities", "series_count", "bytes",
    "changed_at", "archived_at", "rejected_at",
)  # fmt: skip
_INSTANCE: Final = (
    "id", "study_id", "series_id", "organisation_id", "uid", "sop_class_uid",
    "transfer_syntax_uid", "frames", "rows", "columns", "blob_id", "offset", "length", "layout",
    "created_at",
)  # fmt: skip
_BLOB: Final = ("id", "name", "key_id")
_SERIES: Final = ("id", "study_id", "uid", "modality", "instance_count")


def own_study(organisation_id: UUID, uid: str) -> Study | None:
    """Return a study that the organisation itself holds."""
    condition = """WHERE t.organisation_id = %s AND t.uid = %s
        AND (t.instance_count > 0 OR t.held_count > 0)"""
    return next(iter(fetch(Study, _SHOWN_STUDY, condition, [organisation_id, uid])), None)


def shown_instance(study: Study, series_uid: str, instance_uid: str) -> Instance | None:
    """Return one object of a study, with its blob, unless it is held."""
    found = fetch(
        Instance,
        _INSTANCE,
        """JOIN studies_series s ON s.id = t.series_id
        WHERE t.organisation_id = %s AND t.uid = %s AND t.study_id = %s AND s.uid = %s
        AND NOT t.held""",
        [study.organisation_id, instance_uid, study.pk, series_uid],
    )
    for row in found:
        row.blob = fetch(Blob, _BLOB, "WHERE t.id = %s", [row.blob_id])[0]
    return next(iter(found), None)


def studies_to_file(
    organisation_id: UUID, uids: Collection[str], *, lock: bool = False
) -> list[Study]:
    """Return the studies there are, in the order of their UIDs, in which everybody locks them."""
    locking = " FOR UPDATE" if lock and connection.features.has_select_for_update else ""
    condition = f"WHERE t.organisation_id = %s AND t.uid IN ({places(len(uids))}) ORDER BY t.uid"
    return fetch(Study, _FILED_STUDY, condition + locking, [organisation_id, *uids]) if uids else []


def series_to_file(study_ids: Collection[int], uids: Collection[str]) -> list[Series]:
    """Return the series there are of these studies."""
    if not study_ids or not uids:
        return []
    condition = f"WHERE t.study_id IN ({places(len(study_ids))}) AND t.uid IN ({places(len(uids))})"
    return fetch(Series, _SERIES, condition, [*study_ids, *uids])


def contents_stored(
    organisation_id: UUID, instance_uids: Sequence[str]
) -> dict[str, tuple[bytes, str]]:
    """Say what is stored under these identifiers: hash of the content, and the study's UID."""
    if not instance_uids:
        return {}
    sql = f"""
        SELECT i.uid, i.content_token, s.uid FROM studies_instance i
        JOIN studies_study s ON s.id = i.study_id
        WHERE i.organisation_id = %s AND i.uid IN ({places(len(instance_uids))})
    """  # noqa: S608 - places only
    with connection.cursor() as cursor:
        cursor.execute(sql, [adapted(organisation_id, connection), *instance_uids])
        return {uid: (bytes(content), study) for uid, content, study in cursor.fetchall()}


def count_into_series(counts: Iterable[tuple[int, int]]) -> None:
    """Add to how many objects series hold: pairs of a series' primary key and a number."""
    with connection.cursor() as cursor:
        for series_id, count in counts:
            cursor.execute(
                "UPDATE studies_series SET instance_count = instance_count + %s WHERE id = %s",
                [count, series_id],
            )
