"""What an organisation does with its privacy policy: adopt, draft, post, withdraw (C11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Capability
from accounts.rules.messages import Channel
from accounts.selectors import members_to_tell
from accounts.services.agreements import tell_partners
from accounts.services.notifications import notify
from accounts.services.trail import record, system_ref
from audit.services import ActorRef
from policies.models import PolicyVersion
from policies.rules.document import check_document, read_pack, written
from policies.rules.findings import PackInvalid
from policies.rules.lint import findings_for
from policies.rules.schema import KEY
from policies.rules.versions import NotAllowed
from policies.selectors import draft_of, packs_held, packs_posted, shipped_packs
from policies.services.versions import discard_draft, post, store_draft, withdraw


class PolicyRefused(Exception):
    """One sentence that says why, and what to do."""


@transaction.atomic
def adopt_pack(
    *, organisation: Organisation, pack_code: str, changes: Mapping[str, Any]
) -> PolicyVersion:
    """Give an organisation its first policy: a shipped pack, and what it says of itself.

    Holds at once, for there is none before it that anybody relied on. Raises `PackInvalid`.
    """
    if packs_posted(organisation.pk):
        raise PolicyRefused("The organisation has a policy already. Make a new version of it.")
    values = with_changes(shipped_packs()[pack_code], changes)
    draft = store_draft(
        organisation_id=organisation.pk, pack_code=pack_code, values=values, drafted_by=None,
        reason="First policy of the organisation",
    )  # fmt: skip
    post(draft=draft, effective_at=None, posted_by=None)
    _write(system_ref(), organisation.pk, draft, "policy.posted")
    return draft


def with_changes(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked values with some keys replaced; None takes an optional key away."""
    nested: dict[str, Any] = {}
    for path, value in {**values, **changes}.items():
        if value is None:
            continue
        section, _, inner = path.partition(".")
        if inner:
            nested.setdefault(section, {})[inner] = value
        else:
            nested[section] = value
    return check_document(nested)


@transaction.atomic
def begin_draft(*, acting: Actor) -> PolicyVersion:
    """Start from the policy that was announced last; an open draft is gone on with."""
    organisation_id = _require(acting)
    if draft := draft_of(organisation_id):
        return draft
    latest = packs_posted(organisation_id)[-1]
    return store_draft(
        organisation_id=organisation_id, pack_code=latest.code, values=latest.values,
        drafted_by=acting.user_id,
    )  # fmt: skip


def save_draft(
    *, acting: Actor, changes: Mapping[str, Any], reason: str | None = None
) -> PolicyVersion:
    """Change keys of the draft. Raises `PackInvalid`; the draft then stays as it was."""
    _require(acting)
    with _refusals_recorded(acting), transaction.atomic():
        draft = begin_draft(acting=acting)
        return _stored(acting, draft, with_changes(draft.values, changes), reason)


def save_draft_text(
    *, acting: Actor, text: str | bytes, reason: str | None = None
) -> PolicyVersion:
    """Replace the draft by a whole document. Raises `PackInvalid`."""
    _require(acting)
    with _refusals_recorded(acting), transaction.atomic():
        draft = begin_draft(acting=acting)
        return _stored(acting, draft, read_pack(text), reason)


@transaction.atomic
def drop_draft(*, acting: Actor) -> None:
    organisation_id = _require(acting)
    draft = draft_of(organisation_id)
    if draft is None:
        return
    discard_draft(organisation_id=organisation_id)
    _write(acting, organisation_id, draft, "policy.discarded")


