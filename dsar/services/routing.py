"""Hand a request on to the organisation on whose instructions data is held (MEDDIM-7.26).

The case moves with everything in it, under a key of the other organisation. Its time does not
begin anew: of the old and the new due dates the earlier ones count.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import Organisation
from accounts.rules import Actor
from accounts.services.notifications import notify
from dsar.models import Case
from dsar.rules.states import Act
from dsar.rules.words import readable
from dsar.sealing import KEY_KIND, OpenCase, email_token, seal_case
from dsar.selectors import (
    deadlines_of,
    laws_of,
    people_answering,
    policy_or_none,
    providers_for,
)
from dsar.selectors.agents import authority_of
from dsar.services.documents import reseal_documents
from dsar.services.entries import CaseRefused, for_officer, tell_person, write_entry, write_event
from vault.services.data_keys import create_data_key, destroy_data_keys


@transaction.atomic
def hand_over_case(*, actor: Actor, case: Case, to: Organisation, text: str) -> Case:
    """Move a case to the provider's queue, and tell its person where it is now."""
    row = for_officer(actor, case, Act.HAND_OVER)
    if not providers_for(row).filter(pk=to.pk).exists():
        raise CaseRefused("Choose another organisation of this portal.")
    pack = policy_or_none(to)
    if pack is None:
        raise CaseRefused("That organisation has no privacy policy in force yet.")
    giver = row.organisation
    write_event("request.handed_on", row, actor=actor, provider=to.pk)
    old_key = row.key_id
    _move(row, to)
    row.laws = sorted({*row.laws, *(law.value for law in laws_of(to, row.residence))})
    row.answer_days = min(row.answer_days, pack["requests.answer_days"])
    row.acknowledge_days = min(row.acknowledge_days, pack["requests.acknowledge_days"])
    due = deadlines_of(row)
    row.answer_on = min(row.answer_on, due.answer_on)
    row.acknowledge_on = min(row.acknowledge_on, due.acknowledge_on)
    row.officer = None
    row.save()
    entry = write_entry(row, Act.HAND_OVER, by=actor, text=readable(text), code=giver.slug)
    tell_person(row, entry)
    notify(users=people_answering(to.pk), template="request-arrived", target_id=row.number)
    transaction.on_commit(lambda: destroy_data_keys(ids=[old_key]))
    return row


def _move(row: Case, to: Organisation) -> None:
    """Seal everything anew under a key of the other organisation."""
    before = OpenCase(row)
    written = before.written
    authority = authority_of(row)
    person = before.person_of(authority) if authority else None
    quotes = [(quote, before.items_of(quote)) for quote in row.fee_quotes.all()]
    texts = [(entry, before.text_of(entry)) for entry in row.entries.all()]
    key = create_data_key(organisation_id=to.pk, kind=KEY_KIND)
    row.organisation, row.key_id = to, key.id
    seal_case(row, written, key.key)
    row.email_token = email_token(to.pk, written.email)
    after = OpenCase(row)
    for entry, text in texts:
        after.seal_entry(entry, text)
        entry.save(update_fields=["sealed_text"])
    for quote, items in quotes:
        after.seal_items(quote, items)
        quote.save(update_fields=["sealed_items"])
    if authority and person:
        after.seal_person(authority, person)
        authority.save(update_fields=["sealed_person"])
    reseal_documents(row)
