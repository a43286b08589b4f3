"""Reads of cases: an officer's by organisation, a person's own, and by the link of a letter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.core import signing
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.rules import Actor, Capability
from accounts.selectors import administrators_of, officers_of, those_who_answer
from consent.models import SubjectAccount
from dsar.models import (
    Case,
    CaseDocument,
    CaseEntry,
    CaseSubject,
    FeeQuote,
    Package,
    RequestDraft,
)
from dsar.rules.agents import refusal_to_hand_out
from dsar.rules.clocks import Deadlines, Request, local_day, reckon
from dsar.rules.identity import Level, level_for
from dsar.rules.kinds import Kind
from dsar.rules.laws import Asked, Law, known_laws, laws_for
from dsar.rules.repeats import bars_excessive, next_on
from dsar.rules.states import UNANSWERED, Act, Outcome, Standing, State
from dsar.sealing import OpenCase
from dsar.selectors.agents import authority_of, standing_of_authority
from dsar.selectors.identity import level_known
from dsar.selectors.repeats import earlier_of, why_free, why_not_joined
from policies.rules.holdings import Whose
from policies.rules.pack import Pack
from policies.selectors import NoPolicy, effective_pack, packs_held

READ_SALT: Final = "dsar.read"
CONFIRM_SALT: Final = "dsar.confirm"
# How long the link of a letter opens a case: time enough to read an answer after a holiday.
READ_LINK_LASTS: Final = timedelta(days=60)
VIA_PROVIDER: Final = "via-provider"


# Whose cases --------------------------------------------------------------------------------------
def cases_of(actor: Actor) -> QuerySet[Case]:
    """The cases of the organisation that an officer works for; nobody else's."""
    if not actor.can(Capability.ANSWER_REQUESTS):
        return Case.objects.none()
    return Case.objects.filter(organisation_id=actor.organisation_id).select_related(
        "organisation", "officer"
    )


def queue_of(actor: Actor, shown: str, today: date) -> QuerySet[Case]:
    """The queue, by the day the answer is due; what is done comes last, the latest first."""
    rows = cases_of(actor)
    match shown:
        case "late":
            return rows.filter(_late(today)).order_by("answer_on", "number")
        case "mine":
            return rows.filter(state__in=UNANSWERED, officer_id=actor.user_id).order_by("answer_on")
        case "done":
            return rows.exclude(state__in=UNANSWERED).order_by("-answered_at", "number")
    return rows.filter(state__in=UNANSWERED).order_by("answer_on", "number")


def _late(today: date) -> Q:
    """The answer is late, or the acknowledgement is."""
    unacknowledged = Q(acknowledged_at=None, acknowledge_on__lt=today)
    return Q(state__in=UNANSWERED) & (Q(answer_on__lt=today) | unacknowledged)


def counts_of(actor: Actor, today: date) -> dict[str, int]:
    unanswered = Q(state__in=UNANSWERED)
    return cases_of(actor).aggregate(
        open=Count("pk", filter=unanswered),
        late=Count("pk", filter=_late(today)),
        mine=Count("pk", filter=unanswered & Q(officer_id=actor.user_id)),
        done=Count("pk", filter=~unanswered),
    )


def own_cases(actor: Actor) -> QuerySet[Case]:
    return (
        Case.objects.filter(person_id=actor.user_id)
        .select_related("organisation")
        .order_by("-received_at")
    )


def organisations_asked() -> QuerySet[Organisation]:
    return Organisation.objects.filter(is_active=True).order_by("name")


def organisations_selling() -> list[Organisation]:
    """Those whose policy in force says that something may count as sale or sharing."""
    asked = list(organisations_asked())
    packs = {one.pk: packs_held(one.pk) for one in asked}
    return [one for one in asked if packs[one.pk] and packs[one.pk][-1]["sale_share.allowed"]]


def providers_for(case: Case) -> QuerySet[Organisation]:
    """To whom a case can be handed on."""
    return organisations_asked().exclude(pk=case.organisation_id)