def post_draft(*, acting: Actor, effective_at: datetime | None) -> PolicyVersion:
    """Make the draft public. Raises `PackInvalid` or `NotAllowed`; what holds stays as it was."""
    organisation_id = _require(acting)
    if not acting.is_fresh(timezone.now()):
        raise PolicyRefused("Prove again that it is you, then post the policy.")
    draft = draft_of(organisation_id)
    if draft is None:
        raise PolicyRefused("There is no draft. Make one first.")
    with _refusals_recorded(acting), transaction.atomic():
        before = packs_posted(organisation_id)[-1]
        if findings := findings_for(organisation_id, before.values, draft.values):
            raise PackInvalid(findings)
        post(draft=draft, effective_at=effective_at, posted_by=acting.user_id)
        _write(acting, organisation_id, draft, "policy.posted")
        _tell(draft, "policy-changed")
    return draft


def withdraw_version(*, acting: Actor, version: PolicyVersion) -> None:
    """Take back what was announced and does not hold yet. Raises `NotAllowed`."""
    _require(acting)
    with _refusals_recorded(acting), transaction.atomic():
        withdraw(version=version, withdrawn_by=acting.user_id)
        _write(acting, acting.organisation_id, version, "policy.withdrawn")
        _tell(version, "policy-withdrawn")


def draft_text(draft: PolicyVersion) -> str:
    return written(draft.values)


def _tell(version: PolicyVersion, template: str) -> None:
    """Tell the members of a change that matters, by every way that the policy names (C11).

    The ways are those of the draft and of what is in force together: a version cannot announce
    itself more quietly than the one before promised.
    """
    if not version.is_material:
        return
    held = packs_held(version.organisation_id)
    ways = {*version.values["notice.channels"]}
    if held:
        ways |= set(held[-1]["notice.channels"])
    notify(
        users=members_to_tell(version.organisation_id),
        template=template,
        channels=frozenset({Channel.EMAIL} if "email" in ways else ()),
        # At sign-in and on the first page, until each has taken note of it.
        needs_acknowledgement=bool(ways & {"announcement", "dashboard"}),
    )
    if version.values["notice.partners"] or (held and held[-1]["notice.partners"]):
        tell_partners(
            organisation_id=version.organisation_id,
            version_id=version.pk,
            template=f"partner-{template}",
        )


def _stored(
    acting: Actor, draft: PolicyVersion, values: Mapping[str, Any], reason: str | None
) -> PolicyVersion:
    before = draft.digest
    stored = store_draft(
        organisation_id=draft.organisation_id,
        pack_code=draft.pack_code,
        values=values,
        drafted_by=acting.user_id,
        reason=draft.reason if reason is None else reason,
    )
    if stored.digest != before:
        _write(acting, draft.organisation_id, stored, "policy.drafted")
    return stored


def _require(acting: Actor) -> UUID:
    if acting.organisation_id is None or not acting.can(Capability.MANAGE_CONFIGURATION):
        raise PolicyRefused("Only administrators of the organisation can change its policy.")
    return acting.organisation_id


@contextmanager
def _refusals_recorded(acting: Actor) -> Iterator[None]:
    """Write down that a policy was refused, and for which keys; outside what is rolled back."""
    try:
        yield
    except PackInvalid as refusal:
        # A key that nobody knows is a stranger's text, which the trail never holds.
        keys = sorted({finding.key for finding in refusal.findings if finding.key in KEY})
        _refused(acting, "pack", {"keys": keys, "findings": len(refusal.findings)})
        raise
    except NotAllowed:
        _refused(acting, "date", {})
        raise


def _refused(acting: Actor, reason: str, details: dict[str, Any]) -> None:
    record(
        action="policy.refused", actor=acting, outcome="refused", reason=reason, details=details,
        target=("organisation", str(acting.organisation_id)),
    )  # fmt: skip


def _write(
    actor: Actor | ActorRef, organisation_id: UUID | None, version: PolicyVersion, action: str
) -> None:
    record(
        action=action,
        actor=actor,
        organisation_id=organisation_id,
        target=("policy", str(version.pk)),
        details={
            "pack": version.pack_code,
            "revision": version.revision or 0,
            "digest": version.digest,
            "material": version.is_material,
        },
    )
