"""Let go of what was made of studies that are not to go out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from releases.models import Link, Output, Project, ProjectStudy
from releases.selectors import in_batches, token_of_source
from vault.services.blobs import delete_blob
from vault.services.data_keys import open_data_key


def discard(project: Project, studies: Iterable[ProjectStudy]) -> int:
    """Delete the objects made of these studies, and lines of the linking table nobody needs.

    The sealed files go after the commit; what a crash leaves of them the store's sweep finds.
    """
    rows = list(studies)
    if not rows or not project.outputs.exists():
        return 0
    link_key = open_data_key(id=project.link_key_id)
    gone = 0
    for row in rows:
        token = token_of_source(link_key, row.study_uid)
        for batch in in_batches(project.outputs.filter(study_token=token)):
            gone += discard_outputs(batch)
    kept = project.outputs.exclude(patient="").values("patient")
    Link.objects.filter(project=project).exclude(code__in=kept).delete()
    return gone


def discard_outputs(outputs: Sequence[Output]) -> int:
    names = [one.blob_name for one in outputs if one.blob_name]
    Output.objects.filter(pk__in=[one.pk for one in outputs]).delete()
    transaction.on_commit(lambda: _delete(names))
    return len(outputs)


def _delete(names: Sequence[str]) -> None:
    for name in names:
        delete_blob(name=name)
