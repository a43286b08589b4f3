"""Write the ledgers beside the backups: what was disposed of or taken back until now."""

from __future__ import annotations

from django.utils import timezone

from audit.selectors import latest_checkpoint
from backups.gateways.place import Place
from backups.gateways.places import place_at
from backups.models import Generation
from backups.rules.keeping import State
from backups.rules.ledgers import DISPOSAL_TITLE, REVOCATION_TITLE, Ledger
from backups.rules.names import DISPOSALS, REVOCATIONS
from backups.services.revocations import revocations_now
from backups.services.signing import write_signed
from retention.services.ledger import entries_of_ledger


def write_ledgers(*places: Place) -> dict[str, int]:
    """Put the ledgers as they are now into each place; returns how many lines each has."""
    now, head = timezone.now(), latest_checkpoint()
    size = head.size if head else 0
    disposals = tuple(entry.to_line() for entry in entries_of_ledger())
    revocations = tuple(one.to_line() for one in revocations_now())
    for place in places:
        for name, title, lines in (
            (DISPOSALS, DISPOSAL_TITLE, disposals), (REVOCATIONS, REVOCATION_TITLE, revocations),
        ):  # fmt: skip
            write_signed(place, name, Ledger(title, now, size, lines).to_text())
    return {"disposals": len(disposals), "revocations": len(revocations)}


def refresh_ledgers() -> dict[str, int]:
    """Write them beside every backup that there is, as far as its places are there."""
    rows = Generation.objects.filter(state=State.GOOD).order_by()
    named = {where for pair in rows.values_list("data_place", "keys_place") for where in pair}
    return write_ledgers(*(place for one in sorted(named) if (place := place_at(one)).is_there()))