def cases_about(whose: Whose) -> QuerySet[Case]:
    """Every request of a person, or about whom officers found them to be."""
    mine = Q(subjects__subject_id__in=whose.subject_ids)
    if whose.user_id is not None:
        mine |= Q(person_id=whose.user_id)
    cases = Case.objects.filter(mine, organisation_id=whose.organisation_id)
    return cases.distinct().order_by("received_at")


# Who is told --------------------------------------------------------------------------------------
def people_answering(organisation_id: UUID) -> QuerySet[User]:
    """The officers; where an organisation has none, whoever could appoint one."""
    officers = officers_of(organisation_id)
    return officers if officers.exists() else administrators_of(organisation_id)


def people_working_on(case: Case) -> QuerySet[User]:
    """The officer that a case was assigned to; else all who answer."""
    if case.officer_id is None:
        return people_answering(case.organisation_id)
    return User.objects.filter(pk=case.officer_id)


def people_accountable(organisation_id: UUID) -> QuerySet[User]:
    """Whom a late case is told: the officers, and those above them."""
    return those_who_answer([organisation_id])


def colleagues_of(actor: Actor) -> QuerySet[User]:
    """To whom a case can be assigned."""
    assert actor.organisation_id is not None
    return officers_of(actor.organisation_id)


def subjects_asked_about(
    organisation_id: UUID, subjects: Collection[UUID], but_for: UUID | None = None
) -> set[UUID]:
    """Of these subjects, those about whom a request is open here: nothing of them is destroyed.

    Whose account has asked, or whom an officer found for a request; but for the request that is
    being carried out.
    """
    wanted = list(subjects)
    asking = Case.objects.filter(organisation_id=organisation_id, state__in=UNANSWERED)
    if but_for is not None:
        asking = asking.exclude(pk=but_for)
    own = SubjectAccount.objects.filter(
        subject_id__in=wanted, user__in=asking.filter(person__isnull=False).values("person")
    )
    linked = CaseSubject.objects.filter(subject_id__in=wanted, case__in=asking)
    found = (
        *own.values_list("subject_id", flat=True),
        *linked.values_list("subject_id", flat=True),
    )
    return set(found)


def people_asking() -> list[int]:
    """The accounts of whoever waits for an answer, anywhere."""
    asking = Case.objects.filter(state__in=UNANSWERED, person__isnull=False)
    return list(asking.values_list("person_id", flat=True).distinct())


# How a case stands --------------------------------------------------------------------------------
def asked_of(organisation: Organisation, pack: Pack) -> Asked:
    """The organisation as the rules see it."""
    return Asked(
        country=organisation.country,
        state=organisation.state,
        regimes=pack["regimes"],
        treats_people=pack["subject.mode"] != "veterinary",
    )


def laws_of(organisation: Organisation, residence: str) -> tuple[Law, ...]:
    return laws_for(residence, asked_of(organisation, effective_pack(organisation.pk)))


def request_of(case: Case, laws: tuple[Law, ...] | None = None) -> Request:
    """A case as its clocks see it; `laws` if others counted than those that do."""
    return Request(
        kind=Kind(case.kind),
        laws=known_laws(case.laws) if laws is None else laws,
        received_on=case.received_on,
        country=case.organisation.country,
        answer_days=case.answer_days,
        acknowledge_days=case.acknowledge_days,
        paused_days=case.waited_days,
        fee_days=case.fee_days,
        extended=case.extended_at is not None,
    )


def deadlines_of(case: Case) -> Deadlines:
    return reckon(request_of(case))


def today_at(organisation: Organisation, now: datetime | None = None) -> date:
    return local_day(now or timezone.now(), organisation.country, organisation.state)


def routes_on(organisation_id: UUID) -> bool:
    """Does the policy in force send patients' requests on to whoever sent the data?"""
    held = packs_held(organisation_id)
    return bool(held) and held[-1]["requests.patient_route"] == VIA_PROVIDER


