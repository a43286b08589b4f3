"""Trends of use: counts of groups, never a line (C37)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count as CountOf
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.index import pseudonym_of
from accounts.models import Membership, MembershipRole, SupportWindow, UsageEvent
from accounts.rules import ROLE_LABELS, Actor, Role
from accounts.rules.use import (
    LATE_SHOWN,
    OUTCOME_LABELS,
    PERIOD,
    Count,
    Outcome,
    first_day_of,
    period_of,
    periods_kept,
    purpose_of_use,
    quantile,
    shown,
)
from policies.rules.categories import Category
from policies.rules.pack import Pack
from policies.rules.purposes import OF_USE

_PEOPLE = CountOf("pseudonym", distinct=True)


@dataclass(frozen=True, slots=True)
class Week:
    begins_on: date
    features: list[Count]


@dataclass(frozen=True, slots=True)
class Duration:
    """How long the pages of a feature took, in milliseconds."""

    label: str
    people: int
    median: int
    late: int


@dataclass(frozen=True, slots=True)
class Trends:
    """Four weeks of use: what is said of groups of `at_least` people, and of no smaller one."""

    begins_on: date
    at_least: int
    weeks: list[Week]
    durations: list[Duration]
    outcomes: list[Count]
    browsers: list[Count]
    visitors: list[Count]
    members: list[Count]

    @property
    def ends_on(self) -> date:
        return self.begins_on + PERIOD - timedelta(days=1)

    @property
    def is_empty(self) -> bool:
        said = (self.durations, self.outcomes, self.browsers, self.visitors)
        return not any(said) and not any(week.features for week in self.weeks)


def periods_shown(pack: Pack) -> list[date]:
    """The first days of the four weeks that can be looked at, the running ones first."""
    today = timezone.now().date()
    return [first_day_of(one) for one in periods_kept(today, pack["logs.keep_days"])]


def trends_of(organisation_id: UUID, pack: Pack, begins_on: date) -> Trends:
    """Count the use of an organisation in the four weeks from this day.

    A pseudonym stands for one person within the period, so that people are counted once.
    """
    begins_on = first_day_of(period_of(begins_on))
    at_least = pack["deid.min_group_size"]
    rows = UsageEvent.objects.filter(
        organisation_id=organisation_id, day__gte=begins_on, day__lt=begins_on + PERIOD
    )
    members = rows.exclude(pseudonym="").exclude(
        pseudonym__in=_who_objects(organisation_id, period_of(begins_on))
    )
    done = members.filter(outcome=Outcome.DONE.value)
    mondays = [begins_on + timedelta(weeks=n) for n in range(PERIOD.days // 7)]
    return Trends(
        begins_on=begins_on,
        at_least=at_least,
        weeks=[Week(monday, shown(_features(done, monday), at_least)) for monday in mondays],
        durations=_durations(done, at_least),
        outcomes=shown(_outcomes(members), at_least),
        browsers=shown(_counted(done, "browser"), at_least),
        visitors=shown(_visitors(rows.filter(pseudonym="")), at_least),
        members=shown(_members(organisation_id, pack), at_least),
    )


def _who_objects(organisation_id: UUID, period: int) -> list[str]:
    """Their lines are deleted; one that was being written at that moment must not count either."""
    objecting = Membership.objects.filter(organisation_id=organisation_id).exclude(objected_to=[])
    return [
        pseudonym_of(organisation_id=organisation_id, user_id=one.user_id, period=period)
        for one in objecting
        if {*one.objected_to} & {*OF_USE}
    ]


def _counted(rows: QuerySet[UsageEvent], field: str) -> list[Count]:
    found = rows.values_list(field).annotate(CountOf("pk"), _PEOPLE).order_by(field)
    return [Count(label or "not known", uses, people) for label, uses, people in found]


def _features(rows: QuerySet[UsageEvent], monday: date) -> list[Count]:
    week = rows.filter(day__gte=monday, day__lt=monday + timedelta(days=7))
    return _counted(week, "feature")


def _outcomes(rows: QuerySet[UsageEvent]) -> list[Count]:
    failed = _counted(rows.exclude(outcome=Outcome.DONE.value), "outcome")
    return [Count(OUTCOME_LABELS[Outcome(one.label)], one.uses, one.people) for one in failed]


def _visitors(rows: QuerySet[UsageEvent]) -> list[Count]:
    found = rows.values_list("feature").annotate(CountOf("pk")).order_by("feature")
    return [Count(feature, uses) for feature, uses in found]


def _durations(rows: QuerySet[UsageEvent], at_least: int) -> list[Duration]:
    timed = rows.exclude(took_ms=None)
    large = [one for one in _counted(timed, "feature") if one.is_shown(at_least)]
    times: dict[str, list[int]] = {one.label: [] for one in large}
    found = timed.filter(feature__in=list(times)).order_by("took_ms")
    for feature, took in found.values_list("feature", "took_ms").iterator():
        times[feature].append(took or 0)
    return [
        Duration(
            one.label, one.people or 0, quantile(times[one.label], 50),
            quantile(times[one.label], LATE_SHOWN),
        )
        for one in large
    ]  # fmt: skip


def _members(organisation_id: UUID, pack: Pack) -> list[Count]:
    """Who the members are as a group, if the policy lists that for data of accounts."""
    purpose = purpose_of_use(pack)
    if purpose is None or not pack.lists(purpose, Category.ACCOUNT):
        return []
    found = (
        MembershipRole.objects.filter(
            membership__organisation_id=organisation_id,
            membership__is_active=True,
            membership__user__is_active=True,
        )
        .values_list("role")
        .annotate(CountOf("membership_id", distinct=True))
        .order_by("role")
    )
    return [Count(ROLE_LABELS[Role(role)], people, people) for role, people in found]


# Windows of support ------------------------------------------------------------------------------
def windows_of(actor: Actor) -> QuerySet[SupportWindow]:
    """The windows of the organisation that somebody works for, the latest first."""
    return (
        SupportWindow.objects.filter(organisation_id=actor.organisation_id)
        .select_related("member", "opened_by")
        .order_by("-opened_at")
    )


def windows_on(user_id: int) -> QuerySet[SupportWindow]:
    """Who joined a person's technical records with their account: what that person sees."""
    return (
        SupportWindow.objects.filter(member_id=user_id)
        .select_related("organisation", "opened_by")
        .order_by("-opened_at")
    )


def members_supported_by(actor: Actor) -> QuerySet[Membership]:
    return Membership.objects.filter(
        Q(organisation_id=actor.organisation_id), is_active=True, user__is_active=True
    ).select_related("user")
