"""What is no study: how long each kind is kept here, how much there is, and how much is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from accounts.models import Organisation
from consent.models import SubjectAccount
from policies.rules.categories import CATEGORY_LABELS, Category
from policies.rules.records import Ending, RecordKind, Term, record_kinds
from policies.selectors import NoPolicy, effective_pack
from retention.models import Hold
from retention.rules.duties import duties_over
from retention.rules.holds import Scope
from retention.rules.records import Rule, rule_of
from retention.rules.requests import people_asking
from retention.selectors.keeping import holder_of


def rules_of(organisation: Organisation) -> dict[Category, Rule]:
    """The rule of every category that the policy names; none without a policy in force."""
    try:
        values = effective_pack(organisation.pk).values
    except NoPolicy:
        return {}
    holder = holder_of(organisation)
    found = ((one, rule_of(values, one, duties_over(holder, [one]))) for one in Category)
    return {category: rule for category, rule in found if rule is not None}


def moment_of(last: date) -> datetime:
    """What began before it is over: a day more is kept, wherever on earth it began."""
    return datetime.combine(last, time.min, UTC)


@dataclass(frozen=True)
class Over:
    """What is over in one organisation on one day."""

    organisation: Organisation
    today: date
    # Other rules than those in force, to try them out.
    given: Mapping[Category, Rule] | None = None

    @cached_property
    def rules(self) -> Mapping[Category, Rule]:
        return rules_of(self.organisation) if self.given is None else self.given

    @cached_property
    def elsewhere(self) -> Mapping[Category, Mapping[date, list[UUID]]]:
        """Of each category, until which day its time has to have begun in other organisations."""
        found: dict[Category, dict[date, list[UUID]]] = defaultdict(lambda: defaultdict(list))
        for other in Organisation.objects.exclude(pk=self.organisation.pk):
            rules = rules_of(other)
            for category in Category:
                rule = rules.get(category)
                ends = rule is not None and rule.is_carried_out
                last = rule.last_start_over(self.today) if rule and ends else date.min
                found[category][last].append(other.pk)
        return found

    def moment(self, kind: RecordKind) -> datetime | None:
        """Before which moment a record has to have begun to be over; None: none ever is."""
        rule = self.rules.get(kind.category)
        return moment_of(rule.last_start_over(self.today)) if rule else None

    def condition(self, kind: RecordKind, term: Term) -> Q:
        """What is over, whatever holds it."""
        moment = self.moment(kind)
        if moment is None:
            return Q(pk__in=[])
        found = Q(**{f"{term.start}__lt": moment})
        if term.shared:
            for last, others in self.elsewhere[kind.category].items():
                # Of those whose time is over here as well, there is nothing to ask.
                if last != date.min and moment_of(last) >= moment:
                    continue
                begun = {f"{term.start}__gte": moment_of(last)} if last != date.min else {}
                for way in term.shared:
                    found &= ~Q(**{f"{way}__in": others}, **begun)
        return found


@dataclass(frozen=True, slots=True)
class Guard:
    """What keeps records other than studies at this moment."""

    everything: bool
    subjects: frozenset[UUID]
    people: frozenset[int]

    def bars(self, term: Term) -> Q:
        """Which records of a kind are held."""
        if self.everything:
            return Q()
        found = Q(pk__in=[])
        if term.subject and self.subjects:
            found |= Q(**{f"{term.subject}__in": self.subjects})
        if term.person and self.people:
            found |= Q(**{f"{term.person}__in": self.people})
        return found


def guard_of_records(organisation_id: UUID) -> Guard:
    """Ask for every hold and every open request; call it in the transaction that deletes."""
    in_force = Hold.objects.filter(organisation_id=organisation_id, lifted_at=None)
    scopes = list(in_force.values_list("scope", "subject_id"))
    subjects = {one for scope, one in scopes if scope == Scope.SUBJECT and one}
    accounts = SubjectAccount.objects.filter(subject_id__in=subjects)
    held = set(accounts.values_list("user_id", flat=True)) if subjects else set()
    return Guard(
        any(scope == Scope.ORGANISATION for scope, _ in scopes), frozenset(subjects),
        frozenset(held | people_asking()),
    )  # fmt: skip


def over_now(over: Over, kind: RecordKind, guard: Guard) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """The records of a kind that are over and can go, and those that are over and held."""
    term = kind.term
    assert term is not None, kind.code
    rows = term.rows(over.organisation.pk).filter(over.condition(kind, term))
    bars = guard.bars(term)
    return (rows.none(), rows) if guard.everything else (rows.exclude(bars), rows.filter(bars))


# For pages ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RecordLine:
    """One kind of record as the page shows it."""

    kind: RecordKind
    rule: Rule | None
    total: int = 0
    over: int = 0
    first: datetime | None = None

    @property
    def category(self) -> str:
        return CATEGORY_LABELS[self.kind.category]

    @property
    def how_long(self) -> str:
        if self.rule is None or self.kind.term is None:
            return "The policy says nothing, so it stays"
        words = self.rule.words_from(self.kind.term.counted_from)
        return words[0].upper() + words[1:]

    @property
    def waits(self) -> bool:
        """Is something over that nothing deletes by itself?"""
        return bool(self.over and self.rule and not self.rule.is_carried_out)

    @property
    def next_end(self) -> date | None:
        """When the time of the oldest is over."""
        if self.rule is None or self.first is None or self.over:
            return None
        return self.rule.until(self.first.date())


def record_lines(organisation: Organisation, today: date) -> list[RecordLine]:
    """Every kind: two queries for each that ends by a term."""
    over = Over(organisation, today)
    return [_line(kind, over) for kind in record_kinds()]


def _line(kind: RecordKind, over: Over) -> RecordLine:
    rule = over.rules.get(kind.category)
    term = kind.term
    if kind.ending is not Ending.TERM or term is None:
        return RecordLine(kind, rule)
    rows = term.rows(over.organisation.pk)
    counted = rows.aggregate(total=Count("pk"), first=Min(term.start))
    return RecordLine(kind, rule, over=rows.filter(over.condition(kind, term)).count(), **counted)
