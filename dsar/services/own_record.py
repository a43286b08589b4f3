"""One's own data at any time: what there is, and a file of it while one waits (XENRAD-8.1)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor
from accounts.selectors import memberships_of_user
from accounts.services.own_data import export_own_data, rows_of_account
from audit.rules.vocabulary import label_of
from audit.selectors import MAX_PAGE, own_acts
from consent.models import DataSubject, Grant
from consent.rules.identity import Identity
from consent.selectors import identities, subjects_of_account
from dsar.models import Case
from dsar.services.choosing import OwnStudy, own_studies
from dsar.services.collecting import collect
from dsar.services.copying import Archive
from dsar.services.entries import CaseRefused
from dsar.services.explaining import Explained, explained
from policies.rules.holdings import File, Whose, holders, one_file

ACCOUNT, REQUESTS = "accounts", "requests"
MOST_ACTS: Final = 20 * MAX_PAGE


@dataclass(frozen=True, slots=True)
class Place:
    """What one organisation holds about whoever is signed in."""

    organisation: Organisation
    people: list[Identity]
    lines: list[Explained]
    studies: list[OwnStudy]
    # Rooms that could not say what they hold.
    missing: list[str]

    @property
    def objects(self) -> int:
        return sum(one.objects for one in self.studies)


def whose_own(actor: Actor) -> list[Whose]:
    """The person as each organisation knows them: as a member, as a patient or animal's owner
    whose record is linked to the account, or as somebody who asked."""
    records: dict[UUID, set[UUID]] = defaultdict(set)
    for subject in subjects_of_account(actor.user_id):
        records[subject.organisation_id].add(subject.pk)
    member = memberships_of_user(actor.user_id).values_list("organisation_id", flat=True)
    asked = Case.objects.filter(person_id=actor.user_id).values_list("organisation_id", flat=True)
    places = {*records, *member, *asked}
    return [
        Whose(one, frozenset(records.get(one, ())), actor.user_id)
        for one in sorted(places, key=str)
    ]


def own_places(actor: Actor) -> list[Place]:
    """All that is held about whoever is signed in, by organisation; the account comes apart."""
    found = []
    whose = whose_own(actor)
    organisations = Organisation.objects.in_bulk([one.organisation_id for one in whose])
    for one in whose:
        collection = collect(one, but_for={ACCOUNT, REQUESTS})
        lines = explained(collection, one)
        subjects = DataSubject.objects.filter(pk__in=one.subject_ids)
        place = Place(
            organisations[one.organisation_id], list(identities(subjects).values()), lines,
            own_studies(one), collection.missing,
        )  # fmt: skip
        if lines or place.studies or place.missing:
            found.append(place)
    return found


@dataclass(frozen=True, slots=True)
class Table:
    """Rows about the account of one kind, with the words of the inventory."""

    label: str
    rows: list[dict[str, object]]
    more: int
    not_told: list[str]


# What people call what the inventory lists.
_WORDS: Final = {
    "user": "Your account", "profile": "Your profession", "membership": "Where you are a member",
    "membership role": "Your roles", "acceptance": "What you said to policies",
    "sign in": "Where and when you signed in", "notification": "Messages to you",
    "usage event": "Records of use", "api token": "Tokens for programs",
    "authenticator": "Authenticator apps", "recovery codes": "Recovery codes",
    "email change": "Change of your address", "invitation": "Invitations to your address",
    "channel choice": "Which messages you want", "marketing choice": "Choices about advertising",
    "sale opt out": "Opting out of sale and sharing", "support window": "Help from support",
    "work settings": "Settings that follow your work",
}  # fmt: skip
_SHOWN: Final = 50
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+00:00$")


def own_account(actor: Actor) -> list[Table]:
    """What is held about the account itself, with its values: the first of many rows."""
    tables = []
    for parts in rows_of_account(actor.user_id)["data"].values():
        for name, part in parts.items():
            if rows := part["rows"]:
                label = _WORDS.get(name, str(name).capitalize())
                more = max(0, len(rows) - _SHOWN)
                shown = [_in_words(row) for row in rows[:_SHOWN]]
                # Some is kept as a hash as well, to be found by; that is no other thing.
                hidden = [one for one in part["not_handed_out"] if one not in rows[0]]
                tables.append(Table(label, shown, more, hidden))
    return tables


def _in_words(row: dict[str, object]) -> dict[str, object]:
    return {label: _words_of(value) for label, value in row.items() if value not in (None, "", [])}


def _words_of(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str) and _MOMENT.match(value):
        at = datetime.fromisoformat(value).astimezone(UTC)
        return f"{at.day} {at:%B %Y, %H:%M} UTC"
    return value


@transaction.atomic
def own_archive(*, actor: Actor) -> Archive:
    """Everything about whoever is signed in but the images, as one archive; one event.

    Raises `CaseRefused` without a fresh proof of who asks.
    """
    if not actor.is_fresh(timezone.now()):
        raise CaseRefused("Prove again that it is you, then fetch it.")
    files = [
        _json("account.json", export_own_data(actor=actor)),
        _json("shares-that-name-me.json", _shares(actor.user_id)),
        _json("what-i-did.json", _acts(actor.user_id)),
    ]
    slugs = dict(Organisation.objects.values_list("pk", "slug"))
    for whose in whose_own(actor):
        files += _of_rooms(whose, slugs[whose.organisation_id])
    return Archive(files)


def _of_rooms(whose: Whose, folder: str) -> Iterator[File]:
    for holder in holders():
        if holder.code != ACCOUNT:
            # What somebody else asked about the same patient or animal is theirs.
            seen = replace(whose, subject_ids=frozenset()) if holder.code == REQUESTS else whose
            for one in (holder.in_words or holder.files)(seen):
                yield File(f"{folder}/{holder.code}/{one.path}", one.pieces, one.size)


def _shares(user_id: int) -> list[dict[str, object]]:
    """Shares that this person agreed to for an organisation, or that name them as recipient.

    Whose images they are is not told: that is somebody else's.
    """
    mine = Q(granted_by_id=user_id) | Q(recipient__user_id=user_id) | Q(revoked_by_id=user_id)
    rows = Grant.objects.filter(mine).select_related("organisation", "recipient_organisation")
    return [
        {
            "number": str(one.pk),
            "from": one.organisation.name,
            "to": one.recipient_organisation.name,
            "purpose": one.purpose,
            "agreed": one.granted_at.isoformat(),
            "until": one.expires_at.isoformat(),
            "revoked": one.revoked_at.isoformat() if one.revoked_at else None,
            "granted_by_me": one.granted_by_id == user_id,
        }
        for one in rows.order_by("granted_at", "pk")
    ]


def _acts(user_id: int) -> list[dict[str, object]]:
    """What they did, the latest first, as the trail has it: numbers and codes, nobody's words."""
    found: list[dict[str, object]] = []
    after = ""
    while len(found) < MOST_ACTS:
        page = own_acts(user_id=user_id, after=after, limit=MAX_PAGE)
        found += [
            {
                "at": one.occurred_at.isoformat(timespec="seconds"),
                "what": label_of(one.action),
                "outcome": one.outcome,
                "purpose": one.purpose,
            }
            for one in page.events
        ]
        if not (after := page.next):
            break
    return found


def _json(path: str, value: object) -> File:
    return one_file(path, json.dumps(value, indent=2, ensure_ascii=False).encode())
