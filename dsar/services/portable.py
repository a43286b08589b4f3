"""The part of a copy that programs read, gathered from the rooms (XENRAD-8.4, MEDDIM-7.9)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import orjson

from consent.holdings import consents_told, shares_told
from consent.models import DataSubject
from consent.selectors import identities
from dsar.models import Case
from dsar.rules.portable import (
    DATA,
    FOLDER,
    SCHEMA_FILE,
    SCHEMA_TEXT,
    ObjectTold,
    StudyTold,
    Told,
    check_document,
    document_of,
    tables_of,
)
from dsar.services.choosing import studies_held
from policies.rules.holdings import File, Whose, one_file
from studies.models import Instance, Study
from studies.rules.display import words_of_study
from studies.selectors import study_summaries


def portable_files(case: Case, whose: Whose, now: datetime) -> list[File]:
    """The document, its schema, and the tables. Never one that does not fit its schema."""
    subjects = DataSubject.objects.filter(
        pk__in=whose.subject_ids, organisation_id=whose.organisation_id
    )
    document = document_of(Told(
        made_at=now, organisation=case.organisation.name, request=case.number,
        people=identities(subjects), studies=_studies(whose), shares=shares_told(whose),
        consents=consents_told(whose),
    ))  # fmt: skip
    check_document(document)
    text = json.dumps(document, indent=2, ensure_ascii=False).encode()
    tables = tables_of(document)
    return [
        one_file(DATA, text),
        one_file(SCHEMA_FILE, SCHEMA_TEXT),
        *(one_file(f"{FOLDER}{name}", table) for name, table in tables.items()),
    ]


def _studies(whose: Whose) -> list[StudyTold]:
    studies = studies_held(whose)
    objects = _objects(studies)
    told = []
    for study, summary in zip(studies, study_summaries(studies), strict=True):
        words = words_of_study(orjson.loads(summary))
        told.append(StudyTold(
            study.uid, study.subject_id, words.date, words.description,
            tuple(one for one in study.modalities.split("\\") if one), tuple(objects[study.pk]),
        ))  # fmt: skip
    return told


def _objects(studies: Sequence[Study]) -> dict[int, list[ObjectTold]]:
    """Also those that are held back: they are in the copy as well."""
    found: dict[int, list[ObjectTold]] = defaultdict(list)
    rows = Instance.objects.filter(study__in=[one.pk for one in studies]).order_by("pk")
    for row in rows.values_list("study_id", "study__uid", "series__uid", "uid", "sop_class_uid"):
        study_id, study_uid, series, uid, sop_class = row
        file = f"studies/images/{study_uid}/{series}/{uid}.dcm"
        found[study_id].append(ObjectTold(uid, series, sop_class, file))
    return found
