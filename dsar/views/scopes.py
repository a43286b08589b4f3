"""What a directive can be about, as the forms offer it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import orjson

from accounts.models import Organisation
from consent.models import DataSubject
from consent.rules.directives import DIRECTIVES, DirectiveKind
from dsar.forms import ScopeChoices
from dsar.models import Case
from dsar.rules.directing import DIRECTIVES_OF
from dsar.rules.kinds import Kind
from dsar.selectors import policy_or_none
from dsar.services.pausing import subjects_meant
from policies.rules.categories import Category
from policies.rules.purposes import PURPOSE_LABELS, SECONDARY, Purpose
from studies.models import Study
from studies.rules.display import words_of_study
from studies.selectors import study_summaries
from studies.services.correcting import values_of

# Species, breed, owner.
OF_ANIMALS = ("00102201", "00102292", "00102297")
# More than these are named one by one by nobody.
MOST_STUDIES = 200


def scope_of_case(case: Case) -> ScopeChoices:
    ids = [one.pk for one in subjects_meant(case)]
    return scope_for(case.organisation, ids, DIRECTIVES_OF[Kind(case.kind)])


def scope_for(
    organisation: Organisation,
    subject_ids: Iterable[UUID],
    kinds: tuple[DirectiveKind, ...],
    *,
    treatment: bool = True,
) -> ScopeChoices:
    """`treatment`: whether the holder's own treatment can be named as well."""
    reach = frozenset[Purpose]().union(*(DIRECTIVES[kind].reach for kind in kinds))
    if not treatment:
        reach -= {Purpose.TREATMENT}
    names_recipients = any(DIRECTIVES[kind].names_recipients for kind in kinds)
    return ScopeChoices(
        kinds,
        _purposes(organisation, reach),
        studies_in_words(organisation.pk, subject_ids),
        _others(organisation) if names_recipients else [],
    )


def _purposes(organisation: Organisation, reach: frozenset[Purpose]) -> list[tuple[str, str]]:
    """Those for which the policy in force lists images, also without the person in them."""
    pack = policy_or_none(organisation)
    listed = {
        one.code: one.label for one in (pack.purposes if pack else ())
        if one.categories & {Category.IMAGES.value, Category.DEIDENTIFIED.value}
    }  # fmt: skip
    offered = [one for one in Purpose if one in reach and (one in listed or one in SECONDARY)]
    return [(one.value, listed.get(one, PURPOSE_LABELS[one])) for one in offered]


def _others(organisation: Organisation) -> list[tuple[str, str]]:
    others = Organisation.objects.filter(is_active=True).exclude(pk=organisation.pk)
    return [(str(one.pk), one.name) for one in others.order_by("name")]


def studies_in_words(organisation_id: UUID, subject_ids: Iterable[UUID]) -> list[tuple[str, str]]:
    """The studies of these people, the latest first: one query for them and one for their keys."""
    rows = list(
        Study.objects.filter(
            organisation_id=organisation_id, subject_id__in=list(subject_ids), instance_count__gt=0
        ).order_by("-id")[:MOST_STUDIES]
    )
    found = []
    for row, summary in zip(rows, study_summaries(rows), strict=True):
        words = words_of_study(orjson.loads(summary))
        day = f", {words.date.day} {words.date:%B %Y}" if words.date else ""
        found.append((row.uid, f"{words.title}{day}"))
    return found


def correctable(case: Case) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What the latest study of a request's person says, by tag, and their studies in words.

    Nothing, where it is not known whose they are.
    """
    subjects = subjects_meant(case)
    if len(subjects) != 1:
        return {}, []
    study = Study.objects.filter(subject=subjects[0], instance_count__gt=0).order_by("-id").first()
    if study is None:
        return {}, []
    is_animal = subjects[0].kind == DataSubject.Kind.ANIMAL
    before = {
        tag: value
        for tag, value in values_of(study).items()
        if is_animal or tag not in OF_ANIMALS or value
    }
    return before, studies_in_words(case.organisation_id, [subjects[0].pk])
