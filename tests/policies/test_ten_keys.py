"""One key changed on the pages, posted, and in force: and the portal does something else.

No test here reads a value. Each tries the same thing twice, before and after, and between the
two lies nothing but an administrator's change and the time until it takes effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Authenticator, Membership, SaleOptOut, SignIn, User
from accounts.services.housekeeping import forget_technical_records
from consent.models import SubjectAccount
from consent.selectors import agreed_text, grants_given
from policies.models import PolicyVersion
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from studies.models import Study
from tests.dsar.asking import by_form
from tests.factories import Cast, actor_of, deliver, signed_in_client, take_in
from tests.governance.test_policy_pages import POLICY, fields_of
from tests.policies.lives import (
    code_of,
    day,
    give_password,
    invited,
    reset_path,
    share,
    text,
    wanted,
    with_password,
)

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
InForce = Callable[..., Any]


def post_change(cast: Cast, slug: str, changes: dict[str, Any]) -> PolicyVersion:
    """Change fields on the page of a part, review, post; by clicks alone."""
    admin = signed_in_client(cast.administrator)
    page = f"{POLICY}parts/{slug}/"
    saved = admin.post(page, fields_of(admin.get(page)) | changes)
    assert saved.status_code == 302, text(saved)
    posted = admin.post(f"{POLICY}review/", {"reason": "Tried out"})
    assert posted.status_code == 302, text(posted)
    return PolicyVersion.objects.filter(posted_at__isnull=False).latest("posted_at")


@pytest.fixture
def in_force(cast: Cast) -> InForce:
    """``with in_force("sharing", {"key": value}):`` the change holds, and all have accepted it."""

    @contextmanager
    def change(slug: str, changes: dict[str, Any]) -> Iterator[time_machine.Traveller]:
        version = post_change(cast, slug, changes)
        assert version.effective_at is not None
        with time_machine.travel(version.effective_at, tick=False) as clock:
            Membership.objects.filter(organisation_id=version.organisation_id).update(
                accepted_version_id=version.pk
            )
            yield clock

    return change


@pytest.fixture
def study(cast: Cast, small_ct: Callable[..., bytes]) -> Study:
    take_in(actor_of(cast.clinician), small_ct())
    return Study.objects.select_related("organisation").get()


def after(**passed: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**passed), tick=False)


def opens(client: Client, path: str = "/") -> bool:
    return client.get(path).status_code == 200


# Sharing ------------------------------------------------------------------------------------------
def test_the_longest_share(cast: Cast, study: Study, in_force: InForce) -> None:
    def shares_for_sixty_days() -> bool:
        clinician = signed_in_client(cast.clinician)
        return share(clinician, study, wanted(cast, days=60)).status_code == 302

    assert shares_for_sixty_days()
    with in_force("sharing", {"consent.share_days_at_most": "30"}):
        assert not shares_for_sixty_days()


def test_the_level_of_consent(cast: Cast, study: Study, in_force: InForce) -> None:
    def shares_on_an_old_proof() -> bool:
        clinician = signed_in_client(cast.clinician)
        with after(minutes=20):
            answer = share(clinician, study, wanted(cast))
            return answer["Location"].startswith("/consent/")

    assert not shares_on_an_old_proof()
    with in_force("sharing", {"consent.disclosure_level": "user-authorised"}):
        assert shares_on_an_old_proof()


def test_how_long_a_proof_lasts(cast: Cast, study: Study, in_force: InForce) -> None:
    def asked_after_three_minutes() -> bool:
        clinician = signed_in_client(cast.clinician)
        with after(minutes=3):
            return not opens(clinician, f"/studies/{study.uid}/share/")

    assert not asked_after_three_minutes()
    with in_force("accounts", {"auth.step_up_minutes": "2"}):
        assert asked_after_three_minutes()


def test_the_title_stands_in_what_is_agreed_to(cast: Cast, study: Study, in_force: InForce) -> None:
    def agrees_under() -> str:
        share(signed_in_client(cast.clinician), study, wanted(cast))
        return agreed_text(grants_given(actor_of(cast.clinician))[0])

    assert "Privacy statement of Hudson Valley Hospital, version 1" in agrees_under()
    with in_force("texts", {"title": "What we promise"}):
        assert "What we promise, version 2" in agrees_under()


# Accounts -----------------------------------------------------------------------------------------
def test_recovery_codes(cast: Cast, in_force: InForce) -> None:
    def can_make_recovery_codes() -> bool:
        return signed_in_client(cast.clinician).post("/factors/recovery/").status_code == 200

    assert can_make_recovery_codes()
    with in_force("accounts", {"auth.factors": ["totp", "passkey"]}):
        assert not can_make_recovery_codes()


def test_a_factor_that_is_dropped_opens_only_the_setting_up_of_another(
    cast: Cast, in_force: InForce
) -> None:
    device = with_password(cast.clinician)

    def leads_to(form: dict[str, str]) -> tuple[str, Client]:
        Authenticator.objects.update(last_t=-1, throttling_failure_count=0)
        client = give_password(cast.clinician)
        answer = client.post("/sign-in/second-factor/", form)
        return answer.get("Location", ""), client

    assert leads_to(code_of(device))[0] == "/"
    with in_force("accounts", {"auth.factors": ["passkey", "recovery"]}):
        onward, proved = leads_to(code_of(device))
        assert onward == "/factors/"
        assert "Set up a passkey" in text(proved.get("/factors/"))
        assert "Set up an app" not in text(proved.get("/factors/"))
        assert proved.get("/factors/app/").status_code == 403
        assert proved.post("/factors/passkey/begin/").status_code == 200
        assert not opens(proved), "it opens no session"
        # Somebody who stole the password, and no device, gets no further than before.
        wrong, stranger = leads_to({"code": "000000"})
        assert wrong == ""
        assert stranger.get("/factors/").status_code == 403
        assert stranger.post("/factors/passkey/begin/").status_code == 403
        # Nor does a proof count for whoever gives another password in the same browser.
        other = cast.officer
        with_password(other)
        proved.post("/sign-in/", {"email": other.email, "password": "correct horse battery staple"})
        assert proved.get("/factors/").status_code == 403


def test_the_shortest_password(cast: Cast, in_force: InForce) -> None:
    def can_set_thirteen_characters() -> bool:
        path = reset_path(User.objects.get(pk=cast.clinician.pk))
        return Client().post(path, {"password": "zebra-cliff-m"}).status_code == 302

    assert can_set_thirteen_characters()
    with in_force("accounts", {"auth.password_length": "16"}):
        assert not can_set_thirteen_characters()


def test_an_unused_session(cast: Cast, in_force: InForce) -> None:
    def open_after_twenty_minutes() -> bool:
        client = signed_in_client(cast.clinician)
        with after(minutes=20):
            return opens(client)

    assert open_after_twenty_minutes()
    with in_force("accounts", {"session.idle_minutes": "10"}):
        assert not open_after_twenty_minutes()


def test_the_longest_session(cast: Cast, in_force: InForce) -> None:
    def open_after_three_busy_hours() -> bool:
        client = signed_in_client(cast.clinician)
        for minutes in range(20, 181, 20):
            with after(minutes=minutes):
                found = opens(client)
        return found

    assert open_after_three_busy_hours()
    with in_force("accounts", {"session.absolute_hours": "2"}):
        assert not open_after_three_busy_hours()


def test_the_youngest_age(cast: Cast, in_force: InForce) -> None:
    def asks_for_eighteen() -> bool:
        born = f"{timezone.localdate().year - 17}-01-01"
        said = Client().post(f"{invited(cast)}age/", {"born": born, "country": "US"})
        return said.status_code == 403

    assert not asks_for_eighteen()
    with in_force("accounts", {"account.min_age": "default: 18\nUS: 18"}):
        assert asks_for_eighteen()


# Closing ------------------------------------------------------------------------------------------
def close_after_sharing(cast: Cast, study: Study, user: User) -> bool:
    """Let somebody share and close their account; can the colleague still look?"""
    client = signed_in_client(user)
    assert share(client, study, wanted(cast)).status_code == 302
    assert client.post("/consent/account/close/").status_code == 302
    return opens(signed_in_client(cast.stranger), f"/studies/{study.uid}/")


def test_closing_an_account_withdraws_or_not(cast: Cast, study: Study, in_force: InForce) -> None:
    second = User.objects.create_user(email="second@hospital.example", name="Dr Sam Second")
    membership = Membership.objects.create(user=second, organisation=study.organisation)
    membership.roles.create(role="clinician")
    pack = cast.clinician.memberships.get().accepted_version_id
    Membership.objects.filter(pk=membership.pk).update(accepted_version_id=pack)
    assert not close_after_sharing(cast, study, second)
    with in_force("closing", {"account.withdrawal": "each-share"}):
        assert close_after_sharing(cast, study, cast.clinician)


def test_what_becomes_of_a_closed_account_is_said_before_closing_it(
    cast: Cast, in_force: InForce
) -> None:
    def is_told_of_ninety_days() -> bool:
        page = text(signed_in_client(cast.clinician).get("/consent/account/close/"))
        return "kept out of sight for 90 days, then deleted" in page

    assert not is_told_of_ninety_days()
    changes = {"account.post_inactivation": "purge-after", "account.purge_after_days": "90"}
    with in_force("closing", changes):
        assert is_told_of_ninety_days()


# Messages and signals -----------------------------------------------------------------------------
def test_advertising(cast: Cast, in_force: InForce) -> None:
    User.objects.filter(memberships__organisation__slug="hospital").update(residence="US-NY")

    def letters() -> int:
        signed_in_client(cast.administrator).post("/campaigns/", {"template": "service-news"})
        return len([one for one in deliver() if "/unsubscribe/" in one.body])

    assert letters() == 4
    with in_force("messages", {"marketing.basis": "default: opt-in"}):
        assert letters() == 0


def test_do_not_track(cast: Cast, in_force: InForce) -> None:
    def opts_out() -> bool:
        signed_in_client(cast.clinician).get("/", headers={"DNT": "1"})
        return SaleOptOut.objects.exists()

    assert not opts_out()
    with in_force("messages", {"signals.dnt": "true"}):
        assert opts_out()


def test_global_privacy_control(cast: Cast, in_force: InForce) -> None:
    def opts_out() -> bool:
        SaleOptOut.objects.all().delete()
        signed_in_client(cast.clinician).get("/", headers={"Sec-GPC": "1"})
        return SaleOptOut.objects.exists()

    assert opts_out()
    with in_force("messages", {"signals.gpc": "false"}):
        assert not opts_out()


# Telling ------------------------------------------------------------------------------------------
def test_what_a_patient_is_told_of_readers(cast: Cast, study: Study, in_force: InForce) -> None:
    SubjectAccount.objects.create(user=cast.patient, subject=study.subject)
    signed_in_client(cast.clinician).get(f"/studies/{study.uid}/")

    def names_the_reader() -> bool:
        return "Dr Clara Reyes" in text(signed_in_client(cast.patient).get("/my/"))

    assert not names_the_reader()
    with in_force("requests", {"record.readers_shown": "name"}):
        assert names_the_reader()


def test_the_notice_period(cast: Cast, in_force: InForce) -> None:
    def can_post_for_in_ten_days() -> bool:
        admin = signed_in_client(cast.administrator)
        page = f"{POLICY}parts/texts/"
        admin.post(page, fields_of(admin.get(page)) | {"closing": f"Write to us. {day(0)}"})
        review = {"reason": "Wording", "effective_on": day(10)}
        answer = admin.post(f"{POLICY}review/", review)
        posted = answer.status_code == 302
        assert posted or "within the notice period of 30 days" in text(answer)
        if posted:
            version = PolicyVersion.objects.filter(posted_at__isnull=False).latest("posted_at")
            admin.post(f"{POLICY}{version.revision}/withdraw/")
        return posted

    assert can_post_for_in_ten_days()
    with in_force("notice", {"notice.min_days": "30"}):
        assert not can_post_for_in_ten_days()


def test_the_ways_of_telling(cast: Cast, in_force: InForce) -> None:
    def letters_about_a_change(days: str) -> int:
        post_change(cast, "sharing", {"consent.share_days_at_most": days})
        return len(deliver())

    assert letters_about_a_change("300") == 4
    with in_force("notice", {"notice.channels": ["website"]}):
        deliver()
        assert letters_about_a_change("200") == 0


def test_technical_records(cast: Cast, in_force: InForce) -> None:
    def kept_for_forty_days() -> bool:
        signed_in_client(cast.clinician)
        with after(days=40):
            forget_technical_records()
            return SignIn.objects.filter(user=cast.clinician).exists()

    assert kept_for_forty_days()
    with in_force("keeping", {"logs.keep_days": "30"}):
        assert not kept_for_forty_days()


def test_a_purpose(cast: Cast, in_force: InForce) -> None:
    assert opens(signed_in_client(cast.clinician), "/notifications/")
    signed_in_client(cast.administrator).post(f"{POLICY}records/purposes/communication/remove/")
    with in_force("texts", {}):
        clinician = signed_in_client(cast.clinician)
        assert clinician.get("/notifications/").status_code == 403
        assert opens(clinician)


# Whom people ask, and how soon they are answered --------------------------------------------------
def test_whom_people_ask(cast: Cast, study: Study, in_force: InForce) -> None:
    def told() -> str:
        return text(signed_in_client(cast.clinician).get(f"/studies/{study.uid}/"))

    assert "mailto:officer@hospital.example" in told()
    with in_force("contact", {"contact.email": "privacy@hospital.example"}):
        assert "mailto:privacy@hospital.example" in told()


def test_the_time_for_an_answer(cast: Cast, in_force: InForce) -> None:
    def days_given() -> int:
        with using(Purpose.RIGHTS, Category.REQUESTS, Category.ACCOUNT):
            case = by_form(residence="JP")
        return (case.answer_on - timezone.localdate()).days

    assert days_given() > 7
    with in_force("requests", {"requests.answer_days": "7"}):
        assert days_given() <= 7


def test_lists_of_third_parties(cast: Cast, in_force: InForce) -> None:
    def takes_them() -> bool:
        page = signed_in_client(cast.administrator).get("/members/invite/list/")
        return "<textarea" in text(page)

    assert not takes_them()
    with in_force("secondary", {"secondary.brokers": "true"}):
        assert takes_them()


def test_grounds_of_disclosure(cast: Cast, in_force: InForce) -> None:
    def offers_subpoenas() -> bool:
        return "subpoena" in text(
            signed_in_client(cast.officer).get("/governance/authorities/new/")
        )

    assert offers_subpoenas()
    with in_force("sharing", {"legal.grounds": ["law", "court-order", "compliance-review"]}):
        assert not offers_subpoenas()
