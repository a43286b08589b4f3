"""Whoever gets hold of the databases or the logs learns nothing about who has an account."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from axes.models import AccessAttempt
from django.db import connections
from django.test import Client
from django_otp.oath import totp

from accounts.fields import SealedText
from accounts.models import Authenticator, EmailChange, Invitation, Profile, RecoveryCode, User
from accounts.selectors import possible_recipients
from accounts.services.sign_in import begin_totp, issue_recovery_codes
from policies.rules.categories import Category
from policies.rules.gate import PurposeRefused, enter_use, using
from policies.rules.purposes import Purpose
from tests.factories import Cast, actor_of, signed_in_client
from tests.studies.test_nothing_in_the_clear import dump_of, traces
from vault.models import DataKey
from vault.rules.errors import Tampered
from vault.services.rotation import rewrap_data_keys, rotate_organisation_key
from vault.services.shared_keys import PLATFORM, forget_shared_keys

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

PLANTED = {
    "name": "Dr Quirina Zwetschgenberg",
    "family name": "Zwetschgenberg",
    "address": "quirina.z@quarzklinik.example",
    "mailbox": "quirina.z",
    "address invited": "Neuling.Xaver@quarzklinik.example",
    "address at a failed sign-in": "vertippt@quarzklimik.example",
    "licence number": "BLAEK-7719-QXZ",
    "where licensed": "Quarzbergland",
    "specialty": "Fersenspornkunde",
    "NPI": "1245319599",
    "telephone": "+49 89 7719 55810",
    "address asked for": "neue.quirina@quarzklinik.example",
    "password": "ein Fersensporn am Quarzberg",
}


def someone() -> User:
    return User.objects.create_user(
        email=PLANTED["address"], name=PLANTED["name"], password=PLANTED["password"]
    )


def live(cast: Cast) -> dict[str, str]:
    """Do all that brings an account's values near a database; return secrets made on the way."""
    browser = signed_in_client(cast.administrator)
    invited = {"email": PLANTED["address invited"], "roles": ["clinician"]}
    assert browser.post("/members/invite/", invited).status_code == 302
    assert b"neuling.xaver" in browser.get("/members/").content
    with using(Purpose.AUTHENTICATION, *Category):
        user = someone()
        # Of one profession, who is asked for the rest of it.
        Profile.objects.create(
            user=user, specialty="-", npi="1", licence_number="-", licence_place="-"
        )
        device = begin_totp(user)
        codes = issue_recovery_codes(user)
        device.confirmed = True
        device.save()
    stranger = Client()
    for tried in ("address at a failed sign-in", "address"):
        form = {"email": PLANTED[tried], "password": "not this one, whatever"}
        assert stranger.post("/sign-in/?next=/studies/", form).status_code == 422
    form = {"email": PLANTED["address"].upper(), "password": PLANTED["password"]}
    assert stranger.post("/sign-in/", form).status_code == 302
    with using(Purpose.AUTHENTICATION, *Category):
        code = f"{totp(device.bin_key):06d}"
        seed = device.seed
    assert stranger.post("/sign-in/second-factor/", {"code": code}).status_code == 302
    details = {
        "name": PLANTED["name"], "phone": PLANTED["telephone"],
        "specialty": PLANTED["specialty"], "npi": PLANTED["NPI"],
        "licence_number": PLANTED["licence number"], "licence_place": PLANTED["where licensed"],
    }  # fmt: skip
    assert stranger.post("/account/", details).status_code == 302
    page = stranger.get("/account/").content.decode()
    assert PLANTED["licence number"] in page
    assert PLANTED["address"] in page
    asked = stranger.post("/account/email/", {"email": PLANTED["address asked for"]})
    assert asked.status_code == 302
    Client().post("/password/forgot/", {"email": PLANTED["address"]})
    return {"seed": seed, "recovery code": codes[0]}


def test_no_database_or_log_holds_what_an_account_says_of_somebody(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    """LIFEIMAGE-6.15, XENRAD-2.4."""
    caplog.set_level(logging.DEBUG)
    planted = PLANTED | live(cast)
    found = {alias: traces(dump_of(alias), planted) for alias in ("default", "keys")}
    lines = [r.getMessage() for r in caplog.records if r.name != "django.db.backends"]
    found["logs"] = traces("\n".join(lines).encode(), planted)
    assert {where: what for where, what in found.items() if what} == {}
    # It was all written, and in the database that was searched.
    assert RecoveryCode.objects.count() == 10
    assert b"accounts_user" in dump_of("default") or connections["default"].vendor != "sqlite"


def test_the_key_lies_in_the_other_database(cast: Cast) -> None:
    key = DataKey.objects.get(kind="account")
    assert key.organisation_id == PLATFORM
    assert bytes(key.wrapped) not in dump_of("default")


def test_a_failed_try_is_counted_under_a_hash(cast: Cast) -> None:
    for spelled in ("clinician@hospital.example", "Clinician@Hospital.example "):
        Client().post("/sign-in/", {"email": spelled, "password": "wrong, whatever"})
    row = AccessAttempt.objects.get()
    assert re.fullmatch("[0-9a-f]{32}", row.username)
    assert row.failures_since_start == 2
    assert "hospital" not in unquote(row.post_data + row.get_data)


def test_a_value_put_into_another_row_or_column_does_not_open(cast: Cast) -> None:
    def sealed_of(user: User, column: str) -> bytes:
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM accounts_user WHERE id = %s", [user.pk])
            return bytes(cursor.fetchone()[0])

    def put(user: User, column: str, value: bytes) -> User:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                f"UPDATE accounts_user SET {column} = %s WHERE id = %s", [value, user.pk]
            )
        return User.objects.get(pk=user.pk)

    with pytest.raises(Tampered):
        put(cast.clinician, "name", sealed_of(cast.officer, "name")).name  # noqa: B018
    with pytest.raises(Tampered):
        put(cast.officer, "name", sealed_of(cast.officer, "email")).name  # noqa: B018


