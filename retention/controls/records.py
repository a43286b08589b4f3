"""Controls of how everything that is no study ends, and of how disposal is final."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from accounts.models import Invoice, Membership, Notification, Organisation, User
from accounts.services.erasing import FORMER, erase_account
from jobs.rules.kinds import schedules
from policies.controls.trying import undone
from policies.rules.categories import CATEGORIES, Category
from policies.rules.controls import Broken, Values, control, must_refuse, require
from policies.rules.gate import using
from policies.rules.inventory import categories_kept, inventory
from policies.rules.purposes import Purpose
from policies.rules.records import Ending, RecordKind, record_kinds, without_ending
from retention.controls import EXAMINED, PLACES, RECEIVED
from retention.models import DisposalRun
from retention.rules.disposal import CAN_STAY, FINAL, NEXT, Step
from retention.rules.duties import duties_over, read_duty
from retention.rules.facts import Facts, Milestone
from retention.rules.floors import below_law
from retention.rules.keeping import keeping_of, keeping_without_a_person
from retention.rules.records import Rule, is_used, rule_of
from retention.rules.schedule import OF_ANONYMOUS, OF_STUDIES, schedule_of
from retention.selectors.records import Guard, Over, over_now
from retention.services.anonymising import KEY_KIND, destroy_way_back
from vault.rules.errors import KeyDestroyed
from vault.services.data_keys import create_data_key, open_data_key

TODAY = date(2026, 6, 15)
NOTHING_HELD = Guard(everything=False, subjects=frozenset(), people=frozenset())
NIGHTLY = ("retention.plan", "retention.records")


def _kind(code: str) -> RecordKind:
    for kind in record_kinds():
        if kind.code == code:
            return kind
    raise Broken(f"Nothing brings {code} to an end.")


def _rule(values: Values, category: Category) -> Rule:
    rule = rule_of(values, category, ())
    if rule is None:
        raise Broken(f"The policy does not say how long {category.value} is kept.")
    return rule


def _office() -> Organisation:
    return Organisation.objects.create(slug=f"control-{secrets.token_hex(4)}", name="Nowhere")


def _person(office: Organisation, closed_on: date | None = None) -> User:
    somebody = User.objects.create(
        email=f"{secrets.token_hex(8)}@control.invalid", name="Nobody",
        is_active=closed_on is None, closed_at=_noon(closed_on) if closed_on else None,
    )  # fmt: skip
    Membership.objects.create(user=somebody, organisation=office, is_active=closed_on is None)
    return somebody


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _over(kind: RecordKind, office: Organisation, rules: Mapping[Category, Rule]) -> set[Any]:
    going, _ = over_now(Over(office, TODAY, rules), kind, NOTHING_HELD)
    return set(going)


@control(
    "retention.accounts-end", "An account stays while it is used, and for the policy's term after",
    of_policy=True,
)  # fmt: skip
def accounts_end(values: Values) -> str:
    rule = _rule(values, Category.ACCOUNT)
    require(
        rule.trigger in {"account-closed", "relationship-ended"},
        "The time of an account does not run from its end.",
    )
    kind, last = _kind("accounts.account"), rule.last_start_over(TODAY)
    with undone():
        office = _office()
        used, fresh = _person(office), _person(office, TODAY - timedelta(days=1))
        over = _person(office, last - timedelta(days=2))
        found = _over(kind, office, {Category.ACCOUNT: rule})
        require(used not in found, "An account that is used is over.")
        require(fresh not in found, "An account is over on the day after it was closed.")
        require(over in found, "An account whose time is over is kept.")
        erase_account(user=over, reason="control")
        left = User.objects.get(pk=over.pk)
        with using(Purpose.LEGAL_OBLIGATION, Category.ACCOUNT):
            require(left.name == FORMER and not left.phone, "What says who it was is still there.")
        require(Membership.objects.filter(user=left).exists(), "The evidence of roles is gone.")
    return (
        f"An account is kept for {rule.words}. One that is open has no end; one that was over went."
    )


@control(
    "retention.everything-ends", "Every kind of record has an end, and one that nothing uses ends",
    of_policy=True,
)  # fmt: skip
def everything_ends(values: Values) -> str:
    personal = {entry.model for entry in inventory() if entry.is_personal}
    left = without_ending(personal)
    require(not left, f"Nothing brings these to an end: {', '.join(left)}.")
    silent = [
        one.value for one in categories_kept()
        if CATEGORIES[one].is_personal and one.value not in values["retention"]
    ]  # fmt: skip
    require(not silent, f"The policy does not say how long it keeps {', '.join(silent)}.")
    without = dict(values) | {
        "purposes": {
            code: {**one, "categories": [name for name in one["categories"] if name != "billing"]}
            for code, one in values["purposes"].items()
        }
    }
    require(not is_used(without, Category.BILLING), "A purpose that is gone still counts.")
    unused = _rule(without, Category.BILLING)
    require(
        unused.last_start_over(TODAY) == TODAY - timedelta(days=1),
        "What no purpose uses any more is kept as long as before.",
    )
    by_term = sum(kind.ending is Ending.TERM for kind in record_kinds())
    return (
        f"{len(personal)} kinds of rows say something about people: {by_term} kinds of record end "
        "by a term, the others with what they belong to, and each is listed."
    )


@control("retention.purged-nightly", "Each night what is over goes, and nothing else")
def purged_nightly() -> str:
    daily = {one.name for one in schedules() if one.every <= timedelta(days=1)}
    missing = set(NIGHTLY) - daily
    require(not missing, f"Nothing looks each day: {', '.join(sorted(missing))}.")
    line = {"trigger": "created", "keep": "1 year", "action": "delete"}
    values = {"retention": {"communications": line}, "purposes": {
        "any": {"categories": ["communications"]},
    }}  # fmt: skip
    rule, kind = _rule(values, Category.COMMUNICATIONS), _kind("accounts.messages")
    with undone():
        office = _office()
        somebody = _person(office)
        old, new = (
            Notification.objects.create(
                user=somebody, batch_id=uuid4(), category="case", template="roles-changed",
                in_portal=True, by_email=False, created_at=_noon(day),
            )
            for day in (TODAY - timedelta(days=400), TODAY - timedelta(days=300))
        )  # fmt: skip
        found = _over(kind, office, {Category.COMMUNICATIONS: rule})
        require(found == {old}, "Something else is over than what is older than a year.")
        assert kind.term is not None, kind.code
        kind.term.purge([*found])
        there = set(Notification.objects.filter(user=somebody))
        require(there == {new}, "Deleting took something else, or nothing.")
        everything = Guard(everything=True, subjects=frozenset(), people=frozenset())
        going, held = over_now(Over(office, TODAY + timedelta(days=400),
                                    {Category.COMMUNICATIONS: rule}), kind, everything)  # fmt: skip
        require(not going.exists() and held.exists(), "A hold on everything holds nothing.")
    return "Of two messages the one older than a year was just deleted, the other was not."


@control(
    "retention.invoices-stay", "Invoices stay for as long as financial law says, whoever goes",
    of_policy=True,
)  # fmt: skip
def invoices_stay(values: Values) -> str:
    rule = _rule(values, Category.BILLING)
    require(rule.laws, "No law is named for how long invoices are kept.")
    with must_refuse(ValueError, "A duty of law without a citation"):
        read_duty("nothing", {"law": "A law", "places": ["US"], "covers": ["billing"],
                              "terms": [{"from": "created", "keep": "7 years"}], "cites": "",
                              "sure": "high"})  # fmt: skip
    with undone():
        office = _office()
        clerk = _person(office, TODAY)
        key = create_data_key(organisation_id=office.pk, kind="invoice")
        bill = Invoice.objects.create(
            organisation=office, number=1, about="Service", amount=Decimal(1), currency="EUR",
            key_id=key.id, sealed_addresses=b"-", issued_by=clerk, state="cancelled",
            issued_at=_noon(TODAY - timedelta(days=30)),
        )  # fmt: skip
        erase_account(user=clerk, reason="control")
        there = Invoice.objects.filter(pk=bill.pk, issued_by=clerk).exists()
        require(there, "An invoice went with the account of who wrote it.")
        over = _over(_kind("accounts.invoices"), office, {Category.BILLING: rule})
        require(not over, "An invoice of last month is over.")
        until = rule.until(bill.issued_at.date())
    return f"One of last month stays until {until:%-d %B %Y}: {'; '.join(rule.laws)}."


@control(
    "retention.below-law-refused", "A term that was agreed to cannot go below the law",
    of_policy=True,
)  # fmt: skip
def below_law_refused(values: Values) -> str:
    is_veterinary = values["subject.mode"] == "veterinary"
    place = "a veterinary practice in California" if is_veterinary else "a hospital in New York"
    line = {"trigger": "examination", "keep": "1 day", "action": "delete"}
    hasty = dict(values) | {"retention": {**values["retention"], "images": line}}
    found = below_law(values, hasty, duties_over(PLACES[place], OF_STUDIES), TODAY)
    require(found, f"Images kept for a day can be posted for {place}.")
    require("years here" in found[0].reason, "The refusal does not name what the law asks for.")
    longer = dict(values) | {
        "retention": {**values["retention"], "images": {**line, "keep": "30 years"}}
    }
    refused = below_law(values, longer, duties_over(PLACES[place], OF_STUDIES), TODAY)
    require(not refused, "What is kept for longer than law asks cannot be agreed to.")
    return f"A day for images was refused just now, with what the law asks {place} for."


@control(
    "retention.diagnosis-first", "Images stay until the diagnosis is complete and law lets them go",
    of_policy=True,
)  # fmt: skip
def diagnosis_first(values: Values) -> str:
    own = schedule_of(values)
    waits = [line for line in own if line.and_until == Milestone.DIAGNOSIS_COMPLETE]
    require(waits == list(own), "Something of a study does not wait for the end of the diagnosis.")
    facts = Facts(RECEIVED, EXAMINED, modalities=frozenset({"CT"}), is_animal=True)
    duties = duties_over(PLACES["a veterinary practice in California"], OF_STUDIES)
    long_after = EXAMINED + timedelta(days=365 * 60)
    still = keeping_of(facts, duties=duties, schedule=own)
    require(not still.is_due(long_after), "A study goes before its diagnosis is complete.")
    complete = EXAMINED + timedelta(days=10)
    noted = Facts(
        RECEIVED, EXAMINED, modalities=frozenset({"CT"}), is_animal=True,
        milestones={Milestone.DIAGNOSIS_COMPLETE.value: complete},
    )  # fmt: skip
    then = keeping_of(noted, duties=duties, schedule=own)
    require(not then.is_due(complete + timedelta(days=1)), "The diagnosis alone lets a study go.")
    require(then.is_due(long_after), "It stays for ever, although both have come.")
    return f"A case that was completed is {then.words[0].lower()}{then.words[1:]}"


@control(
    "retention.anonymous-apart", "What was made anonymous has its own schedule, and no way back",
    of_policy=True,
)  # fmt: skip
def anonymous_apart(values: Values) -> str:
    ended = {milestone.value: EXAMINED for milestone in Milestone}
    facts = Facts(RECEIVED, EXAMINED, modalities=frozenset({"CT"}), milestones=ended)
    apart = keeping_without_a_person(facts, schedule_of(values, OF_ANONYMOUS))
    of_people = keeping_of(facts, duties=(), schedule=schedule_of(values))
    require(
        apart.is_endless or of_people.is_open or apart.until >= of_people.until,
        "What was made anonymous goes before what was not.",
    )
    with undone():
        office = _office()
        key = create_data_key(organisation_id=office.pk, kind=KEY_KIND)
        run = DisposalRun.objects.create(organisation=office, number=1, link_key_id=key.id)
        destroy_way_back(run)
        with must_refuse(KeyDestroyed, "The way from a copy to its original"):
            open_data_key(id=key.id)
    return f"A study without its person is {apart.words[0].lower()}{apart.words[1:]}"


@control("retention.disposal-final", "What is over is destroyed for good, its key first")
def disposal_final() -> str:
    first = NEXT[Step.WITHDRAWN]
    require(first is Step.KEY_DESTROYED, "Something goes before the key, or after it was kept.")
    require(FINAL.isdisjoint(CAN_STAY), "What is final can be taken back.")
    steps, last = [Step.PLANNED], Step.PLANNED
    while last in NEXT:
        last = NEXT[last]
        steps.append(last)
    # Copying comes before, where a study is made anonymous; what is kept goes no step.
    require({*steps} == {*Step} - {Step.COPIED, Step.KEPT}, "A step is left out.")
    with undone():
        office = _office()
        twice = {"first_by_id": 1, "second_by_id": 1}
        with must_refuse(IntegrityError, "One person approving twice"), transaction.atomic():
            DisposalRun.objects.create(organisation=office, number=1, **twice)
        key = create_data_key(organisation_id=office.pk, kind=KEY_KIND)
        destroy_way_back(DisposalRun(organisation=office, link_key_id=key.id))
        with must_refuse(KeyDestroyed, "A key that was destroyed"):
            open_data_key(id=UUID(str(key.id)))
    return "A key was made and destroyed just now, and opens nothing; two people have to approve."
