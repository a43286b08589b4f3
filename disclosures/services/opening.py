"""A case is opened, signed, narrowed and closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Capability
from disclosures.models import Disclosure, Statement
from disclosures.rules.grounds import GROUND_FACTS
from disclosures.rules.standing import CHECKS, Check, Said
from disclosures.sealing import KEY_KIND, OpenDisclosure
from disclosures.selectors import grounds_of, standing_of
from disclosures.services.entries import (
    DisclosureRefused,
    NotYours,
    for_officer,
    needed,
    require_fresh,
    say,
    to_change,
    write_event,
)
from dsar.rules.words import one_line
from dsar.selectors import today_at
from policies.rules.citations import NO_CITATION, tidy_citation
from vault.services.data_keys import create_data_key


@dataclass(frozen=True, slots=True)
class Demand:
    """What an officer writes down when a demand comes in; the days are the organisation's own."""

    ground: str
    authority: str
    reference: str
    citation: str
    received_on: date
    answer_on: date
    rationale: str = ""


@transaction.atomic
def open_case(*, actor: Actor, demand: Demand) -> Disclosure:
    """Open a case on a ground that the policy in force has. Raises `DisclosureRefused`."""
    if actor.organisation_id is None or not actor.can(Capability.DISCLOSE_UNDER_LAW):
        raise NotYours("Only privacy officers of the organisation can do this.")
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=actor.organisation_id)
    citation = _checked(organisation, demand)
    latest = Disclosure.objects.filter(organisation=organisation).aggregate(last=Max("number"))
    key = create_data_key(organisation_id=organisation.pk, kind=KEY_KIND)
    row = Disclosure(
        id=uuid4(), organisation=organisation, number=(latest["last"] or 0) + 1,
        ground=demand.ground, citation=citation, received_on=demand.received_on,
        answer_on=demand.answer_on, key_id=key.id, opened_by_id=actor.user_id,
    )  # fmt: skip
    sealer = OpenDisclosure(row, key.key)
    authority = needed(one_line(demand.authority), "Say who demands it, or who would get it.")
    row.sealed_authority = sealer.seal(authority, "authority")
    row.sealed_reference = sealer.seal(one_line(demand.reference), "reference")
    row.save(force_insert=True)
    write_event("disclosure.opened", row, actor=actor)
    if row.facts.needs_rationale:
        say(row, Said.RATIONALE, demand.rationale, by=actor)
    return row


def _checked(organisation: Organisation, demand: Demand) -> str:
    """Return the citation, or refuse."""
    if demand.ground not in grounds_of(organisation.pk):
        raise DisclosureRefused("The privacy policy in force does not have this ground.")
    citation = tidy_citation(demand.citation)
    if not citation:
        raise DisclosureRefused(NO_CITATION)
    facts = GROUND_FACTS[demand.ground]
    if facts.is_compelled and not one_line(demand.reference):
        raise DisclosureRefused("Give the reference of the demand, as it stands on it.")
    if facts.needs_rationale and not demand.rationale.strip():
        raise DisclosureRefused("Write down why it is needed: this ground asks for it.")
    if demand.received_on > today_at(organisation):
        raise DisclosureRefused("It cannot have been received in the future.")
    if demand.answer_on < demand.received_on:
        raise DisclosureRefused("The answer cannot be due before the demand was received.")
    return citation


@transaction.atomic
def sign_case(
    *, actor: Actor, disclosure: Disclosure, checks: Collection[Check], validity: str,
    necessity: str,
) -> None:  # fmt: skip
    """Sign that the demand is valid, and that giving out is necessary, in good faith.

    An officer's own word, after a fresh proof (LIFEIMAGE-7.1, MEDDIM-4.18). Where nobody demands
    anything there is no validity to check.
    """
    row = to_change(actor, disclosure)
    require_fresh(actor)
    if row.facts.is_compelled:
        if not standing_of(row).has_document:
            raise DisclosureRefused("Attach the document first: it is what is checked.")
        missing = [words for one, words in CHECKS.items() if one not in checks]
        if missing:
            raise DisclosureRefused(f"This is no valid demand: “{missing[0]}” is not so.")
        seen = "\n".join(f"{words}." for words in CHECKS.values())
        say(row, Said.VALIDITY, f"{seen}\n{validity}".strip(), by=actor)
    say(row, Said.NECESSITY, necessity, by=actor)


@transaction.atomic
def narrow_case(
    *, actor: Actor, disclosure: Disclosure, asked: str, objected: str, counsel: str
) -> None:
    """Write down what was asked for, and what was done to give out less."""
    row = to_change(actor, disclosure)
    for kind, text in ((Said.ASKED, asked), (Said.OBJECTED, objected), (Said.COUNSEL, counsel)):
        say(row, kind, text, by=actor)


@transaction.atomic
def withhold_document(*, actor: Actor, disclosure: Disclosure, reason: str) -> None:
    """Keep the document from the person, and say why; an empty reason lets it be seen again."""
    row = for_officer(actor, disclosure)
    if reason.strip():
        say(row, Said.WITHHELD, reason, by=actor)
    else:
        Statement.objects.filter(disclosure=row, kind=Said.WITHHELD.value).delete()
        write_event("disclosure.signed", row, actor=actor, kind="shown")


@transaction.atomic
def close_case(*, actor: Actor, disclosure: Disclosure, text: str) -> None:
    """End a case: given out, withdrawn, or successfully objected to."""
    row = for_officer(actor, disclosure)
    if row.closed_at is not None:
        raise DisclosureRefused("This case is closed already.")
    if row.review_due_at is not None and row.reviewed_at is None:
        raise DisclosureRefused("Somebody has to review this emergency before it is closed.")
    say(row, Said.CLOSED, text, by=actor)
    row.closed_at = timezone.now()
    row.save(update_fields=["closed_at"])
    write_event("disclosure.closed", row, actor=actor)
