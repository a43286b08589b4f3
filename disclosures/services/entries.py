"""What every act on a case shares: may it be done now, the words it seals, its event."""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from accounts.models import User
from accounts.rules import Actor, Role
from accounts.selectors import people_with
from accounts.services.trail import record, system_ref
from disclosures.models import Disclosure, Statement
from disclosures.permissions import can_disclose
from disclosures.rules.standing import SAID_LABELS, Said, refusal_to_change
from disclosures.sealing import OpenDisclosure
from disclosures.selectors import standing_of
from dsar.rules.words import LONGEST_TEXT, readable

PROVE: Final = "Prove again that it is you, then do it."


class DisclosureRefused(Exception):
    """One sentence that says why it cannot be done, and what to do."""


class NotYours(DisclosureRefused):
    """Whoever asks may not do this, whatever the case is like (403)."""


def locked(disclosure: Disclosure) -> Disclosure:
    """The row as it is now, held until the transaction ends: of two who act, one is second."""
    rows = Disclosure.objects.select_for_update(of=("self",)).select_related("organisation")
    return rows.get(pk=disclosure.pk)


def for_officer(actor: Actor, disclosure: Disclosure) -> Disclosure:
    row = locked(disclosure)
    if not can_disclose(actor, row):
        raise NotYours("Only privacy officers of the organisation can do this.")
    return row


def to_change(actor: Actor, disclosure: Disclosure) -> Disclosure:
    """Lock a case whose contents an officer changes; what was approved is approved no more."""
    row = for_officer(actor, disclosure)
    if refusal := refusal_to_change(standing_of(row)):
        raise DisclosureRefused(refusal)
    if row.approved_at is not None:
        row.approved_by, row.approved_at = None, None
        row.save(update_fields=["approved_by", "approved_at"])
    return row


def require_fresh(actor: Actor) -> None:
    if not actor.is_fresh(timezone.now()):
        raise DisclosureRefused(PROVE)


def needed(text: str, what: str = "Write it in words: an empty text says nothing.") -> str:
    """What somebody wrote, made safe, neither empty nor too long."""
    words = readable(text)
    if not words:
        raise DisclosureRefused(what)
    if len(words) > LONGEST_TEXT:
        raise DisclosureRefused(f"At most {LONGEST_TEXT} characters.")
    return words


def say(row: Disclosure, kind: Said, text: str, *, by: Actor) -> Statement:
    """Write a statement down with who signs it, and when; the last of a kind counts."""
    words = needed(text, f"“{SAID_LABELS[kind]}” is empty. Write it in words.")
    sealed = OpenDisclosure(row).seal(words, "statement", kind.value)
    found, _ = Statement.objects.update_or_create(
        disclosure=row, kind=kind.value,
        defaults={"sealed_text": sealed, "by_id": by.user_id, "at": timezone.now()},
    )  # fmt: skip
    write_event("disclosure.signed", row, actor=by, kind=kind.value)
    return found


def write_event(action: str, row: Disclosure, *, actor: Actor | None, **details: object) -> None:
    """Of no person: that there is a case may be secret from whom it is about."""
    record(
        action=action, actor=actor or system_ref(), organisation_id=row.organisation_id,
        target=("disclosure", str(row.pk)), reason=row.ground,
        details={"number": row.number, **details},
    )  # fmt: skip


def people_in_charge(row: Disclosure) -> list[User]:
    return list(people_with([row.organisation_id], Role.OFFICER, Role.ADMINISTRATOR))
