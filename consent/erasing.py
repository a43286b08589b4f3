"""What an erasure does with shares and consents: they end, and stay as evidence."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.services.trail import system_ref
from consent.models import Directive, Grant, PurposeConsent
from consent.selectors import in_force
from consent.services.ending_accounts import end_account, plan_account
from consent.services.grants import end_grant, tell_recipients
from consent.services.purposes import end_consent
from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose
from vault.services.data_keys import destroy_data_keys

EVIDENCE = "it is evidence of what was agreed to (GDPR Art. 17(3)(e))"


def _grants(whose: Whose) -> QuerySet[Grant]:
    return Grant.objects.filter(
        organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
    ).order_by("granted_at", "pk")


def _consents(whose: Whose) -> QuerySet[PurposeConsent]:
    return PurposeConsent.objects.filter(
        organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
    ).order_by("given_at", "pk")


def _directives(whose: Whose) -> QuerySet[Directive]:
    return Directive.objects.filter(
        organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
    )


def _plan(whose: Whose) -> Iterator[Line]:
    now = timezone.now()
    grants = _grants(whose)
    current = grants.filter(in_force(now)).count()
    if current:
        yield Line(
            Fate.CHANGES, "Shares in force", current, "they end, and who received them is told"
        )
    if ended := grants.count() - current:
        why = f"{EVIDENCE}; who received something is told"
        yield Line(Fate.STAYS, "Records of shares that have ended", ended, why)
    given = _consents(whose).filter(withdrawn_at=None).count()
    if given:
        yield Line(Fate.CHANGES, "Consents to a purpose", given, "they count as withdrawn")
    if said := _directives(whose).count():
        yield Line(
            Fate.STAYS, "What was said against uses, without the words written beside it", said,
            "so that it goes on to count",
        )  # fmt: skip


def _carry_out(erased: Erased) -> None:
    with transaction.atomic():
        now = timezone.now()
        for grant in _grants(erased.whose).filter(in_force(now)).select_for_update():
            end_grant(actor=system_ref(), grant=grant, at=now, reason="erasure")
        for consent in _consents(erased.whose).filter(withdrawn_at=None).select_for_update():
            end_consent(actor=system_ref(), given=consent)
        _forget_reasons(erased.whose)
        tell_recipients(
            organisation_id=erased.whose.organisation_id, study_uids=erased.study_uids,
            template="share-erased",
        )  # fmt: skip


def _forget_reasons(whose: Whose) -> None:
    """What somebody wrote beside a directive: its key first."""
    rows = _directives(whose).exclude(key_id=None)
    destroy_data_keys(ids=[key for key in rows.values_list("key_id", flat=True) if key])
    rows.update(key_id=None, sealed_reason=None)


def register() -> None:
    register_eraser(Eraser("consent", _plan, _carry_out))
    # Of the room of accounts: what an account is for, only this room knows.
    register_eraser(Eraser("accounts", plan_account, end_account))
