"""What is no study ends by the policy's schedule, each night; law, holds and requests keep it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.checks import run_checks
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import (
    Authenticator,
    Invoice,
    Membership,
    Notification,
    Profile,
    User,
)
from accounts.rules.billing import InvoiceState
from accounts.selectors.billing import Addresses
from accounts.services.billing import Bill, issue_invoice
from accounts.services.erasing import FORMER, StillOpen, erase_account
from accounts.services.members import end_membership
from accounts.services.notifications import notify
from audit.models import Event
from consent.models import Grant
from dsar.models import Case, CaseEntry
from policies.rules import records as registry
from policies.rules.categories import Category
from policies.rules.inventory import inventory
from policies.rules.records import Ending, RecordKind, record_kinds, without_ending
from policies.selectors import effective_pack
from retention.rules.periods import Period
from retention.rules.records import Rule, rule_of
from retention.selectors.records import record_lines
from retention.services.records import purge_records
from studies.models import Study
from tests.consent.test_sharing import share
from tests.dsar.asking import signed_in
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.policies.packs import under
from tests.retention.cases import hospital
from tests.retention.nights import LAST_YEAR, closed, of_every_kind, purged
from vault.selectors import destroyed_keys

__all__ = ["of_every_kind"]
pytestmark = pytest.mark.django_db(databases=["default", "keys"])
TODAY = date(2026, 11, 26)


# Every kind ends ----------------------------------------------------------------------------------
def test_every_model_with_personal_data_is_brought_to_an_end_once() -> None:
    personal = {entry.model for entry in inventory() if entry.is_personal}
    assert without_ending(personal) == []
    named = [model for kind in record_kinds() for model in kind.models]
    assert sorted(named) == sorted(set(named))


def test_the_check_fails_on_a_kind_that_nobody_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {code: kind for code, kind in registry._kinds.items() if code != "accounts.invoices"}
    monkeypatch.setattr(registry, "_kinds", left)
    (found,) = [one for one in run_checks() if one.id == "policies.E005"]
    assert found.msg == "accounts.Invoice ends by nothing: register it among the records."


def test_a_kind_says_how_it_ends() -> None:
    with pytest.raises(ValueError, match="a term belongs"):
        RecordKind("x", "X", Category.ACCOUNT, (), Ending.TERM)
    with pytest.raises(ValueError, match="say how it ends"):
        RecordKind("x", "X", Category.ACCOUNT, (), Ending.STAYS)


# How long -----------------------------------------------------------------------------------------
@given(
    number=st.integers(1, 120), unit=st.sampled_from(["day", "month", "year"]),
    today=st.dates(date(2024, 1, 1), date(2040, 12, 31)),
)  # fmt: skip
def test_the_last_start_that_is_over_is_the_last(number: int, unit: str, today: date) -> None:
    rule = Rule(Category.BILLING, Period(number, unit), "created", "delete", "", ())
    last = rule.last_start_over(today)
    assert rule.until(last) < today <= rule.until(last + timedelta(days=1))


def test_law_lengthens_what_the_policy_says(cast: Cast) -> None:
    from retention.rules.duties import DUTIES

    values = effective_pack(hospital(cast).pk).values
    short = {**values, "retention": {"billing": {
        "trigger": "created", "keep": "1 day", "action": "delete", "cites": "AO 147(3)",
    }}}  # fmt: skip
    own = rule_of(short, Category.BILLING, [])
    assert own is not None
    assert own.last_start_over(TODAY) == date(2026, 11, 24)
    assert own.laws == ["AO 147(3)"]
    # 45 CFR 164.316(b)(2)(i): six years.
    both = rule_of(short, Category.BILLING, [DUTIES["hipaa.docs"]])
    assert both is not None
    assert both.last_start_over(TODAY) == date(2020, 11, 25)


def test_what_no_purpose_uses_any_more_is_over_at_once(cast: Cast) -> None:
    """MEDDIM-5.1."""
    values = dict(effective_pack(hospital(cast).pk).values)
    values["purposes"] = {
        code: {**one, "categories": [name for name in one["categories"] if name != "billing"]}
        for code, one in values["purposes"].items()
    }
    rule = rule_of(values, Category.BILLING, [])
    assert rule is not None
    assert rule.last_start_over(TODAY) == TODAY - timedelta(days=1)
    assert "no purpose" in rule.words
    # What people asked, and the trail, are kept under law, whatever a policy uses them for.
    asked = rule_of(values, Category.REQUESTS, [])
    assert asked is not None
    assert asked.keep is not None


# Accounts -----------------------------------------------------------------------------------------
def test_an_account_is_kept_while_it_is_used_and_erased_when_its_time_is_over(cast: Cast) -> None:
    """XENRAD-6.2: 90 days after it was closed."""
    under(cast, "radiology-information-system")
    Authenticator.objects.create(user=cast.clinician, name="Phone")
    cast.clinician.set_password("correct horse battery")
    cast.clinician.save()
    assert purged(cast) == {}
    user = closed(cast.clinician, timedelta(days=89))
    assert purged(cast) == {"accounts.credentials": 1}
    assert not Authenticator.objects.exists()
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert User.objects.get(pk=user.pk).name != FORMER
    User.objects.filter(pk=user.pk).update(closed_at=timezone.now() - timedelta(days=93))
    assert purged(cast)["accounts.account"] == 1
    gone = User.objects.get(pk=user.pk)
    assert (gone.name, gone.phone, gone.residence) == (FORMER, "", "")
    assert gone.email.endswith("@erased.invalid")
    assert not Profile.objects.filter(user=gone).exists()
    assert not Notification.objects.filter(user=gone).exists()
    assert not User.objects.with_email("clinician@hospital.example").exists()
    # The skeleton: that a number worked here, and accepted.
    assert Membership.objects.get(user=gone).ended_at is not None
    assert Event.objects.filter(action="account.erased", target_id=str(gone.pk)).count() == 1
    assert purged(cast)["accounts.account"] == 1, "the same report of the day"


def test_a_relationship_that_ended_counts_where_the_policy_says_so(cast: Cast) -> None:
    """AVMI-7.2: contact data gone, the skeleton kept."""
    under(cast, "veterinary-teleradiology", retention={
        **effective_pack(hospital(cast).pk)["retention"],
        "account": {"trigger": "relationship-ended", "keep": "1 day", "action": "delete"},
    })  # fmt: skip
    membership = cast.clinician.memberships.get()
    end_membership(acting=actor_of(cast.administrator), membership=membership)
    assert purged(cast) == {}
    Membership.objects.filter(pk=membership.pk).update(ended_at=timezone.now() - LAST_YEAR)
    assert purged(cast)["accounts.account"] == 1
    assert User.objects.get(pk=cast.clinician.pk).name == FORMER
    # Whoever still works here, and patients, are not touched.
    assert User.objects.exclude(erased_at=None).count() == 1


def test_an_account_of_two_organisations_stays_as_long_as_either_says(cast: Cast) -> None:
    lines = effective_pack(hospital(cast).pk)["retention"]
    soon = {"account": {"trigger": "account-closed", "keep": "30 days", "action": "delete"}}
    under(cast, "radiology-information-system", retention={**lines, **soon})
    imaging = cast.stranger.memberships.get().organisation
    Membership.objects.create(user=cast.clinician, organisation=imaging)
    closed(cast.clinician, timedelta(days=60))
    assert effective_pack(imaging.pk)["retention"]["account"]["keep"] == "90 days"
    assert "accounts.account" not in purged(cast)
    assert purge_records(organisation=imaging) is None
    Membership.objects.filter(organisation=imaging, user=cast.clinician).delete()
    assert purged(cast)["accounts.account"] == 1


def test_what_one_organisation_keeps_as_archive_no_other_lets_go(cast: Cast) -> None:
    under(cast, "image-exchange")
    assert effective_pack(hospital(cast).pk)["retention"]["account"]["action"] == "archive"
    imaging = cast.stranger.memberships.get().organisation
    Membership.objects.create(user=cast.clinician, organisation=imaging)
    closed(cast.clinician, LAST_YEAR * 20)
    assert purge_records(organisation=imaging) is None


def test_only_what_is_closed_is_erased(cast: Cast) -> None:
    with pytest.raises(StillOpen):
        erase_account(user=cast.clinician, reason="term")
    assert User.objects.get(pk=cast.clinician.pk).name != FORMER


# The others ---------------------------------------------------------------------------------------
def test_messages_invoices_and_answers_end_by_their_lines(cast: Cast) -> None:
    """XENRAD-6.7, XENRAD-6.5: only what is over, and each with its key."""
    under(cast, "radiology-information-system", retention={
        **effective_pack(hospital(cast).pk)["retention"],
        "communications": {"trigger": "created", "keep": "1 year", "action": "delete"},
        "billing": {"trigger": "created", "keep": "7 years", "action": "delete"},
    })  # fmt: skip
    notify(users=[cast.clinician, cast.officer], template="roles-changed")
    old = Notification.objects.get(user=cast.clinician)
    Notification.objects.filter(pk=old.pk).update(created_at=timezone.now() - LAST_YEAR)
    bills = [
        issue_invoice(acting=actor_of(cast.administrator), bill=Bill(
            "Service", Decimal("10.00"), "EUR", Addresses("Somewhere 1"),
        ))
        for _ in range(3)
    ]  # fmt: skip
    long_ago = timezone.now() - timedelta(days=8 * 366)
    Invoice.objects.filter(pk__in=[bills[0].pk, bills[1].pk]).update(issued_at=long_ago)
    Invoice.objects.filter(pk=bills[0].pk).update(state=InvoiceState.CANCELLED)
    assert purged(cast) == {"accounts.messages": 1, "accounts.invoices": 1}
    assert not Notification.objects.filter(pk=old.pk).exists()
    assert Notification.objects.filter(user=cast.officer).exists()
    # An invoice that is still to be paid stays, however old.
    assert set(Invoice.objects.values_list("pk", flat=True)) == {bills[1].pk, bills[2].pk}
    assert bills[0].key_id in set(destroyed_keys())


def test_invoices_outlive_the_account_of_who_wrote_them(cast: Cast) -> None:
    """XENRAD-6.4, MEDDIM-5.3: they stay, by number, with their law and last day."""
    under(cast, "radiology-information-system")
    made = issue_invoice(acting=actor_of(cast.administrator), bill=Bill(
        "Service", Decimal("10.00"), "EUR", Addresses("Somewhere 1"),
    ))  # fmt: skip
    other = User.objects.create_user(email="second@hospital.example", name="Second")
    membership = Membership.objects.create(user=other, organisation=hospital(cast))
    membership.roles.create(role="administrator")
    closed(cast.administrator)
    assert purged(cast)["accounts.account"] == 1
    made.refresh_from_db()
    assert made.issued_by is not None
    assert made.issued_by.name == FORMER
    (line,) = [
        one for one in record_lines(hospital(cast), TODAY) if one.kind.code == "accounts.invoices"
    ]
    assert line.rule is not None
    assert line.rule.laws
    assert line.rule.until(made.issued_at.date()).year == made.issued_at.year + 10


def test_a_share_and_a_closed_case_go_with_their_words(cast: Cast) -> None:
    lines = effective_pack(hospital(cast).pk)["retention"]
    ends = {"trigger": "created", "keep": "30 days", "action": "delete"}
    under(cast, "surgical-planning", regimes=["gdpr"],
          retention={**lines, "consent": ends, "requests": ends})  # fmt: skip
    # No law of documents counts then; of the trail one does, and it is never deleted.
    hospital_row = hospital(cast)
    hospital_row.regimes, hospital_row.country, hospital_row.state = [], "FR", ""
    hospital_row.save()
    actor = actor_of(cast.clinician, fresh=True)
    take_in(actor, small_ct_object())
    study = Study.objects.select_related("organisation").get()
    old, new = (share(study, actor, cast.people) for _ in range(2))
    ended = timezone.now() - timedelta(days=60)
    Grant.objects.filter(pk=old.pk).update(revoked_at=ended, revoked_by=cast.clinician)
    case = signed_in(actor_of(cast.patient))
    Case.objects.filter(pk=case.pk).update(state="closed", answered_at=ended, closed_at=ended)
    assert purged(cast) == {"consent.grants": 1, "requests.cases": 1}
    assert list(Grant.objects.all()) == [new]
    assert not CaseEntry.objects.exists()
    assert {old.key_id, case.key_id} <= set(destroyed_keys())


def test_what_the_policy_keeps_as_archive_or_for_a_look_is_left_alone(cast: Cast) -> None:
    case = signed_in(actor_of(cast.patient))
    ended = timezone.now() - timedelta(days=20 * 366)
    Case.objects.filter(pk=case.pk).update(state="closed", answered_at=ended, closed_at=ended)
    assert purged(cast) == {}
    found = {line.kind.code: line for line in record_lines(hospital(cast), TODAY)}
    assert found["requests.cases"].waits
    assert found["requests.cases"].over == 1
