"""How the records of this room end. The account itself: `consent.records`, which knows patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import Acceptance, Campaign, Invitation, Invoice
from accounts.rules.billing import InvoiceState
from policies.rules.categories import Category
from policies.rules.records import Ending, RecordKind, Term, register_records
from vault.services.data_keys import destroy_data_keys

WITH_ACCOUNT = "goes when what says who it was is erased from the account"


def delete_rows(rows: Sequence[Any]) -> None:
    """Delete rows of one model."""
    if rows:
        type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows]).delete()


def _invitations(organisation_id: UUID) -> QuerySet[Invitation]:
    return Invitation.objects.filter(organisation_id=organisation_id)


def _campaigns(organisation_id: UUID) -> QuerySet[Campaign]:
    return Campaign.objects.filter(organisation_id=organisation_id)


def _acceptances(organisation_id: UUID) -> QuerySet[Acceptance]:
    """Answers that say nothing any more of what somebody works under now."""
    counting = Q(
        user__memberships__organisation_id=organisation_id, user__memberships__is_active=True,
        user__memberships__accepted_version_id=F("version_id"),
    )  # fmt: skip
    return Acceptance.objects.filter(organisation_id=organisation_id).exclude(counting)


def _invoices(organisation_id: UUID) -> QuerySet[Invoice]:
    return Invoice.objects.filter(organisation_id=organisation_id).exclude(state=InvoiceState.OPEN)


def _end_invoices(rows: Sequence[Invoice]) -> None:
    destroy_data_keys(ids=[row.key_id for row in rows])
    delete_rows(rows)


KINDS = [
    RecordKind(
        "accounts.invitations", "Invitations", Category.ACCOUNT, ("accounts.Invitation",),
        Ending.TERM,
        term=Term(_invitations, "expires_at", "the day the invitation ended", delete_rows),
    ),
    RecordKind(
        "accounts.tied", "Profile, settings, choices and roles of an account", Category.ACCOUNT,
        ("accounts.Profile", "accounts.EmailChange", "accounts.WorkSettings",
         "accounts.ChannelChoice", "accounts.MarketingChoice", "accounts.SaleOptOut",
         "accounts.Membership", "accounts.MembershipRole"),
        Ending.WITH,
        f"{WITH_ACCOUNT}; that some number had a role somewhere stays, so that acts can be read",
    ),
    RecordKind(
        "accounts.sessions", "Sessions, tries to sign in, and records of use",
        Category.TECHNICAL,
        ("accounts.SignIn", "accounts.UsageEvent", "axes.AccessAttempt",
         "axes.AccessAttemptExpiration", "axes.AccessFailureLog", "axes.AccessLog",
         "sessions.Session"),
        Ending.OWN, "deleted each night, by the terms in the notice's register of logs",
    ),
    RecordKind(
        "accounts.acceptances", "Answers to earlier versions of the policy", Category.CONSENT,
        ("accounts.Acceptance",), Ending.TERM,
        term=Term(
            _acceptances, "answered_at", "the day of the answer", delete_rows, person="user_id"
        ),
    ),
    RecordKind(
        "accounts.campaigns", "Promotional messages that were sent", Category.COMMUNICATIONS,
        ("accounts.Campaign",), Ending.TERM,
        term=Term(_campaigns, "started_at", "the day they were sent", delete_rows),
    ),
    RecordKind(
        "accounts.invoices", "Invoices that are settled", Category.BILLING,
        ("accounts.Invoice",), Ending.TERM,
        term=Term(_invoices, "issued_at", "the day of the invoice", _end_invoices),
    ),
    RecordKind(
        "accounts.agreements", "Agreements with partners, and who recorded them",
        Category.PROFESSIONAL, ("accounts.Agreement", "accounts.AgreementNotice"),
        Ending.STAYS, "they show on what ground data went to a partner",
    ),
    RecordKind(
        "accounts.windows", "Leave to look at a member's technical records", Category.TRAIL,
        ("accounts.SupportWindow",), Ending.STAYS,
        "it shows who looked and why; it names numbers only",
    ),
]  # fmt: skip


def register() -> None:
    register_records(KINDS)
