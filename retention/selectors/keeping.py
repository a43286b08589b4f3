"""How long studies are kept, reckoned anew each time, from what is known at this moment.

Nothing is stored of it: a later examination, a corrected birth date, another version of the policy
count from the moment they are there. And a date would tell the birthday of a minor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Organisation
from consent.models import DataSubject
from consent.selectors import identities
from policies.selectors import NoPolicy, effective_pack
from retention.models import StudyMilestone
from retention.rules.duties import Duty, duties_over
from retention.rules.facts import Facts, Holder, Rejected, Setting
from retention.rules.horizon import Horizon
from retention.rules.keeping import (
    Keeping,
    keeping_in_archive,
    keeping_of,
    keeping_of_rejected,
    keeping_without_a_person,
)
from retention.rules.schedule import OF_ANONYMOUS, OF_STUDIES, Scheduled, schedule_of
from retention.selectors.archive import Dates, dates_of_archived
from studies import index
from studies.models import Rejection, Study
from studies.rules.attributes import parsed, text_of
from studies.rules.display import day_of
from studies.rules.rejecting import REASONS, RESTORE_DAYS_DEFAULT, Why, restore_days
from studies.selectors import HIDDEN, THERE, study_summaries

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
    # For how many days something rejected can be restored.
    restore_days: int = RESTORE_DAYS_DEFAULT


def terms_of(organisation: Organisation) -> Terms:
    """Without a policy in force the schedule is empty, and nothing is ever due."""
    duties = duties_over(holder_of(organisation), OF_STUDIES)
    try:
        pack = effective_pack(organisation.pk)
    except NoPolicy:
        return Terms(duties, (), None)
    of_anonymous = schedule_of(pack.values, OF_ANONYMOUS)
    days = restore_days(pack.values)
    return Terms(duties, schedule_of(pack.values), pack.id, of_anonymous, days)


def keeping_of_studies(studies: Sequence[Study], terms: Terms) -> dict[int, Keeping]:
    """Reckon for studies of one organisation; by their primary key."""
    return _keepings(studies, facts_of(studies), terms) if terms.schedule else {}


def _keepings(
    studies: Iterable[Study], facts: Mapping[int, Facts], terms: Terms
) -> dict[int, Keeping]:
    return {study.pk: _keeping(study, facts[study.pk], terms) for study in studies}


def _keeping(study: Study, facts: Facts, terms: Terms) -> Keeping:
    if facts.rejected is not None:
        return keeping_of_rejected(facts, duties=terms.duties, days=terms.restore_days)
    if study.archived_at is not None:
        on = study.archived_at.date()
        return keeping_in_archive(facts, duties=terms.duties, archived_on=on)
    if study.is_anonymous:
        return keeping_without_a_person(facts, terms.of_anonymous)
    return keeping_of(facts, duties=terms.duties, schedule=terms.schedule)


class Ends:
    """The last days of many studies under the same terms, for whoever looks through all of them."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._of_people = Horizon(terms.duties, terms.schedule)
        # What was made anonymous stays for ever, if the policy says nothing of it.
        self._of_nobody = Horizon((), terms.of_anonymous) if terms.of_anonymous else None

    def of(self, facts: Facts, *, is_anonymous: bool) -> date | None:
        """The last day of one study; None: it is open."""
        horizon = self._of_nobody if is_anonymous else self._of_people
        return horizon.end_of(facts) if horizon else None

    def of_study(self, study: Study, facts: Facts) -> date | None:
        """The same of a row, which may be hidden."""
        if study.is_hidden:
            keeping = _keeping(study, facts, self.terms)
            return None if keeping.is_open else keeping.until
        return self.of(facts, is_anonymous=study.is_anonymous)

    def not_before(self, facts: Facts, *, is_anonymous: bool) -> date | None:
        """What can be said of it without opening anything; None: it is open."""
        horizon = self._of_nobody if is_anonymous else self._of_people
        return horizon.not_before(facts) if horizon else None

    def due(self, studies: Sequence[Study], today: date) -> dict[int, Keeping]:
        """Which of these studies are due, and why."""
        facts = facts_of(studies)
        due = [
            study for study in studies
            if (end := self.of_study(study, facts[study.pk])) and today > end
        ]  # fmt: skip
        return _keepings(due, facts, self.terms)


# What is known ------------------------------------------------------------------------------------
_OF_RELATED = ("id", "subject_id", "modalities", "created_at", "year_token", "day_token")


