"""What was taken back until now, as lines; and taking it back once more after a restore.

A restore brings back what somebody had revoked, withdrawn, objected to or closed since. Only what
narrows is replayed: nothing that was granted since comes back by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import (
    Agreement,
    MarketingChoice,
    Membership,
    MembershipRole,
    Organisation,
    SaleOptOut,
    User,
)
from accounts.services.trail import record, system_ref
from audit.models import Event
from backups.rules.ledgers import DIRECTIVE_SAYS, Revocation, What
from consent.models import Directive, Grant, PurposeConsent
from consent.rules.directives import DirectiveKind, unpacked
from policies.models import PolicyVersion
from policies.rules.erasing import Erased, erasers, past_erasures
from policies.rules.holdings import Whose
from retention.models import ArchivedStudy
from retention.services.archiving import archive_again
from studies.models import Rejection
from studies.rules.rejecting import Why
from studies.services.rejecting import reject_again
from vault.selectors import destroyed_keys
from vault.services.data_keys import destroy_data_keys

_TOGETHER = 2000


# Writing down ------------------------------------------------------------------------------------
def revocations_now() -> Iterator[Revocation]:
    for key in destroyed_keys():
        yield Revocation(What.KEY, key)
    yield from _consents()
    yield from _hidden_studies()
    yield from _erasures()
    yield from _organisations()
    yield from _people()


def _consents() -> Iterator[Revocation]:
    grants = Grant.objects.exclude(revoked_at=None).order_by("revoked_at", "pk")
    for pk, at, by, reason in grants.values_list(
        "pk", "revoked_at", "revoked_by_id", "revoke_reason"
    ).iterator():
        yield Revocation(What.GRANT, pk, {"at": _text(at), "by": by, "reason": reason})
    consents = PurposeConsent.objects.exclude(withdrawn_at=None).order_by("withdrawn_at", "pk")
    for pk, at in consents.values_list("pk", "withdrawn_at").iterator():
        yield Revocation(What.CONSENT, pk, {"at": _text(at)})
    for one in Directive.objects.order_by("set_at", "pk").iterator():
        yield Revocation(What.DIRECTIVE, one.pk, {
            "at": _text(one.set_at), "until": _text(one.lifted_at),
            **{name: _plain(getattr(one, name)) for name in DIRECTIVE_SAYS},
        })  # fmt: skip


def _hidden_studies() -> Iterator[Revocation]:
    """What was rejected, and then what lies in the archive: its keys open for neither by then, so
    that rows which came back would be listed, and not open."""
    rejected = Rejection.objects.order_by("at", "pk")
    for key_id, at, by, why in rejected.values_list("study__key_id", "at", "by_id", "why"):
        yield Revocation(What.REJECTED, key_id, {"at": _text(at), "by": by, "why": why})
    rows = ArchivedStudy.objects.order_by("archived_at", "pk")
    for key_id, at in rows.values_list("study__key_id", "archived_at").iterator():
        yield Revocation(What.ARCHIVED, key_id, {"at": _text(at)})


def _erasures() -> Iterator[Revocation]:
    """Studies and keys are in the ledger of disposals; the rest each room does again."""
    for one in past_erasures():
        yield Revocation(What.ERASURE, one.request_id, {
            "organisation": str(one.whose.organisation_id),
            "subjects": sorted(str(subject) for subject in one.whose.subject_ids),
            "user": one.whose.user_id, "account": one.whose.ends_account,
        })  # fmt: skip


def _organisations() -> Iterator[Revocation]:
    ended = Agreement.objects.exclude(ended_on=None).order_by("ended_on", "pk")
    for pk, on in ended.values_list("pk", "ended_on").iterator():
        yield Revocation(What.AGREEMENT, pk, {"on": str(on)})
    versions = PolicyVersion.objects.exclude(withdrawn_at=None).order_by("withdrawn_at", "pk")
    for pk, at, by in versions.values_list("pk", "withdrawn_at", "withdrawn_by").iterator():
        yield Revocation(What.POLICY, pk, {"at": _text(at), "by": by})


def _people() -> Iterator[Revocation]:
    for one in Membership.objects.order_by("pk").prefetch_related("roles").iterator(_TOGETHER):
        roles = sorted(role.role for role in one.roles.all())
        yield Revocation(What.MEMBERSHIP, one.pk, {"active": one.is_active, "roles": roles})
    closed = User.objects.filter(is_active=False).order_by("pk")
    for pk, at in closed.values_list("pk", "closed_at"):
        yield Revocation(What.ACCOUNT, pk, {"at": _text(at)})
    changed = Event.objects.filter(action="password.changed").exclude(actor_id="").order_by()
    for pk, at in changed.values_list("actor_id").annotate(Max("occurred_at")):
        yield Revocation(What.PASSWORD, int(pk), {"at": _text(at)})
    for pk, at, source in MarketingChoice.objects.filter(wanted=False).values_list(
        "user_id", "decided_at", "source"
    ):
        yield Revocation(What.ADVERTISING, pk, {"at": _text(at), "source": source})
    for pk, at, source in SaleOptOut.objects.values_list("user_id", "recorded_at", "source"):
        yield Revocation(What.SALE, pk, {"at": _text(at), "source": source})


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


# Doing it again ----------------------------------------------------------------------------------
@transaction.atomic
def replay_revocations(lines: Iterable[Revocation], *, since: datetime) -> Counter[What]:
    """Take back again what a restore brought back; returns how many of each. Safe to repeat.

    `since` is when the backup was begun: a password that was changed later is not the one that
    came back, so whoever had it has to set a new one.
    """
    found: Counter[What] = Counter()
    keys: list[UUID] = []
    for line in lines:
        if line.what is What.KEY:
            keys.append(UUID(str(line.id)))
        else:
            found[line.what] += _AGAIN[line.what](line, since)
    for start in range(0, len(keys), _TOGETHER):
        done = destroy_data_keys(ids=keys[start : start + _TOGETHER])
        found[What.KEY] += len(done.destroyed)
    return +found


def _grant(line: Revocation, _since: datetime) -> int:
    grant = Grant.objects.filter(pk=line.id, revoked_at=None).first()
    if grant is None:
        return 0
    by = User.objects.filter(pk=line.said["by"]).first() if line.said["by"] else None
    grant.revoked_at, grant.revoked_by, grant.revoke_reason = line.at(), by, line.said["reason"]
    grant.save(update_fields=["revoked_at", "revoked_by", "revoke_reason"])
    record(
        action="grant.revoked", actor=system_ref(), organisation_id=grant.organisation_id,
        subject_id=grant.subject_id, target=("grant", str(grant.pk)), reason="after-restore",
    )  # fmt: skip
    return 1


def _consent(line: Revocation, _since: datetime) -> int:
    rows = PurposeConsent.objects.filter(pk=line.id, withdrawn_at=None)
    return rows.update(withdrawn_at=line.at())


def _directive(line: Revocation, _since: datetime) -> int:
    """Say it again, without the reason in words; one that was lifted by then stays as restored."""
    said = {name: line.said[name] for name in DIRECTIVE_SAYS}
    there = Organisation.objects.filter(pk=said["organisation_id"]).exists() and (
        said["user_id"] is None or User.objects.filter(pk=said["user_id"]).exists()
    )
    same = Directive.objects.filter(
        organisation_id=said["organisation_id"], user_id=said["user_id"],
        subject_id=said["subject_id"], kind=said["kind"], purposes=said["purposes"],
        studies=said["studies"], recipients=said["recipients"], lifted_at=None,
    )  # fmt: skip
    if line.said["until"] or not there or Directive.objects.filter(pk=line.id).exists():
        return 0
    if same.exists():
        return 0
    Directive.objects.create(pk=line.id, set_at=line.at(), **said)
    if said["kind"] == DirectiveKind.OBJECTION and said["user_id"] is not None:
        _object_again(said)
    return 1


def _object_again(said: dict[str, Any]) -> None:
    """What a member objects to stands with the membership as well."""
    for membership in Membership.objects.filter(
        user_id=said["user_id"], organisation_id=said["organisation_id"]
    ):
        membership.objected_to = sorted({*membership.objected_to, *unpacked(said["purposes"])})
        membership.save(update_fields=["objected_to"])


def _erasure(line: Revocation, _since: datetime) -> int:
    """Let each room erase again. Recipients were told then: nothing is named as gone now."""
    subjects = frozenset(UUID(one) for one in line.said["subjects"])
    whose = Whose(
        UUID(line.said["organisation"]), subjects, line.said["user"],
        bool(line.said.get("account")),
    )  # fmt: skip
    for eraser in erasers():
        eraser.carry_out(Erased(whose, UUID(str(line.id)), frozenset()))
    return 1


def _rejected(line: Revocation, _since: datetime) -> int:
    at = line.at()
    assert at is not None
    return reject_again(
        key_id=UUID(str(line.id)), why=Why(line.said["why"]), by_id=line.said["by"], at=at
    )


def _archived(line: Revocation, _since: datetime) -> int:
    at = line.at()
    assert at is not None
    return archive_again(key_id=UUID(str(line.id)), at=at)


def _agreement(line: Revocation, _since: datetime) -> int:
    rows = Agreement.objects.filter(pk=line.id, ended_on=None)
    return rows.update(ended_on=date.fromisoformat(line.said["on"]))


def _policy(line: Revocation, _since: datetime) -> int:
    """An announced version that was withdrawn must not take effect after all."""
    rows = PolicyVersion.objects.filter(pk=line.id, withdrawn_at=None)
    return rows.update(withdrawn_at=line.at(), withdrawn_by=line.said["by"])


def _membership(line: Revocation, _since: datetime) -> int:
    """End what was ended, and take away roles that somebody no longer had."""
    done = 0
    if not line.said["active"]:
        done = Membership.objects.filter(pk=line.id, is_active=True).update(is_active=False)
    lost = MembershipRole.objects.filter(membership_id=line.id).exclude(role__in=line.said["roles"])
    return int(bool(lost.delete()[0]) or bool(done))


def _account(line: Revocation, _since: datetime) -> int:
    rows = User.objects.filter(pk=line.id, is_active=True)
    return rows.update(is_active=False, closed_at=line.at() or timezone.now())


def _password(line: Revocation, since: datetime) -> int:
    changed_at = line.at()
    user = User.objects.filter(pk=line.id).first()
    if user is None or changed_at is None or changed_at <= since or not user.has_usable_password():
        return 0
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return 1


def _advertising(line: Revocation, _since: datetime) -> int:
    if not User.objects.filter(pk=line.id).exists():
        return 0
    later = MarketingChoice.objects.filter(user_id=line.id, decided_at__gte=line.at())
    if later.exists():
        return 0
    MarketingChoice.objects.update_or_create(
        user_id=line.id,
        defaults={"wanted": False, "source": line.said["source"], "decided_at": line.at()},
    )
    return 1


def _sale(line: Revocation, _since: datetime) -> int:
    if not User.objects.filter(pk=line.id).exists():
        return 0
    _, made = SaleOptOut.objects.get_or_create(
        user_id=line.id, defaults={"source": line.said["source"], "recorded_at": line.at()}
    )
    return int(made)


_AGAIN: dict[What, Callable[[Revocation, datetime], int]] = {
    What.GRANT: _grant,
    What.CONSENT: _consent,
    What.DIRECTIVE: _directive,
    What.REJECTED: _rejected,
    What.ARCHIVED: _archived,
    What.ERASURE: _erasure,
    What.AGREEMENT: _agreement,
    What.POLICY: _policy,
    What.MEMBERSHIP: _membership,
    What.ACCOUNT: _account,
    What.PASSWORD: _password,
    What.ADVERTISING: _advertising,
    What.SALE: _sale,
}
