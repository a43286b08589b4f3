"""What is demanded, point by point, and what is given out for each point: ticked, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

import orjson
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.rules import Actor
from disclosures.models import Clause, Disclosure, Item
from disclosures.rules.parts import PART_LABELS, Part
from disclosures.rules.standing import ItemFacts, refusal_to_map
from disclosures.sealing import OpenDisclosure
from disclosures.selectors import studies_to_disclose
from disclosures.services.entries import (
    DisclosureRefused,
    for_officer,
    needed,
    to_change,
    write_event,
)
from dsar.rules.words import LONGEST_TEXT, readable
from studies.models import Instance, Series, Study
from studies.rules.display import words_of_study
from studies.selectors import narrowed, study_summaries

MOST_CLAUSES = 100
MOST_ITEMS = 500
MOST_FOUND = 50
_SEARCHED = {"name": "00100010", "identifier": "00100020"}


@dataclass(frozen=True, slots=True)
class Named:
    """What an item names: one of a study (of which a series), or a part of an account."""

    study_uid: str = ""
    series_uid: str = ""
    account: User | None = None
    part: Part | None = None
    without_person: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    uid: str
    words: str


@transaction.atomic
def add_clause(*, actor: Actor, disclosure: Disclosure, text: str) -> Clause:
    """Write down one point of the demand, in its own words."""
    row = to_change(actor, disclosure)
    words = needed(text, "Write the clause down as it stands in the demand.")
    last = row.clauses.aggregate(last=Max("number"))["last"] or 0
    if last >= MOST_CLAUSES:
        raise DisclosureRefused(f"At most {MOST_CLAUSES} clauses. Put some of them together.")
    clause = Clause(disclosure=row, number=last + 1)
    clause.sealed_text = OpenDisclosure(row).seal(words, "clause", clause.number)
    clause.save(force_insert=True)
    write_event("disclosure.clause_added", row, actor=actor, clause=clause.number)
    return clause


@transaction.atomic
def find_studies(
    *, actor: Actor, disclosure: Disclosure, name: str, identifier: str
) -> list[Found]:
    """Look for studies by the beginning of a name or by a number; nothing is ticked by it."""
    row = for_officer(actor, disclosure)
    given = {"name": name.strip(), "identifier": identifier.strip()}
    texts = {_SEARCHED[key]: text for key, text in given.items() if text}
    if not texts:
        return []
    here = row.organisation_id
    rows = narrowed(studies_to_disclose(here), [here], texts, {}).order_by("pk")
    found = list(rows[:MOST_FOUND])
    write_event("disclosure.searched", row, actor=actor, found=len(found))
    return [Found(study.uid, words) for study, words, _ in described(found)]


def described(studies: Collection[Study]) -> list[tuple[Study, str, str]]:
    """Each study, whose and which it is, and the same without the person."""
    rows = list(studies)
    found = []
    for study, summary in zip(rows, study_summaries(rows), strict=True):
        words = words_of_study(orjson.loads(summary))
        kinds = ", ".join(filter(None, study.modalities.split("\\"))) or "Other"
        day = f" of {words.date.day} {words.date:%B %Y}" if words.date else ""
        number = f"{study.instance_count} object{'' if study.instance_count == 1 else 's'}"
        plain = f"{kinds}{day}, {number}"
        found.append((study, f"{words.name}, {words.title}: {plain}", plain))
    return found


# Mapping -----------------------------------------------------------------------------------------
@transaction.atomic
def map_item(
    *, actor: Actor, disclosure: Disclosure, clause_number: int | None, named: Named, reason: str
) -> Item:
    """Map something to the clause that names it. Without a reason it is listed, and stays here."""
    row = to_change(actor, disclosure)
    clause = row.clauses.filter(number=clause_number).first() if clause_number else None
    facts = ItemFacts(named.account is not None, clause is not None, bool(reason.strip()))
    if refusal := refusal_to_map(row.facts, facts):
        raise DisclosureRefused(refusal)
    assert clause is not None
    last = row.items.aggregate(last=Max("number"))["last"] or 0
    if last >= MOST_ITEMS:
        raise DisclosureRefused(f"At most {MOST_ITEMS} items. Open another case for more.")
    item = Item(disclosure=row, number=last + 1, clause=clause)
    label = _name(row, item, named)
    sealer = OpenDisclosure(row)
    item.sealed_label = sealer.seal(label, "label", item.number)
    if words := readable(reason)[:LONGEST_TEXT]:
        item.sealed_reason = sealer.seal(words, "item", item.number)
    item.save(force_insert=True)
    write_event("disclosure.item_mapped", row, actor=actor, item=item.number, clause=clause.number)
    return item


def _name(row: Disclosure, item: Item, named: Named) -> str:
    """Put what is named into the item; returns it in words."""
    if named.account is not None and named.part is not None:
        item.account, item.part = named.account, named.part.value
        same = {"account": named.account, "part": item.part}
        label = f"{PART_LABELS[named.part]} of {named.account.name}"
    else:
        study = studies_to_disclose(row.organisation_id).filter(uid=named.study_uid).first()
        if study is None:
            raise DisclosureRefused("The organisation holds no such study that could be given out.")
        item.subject_id, item.study_uid = study.subject_id, study.uid
        item.series_uid, item.without_person = named.series_uid, named.without_person
        same = {"study_uid": study.uid, "series_uid": named.series_uid}
        ((_, _, label),) = described([study])
        if named.series_uid:
            label = f"{label}; {_words_of_series(study, named.series_uid)}"
    if row.items.filter(**same).exists():
        raise DisclosureRefused("This is in the case already. Look at the list of items.")
    return label


def _words_of_series(study: Study, uid: str) -> str:
    series = Series.objects.filter(study=study, uid=uid).first()
    if series is None:
        raise DisclosureRefused("The study has no such series.")
    number = "" if series.number is None else f" {series.number}"
    return f"series{number} ({series.modality}, {series.instance_count}) alone"


@transaction.atomic
def explain_item(*, actor: Actor, disclosure: Disclosure, number: int, reason: str) -> Item:
    """Write down why an item is needed, or write it anew."""
    row = to_change(actor, disclosure)
    item = row.items.filter(number=number).first()
    if item is None:
        raise DisclosureRefused("There is no such item in this case.")
    words = needed(reason, "Say why this item is needed for what the clause demands.")
    item.sealed_reason = OpenDisclosure(row).seal(words, "item", item.number)
    item.save(update_fields=["sealed_reason"])
    write_event("disclosure.item_mapped", row, actor=actor, item=item.number)
    return item


@transaction.atomic
def choose_items(*, actor: Actor, disclosure: Disclosure, numbers: Collection[int]) -> int:
    """Tick exactly these items; what is not among them is not given out.

    Raises `DisclosureRefused` for one without a reason: then nothing is changed.
    """
    row = to_change(actor, disclosure)
    items = list(row.items.select_related("clause"))
    if not set(numbers) <= {one.number for one in items}:
        raise DisclosureRefused("That is not among the items of this case.")
    for item in items:
        item.is_chosen = item.number in set(numbers)
        if item.is_chosen and item.sealed_reason is None:
            raise DisclosureRefused(
                f"Item {item.number} has no reason, so it cannot be ticked. Say why it is needed."
            )
        item.objects_digest = _digest_to_choose(row, item) if item.is_chosen else ""
    Item.objects.bulk_update(items, ["is_chosen", "objects_digest"])
    write_event("disclosure.items_chosen", row, actor=actor, items=len(set(numbers)))
    return len(set(numbers))


def objects_of(row: Disclosure, item: Item) -> list[Instance]:
    """The objects that an item names, as they are stored now."""
    studies = studies_to_disclose(row.organisation_id).filter(uid=item.study_uid)
    rows = Instance.objects.filter(study__in=studies).select_related("blob", "series")
    if item.series_uid:
        rows = rows.filter(series__uid=item.series_uid)
    return list(rows.order_by("series__number", "series_id", "number", "pk"))


def _digest_to_choose(row: Disclosure, item: Item) -> str:
    rows = objects_of(row, item) if item.study_uid else []
    if item.study_uid and not rows:
        raise DisclosureRefused(f"Of item {item.number} nothing is there any more.")
    if any(one.held for one in rows):
        raise DisclosureRefused(
            f"Objects of item {item.number} are held back: nobody has looked at them yet. Have a"
            " clinician look first, then tick it."
        )
    return digest_of_objects(rows)


def digest_of_objects(rows: Collection[Instance]) -> str:
    """SHA-256 over the UIDs of these objects, sorted; of an account, over nothing."""
    uids = sorted(one.uid for one in rows)
    return sha256("\n".join(uids).encode()).hexdigest()
