"""Payments: invoices apart from patients, and no card's number in any field (C44)."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Invoice, Profile
from accounts.rules import Scope, is_valid_npi
from accounts.rules.billing import BillingRefused
from accounts.rules.cards import holds_card_number, is_card_number, passes_luhn
from accounts.selectors.billing import Addresses, addresses_of
from accounts.services.billing import Bill, cancel_invoice, issue_invoice, settle_invoice
from audit.models import Event
from consent.models import DataSubject
from policies.rules.categories import Category
from policies.rules.gate import PurposeRefused, using
from policies.rules.purposes import Purpose
from studies.models import Blob, Instance, Study
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in, token_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

# What issuers publish for tests.
CARDS = [
    "4111111111111111", "4242 4242 4242 4242", "5555-5555-5555-4444", "2223003122003222",
    "378282246310005", "6011111111111117", "3566002020360505", "30569309025904",
]  # fmt: skip


# What a card's number is --------------------------------------------------------------------------
@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_known_however_it_is_written(card: str) -> None:
    for text in (card, f"Take it from {card}, please.", f"card:{card}", f"{card}\n12/29"):
        assert holds_card_number(text), text


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # another last digit
        "1.2.840.113619.2.55.4111111111111111.7",  # part of a UID
        "a4111111111111111",  # part of a word
        "94111111111111111999",  # part of a longer number
        "1234567893",  # an NPI
        "2026-11-26 03:51:11.123456",
        "+49 89 5550 100",
        "HVH-20261126-0001",
        "9999999999999995",  # no issuer
        "",
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert not holds_card_number(text)


@given(st.from_regex(r"4[0-9]{14}", fullmatch=True))
def test_of_ten_last_digits_one_makes_a_card(first: str) -> None:
    assert sum(is_card_number(first + str(last)) for last in range(10)) == 1


@given(st.from_regex(r"[0-9]{8,18}", fullmatch=True))
def test_luhn_finds_one_wrong_digit(digits: str) -> None:
    right = next(digits + str(last) for last in range(10) if passes_luhn(digits + str(last)))
    for place, digit in enumerate(right):
        wrong = f"{right[:place]}{(int(digit) + 1) % 10}{right[place + 1 :]}"
        assert not passes_luhn(wrong)


def test_the_check_of_an_npi_is_the_same_one() -> None:
    assert is_valid_npi("1234567893")
    assert not is_valid_npi("1234567890")
    wide = "".join(chr(0xFF10 + int(digit)) for digit in "1234567893")
    assert not is_valid_npi(wide)


# No field takes one -------------------------------------------------------------------------------
FORMS = [
    ("accounts:invoice_issue", "administrator", "about"),
    ("accounts:invoice_issue", "administrator", "billing"),
    ("accounts:member_invite", "administrator", "email"),
    ("accounts:agreement_record", "administrator", "party"),
    ("accounts:account", "clinician", "specialty"),
    ("accounts:token_issue", "clinician", "name"),
    ("accounts:password_forgot", "anonymous", "email"),
    ("accounts:sign_in", "anonymous", "email"),
    ("governance:legal_export_new", "officer", "citation"),
]


@pytest.mark.parametrize(("route", "who", "field"), FORMS)
def test_no_free_text_takes_a_cards_number(cast: Cast, route: str, who: str, field: str) -> None:
    """MEDDIM-2.4, AVMI-2.4."""
    client = Client() if who == "anonymous" else signed_in_client(getattr(cast, who))
    answer = client.post(reverse(route), {field: "My card is 4111 1111 1111 1111"})
    assert answer.status_code == 422
    assert "Nothing was saved" in answer.content.decode()
    assert Event.objects.filter(action="card.refused", reason="card-number").count() == 1
    # All of it, spaces left out: four figures stand in many a digest.
    assert "4111111111111111" not in _dump().replace(" ", "")


def test_nor_does_a_form_of_either_kind_nor_a_program(cast: Cast) -> None:
    client = signed_in_client(cast.clinician)
    path, form = reverse("accounts:account"), {"specialty": CARDS[0]}
    assert client.post(path, form).status_code == 422
    encoded = urlencode(form)
    kind = "application/x-www-form-urlencoded"
    assert client.post(path, encoded, content_type=kind).status_code == 422
    program = token_client(cast.clinician, Scope.WRITE)
    answer = program.post("/api/v1/uploads/", {"note": CARDS[0]}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "card-number")


def test_what_only_looks_like_one_goes_through(cast: Cast) -> None:
    client = signed_in_client(cast.clinician)
    answer = client.post(
        reverse("accounts:account"),
        {"name": "Clara Reyes", "specialty": "Room 4111111111111112", "country": "", "state": ""},
    )
    assert answer.status_code == 302
    assert Profile.objects.get(user=cast.clinician).specialty == "Room 4111111111111112"


def _dump() -> str:
    """Every value of every table of the data database, as text."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(str(cursor.fetchall()))
    return "\n".join(found)


