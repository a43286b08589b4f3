"""Which policy holds for whom, when. And the packs that ship."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from policies.models import PolicyVersion
from policies.rules.clauses import Clause, read_clauses
from policies.rules.document import read_pack
from policies.rules.pack import Pack
from policies.rules.strictness import Terms, stricter_of
from policies.rules.versions import SETTLES, State

FOLDER = Path(__file__).parent / "packs"


class NoPolicy(LookupError):
    """An organisation without a policy in force: nothing can be done under it."""


# Shipped packs -----------------------------------------------------------------------------------
@cache
def shipped_packs() -> Mapping[str, Mapping[str, Any]]:
    """Values of the packs that ship, by code. Files do not change while we run."""
    return {
        path.parent.name: read_pack(path.read_bytes())
        for path in sorted(FOLDER.glob("*/pack.yaml"))
    }


@cache
def clauses_of(pack_code: str) -> tuple[Clause, ...]:
    """The promises of a shipped pack, in their order. Raises LookupError for an unknown code."""
    if pack_code not in shipped_packs():
        raise LookupError(f"no pack {pack_code!r} ships")
    return read_clauses((FOLDER / pack_code / "clauses.yaml").read_bytes())


# What holds --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Kept:
    read_at: float
    packs: tuple[Pack, ...]


# A version takes effect days after it is posted, and can be withdrawn until `SETTLES` before. So
# what a process read less than that ago cannot have been overtaken; decisions need no query.
_kept: dict[UUID, _Kept] = {}


def forget_policies() -> None:
    """Read anew: after a version was posted or withdrawn in this process."""
    _kept.clear()


def packs_of(organisation_id: UUID) -> tuple[Pack, ...]:
    """All posted, not withdrawn versions in the order in which they take effect."""
    kept = _kept.get(organisation_id)
    if kept is not None and 0 <= time.monotonic() - kept.read_at < SETTLES.total_seconds() / 2:
        return kept.packs
    return packs_posted(organisation_id)


def packs_posted(organisation_id: UUID) -> tuple[Pack, ...]:
    """The same as the database has it at this moment: also what another process just posted.

    For whoever tells of what is announced or goes on from it. What was posted a moment ago holds
    for nobody yet, so decisions need not ask.
    """
    rows = PolicyVersion.objects.filter(
        organisation_id=organisation_id, posted_at__isnull=False, withdrawn_at=None
    ).order_by("effective_at", "revision")
    packs = tuple(pack_of(row) for row in rows)
    if packs:  # an organisation's first version may hold at once, so its absence is not kept
        _kept[organisation_id] = _Kept(time.monotonic(), packs)
    return packs


def packs_held(organisation_id: UUID, at: datetime | None = None) -> tuple[Pack, ...]:
    """Versions that have taken effect, the one in force last."""
    moment = at or timezone.now()
    return tuple(pack for pack in packs_of(organisation_id) if pack.effective_at <= moment)


def effective_pack(organisation_id: UUID, at: datetime | None = None) -> Pack:
    """The policy in force. Raises `NoPolicy` where an organisation has none yet."""
    held = packs_held(organisation_id, at)
    if not held:
        raise NoPolicy(f"organisation {organisation_id} has no policy in force")
    return held[-1]


# Joining two policies takes longer than a decision; there are few pairs, and digests name them.
_terms: dict[tuple[str, ...], Terms] = {}


def terms_between(*organisation_ids: UUID, at: datetime | None = None) -> Terms:
    """The stricter terms of several organisations' policies. Raises `NoPolicy`."""
    packs = [effective_pack(one, at) for one in organisation_ids]
    name = tuple(sorted({pack.digest for pack in packs}))
    if name not in _terms:
        if len(_terms) > 500:
            _terms.clear()
        _terms[name] = stricter_of(*(pack.terms for pack in packs))
    return _terms[name]


def upcoming_pack(organisation_id: UUID, at: datetime | None = None) -> Pack | None:
    """The next version that is posted and does not hold yet."""
    moment = at or timezone.now()
    later = [pack for pack in packs_posted(organisation_id) if pack.effective_at > moment]
    return later[0] if later else None


def pack_of(row: PolicyVersion) -> Pack:
    assert row.revision is not None
    assert row.effective_at is not None
    return Pack(
        id=row.pk,
        code=row.pack_code,
        revision=row.revision,
        effective_at=row.effective_at,
        values=row.values,
        digest=row.digest,
    )


def state_of_version(row: PolicyVersion, at: datetime | None = None) -> State:
    moment = at or timezone.now()
    if row.posted_at is None:
        return State.DRAFT
    if row.withdrawn_at is not None:
        return State.WITHDRAWN
    packs = packs_held(row.organisation_id, moment)
    if packs and packs[-1].id == row.pk:
        return State.EFFECTIVE
    return State.SUPERSEDED if any(pack.id == row.pk for pack in packs) else State.POSTED


# For pages ---------------------------------------------------------------------------------------
def versions_of(organisation_id: UUID) -> QuerySet[PolicyVersion]:
    """Every version, drafts too, the latest first."""
    return PolicyVersion.objects.filter(organisation_id=organisation_id).order_by("-drafted_at")


def posted_versions_of(organisation_id: UUID) -> QuerySet[PolicyVersion]:
    return versions_of(organisation_id).filter(posted_at__isnull=False)


def draft_of(organisation_id: UUID) -> PolicyVersion | None:
    return versions_of(organisation_id).filter(posted_at=None).first()