def standing_of(case: Case) -> Standing:
    is_denied = case.kind == Kind.CORRECTION and case.outcome in {Outcome.DENIED, Outcome.PARTLY}
    said = {Act.DISAGREE, Act.REBUT} if is_denied else set()
    acts = set(case.entries.filter(act__in=said).values_list("act", flat=True)) if said else set()
    authority, earlier = authority_of(case), earlier_of(case)
    kind, laws, day = Kind(case.kind), known_laws(case.laws), case.received_on
    known, level = case.identified_at is not None, level_known(case)
    return Standing(
        kind=Kind(case.kind),
        state=State(case.state),
        is_acknowledged=case.acknowledged_at is not None,
        is_extended=case.extended_at is not None,
        is_identified=known and level >= level_for(Kind(case.kind)),
        is_certain=known and level is Level.HIGH,
        for_other=authority is not None,
        not_joined=why_not_joined(earlier),
        next_on=next_on(kind, laws, day, earlier),
        bars_excessive=bars_excessive(kind, laws, day),
        fee_open=case.fee_quotes.filter(state=FeeQuote.State.QUOTED).exists(),
        # What is excessive can be charged for where law says so, if an officer shows why.
        free=why_free(case, earlier) and why_free(case, earlier, excessive=True),
        unauthorised=refusal_to_hand_out(
            standing_of_authority(authority), today_at(case.organisation)
        )
        if authority
        else "",
        answer_on=case.answer_on,
        extends_to=deadlines_of(case).extends_to,
        routes_on=routes_on(case.organisation_id),
        is_denied=is_denied,
        is_disputed=Act.DISAGREE in acts,
        is_rebutted=Act.REBUT in acts,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a case with its words."""

    entry: CaseEntry
    text: str


def lines_of(opened: OpenCase, *, for_person: bool) -> list[Line]:
    """What happened, the first first; notes among officers only for officers."""
    entries = opened.case.entries.select_related("by").order_by("at", "pk")
    if for_person:
        entries = entries.filter(shown=True)
    return [Line(entry, opened.text_of(entry)) for entry in entries]


# Links --------------------------------------------------------------------------------------------
def read_token(case: Case) -> str:
    """What opens a case for whoever got it by mail; dead once the epoch has moved on."""
    return signing.dumps([str(case.pk), case.link_epoch], salt=READ_SALT, compress=False)


def case_of_token(token: str) -> Case | None:
    """The case that a link opens; None for one that is forged, old or replaced."""
    try:
        pk, epoch = signing.loads(token, salt=READ_SALT, max_age=READ_LINK_LASTS)
    except (signing.BadSignature, ValueError):
        return None
    # Whoever asked while signed in reads while signed in, for as long as there is an account.
    without_account = Q(person=None) | Q(person__is_active=False)
    cases = Case.objects.select_related("organisation", "officer")
    return cases.filter(without_account, pk=pk, link_epoch=epoch).first()


def confirm_token(draft: RequestDraft) -> str:
    return signing.dumps(str(draft.pk), salt=CONFIRM_SALT)


def draft_of_token(token: str) -> RequestDraft | None:
    """The request that waits for this link; None if it is forged, used or too old."""
    try:
        pk = signing.loads(token, salt=CONFIRM_SALT)
    except signing.BadSignature:
        return None
    return (
        RequestDraft.objects.select_related("organisation")
        .filter(pk=pk, confirmed_at=None, expires_at__gt=timezone.now())
        .first()
    )


def policy_or_none(organisation: Organisation) -> Pack | None:
    try:
        return effective_pack(organisation.pk)
    except NoPolicy:
        return None


# What a sweep must leave alone --------------------------------------------------------------------
def blobs_among(names: Collection[str]) -> set[str]:
    copies = Package.objects.filter(blob_name__in=names).values_list("blob_name", flat=True)
    papers = CaseDocument.objects.filter(blob_name__in=names).values_list("blob_name", flat=True)
    return {*copies, *papers}


def keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(Package.objects.filter(key_id__in=keys).values_list("key_id", flat=True))


def document_keys_among(keys: Collection[UUID]) -> set[UUID]:
    return set(CaseDocument.objects.filter(key_id__in=keys).values_list("key_id", flat=True))
