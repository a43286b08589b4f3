"""Make hashes for studies that were filed before there were such hashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connection, transaction

from config.statements import insert
from studies import index
from studies.models import Correction, Study, StudyNameToken
from studies.rules.attributes import parsed
from studies.selectors import PATIENT_NAME, study_summaries, summaries_as_received
from vault.rules.errors import KeyArchived, KeyDestroyed

Summaries = Callable[[Sequence[Study]], list[bytes]]


def index_whole_names() -> int:
    """Let studies be found by the beginning of the whole name; return how many. Safe to repeat."""
    done = 0
    # Only what this needs: a migration calls it, and other columns may not be there yet.
    needed = ("id", "organisation_id", "uid", "key_id", "sealed_summary")
    summaries = _summaries()
    for study in Study.objects.only(*needed).order_by("id").iterator(chunk_size=500):
        tokens = _tokens(study, summaries)
        with transaction.atomic():
            there = StudyNameToken.objects.filter(study_id=study.pk, token__in=tokens)
            known = {bytes(one) for one in there.values_list("token", flat=True)}
            missing = [token for token in tokens if token not in known]
            insert([StudyNameToken(study_id=study.pk, token=token) for token in missing])
        done += bool(missing)
    return done


def _summaries() -> Summaries:
    """As corrected, or a name of before would be found again; where there are no corrections yet,
    since a migration asks, as received."""
    there = Correction._meta.db_table in connection.introspection.table_names()
    return study_summaries if there else summaries_as_received


def _tokens(study: Study, summaries: Summaries) -> list[bytes]:
    try:
        attributes = parsed(summaries([study])[0])
    except (KeyArchived, KeyDestroyed):
        return []  # nobody finds it any more, by whatever
    name = (attributes.get(PATIENT_NAME, {}).get("Value") or [{}])[0]
    groups = [str(group) for group in name.values()] if isinstance(name, dict) else []
    return index.tokens_of_whole_names(study.organisation_id, groups)
