"""A fee for a copy: quoted by line, accepted or not by the person, before anything is made."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.notifications import notify
from dsar.models import Case, FeeQuote
from dsar.permissions import is_person_of
from dsar.rules.fees import Item, refusal_of_items
from dsar.rules.kinds import Kind
from dsar.rules.laws import known_laws
from dsar.rules.states import Act
from dsar.sealing import OpenCase
from dsar.selectors import deadlines_of, people_working_on
from dsar.selectors.repeats import earlier_of, why_free
from dsar.services.entries import (
    CaseRefused,
    NotYours,
    for_officer,
    locked,
    needed,
    tell_person,
    write_entry,
    write_event,
)

State = FeeQuote.State
FEE_ACCEPTED, FEE_DECLINED = "fee-accepted", "fee-declined"


@transaction.atomic
def quote_fee(
    *, actor: Actor, case: Case, items: Sequence[Item], currency: str, text: str,
    excessive: bool = False,
) -> FeeQuote:  # fmt: skip
    """Quote what a copy costs, with the reasons. Raises `CaseRefused` where law makes it free.

    `excessive`: the request is manifestly unfounded or excessive, which `text` has to show.
    """
    row = for_officer(actor, case, Act.QUOTE)
    refusal = why_free(row, earlier_of(row), excessive=excessive) or refusal_of_items(
        items, Kind(row.kind), known_laws(row.laws)
    )
    if refusal:
        raise CaseRefused(refusal)
    words = needed(text)
    row.fee_quotes.filter(state__in=[State.QUOTED, State.DECLINED]).update(state=State.REPLACED)
    quote = FeeQuote(
        id=uuid.uuid4(), case=row, total_cents=sum(one.cents for one in items),
        currency=currency, excessive=excessive, quoted_by_id=actor.user_id,
    )  # fmt: skip
    OpenCase(row).seal_items(quote, [asdict(one) for one in items if one.cents])
    quote.save(force_insert=True)
    entry = write_entry(row, Act.QUOTE, by=actor, text=words, code=str(quote.total_cents))
    tell_person(row, entry)
    write_event("request.fee_quoted", row, actor=actor, cents=quote.total_cents)
    return quote


@transaction.atomic
def decide_fee(*, case: Case, accepts: bool, actor: Actor | None = None) -> FeeQuote:
    """Take in what the person says to a quote. Clocks that count from the fee begin now.

    The caller has found the case by their session, or by the link of their letter.
    """
    row = locked(case)
    if actor is not None and not is_person_of(actor, row):
        raise NotYours("This request is somebody else's.")
    quote = row.fee_quotes.filter(state=State.QUOTED).select_for_update().first()
    if quote is None:
        raise CaseRefused("Nothing is quoted to you at the moment.")
    quote.state = State.ACCEPTED if accepts else State.DECLINED
    quote.decided_at = timezone.now()
    quote.save(update_fields=["state", "decided_at"])
    row.fee_days += (quote.decided_at - quote.quoted_at).days
    # Never earlier than it was said before.
    row.answer_on = max(row.answer_on, deadlines_of(row).answer_on)
    row.save(update_fields=["fee_days", "answer_on"])
    act = FEE_ACCEPTED if accepts else FEE_DECLINED
    write_entry(row, act, by=actor, by_person=True)
    write_event(f"request.fee_{quote.state}", row, actor=actor, cents=quote.total_cents)
    notify(users=people_working_on(row), template="request-detail-given", target_id=row.number)
    return quote