class Seen:
    """The examinations of one subject: the last of all, and the last of the breast."""

    __slots__ = ("last_mammogram_on", "last_on")

    def __init__(self) -> None:
        self.last_on = self.last_mammogram_on = date.min

    def note(self, day: date, *, is_mammogram: bool) -> None:
        self.last_on = max(self.last_on, day)
        if is_mammogram:
            self.last_mammogram_on = max(self.last_mammogram_on, day)


def facts_of(studies: Sequence[Study]) -> dict[int, Facts]:
    """What is known of these studies of one organisation, and of the other examinations of the
    same subjects."""
    days = dates_of(studies)
    examined = {study.pk: (study, *days[study.pk]) for study in studies}
    subjects = {study.subject_id for study in studies}
    known = identities(DataSubject.objects.filter(pk__in=subjects))
    births = {pk: day_of(identity.birth_date) for pk, identity in known.items()}
    seen = _seen({pk: examined_on for pk, (_, examined_on, _) in examined.items()}, studies)
    uids = [study.uid for study in studies]
    milestones = milestones_of(studies[0].organisation_id, uids) if studies else {}
    rejected = rejected_among(studies)
    return {
        pk: facts_from(
            study, examined_on, seen[study.subject_id],
            # Of two birth dates the later: whoever is younger is kept for longer.
            born_on=_later(born_on, births[study.subject_id]),
            is_animal=known[study.subject_id].is_animal,
            milestones=milestones.get(study.uid, {}), rejected=rejected.get(pk),
        )
        for pk, (study, examined_on, born_on) in examined.items()
    }  # fmt: skip


def _seen(known: Mapping[int, date | None], studies: Sequence[Study]) -> Mapping[UUID, Seen]:
    """The examinations of all subjects of these studies, whose own days are known.

    Of the others the day is read from its hash; only those where none tells it are opened.
    """
    # What is being disposed of has no objects any more, and perhaps no key.
    there = THERE | HIDDEN | Q(pk__in=list(known))
    subjects = {study.subject_id for study in studies}
    related = Study.objects.filter(there, subject_id__in=subjects)
    rows = list(related.values_list(*_OF_RELATED, named=True))
    days = {row.id: known.get(row.id) or _told(studies[0].organisation_id, row) for row in rows}
    hidden = [pk for pk, day in days.items() if day is None and pk not in known]
    if hidden:
        opened = dates_of(list(Study.objects.filter(pk__in=hidden)))
        days |= {pk: day for pk, (day, _) in opened.items()}
    seen: dict[UUID, Seen] = defaultdict(Seen)
    for row in rows:
        day = days[row.id] or row.created_at.date()
        seen[row.subject_id].note(day, is_mammogram="MG" in modalities_of(row.modalities))
    return seen


def _told(organisation_id: UUID, row: Any) -> date | None:
    return index.day_of_tokens(organisation_id, row.year_token, row.day_token)


def facts_from(
    study: Any, examined_on: date | None, seen: Seen, *, born_on: date | None = None,
    is_animal: bool = False, milestones: Mapping[str, date], rejected: Rejected | None = None,
) -> Facts:  # fmt: skip
    """Put together what is known of a study, of which `study` has the unsealed columns."""
    received_on = study.created_at.date()
    own = examined_on or received_on
    return Facts(
        received_on=received_on,
        examined_on=examined_on,
        born_on=born_on,
        later_on=seen.last_on if seen.last_on > own else None,
        later_mammogram_on=seen.last_mammogram_on if seen.last_mammogram_on > own else None,
        modalities=modalities_of(study.modalities),
        is_animal=is_animal,
        is_settled=not study.doubts,
        milestones=milestones,
        rejected=rejected,
    )


def rejected_among(studies: Sequence[Study]) -> dict[int, Rejected]:
    """Which of these are rejected, by primary key: a query only where one is."""
    pks = [study.pk for study in studies if study.rejected_at is not None]
    rows = Rejection.objects.filter(study__in=pks) if pks else ()
    return {
        row.study_id: Rejected(row.at.date(), REASONS[Why(row.why)].stays_record) for row in rows
    }


@lru_cache(maxsize=1000)
def modalities_of(written: str) -> frozenset[str]:
    return frozenset(filter(None, written.split("\\")))


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else one or other


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


def milestones_of(organisation_id: UUID, uids: Iterable[str]) -> dict[str, dict[str, date]]:
    """By study; all of one organisation, or a UID would not say which."""
    rows = StudyMilestone.objects.filter(organisation_id=organisation_id, study_uid__in=list(uids))
    found: dict[str, dict[str, date]] = defaultdict(dict)
    for row in rows:
        found[row.study_uid][row.milestone] = row.happened_on
    return found
