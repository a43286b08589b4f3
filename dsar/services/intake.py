"""How a request becomes a case: by the public form, signed in, or written down by an officer."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import Organisation, User
from accounts.rules import Actor, Capability
from accounts.services.notifications import notify
from accounts.services.trail import anonymous_ref, current_network
from accounts.services.trail import record as record_event
from audit.models import Event
from dsar.models import Authority, Case, RequestDraft
from dsar.rules.agents import Relation
from dsar.rules.clocks import Request, local_day, noon_of, reckon
from dsar.rules.kinds import Kind
from dsar.rules.numbers import number_of
from dsar.rules.states import RECORDED_BY_OFFICER, Door, Proof, refusal_of_receipt
from dsar.rules.words import one_line, readable
from dsar.sealing import (
    KEY_KIND,
    OpenCase,
    Person,
    Written,
    email_token,
    open_draft,
    seal_case,
    seal_draft,
)
from dsar.selectors import laws_of, people_answering, today_at
from dsar.services.entries import CaseRefused, NotYours, tell_person, write_entry, write_event
from dsar.services.letters import CONFIRMING
from dsar.services.pausing import pause_while_open
from jobs.services import create_job
from policies.selectors import effective_pack
from vault.services.data_keys import create_data_key, destroy_data_keys

DRAFT_LASTS: Final = timedelta(hours=24)
# Forms in one hour: for one address, out of one neighbourhood of the network (a hospital's, say),
# and in all, so that whoever floods us cannot flood others with mail of ours.
WINDOW: Final = timedelta(hours=1)
FLOODED: Final = "request.flooded"
PER_ADDRESS, PER_NETWORK, PER_PERSON, IN_ALL = 3, 20, 10, 600


class TooMany(CaseRefused):
    """More forms than anybody needs came in the last hour."""


@dataclass(frozen=True, slots=True)
class Acting:
    """In whose name somebody asks, and as whom."""

    relation: Relation
    person: Person


@dataclass(frozen=True, slots=True)
class Asking:
    """What somebody asks, as a form takes it in."""

    organisation: Organisation
    kind: Kind
    residence: str
    name: str
    email: str
    text: str
    # None: for themself.
    acting: Acting | None = None

    @property
    def written(self) -> Written:
        return Written(one_line(self.name), self.email.strip().lower(), readable(self.text))


# The public form ----------------------------------------------------------------------------------
@transaction.atomic
def begin_request(*, asking: Asking) -> RequestDraft:
    """Keep a form, sealed, until its address is confirmed by the link that is mailed to it.

    The answer is the same whether anybody knows the address here or not. Raises `TooMany`.
    """
    organisation, written = asking.organisation, asking.written
    token = email_token(organisation.pk, written.email) or b""
    network = _network_token()
    _refuse_floods(token, network)
    key = create_data_key(organisation_id=organisation.pk, kind=KEY_KIND)
    draft = RequestDraft(
        organisation=organisation, key_id=key.id, email_token=token, network_token=network,
        expires_at=timezone.now() + DRAFT_LASTS,
    )  # fmt: skip
    record = {
        "kind": asking.kind.value,
        "residence": asking.residence,
        "name": written.name,
        "email": written.email,
        "text": written.text,
        "acting": _packed(asking.acting),
    }
    seal_draft(draft, record, key.key)
    draft.save(force_insert=True)
    create_job(kind=CONFIRMING, natural_key=str(draft.pk), payload={"draft": draft.pk})
    return draft


def _packed(acting: Acting | None) -> dict[str, Any] | None:
    if acting is None:
        return None
    return {"relation": acting.relation.value, **asdict(acting.person)}


def _unpacked(record: dict[str, Any] | None) -> Acting | None:
    if record is None:
        return None
    relation = Relation(record.pop("relation"))
    return Acting(relation, Person(**record))


@transaction.atomic
def note_flood(*, organisation: Organisation) -> None:
    """Write down that forms were refused: once an hour, or the trail would be flooded instead."""
    since = timezone.now() - WINDOW
    if not Event.objects.filter(
        action=FLOODED, organisation_id=str(organisation.pk), occurred_at__gt=since
    ).exists():
        record_event(
            action=FLOODED,
            actor=anonymous_ref(),
            outcome="refused",
            organisation_id=organisation.pk,
            target=("organisation", str(organisation.pk)),
        )


def _network_token() -> bytes:
    return salted_hmac("dsar.network", current_network(), algorithm="sha256").digest()[:16]


def _refuse_floods(token: bytes, network: bytes) -> None:
    recent = RequestDraft.objects.filter(created_at__gt=timezone.now() - WINDOW)
    if (
        recent.filter(email_token=token).count() >= PER_ADDRESS
        or recent.filter(network_token=network).count() >= PER_NETWORK
        or recent.count() >= IN_ALL
    ):
        raise TooMany(
            "Too many requests came in during the last hour. Try again later, or write, call or"
            " send a letter."
        )


@transaction.atomic
def confirm_request(*, draft: RequestDraft) -> Case:
    """Make a case of a form whose address was confirmed. Once: the draft is emptied by it.

    Its time begins now: before, nobody could know whether there is anybody to answer.
    """
    row = RequestDraft.objects.select_for_update().filter(pk=draft.pk, confirmed_at=None).first()
    if row is None or row.expires_at <= timezone.now():
        raise CaseRefused("This link was used already, or has ended. Send the form again.")
    record = open_draft(row)
    asking = Asking(
        organisation=draft.organisation,
        kind=Kind(record["kind"]),
        residence=record["residence"],
        name=record["name"],
        email=record["email"],
        text=record["text"],
        acting=_unpacked(record["acting"]),
    )
    case = open_case(asking, door=Door.FORM, received_at=timezone.now())
    row.confirmed_at, row.sealed_record = timezone.now(), b""
    row.save(update_fields=["confirmed_at", "sealed_record"])
    transaction.on_commit(lambda: destroy_data_keys(ids=[row.key_id]))
    _arrived(case, by=None)
    return case


# Signed in ----------------------------------------------------------------------------------------
@transaction.atomic
def submit_request(*, actor: Actor, asking: Asking) -> Case:
    """Make a case of what a signed-in person asks: their address is known, and who they are.

    Raises `TooMany`.
    """
    since = timezone.now() - WINDOW
    if Case.objects.filter(person_id=actor.user_id, created_at__gt=since).count() >= PER_PERSON:
        raise TooMany(f"You sent {PER_PERSON} requests in the last hour. Try again later.")
    now = timezone.now()
    # An account shows who asks, and nothing of somebody else.
    known = {"identified_at": now, "proof": Proof.ACCOUNT.value} if asking.acting is None else {}
    case = open_case(
        asking, door=Door.SIGNED_IN, received_at=now, person=User.objects.get(pk=actor.user_id),
        **known,
    )  # fmt: skip
    _arrived(case, by=actor)
    pause_while_open(actor=actor, case=case)
    return case


# Written down by an officer -----------------------------------------------------------------------
@transaction.atomic
def record_request(*, actor: Actor, asking: Asking, door: Door, received_on: date) -> Case:
    """Write down what came by post, telephone or e-mail; the clock starts when it came.

    Who gave an e-mail address gets the acknowledgement there at once; else the officer sends a
    letter and notes it. Raises `CaseRefused`.
    """
    own = asking.organisation.pk == actor.organisation_id
    if not own or not actor.can(Capability.ANSWER_REQUESTS):
        raise NotYours("Only privacy officers of the organisation write down its requests.")
    if door not in RECORDED_BY_OFFICER:
        raise CaseRefused("Say how it came: by e-mail, post or telephone.")
    organisation, now = asking.organisation, timezone.now()
    if refusal := refusal_of_receipt(received_on, today_at(organisation, now)):
        raise CaseRefused(refusal)
    noon = noon_of(received_on, organisation.country, organisation.state)
    case = open_case(asking, door=door, received_at=min(noon, now))
    write_event("request.recorded", case, actor=actor, door=case.door)
    _arrived(case, by=actor)
    return case


# All of them --------------------------------------------------------------------------------------
def open_case(asking: Asking, *, door: Door, received_at: datetime, **more: object) -> Case:
    """Save a case with its clocks, its words sealed under a key of its own; tells nobody."""
    organisation, written = asking.organisation, asking.written
    pack = effective_pack(organisation.pk)
    laws = laws_of(organisation, asking.residence)
    promised = {
        "answer_days": pack["requests.answer_days"],
        "acknowledge_days": pack["requests.acknowledge_days"],
    }
    due = reckon(
        Request(
            kind=asking.kind,
            laws=laws,
            received_on=local_day(received_at, organisation.country, organisation.state),
            country=organisation.country,
            **promised,
        )
    )
    key = create_data_key(organisation_id=organisation.pk, kind=KEY_KIND)
    case = Case(
        number=number_of(secrets.randbits(40)),
        organisation=organisation,
        kind=asking.kind.value,
        door=door.value,
        residence=asking.residence,
        laws=[law.value for law in laws],
        key_id=key.id,
        email_token=email_token(organisation.pk, written.email),
        received_at=received_at,
        acknowledge_on=due.acknowledge_on,
        answer_on=due.answer_on,
        **promised,
        **more,
    )
    seal_case(case, written, key.key)
    case.save(force_insert=True)
    if asking.acting is not None:
        _note_acting(case, asking.acting)
    return case


def _note_acting(case: Case, acting: Acting) -> None:
    authority = Authority(case=case, relation=acting.relation.value)
    person = replace(acting.person, name=one_line(acting.person.name))
    OpenCase(case).seal_person(authority, person)
    authority.save(force_insert=True)
    write_event("request.in_name", case, actor=None, relation=authority.relation)


def _arrived(case: Case, *, by: Actor | None) -> None:
    """Write down that it came, acknowledge it where the person can be reached, tell officers."""
    can_be_reached = case.person_id is not None or case.email_token is not None
    if can_be_reached:
        case.acknowledged_at = timezone.now()
        case.save(update_fields=["acknowledged_at"])
    recorded = case.door in RECORDED_BY_OFFICER
    entry = write_entry(case, "received", by=by if recorded else None, code=case.door,
                        by_person=not recorded, opened=OpenCase(case))  # fmt: skip
    if can_be_reached:
        tell_person(case, entry)
    if not recorded:
        write_event("request.received", case, actor=by, door=case.door)
    others = people_answering(case.organisation_id)
    if by is not None:
        others = others.exclude(pk=by.user_id)
    notify(users=others, template="request-arrived", target_id=case.number)
