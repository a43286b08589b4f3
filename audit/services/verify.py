"""Verify the trail in the database, or a bundle without one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.models import EventCommitment
from audit.rules.bundle import Bundle
from audit.rules.notes import VerifierKey
from audit.rules.verification import Fault, Verdict, verify_trail
from audit.selectors import (
    kept_commitments,
    sealed_leaves,
    signed_checkpoints,
    unsealed_events,
)
from audit.services.commitments import commitment, opened_value
from audit.services.keys import trusted_keys
from vault.rules.errors import KeyDestroyed, SealError, StoredKeyError


def verify_database(*, kept: Sequence[str] = ()) -> Verdict:
    """Recompute everything from the rows; ``kept`` are checkpoints that were kept elsewhere."""
    verdict = verify_trail(
        leaves=sealed_leaves(),
        checkpoints=signed_checkpoints(),
        unsealed=unsealed_events(),
        trusted=trusted_keys(),
        kept=kept,
    )
    for row, digest in kept_commitments():
        if not _agrees(row, digest):
            words = f"its personal value {row.name} is not the one that was recorded"
            verdict.add(Fault.COMMITMENT, words, str(row.event_id))
    return verdict


def _agrees(row: EventCommitment, digest: str | None) -> bool:
    """Is the value the one that the event commits to? One whose key is destroyed is erased."""
    try:
        return digest == commitment(*opened_value(row))
    except KeyDestroyed:
        return digest is not None
    except (SealError, StoredKeyError):
        return False


def verify_bundle(
    lines: Iterable[str], *, trusted: Sequence[VerifierKey] = (), kept: Sequence[str] = ()
) -> tuple[Verdict, list[VerifierKey]]:
    """Verify a bundle under ``trusted`` keys, or under those it brings along itself.

    Returns the verdict and the keys it rests on: keys that a bundle brought prove only that
    it agrees with itself, until someone compares them. Raises BundleRefused.
    """
    bundle = Bundle(lines)
    keys = list(trusted) or bundle.keys
    verdict = verify_trail(
        leaves=bundle.leaves(),
        checkpoints=bundle.checkpoints,
        unsealed=bundle.unsealed(),
        trusted=keys,
        kept=kept,
    )
    return verdict, keys
