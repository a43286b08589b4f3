"""How long studies are kept, reckoned anew each time, from what is known at this moment.

Nothing is stored of it: a later examination, a corrected birth date, another version of the policy
count from the moment they are there. And a date would tell the birthday of a minor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Organisation
from consent.models import DataSubject
from consent.selectors import identities
from policies.selectors import NoPolicy, effective_pack
from retention.models import StudyMilestone
from retention.rules.duties import Duty, duties_over
from retention.rules.facts import Facts, Holder, Setting
from retention.rules.keeping import (
    Keeping,
    keeping_in_archive,
    keeping_of,
    keeping_without_a_person,
)
from retention.rules.schedule import OF_ANONYMOUS, OF_STUDIES, Scheduled, schedule_of
from retention.selectors.archive import Dates, dates_of_archived
from studies.models import Study
from studies.rules.attributes import parsed, text_of
from studies.rules.display import day_of
from studies.selectors import ARCHIVED, THERE, study_summaries

STUDY_DATE, BIRTH_DATE = "00080020", "00100030"
SETTINGS_OF = {
    Organisation.Kind.HOSPITAL: frozenset({Setting.HOSPITAL}),
    # Whoever reads images there is a physician as well: both kinds of duty count.
    Organisation.Kind.IMAGING_CENTRE: frozenset({Setting.CLINIC, Setting.PHYSICIAN}),
    Organisation.Kind.VETERINARY: frozenset({Setting.VETERINARY}),
}


def holder_of(organisation: Organisation) -> Holder:
    """The organisation as the duties see it, with every regime that it or its policy names."""
    regimes = set(organisation.regimes)
    with suppress(NoPolicy):
        regimes |= set(effective_pack(organisation.pk)["regimes"])
    settings = SETTINGS_OF[Organisation.Kind(organisation.kind)]
    return Holder(organisation.country, organisation.state, settings, frozenset(regimes))


def duties_under(organisation: Organisation, values: Mapping[str, Any]) -> tuple[Duty, ...]:
    """The duties that would count for its studies under such a policy."""
    settings = SETTINGS_OF[Organisation.Kind(organisation.kind)]
    regimes = frozenset({*organisation.regimes, *values["regimes"]})
    holder = Holder(organisation.country, organisation.state, settings, regimes)
    return duties_over(holder, OF_STUDIES)


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts for all studies of one organisation: duties, and the policy in force."""

    duties: tuple[Duty, ...]
    schedule: tuple[Scheduled, ...]
    version_id: UUID | None
    # Of studies that were made anonymous.
    of_anonymous: tuple[Scheduled, ...] = ()


def terms_of(organisation: Organisation) -> Terms:
    """Without a policy in force the schedule is empty, and nothing is ever due."""
    duties = duties_over(holder_of(organisation), OF_STUDIES)
    try:
        pack = effective_pack(organisation.pk)
    except NoPolicy:
        return Terms(duties, (), None)
    of_anonymous = schedule_of(pack.values, OF_ANONYMOUS)
    return Terms(duties, schedule_of(pack.values), pack.id, of_anonymous)


def keeping_of_studies(studies: Sequence[Study], terms: Terms) -> dict[int, Keeping]:
    """Reckon for studies of one organisation; by their primary key."""
    if not terms.schedule:
        return {}
    rows = {study.pk: study for study in studies}
    return {pk: _keeping(rows[pk], facts, terms) for pk, facts in facts_of(studies).items()}


def _keeping(study: Study, facts: Facts, terms: Terms) -> Keeping:
    if study.archived_at is not None:
        on = study.archived_at.date()
        return keeping_in_archive(facts, duties=terms.duties, archived_on=on)
    if study.is_anonymous:
        return keeping_without_a_person(facts, terms.of_anonymous)
    return keeping_of(facts, duties=terms.duties, schedule=terms.schedule)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An examination of a subject: when, and whether of the breast."""

    pk: int
    day: date
    is_mammogram: bool


def facts_of(studies: Sequence[Study]) -> dict[int, Facts]:
    """What is known of these studies, and of the other examinations of the same subjects."""
    subjects = {study.subject_id for study in studies}
    # What is being disposed of has no objects any more, and perhaps no key.
    there = THERE | ARCHIVED | Q(pk__in=[one.pk for one in studies])
    related = list(Study.objects.filter(there, subject_id__in=subjects))
    opened = dates_of(related)
    known = identities(DataSubject.objects.filter(pk__in=subjects))
    milestones = _milestones(studies)
    facts, seen = {}, defaultdict(list)
    for study in related:
        own = facts[study.pk] = _facts(study, *opened[study.pk])
        seen[study.subject_id].append(_Seen(study.pk, own.examination, own.is_mammogram))
    found = {}
    for study in studies:
        identity = known[study.subject_id]
        own = facts[study.pk]
        found[study.pk] = replace(
            own,
            # Of two birth dates the later: whoever is younger is kept for longer.
            born_on=max(filter(None, (own.born_on, day_of(identity.birth_date))), default=None),
            is_animal=identity.is_animal,
            later_on=_last(own, seen[study.subject_id]),
            later_mammogram_on=_last(
                own, (one for one in seen[study.subject_id] if one.is_mammogram)
            ),
            milestones=milestones.get(study.uid, {}),
        )
    return found


def dates_of(studies: Sequence[Study]) -> dict[int, Dates]:
    """When each was made and its patient born, as far as it says so; by primary key.

    Of what lies in the legal archive it was noted when it went there.
    """
    shut = [one.pk for one in studies if one.archived_at is not None]
    ajar = [one for one in studies if one.archived_at is None]
    attributes = (parsed(one) for one in study_summaries(ajar))
    return dates_of_archived(shut) | {
        study.pk: (day_of(text_of(one, STUDY_DATE)), day_of(text_of(one, BIRTH_DATE)))
        for study, one in zip(ajar, attributes, strict=True)
    }


def _facts(study: Study, examined_on: date | None, born_on: date | None) -> Facts:
    return Facts(
        received_on=study.created_at.date(),
        examined_on=examined_on,
        born_on=born_on,
        modalities=frozenset(filter(None, study.modalities.split("\\"))),
        is_settled=not study.doubts,
    )


def _last(own: Facts, seen: Iterable[_Seen]) -> date | None:
    return max((one.day for one in seen if one.day > own.examination), default=None)


def _milestones(studies: Sequence[Study]) -> dict[str, dict[str, date]]:
    """By study; all of one organisation, or a UID would not say which."""
    rows = StudyMilestone.objects.filter(
        organisation_id__in={study.organisation_id for study in studies},
        study_uid__in=[study.uid for study in studies],
    )
    found: dict[str, dict[str, date]] = defaultdict(dict)
    for row in rows:
        found[row.study_uid][row.milestone] = row.happened_on
    return found
