"""Requests that were made before, and what may be charged for one more."""

from __future__ import annotations

from django.db.models import Q

from dsar.models import Authority, Case, FeeQuote
from dsar.rules.fees import Asked, refusal_to_charge
from dsar.rules.kinds import Kind
from dsar.rules.laws import known_laws
from dsar.rules.repeats import LOOKED_BACK, Earlier, refusal_to_join
from dsar.rules.states import UNANSWERED, Outcome
from policies.selectors import packs_held
from retention.rules.periods import months_after

_DONE = (Outcome.GRANTED.value, Outcome.PARTLY.value)


def earlier_cases(case: Case) -> list[Case]:
    """Requests of the same kind to the same organisation, by the same asker or about the same
    record, in the year before; the latest first."""
    same = Q(subjects__subject_id__in=case.subjects.values("subject_id"))
    if case.email_token is not None:
        same |= Q(email_token=case.email_token)
    if case.person_id is not None:
        same |= Q(person_id=case.person_id)
    since = months_after(case.received_on, -LOOKED_BACK)
    found = Case.objects.filter(
        same, organisation_id=case.organisation_id, kind=case.kind,
        received_at__date__gte=since, created_at__lt=case.created_at, joined_to=None,
    ).exclude(pk=case.pk)  # fmt: skip
    return list(found.select_related("organisation").distinct().order_by("-received_at", "number"))


def earlier_of(case: Case) -> list[Earlier]:
    cases = earlier_cases(case)
    in_name = set(
        Authority.objects.filter(pk__in=[case.pk, *(one.pk for one in cases)]).values_list(
            "pk", flat=True
        )
    )
    return [_earlier(case, one, bool(in_name & {case.pk, one.pk})) for one in cases]


def _earlier(case: Case, one: Case, in_name: bool) -> Earlier:
    by_address = case.email_token is not None and _same(one.email_token, case.email_token)
    by_account = case.person_id is not None and one.person_id == case.person_id
    return Earlier(
        one.number, one.received_on, one.state in UNANSWERED, one.outcome in _DONE,
        by_address or by_account, in_name,
    )  # fmt: skip


def _same(one: bytes | memoryview | None, other: bytes | memoryview) -> bool:
    return one is not None and bytes(one) == bytes(other)


def why_not_joined(earlier: list[Earlier]) -> str:
    """Why it cannot be taken together with any earlier one; empty if it can."""
    refusals = [refusal_to_join(one) for one in earlier]
    if not refusals:
        return refusal_to_join(None)
    return "" if "" in refusals else refusals[0]


def why_free(case: Case, earlier: list[Earlier], *, excessive: bool = False) -> str:
    """Why nothing can be charged for a request; empty if something can."""
    held = packs_held(case.organisation_id)
    return refusal_to_charge(
        Asked(
            Kind(case.kind), known_laws(case.laws), case.received_on,
            held[-1]["fees.charged"] if held else "none",
            sum(one.is_done and one.same_asker for one in earlier), excessive,
        )
    )  # fmt: skip


def quote_of(case: Case) -> FeeQuote | None:
    """The quote that counts: open, accepted or declined."""
    return case.fee_quotes.exclude(state=FeeQuote.State.REPLACED).order_by("-quoted_at").first()
