"""What is left unopened is never due: the plan is that of looking at every study, however made."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import DataSubject
from consent.selectors import identities
from retention.models import StudyMilestone
from retention.rules.duties import DUTIES, Duty
from retention.rules.facts import Facts, Milestone
from retention.rules.keeping import Keeping, keeping_of, keeping_without_a_person
from retention.rules.schedule import Scheduled
from retention.selectors import forecast
from retention.selectors.forecast import forecast_of
from retention.selectors.keeping import Ends, Terms, facts_of
from retention.selectors.prospects import prospects
from studies import index
from studies.models import Study
from studies.rules.attributes import parsed, text_of
from studies.rules.display import day_of
from studies.selectors import study_summaries
from studies.services.correcting import correct_studies
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.retention.cases import hospital
from tests.retention.test_horizon import duties, lines

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

TODAY = date(2026, 11, 25)
STUDIES = 45


# The long way -------------------------------------------------------------------------------------
def known_of(study: Study, all_of_them: list[Study]) -> Facts:
    """Everything opened, of every study of the subject, one by one."""
    attributes = parsed(study_summaries([study])[0])
    identity = identities(DataSubject.objects.filter(pk=study.subject_id))[study.subject_id]
    others = [one for one in all_of_them if one.subject_id == study.subject_id]
    examined = day_of(text_of(attributes, "00080020"))
    own = examined or study.created_at.date()
    days = {one.pk: _examined(one) for one in others}
    later = [(one, days[one.pk]) for one in others if days[one.pk] > own]
    births = [text_of(attributes, "00100030"), identity.birth_date]
    rows = StudyMilestone.objects.filter(organisation_id=study.organisation_id, study_uid=study.uid)
    return Facts(
        received_on=study.created_at.date(),
        examined_on=examined,
        born_on=max((day for one in births if (day := day_of(one))), default=None),
        later_on=max((day for _, day in later), default=None),
        later_mammogram_on=max((day for one, day in later if "MG" in one.modalities), default=None),
        modalities=frozenset(filter(None, study.modalities.split("\\"))),
        is_animal=identity.is_animal,
        is_settled=not study.doubts,
        milestones={row.milestone: row.happened_on for row in rows},
    )


def _examined(study: Study) -> date:
    attributes = parsed(study_summaries([study])[0])
    return day_of(text_of(attributes, "00080020")) or study.created_at.date()


def keeping(study: Study, facts: Facts, terms: Terms) -> Keeping:
    if study.is_anonymous:
        return keeping_without_a_person(facts, terms.of_anonymous)
    return keeping_of(facts, duties=terms.duties, schedule=terms.schedule)


# A store of all sorts -----------------------------------------------------------------------------
def store(cast: Cast) -> list[Study]:
    """Studies of some people and animals, of many years, with all that may be odd about them."""
    chance = random.Random(20261126)
    actor = actor_of(cast.clinician)
    for number in range(STUDIES):
        given: dict[str, Any] = {
            "PatientID": f"P-{chance.randrange(16)}",
            "StudyDate": f"{chance.randrange(2008, 2026)}{chance.choice(['0228', '0301', '1231'])}",
            "Modality": chance.choice(["CT", "MR", "MG", "US"]),
        }
        if number % 9 == 0:
            given["StudyDate"] = ""
        if given["PatientID"] in {"P-1", "P-2"}:
            given["PatientSpeciesDescription"] = "Dog"
        if given["PatientID"] in {"P-3", "P-4", "P-5"}:
            given["PatientBirthDate"] = "20050301"
        take_in(actor, small_ct_object(study=f"s{number}", series=f"s{number}", **given))
    studies = list(Study.objects.order_by("pk"))
    for number, study in enumerate(studies):
        received = datetime(2008 + number % 18, 3, 1, tzinfo=UTC)
        changes: dict[str, Any] = {"created_at": received, "is_anonymous": number % 11 == 5}
        if number % 13 == 0:
            changes["doubts"] = ["name"]
        Study.objects.filter(pk=study.pk).update(**changes)
        if number % 3 == 0:
            milestone = list(Milestone)[number // 3 % 3]
            StudyMilestone.objects.create(
                organisation_id=study.organisation_id, study_uid=study.uid,
                milestone=milestone.value, happened_on=received.date() + timedelta(days=90),
                noted_by=cast.clinician,
            )  # fmt: skip
    return list(Study.objects.order_by("subject_id", "pk"))


def corrected(cast: Cast, study: Study, values: dict[str, str]) -> None:
    subject = DataSubject.objects.get(pk=study.subject_id)
    correct_studies(
        actor=actor_of(cast.officer), subject=subject, study_uids=[study.uid], values=values,
        case_number="ABCD-EFGH",
    )  # fmt: skip


def due_both_ways(studies: list[Study], terms: Terms, facts: dict[int, Facts]) -> None:
    ends = Ends(terms)
    due: dict[int, Keeping] = {}
    for batch in prospects(studies[0].organisation_id, ends, TODAY):
        due |= ends.due(batch, TODAY)
    long = {one.pk: keeping(one, facts[one.pk], terms) for one in studies}
    assert due == {pk: found for pk, found in long.items() if found.is_due(TODAY)}
    # In the order in which the plan is read, so that the same plan has the same digest.
    assert list(due) == [one.pk for one in studies if one.pk in due]
    years = Counter("open" if one.is_open else str(one.until.year) for one in long.values())
    assert forecast_of(studies[0].organisation_id, ends).years == dict(sorted(years.items()))


def test_what_is_known_is_what_opening_everything_shows(cast: Cast) -> None:
    studies = store(cast)
    assert facts_of(studies) == {one.pk: known_of(one, studies) for one in studies}


def test_a_plan_under_any_rules_finds_what_looking_at_all_finds(cast: Cast) -> None:
    studies = store(cast)
    facts = {one.pk: known_of(one, studies) for one in studies}
    seen: Counter[bool] = Counter()

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(duties, st.lists(lines, min_size=1, max_size=3), st.lists(lines, max_size=1))
    def under(some: list[Duty], schedule: list[Scheduled], of_anonymous: list[Scheduled]) -> None:
        terms = Terms(tuple(some), tuple(schedule), None, tuple(of_anonymous))
        due_both_ways(studies, terms, facts)
        seen[any(True for _ in prospects(studies[0].organisation_id, Ends(terms), TODAY))] += 1

    under()
    assert seen[True] > 3


def seven_years(*more: Duty) -> Terms:
    line = schedule_line("examination", 7)
    return Terms(more, (line,), None)


def schedule_line(trigger: str, years: int) -> Scheduled:
    from policies.rules.categories import Category
    from retention.rules.periods import Period

    return Scheduled(Category.IMAGES, trigger, Period(years, "year"), "delete")


def test_what_was_corrected_counts_as_it_is_now(cast: Cast) -> None:
    actor = actor_of(cast.clinician)
    for name, day in (("early", "20100105"), ("late", "20250105")):
        take_in(actor, small_ct_object(study=name, series=name, StudyDate=day, PatientID=name))
    early = Study.objects.earliest("pk")
    Study.objects.update(created_at=datetime(2010, 2, 1, tzinfo=UTC))
    corrected(cast, early, {"00080020": "20100107"})
    studies = list(Study.objects.order_by("subject_id", "pk"))
    facts = {one.pk: known_of(one, studies) for one in studies}
    assert facts[early.pk].examined_on == date(2010, 1, 7)
    due_both_ways(studies, seven_years(), facts)
    # Whom a law speaks of is corrected as well.
    corrected(cast, early, {"00102201": "Dog"})
    subject = DataSubject.objects.get(pk=early.subject_id)
    assert subject.kind == DataSubject.Kind.ANIMAL
    facts = {one.pk: known_of(one, studies) for one in studies}
    due_both_ways(studies, seven_years(DUTIES["de.strlschg.therapy"], DUTIES["vet.ny"]), facts)


def test_a_day_that_no_hash_tells_is_read_from_the_study(cast: Cast) -> None:
    studies = store(cast)
    some = [one.pk for one in studies[::4]]
    Study.objects.filter(pk__in=some).update(year_token=None, month_token=None, day_token=None)
    studies = list(Study.objects.order_by("subject_id", "pk"))
    facts = {one.pk: known_of(one, studies) for one in studies}
    assert facts_of(studies) == facts
    due_both_ways(studies, seven_years(DUTIES["ny.hospital"]), facts)


def test_days_are_read_back_from_their_hashes(cast: Cast) -> None:
    owner = hospital(cast).pk
    for day in (date(1850, 1, 1), date(2024, 2, 29), date(2026, 12, 31)):
        tokens = index.tokens_of_date(owner, day)
        assert index.day_of_tokens(owner, tokens.year, tokens.day) == day
    assert index.day_of_tokens(owner, None, None) is None
    tokens = index.tokens_of_date(owner, date(1700, 1, 1))
    assert index.day_of_tokens(owner, tokens.year, tokens.day) is None


def test_of_many_studies_the_picture_is_drawn_from_some(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = store(cast)
    monkeypatch.setattr(forecast, "MOST_LOOKED_AT", 20)
    found = forecast_of(studies[0].organisation_id, Ends(seven_years()))
    assert found.studies == STUDIES
    looked_at = [one for one in studies if one.pk % 3 == 0]
    assert sum(found.years.values()) == 3 * len(looked_at)
