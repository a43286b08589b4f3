"""Fees: only where law allows them, for what it costs, accepted first (C34)."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from accounts.rules import Actor
from audit.models import Event
from dsar.models import Case, FeeQuote
from dsar.rules.fees import MOST_CENTS, Asked, Cost, Item, refusal_of_items, refusal_to_charge
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.states import Outcome, Proof
from dsar.selectors import deadlines_of, read_token
from dsar.services.charging import decide_fee, quote_fee
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from tests.dsar.asking import by_form, post, signed_in, written_down
from tests.factories import Cast, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Acting = Callable[..., Actor]
Browsers = Callable[[User], Client]
DAY = date(2026, 11, 26)
COPY = Asked(Kind.COPY, (Law.HIPAA,), DAY, "cost-based")
DISC = Item(Cost.COPYING, "One disc, 20 minutes of copying", 6_50)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (COPY, ""),
        (replace(COPY, charged="none"), "privacy policy"),
        (replace(COPY, kind=Kind.PORTABILITY), ""),
        (replace(COPY, kind=Kind.ACCESS), "costs nothing"),
        (replace(COPY, kind=Kind.CORRECTION), "costs nothing"),
        (replace(COPY, kind=Kind.ACCOUNTING), "first accounting in any twelve months"),
        (replace(COPY, kind=Kind.ACCOUNTING, done_before=1), ""),
        (replace(COPY, laws=(Law.GDPR,)), "It is free"),
        (replace(COPY, laws=(Law.GDPR, Law.HIPAA)), "It is free"),
        (replace(COPY, laws=(Law.GDPR,), done_before=1), ""),
        (replace(COPY, laws=(Law.GDPR,), excessive=True), ""),
        (replace(COPY, laws=(Law.CCPA,)), "It is free"),
        (replace(COPY, laws=(Law.CCPA,), done_before=5), "It is free"),
        (replace(COPY, laws=(Law.CCPA,), excessive=True), ""),
        (replace(COPY, laws=(Law.CCPA,), kind=Kind.OPT_OUT, excessive=True), "never cost"),
        (replace(COPY, kind=Kind.QUESTION), "never cost"),
        (replace(COPY, laws=()), ""),
        (replace(COPY, laws=(), kind=Kind.ERASURE), "Only copies"),
    ],
)
def test_of_all_laws_the_kindest_decides_whether_it_costs_anything(asked: Asked, why: str) -> None:
    """gdpr.dsar.fee, ccpa.fee, hipaa.access, hipaa.accounting of the statutory rules."""
    refusal = refusal_to_charge(asked)
    assert why in refusal and bool(why) == bool(refusal)


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ([DISC], ""),
        ([DISC, Item(Cost.COMMUNICATION, "Postage", 1_20)], ""),
        ([Item(Cost.COPYING, "", 1)], "what it is for"),
        ([Item(Cost.COPYING, "Nothing", 0)], "quote of nothing"),
        ([Item(Cost.COPYING, "A gift", -1)], "less than nothing"),
        ([Item(Cost.COPYING, "A slip", MOST_CENTS + 1)], "more than any copy costs"),
        ([DISC, Item(Cost.ADMINISTRATIVE, "Searching", 5_00)], "Searching and fetching cannot"),
    ],
)
def test_a_quote_holds_what_it_costs_and_nothing_else(items: list[Item], why: str) -> None:
    refusal = refusal_of_items(items, Kind.COPY, [Law.HIPAA])
    assert why in refusal and bool(why) == bool(refusal)


def test_searching_can_be_charged_where_no_law_forbids_it() -> None:
    assert not refusal_of_items([Item(Cost.ADMINISTRATIVE, "One hour", 9_00)], Kind.COPY, [])


def quoted(actor: Actor, case: Case, **more: object) -> FeeQuote:
    return quote_fee(actor=actor, case=case, items=[DISC], currency="USD",
                     text="A disc and its copying.", **more)  # type: ignore[arg-type] # fmt: skip


def test_nothing_is_made_before_the_person_accepts(cast: Cast, actor: Acting) -> None:
    case, officer = by_form(kind=Kind.COPY, residence="US-TX"), actor(cast.officer, fresh=True)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    quote = quoted(officer, case)
    assert quote.total == "6.50 USD"
    assert b"disc" not in bytes(quote.sealed_items)
    assert any("has a cost" in one or "cost something" in one for one in post())
    with pytest.raises(CaseRefused, match="not accepted the fee"):
        answer_case(actor=officer, case=case, text="Here.", outcome=Outcome.GRANTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        FeeQuote.objects.create(
            case=case, sealed_items=b"-", total_cents=1, currency="USD", quoted_by=cast.officer
        )
    decide_fee(case=case, accepts=True)
    assert answer_case(actor=officer, case=case, text="Here.", outcome=Outcome.GRANTED)
    assert {one.action for one in Event.objects.filter(action__startswith="request.fee")} == {
        "request.fee_quoted", "request.fee_accepted",
    }  # fmt: skip


@pytest.mark.parametrize("residence", ["FR", "GB"])
def test_where_law_makes_it_free_nothing_is_quoted(
    cast: Cast, actor: Acting, residence: str
) -> None:
    case = by_form(kind=Kind.COPY, residence=residence)
    with pytest.raises(CaseRefused, match="free"):
        quoted(actor(cast.officer), case)
    assert quoted(actor(cast.officer), case, excessive=True).excessive


def test_who_does_not_accept_can_have_it_without_or_another_quote(
    cast: Cast, actor: Acting
) -> None:
    case, officer = by_form(kind=Kind.COPY, residence="US-TX"), actor(cast.officer)
    identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    quoted(officer, case)
    quoted(officer, case)
    assert FeeQuote.objects.filter(state=FeeQuote.State.QUOTED).count() == 1
    decide_fee(case=case, accepts=False)
    with pytest.raises(CaseRefused, match="Nothing is quoted"):
        decide_fee(case=case, accepts=True)
    assert answer_case(actor=officer, case=case, text="Here.", outcome=Outcome.GRANTED)


@pytest.mark.parametrize(("residence", "waits"), [("US-TX", False), ("GB", True), ("FR", False)])
def test_only_a_clock_that_counts_from_the_fee_waits_for_it(
    cast: Cast, actor: Acting, residence: str, waits: bool
) -> None:
    """UK GDPR Art. 12A: from the latest of receipt, proof of identity, and fee."""
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False) as clock:
        case = written_down(actor(cast.officer), kind=Kind.COPY, residence=residence)
        before = {one.rule: one.due_on for one in deadlines_of(case).clocks}
        quoted(actor(cast.officer), case, excessive=residence != "US-TX")
        clock.shift(timedelta(days=6))
        decide_fee(case=case, accepts=True)
        case.refresh_from_db()
        after = {one.rule: one.due_on for one in deadlines_of(case).clocks}
    assert case.fee_days == 6
    moved = {rule for rule, due in after.items() if due != before[rule]}
    assert moved == ({"uk.dsar.all"} if waits else set())


def test_in_texas_the_time_begins_with_the_fee(cast: Cast, actor: Acting) -> None:
    with time_machine.travel(datetime(2026, 9, 1, 15, tzinfo=UTC), tick=False):
        case = written_down(actor(cast.officer), kind=Kind.COPY, received_on=date(2026, 9, 1))
    case.laws, case.fee_days = [Law.TX_PATIENTS.value], 7
    due = {one.rule: one.due_on for one in deadlines_of(case).clocks}
    assert due["tx.occ159006"] == date(2026, 9, 29)
    case.fee_days = 0
    without = {one.rule: one.due_on for one in deadlines_of(case).clocks}
    # Labour Day is the 7th.
    assert without["tx.occ159006"] == date(2026, 9, 23)
    assert due["own"] == without["own"]


def test_only_the_person_says_yes(cast: Cast, actor: Acting, client_of: Browsers) -> None:
    case = signed_in(actor(cast.patient), kind=Kind.COPY, residence="US-TX")
    quoted(actor(cast.officer), case)
    address = f"/requests/mine/{case.number}/fee/"
    assert client_of(cast.owner).post(address, {"accepts": "yes"}).status_code == 404
    with pytest.raises(NotYours):
        decide_fee(case=case, accepts=True, actor=actor(cast.owner))
    page = text_of(client_of(cast.patient).get(f"/requests/mine/{case.number}/"))
    assert "Accept 6.50 USD" in page and "One disc" in page
    client_of(cast.patient).post(address, {"accepts": "yes"})
    assert FeeQuote.objects.get().state == FeeQuote.State.ACCEPTED


def test_a_fee_is_quoted_and_accepted_on_the_pages(
    cast: Cast, client_of: Browsers, client: Client
) -> None:
    case, browser = by_form(kind=Kind.COPY, residence="US-TX"), client_of(cast.officer)
    page = f"/requests/{case.number}/quote-fee/"
    given = {"copying_amount": "6.50", "copying_what": "<b>One disc</b>", "currency": "USD",
             "text": "A disc."}  # fmt: skip
    searching = {"administrative_amount": "5", "administrative_what": "Searching"}
    refused = browser.post(page, given | searching)
    assert refused.status_code == 409 and "164.524(c)(4)" in text_of(refused)
    assert browser.post(page, given | {"copying_amount": "-1"}).status_code == 422
    assert browser.post(page, given).status_code == 302
    assert "<b>One disc" not in browser.get(f"/requests/{case.number}/").content.decode()
    link = f"/requests/read/{read_token(case)}/"
    assert "6.50 USD" in text_of(client.get(link))
    client.post(f"{link}fee/", {"accepts": "no"})
    assert FeeQuote.objects.get().state == FeeQuote.State.DECLINED


# Nobody is treated worse -------------------------------------------------------------------------
RIGHTS = {"dsar", "SaleOptOut", "MarketingChoice", "Directive", "opt_out_by_signal", "objected_to"}
PRICES = ["accounts/services/billing.py", "accounts/models/billing.py"]


def names_in(path: Path) -> set[str]:
    """Every name that a file reads or imports, and the strings that could name a table."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.alias(name=name):
                found |= {name, name.partition(".")[0]}
            case ast.Attribute(attr=name) | ast.ImportFrom(module=str(name)):
                found |= {name, name.partition(".")[0]}
            case ast.Constant(value=str(words)):
                found |= set(words.replace("_", " ").split()) | {words}
    return found


@pytest.mark.parametrize("path", PRICES)
def test_prices_know_nothing_of_rights(path: str) -> None:
    """MEDDIM-7.20: no worse service or price for whoever uses a right."""
    assert names_in(settings.BASE_DIR / path) & RIGHTS == set()


def test_that_look_finds_what_it_looks_for(tmp_path: Path) -> None:
    written = tmp_path / "price.py"
    for line in ("from accounts.models import SaleOptOut", "import dsar.models",
                 "membership.objected_to", "from dsar.models import Case"):  # fmt: skip
        written.write_text(line)
        assert names_in(written) & RIGHTS, line