# Invoices -----------------------------------------------------------------------------------------
def bill(**more: object) -> Bill:
    facts = {
        "about": "Reading of 12 examinations", "amount": Decimal("120.50"), "currency": "USD",
        "addresses": Addresses("Hudson Valley Hospital\n77 Ledger Lane", "Dock 3"),
    }  # fmt: skip
    return Bill(**(facts | more))  # type: ignore[arg-type]


def test_an_invoice_is_written_and_paid_by_the_processors_reference(cast: Cast) -> None:
    """MEDDIM-2.3, XENRAD-3.12."""
    admin, client = actor_of(cast.administrator), signed_in_client(cast.administrator)
    answer = client.post(
        "/invoices/new/",
        {"about": "Readings", "amount": "120.50", "currency": "USD", "billing": "77 Ledger Lane"},
    )
    made = Invoice.objects.get()
    assert answer["Location"] == f"/invoices/{made.pk}/"
    assert "77 Ledger Lane" in client.get(answer["Location"]).content.decode()
    assert "77 Ledger Lane" not in _dump()
    assert client.post(answer["Location"], {"reference": "pi_3MtwBw"}).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.payment_reference) == ("paid", "pi_3MtwBw")
    with pytest.raises(BillingRefused, match="paid already"):
        cancel_invoice(acting=admin, invoice=made)
    with pytest.raises(BillingRefused, match="paid already"):
        settle_invoice(acting=admin, invoice=made, reference="pi_other")
    actions = Event.objects.filter(target_id=str(made.pk)).values_list("action", flat=True)
    assert sorted(actions) == ["invoice.issued", "invoice.paid"]


@pytest.mark.parametrize("reference", ["4111111111111111", "", "a b", "<b>", "x" * 81])
def test_what_names_no_payment_pays_nothing(cast: Cast, reference: str) -> None:
    admin = actor_of(cast.administrator)
    made = issue_invoice(acting=admin, bill=bill())
    with pytest.raises(BillingRefused):
        settle_invoice(acting=admin, invoice=made, reference=reference)
    made.refresh_from_db()
    assert made.state == "open"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal("1.005")},
        {"amount": Decimal("1000000.01")},
        {"currency": "XXX"},
        {"about": "4111 1111 1111 1111"},
    ],
)
def test_what_is_wrong_makes_no_invoice(cast: Cast, wrong: dict[str, object]) -> None:
    with pytest.raises(BillingRefused):
        issue_invoice(acting=actor_of(cast.administrator), bill=bill(**wrong))
    assert not Invoice.objects.exists()


def test_numbers_have_no_gaps_and_are_each_organisations_own(cast: Cast) -> None:
    admin, other = actor_of(cast.administrator), actor_of(cast["admin@practice.example"])
    for _ in range(3):
        issue_invoice(acting=admin, bill=bill())
    issue_invoice(acting=other, bill=bill())
    numbers = Invoice.objects.order_by("organisation__slug", "number")
    assert list(numbers.values_list("organisation__slug", "number")) == [
        ("hospital", 1), ("hospital", 2), ("hospital", 3), ("practice", 1),
    ]  # fmt: skip


def test_clinicians_and_strangers_do_not_come_to_it(cast: Cast) -> None:
    """XENRAD-2.6."""
    made = issue_invoice(acting=actor_of(cast.administrator), bill=bill())
    for who in (cast.clinician, cast.officer, cast.auditor):
        client = signed_in_client(who)
        assert client.get("/invoices/").status_code == 403
        assert client.get(f"/invoices/{made.pk}/").status_code == 403
        with pytest.raises(BillingRefused):
            settle_invoice(acting=actor_of(who), invoice=made, reference="pi_1234")
    other = signed_in_client(cast["admin@practice.example"])
    assert other.get(f"/invoices/{made.pk}/").status_code == 404
    assert other.post(f"/invoices/{made.pk}/cancel/").status_code == 404
    with pytest.raises(BillingRefused, match="another organisation"):
        cancel_invoice(acting=actor_of(cast["admin@practice.example"]), invoice=made)


def test_what_is_deleted_of_patients_leaves_an_invoice(cast: Cast) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    made = issue_invoice(acting=actor_of(cast.administrator), bill=bill())
    Instance.objects.all().delete()
    Blob.objects.all().delete()
    Study.objects.all().delete()
    DataSubject.objects.all().delete()
    assert Invoice.objects.filter(pk=made.pk).exists()


def test_addresses_open_for_billing_alone(cast: Cast) -> None:
    made = issue_invoice(acting=actor_of(cast.administrator), bill=bill())
    with pytest.raises(PurposeRefused):  # the purpose of these tests is treatment
        addresses_of(made)
    with using(Purpose.TRANSACTIONS, Category.BILLING):
        assert addresses_of(made).shipping == "Dock 3"