@pytest.mark.names_no_purpose
def test_nothing_is_opened_for_no_purpose() -> None:
    with using(Purpose.AUTHENTICATION, Category.ACCOUNT):
        pk = someone().pk
    user = User.objects.get(pk=pk)
    for attribute in ("email", "name"):
        with pytest.raises(PurposeRefused):
            getattr(user, attribute)
    assert str(user) == f"account {pk}"
    # A colleague's name goes with every act; the address only with what is about accounts.
    with using(Purpose.TREATMENT, Category.IMAGES):
        assert user.name == PLANTED["name"]
        with pytest.raises(PurposeRefused):
            user.email  # noqa: B018
    enter_use(None)


def test_an_address_is_found_in_any_capitals_and_no_other_is(cast: Cast) -> None:
    user = someone()
    assert User.objects.with_email(" QUIRINA.Z@Quarzklinik.Example").get() == user
    assert User.objects.get_by_natural_key(PLANTED["address"]) == user
    # Accents are another mailbox's, who must not be let in.
    assert not User.objects.with_email("quirína.z@quarzklinik.example").exists()


def test_sealed_columns_cannot_be_searched_or_updated_past_their_rows(cast: Cast) -> None:
    with pytest.raises(Exception, match="Unsupported lookup"):
        User.objects.filter(email="a@b.example")
    with pytest.raises(TypeError, match="sealed row by row"):
        User.objects.update(name="Somebody")


def test_what_was_sealed_opens_after_the_platforms_key_was_rotated(cast: Cast) -> None:
    user = someone()
    rotate_organisation_key(organisation_id=PLATFORM)
    list(rewrap_data_keys(organisation_id=PLATFORM))
    forget_shared_keys()
    again = User.objects.with_email(PLANTED["address"]).get()
    assert (again.pk, again.name) == (user.pk, PLANTED["name"])


def test_hundreds_of_names_cost_no_query(cast: Cast, django_assert_num_queries: Callable) -> None:
    people = list(User.objects.all()) * 50
    assert people[0].name
    fresh = list(User.objects.all())
    for alias in ("default", "keys"):
        with django_assert_num_queries(0, connection=connections[alias]):
            assert all(one.name and one.email for one in fresh)


def test_people_are_listed_by_name(cast: Cast) -> None:
    for number, name in enumerate(("Zacharias Ende", "álvaro Anfang")):
        user = User.objects.create_user(email=f"{number}@hospital.example", name=name)
        cast.clinician.memberships.get().organisation.memberships.create(user=user)
    page = signed_in_client(cast.administrator).get("/members/").content.decode()
    names = re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', page)
    assert names == sorted(names, key=lambda one: one.lower().replace("á", "a"))
    assert "álvaro Anfang" in names
    with using(Purpose.TREATMENT, Category.ACCOUNT):
        found = possible_recipients(actor_of(cast.clinician))
        assert [one.user.name for one in found] == ["Dr Vera Lindqvist", "Dr Jonas Weber"]


def test_a_seed_is_sealed_and_a_recovery_code_is_only_a_hash(cast: Cast) -> None:
    """XENRAD-2.4: the table shows neither."""
    device = Authenticator.objects.create(user=cast.clinician, name="app", confirmed=True)
    other = Authenticator.objects.create(user=cast.officer, name="app", confirmed=True)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT seed FROM accounts_authenticator ORDER BY id")
        sealed, another = (bytes(row[0]) for row in cursor.fetchall())
        assert device.bin_key not in sealed
        cursor.execute(
            "UPDATE accounts_authenticator SET seed = %s WHERE id = %s", [another, device.pk]
        )
    # A seed that is copied from another account gives that one's codes to nobody.
    with pytest.raises(Tampered):
        Authenticator.objects.get(pk=device.pk).bin_key  # noqa: B018
    assert Authenticator.objects.get(pk=other.pk).bin_key == other.bin_key
    codes = issue_recovery_codes(cast.clinician)
    issue_recovery_codes(cast.officer)
    digests = {bytes(one) for one in RecoveryCode.objects.values_list("digest", flat=True)}
    assert len(digests) == 20
    assert not {code.encode() for code in codes} & digests


def test_every_sealed_column_says_where_it_stands() -> None:
    """Two columns with one place could be exchanged."""
    places = [
        field.place
        for model in (
            User,
            Invitation,
            EmailChange,
            Authenticator,
            User.profile.related.related_model,
        )
        for field in model._meta.fields
        if isinstance(field, SealedText)
    ]
    assert len(places) == len(set(places)) == 11
