"""The same life under each of the five policies that ship, and what each makes different.

The table says it once, by hand, from the seeds. Nothing here reads a pack: each difference is
tried on the portal, by pages and services, as people meet it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import (
    Authenticator,
    Notification,
    RecoveryCode,
    RecoveryCodes,
    SaleOptOut,
    SignIn,
    User,
)
from accounts.services.housekeeping import forget_technical_records
from accounts.services.policy import post_draft, save_draft
from accounts.services.policy_gate import enter
from audit.models import Event
from consent.models import Grant, SubjectAccount
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import PurposeRefused, use
from policies.rules.purposes import Purpose
from studies.models import Study, Upload
from tests.accounts.test_members import age_of
from tests.factories import Cast, actor_of, deliver, signed_in_client, take_in
from tests.policies.lives import (
    CENTRE_PROOF_MINUTES,
    LIVES,
    PASSWORD,
    WORDS,
    Life,
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
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(params=sorted(LIVES))
def code(request: pytest.FixtureRequest, cast: Cast) -> str:
    """One after the other, the hospital runs under each pack that ships."""
    under(cast, request.param)
    return str(request.param)


@pytest.fixture
def life(code: str) -> Life:
    return LIVES[code]


@pytest.fixture
def study(code: str, cast: Cast, small_ct: Callable[..., bytes]) -> Study:
    take_in(actor_of(cast.clinician), small_ct())
    return Study.objects.select_related("organisation").get()


@pytest.fixture
def still() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def test_the_table_is_of_all_packs_that_ship() -> None:
    from policies.selectors import shipped_packs

    assert set(LIVES) == set(shipped_packs())


# The same life ------------------------------------------------------------------------------------
def test_from_signing_in_to_a_share_that_is_revoked(
    cast: Cast, life: Life, small_ct: Callable[..., bytes]
) -> None:
    device = with_password(cast.clinician)
    clinician = give_password(cast.clinician)
    assert clinician.get("/").status_code == 302
    assert clinician.post("/sign-in/second-factor/", code_of(device))["Location"] == "/"
    take_in(actor_of(cast.clinician), small_ct())
    study = Study.objects.get()
    assert study.uid in text(clinician.get("/"))
    assert clinician.get(f"/studies/{study.uid}/").status_code == 200
    pixels = f"/dicom-web/studies/{study.uid}/thumbnail"
    assert clinician.get(pixels).status_code == 200

    colleague = signed_in_client(cast.stranger)
    assert colleague.get(f"/studies/{study.uid}/").status_code == 404
    shared = share(clinician, study, wanted(cast))
    assert shared.status_code == 302, text(shared)
    assert "This was shared with you." in text(colleague.get(f"/studies/{study.uid}/"))
    assert colleague.get(pixels).status_code == 200

    clinician.post(f"{shared['Location']}revoke/", {"reason": "withdrawn"})
    refused = colleague.get(f"/studies/{study.uid}/")
    assert refused.status_code == 403
    assert "The share was revoked." in text(refused)
    assert colleague.get(pixels).status_code == 403
    told = Event.objects.filter(target_uid=study.uid).values_list("action", flat=True)
    assert {"study.viewed", "grant.given", "grant.revoked", "access.refused"} <= set(told)


# Sharing ------------------------------------------------------------------------------------------
def test_an_old_proof_is_asked_for_anew_or_not(
    cast: Cast, study: Study, life: Life, still: time_machine.Traveller
) -> None:
    """LIFEIMAGE-1.5, LIFEIMAGE-1.9, VIGILANT-2.3, XENRAD-5.1."""
    client = signed_in_client(cast.clinician)
    page = f"/studies/{study.uid}/share/"
    still.shift(timedelta(minutes=life.proof_minutes))
    assert client.get(page).status_code == 200, "the proof still holds"
    still.shift(timedelta(seconds=1))
    late = client.get(page)
    if life.proves_to_share:
        assert late["Location"].startswith("/sign-in/again/")
        minutes = f"It counts for {life.proof_minutes} minutes."
        assert minutes in text(client.get(late["Location"]))
    else:
        assert late.status_code == 200
        assert share(client, study, wanted(cast))["Location"].startswith("/consent/")


def test_where_the_recipient_asks_for_more_that_counts(
    cast: Cast, study: Study, life: Life, still: time_machine.Traveller
) -> None:
    """The stricter of both: the centre's five minutes, where a proof is needed at all."""
    client = signed_in_client(cast.clinician)
    still.shift(timedelta(minutes=CENTRE_PROOF_MINUTES, seconds=1))
    answer = share(client, study, wanted(cast))
    if life.proves_to_share:
        assert answer["Location"].startswith("/sign-in/again/")
        assert not Grant.objects.exists()
    else:
        assert Grant.objects.get().factor == "totp"


def test_the_longest_share(cast: Cast, study: Study, life: Life) -> None:
    """LIFEIMAGE-1.7, AVMI-5.1."""
    client = signed_in_client(cast.clinician)
    late = share(client, study, wanted(cast, days=life.share_days))
    assert late.status_code == 422
    assert f"last {life.share_days} days at most" in text(late)
    assert not Grant.objects.exists()
    assert share(client, study, wanted(cast, days=life.share_days - 1)).status_code == 302


def test_closing_the_account(cast: Cast, study: Study, life: Life) -> None:
    """LIFEIMAGE-13.3, VIGILANT-7.3, XENRAD-8.7, MEDDIM-7.12."""
    client = signed_in_client(cast.clinician)
    share(client, study, wanted(cast))
    assert life.fate in text(client.get("/consent/account/close/"))
    assert client.post("/consent/account/close/").status_code == 302
    assert client.get("/").status_code == 302
    seen = signed_in_client(cast.stranger).get(f"/studies/{study.uid}/").status_code
    assert seen == (403 if life.closing_revokes else 200)


# Accounts -----------------------------------------------------------------------------------------
def test_which_second_factors_can_be_set_up(cast: Cast, life: Life) -> None:
    """LIFEIMAGE-6.12, XENRAD-4.2."""
    client = signed_in_client(cast.clinician)
    page = text(client.get("/factors/"))
    assert ("Set up an app" in page) == ("totp" in life.second_factors)
    assert ("Set up a passkey" in page) == ("passkey" in life.second_factors)
    has_recovery = "recovery" in life.second_factors
    assert ("Recovery codes left" in text(client.get("/account/"))) == has_recovery
    made = client.post("/factors/recovery/")
    assert made.status_code == (200 if has_recovery else 403)
    assert RecoveryCode.objects.exists() == has_recovery


def test_the_first_sign_in_gives_recovery_codes_only_where_they_open_anything(
    cast: Cast, life: Life
) -> None:
    cast.clinician.set_password(PASSWORD)
    cast.clinician.save()
    client = give_password(cast.clinician)
    assert client.get("/sign-in/second-factor/")["Location"] == "/factors/"
    client.get("/factors/app/")
    answer = client.post("/factors/app/", code_of(Authenticator.objects.get()))
    onward = "/factors/recovery/" if "recovery" in life.second_factors else "/account/"
    assert answer["Location"] == onward


def test_a_recovery_code_opens_or_not(cast: Cast, life: Life) -> None:
    with_password(cast.clinician)
    codes = RecoveryCodes.objects.create(user=cast.clinician, name="codes")
    RecoveryCode.objects.create(codes=codes, digest=codes.digest_of("abcdefgh"))
    client = give_password(cast.clinician)
    has_recovery = "recovery" in life.second_factors
    page = text(client.get("/sign-in/second-factor/"))
    assert ("recovery codes" in page) == has_recovery
    answer = client.post("/sign-in/second-factor/", {"code": "abcdefgh"})
    assert answer.status_code == (302 if has_recovery else 422)
    assert RecoveryCode.objects.exists() != has_recovery, "a refused code is not used up"


def test_the_shortest_password(cast: Cast, life: Life) -> None:
    """XENRAD-2.4, VIGILANT-4.12."""
    path, client = reset_path(cast.clinician), Client()
    assert f"At least {life.password} characters" in text(client.get(path))
    assert client.post(path, {"password": WORDS[: life.password - 1]}).status_code == 200
    cast.clinician.refresh_from_db()
    assert not cast.clinician.has_usable_password()
    assert client.post(path, {"password": WORDS[: life.password]}).status_code == 302
    cast.clinician.refresh_from_db()
    assert cast.clinician.check_password(WORDS[: life.password])


def test_joining_asks_for_age_and_password_of_the_policy(cast: Cast, life: Life) -> None:
    """XENRAD-9.2, MEDDIM-10.1."""
    link = invited(cast)
    digest = re.search(r'name="read" value="(\w+)"', text(Client().get(link)))[1]  # type: ignore[index]
    # A day short of the youngest age, and on the very birthday.
    born = timezone.localdate().replace(year=timezone.localdate().year - life.min_age_us)
    young = {"born": born + timedelta(days=1), "country": "US"}
    assert Client().post(f"{link}age/", young).status_code == 403
    age = age_of(Client(), link, born.isoformat())
    form = {"name": "Nora New", "digest": digest, "accepts": "on", "age": age}
    short, long = {"password": WORDS[: life.password - 1]}, {"password": WORDS[: life.password]}
    assert Client().post(link, form | short).status_code == 422
    too_young = form | {"age": "forged"}
    assert Client().post(link, too_young | long).status_code == 422
    assert not User.objects.with_email("new@h.example").exists()
    assert Client().post(link, form | long)["Location"] == "/sign-in/"


def test_a_session_ends_unused_and_at_last(
    cast: Cast, life: Life, still: time_machine.Traveller
) -> None:
    """LIFEIMAGE-11.3, XENRAD-3.5."""
    unused = signed_in_client(cast.clinician)
    still.shift(timedelta(minutes=life.idle_minutes))
    assert unused.get("/").status_code == 200
    still.shift(timedelta(minutes=life.idle_minutes, seconds=1))
    assert unused.get("/").status_code == 302
    busy, began = signed_in_client(cast.clinician), timezone.now()
    while timezone.now() - began < timedelta(hours=life.longest_hours):
        assert busy.get("/notifications/").status_code == 200
        still.shift(timedelta(minutes=10))
    still.shift(timedelta(seconds=1))
    assert busy.get("/notifications/").status_code == 302


# Purposes -----------------------------------------------------------------------------------------
SECONDARY = {
    "ai-training": use(Purpose.AI_TRAINING, Category.DEIDENTIFIED),
    "research": use(Purpose.RESEARCH, Category.DEIDENTIFIED),
    "analytics": use(Purpose.ANALYTICS, Category.TECHNICAL),
    "advertising": use(Purpose.ADVERTISING, Category.ACCOUNT),
}


@pytest.mark.parametrize("purpose", sorted(SECONDARY))
def test_a_purpose_that_is_not_listed_is_refused(cast: Cast, life: Life, purpose: str) -> None:
    """AVMI-3.6, LIFEIMAGE-5.0, VIGILANT-3.2, XENRAD-3.1, MEDDIM-3.1."""
    clinician = actor_of(cast.clinician)
    enter(clinician, use(Purpose.TREATMENT, *CARE_DATA))
    if purpose in life.purposes_refused:
        with pytest.raises(PurposeRefused, match="does not list the purpose"):
            enter(clinician, SECONDARY[purpose])
        assert Event.objects.get(action="purpose.refused").purpose == purpose
    else:
        enter(clinician, SECONDARY[purpose])


def test_no_policy_lets_software_learn_from_images_of_people(cast: Cast, code: str) -> None:
    """MEDDIM-3.11, XENRAD-3.9, LIFEIMAGE-9.2: at most from data without people in it."""
    for purpose in (Purpose.AI_TRAINING, Purpose.ANALYTICS, Purpose.RESEARCH, Purpose.MARKETING):
        with pytest.raises(PurposeRefused):
            enter(actor_of(cast.clinician), use(purpose, Category.IMAGES))


def test_nothing_is_sold(cast: Cast, life: Life) -> None:
    """MEDDIM-4.2, AVMI-5.5: never for money; where California calls it so, one can opt out."""
    page = text(Client().get("/notice/hospital/"))
    assert "Data is never sold for money" in page
    assert ("may count as a sale or as sharing" in page) == life.sells


# Messages and signals -----------------------------------------------------------------------------
@pytest.mark.parametrize(("residence", "field"), [("US-NY", "mail_in_us"), ("DE", "mail_in_eu")])
def test_whom_a_campaign_reaches(cast: Cast, life: Life, residence: str, field: str) -> None:
    """MEDDIM-3.3, MEDDIM-3.4, LIFEIMAGE-16.3, VIGILANT-8.3, AVMI-3.2."""
    User.objects.filter(memberships__organisation__slug="hospital").update(residence=residence)
    answer = signed_in_client(cast.administrator).post("/campaigns/", {"template": "service-news"})
    expected = getattr(life, field)
    if not life.advertises:
        assert answer.status_code == 403, "the purpose itself is not listed"
    else:
        assert answer.status_code == (302 if expected else 422)
    assert len(deliver()) == expected


def test_do_not_track(cast: Cast, life: Life) -> None:
    """MEDDIM-7.4, MEDDIM-9.1."""
    client = signed_in_client(cast.clinician)
    client.get("/", headers={"DNT": "1"})
    assert SaleOptOut.objects.exists() == life.dnt_counts
    signed_in_client(cast.officer).get("/", headers={"Sec-GPC": "1"})
    assert SaleOptOut.objects.filter(user=cast.officer, source="gpc").exists()


# What a patient is told ---------------------------------------------------------------------------
def test_how_much_a_patient_is_told_of_readers(cast: Cast, study: Study, life: Life) -> None:
    """XENRAD-8.2, XENRAD-8.3, VIGILANT-3.1."""
    SubjectAccount.objects.create(user=cast.patient, subject=study.subject)
    clinician = signed_in_client(cast.clinician)
    clinician.get(f"/studies/{study.uid}/")
    share(clinician, study, wanted(cast))
    signed_in_client(cast.stranger).get(f"/studies/{study.uid}/")
    patient = signed_in_client(cast.patient)
    patient.get("/my/")
    page = text(patient.get("/my/"))
    assert "Study page opened" in page
    assert "Radiologie am Isartor" in page
    assert "Weber" not in page
    assert "Reyes" not in page
    assert ("Clinician, Radiologie am Isartor" in page) == (life.readers == "role")
    assert "· You, " in page
    # Whoever works there sees who it was.
    assert "Dr Jonas Weber, Radiologie am Isartor" in text(clinician.get(f"/studies/{study.uid}/"))


# Notice and keeping -------------------------------------------------------------------------------
def test_the_notice_says_what_is_done(code: str, life: Life) -> None:
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text(Client().get("/notice/hospital/"))))
    for words in life.notice:
        assert words in page
    assert f"Technical records are deleted after {life.logs_days} days" in page


def test_a_new_version_is_announced_as_promised(cast: Cast, life: Life) -> None:
    """XENRAD-10.2 to 10.5, MEDDIM-14.3, LIFEIMAGE-14.4: seven days, and by the policy's ways."""
    admin = signed_in_client(cast.administrator)
    acting = actor_of(cast.administrator, fresh=True)
    save_draft(acting=acting, changes={"consent.share_days_at_most": 30})
    review = "/governance/policy/review/"
    early = admin.post(review, {"reason": "Shorter", "effective_on": day(3)})
    assert early.status_code == 422
    assert "notice period of 7 days" in text(early)
    assert admin.post(review, {"reason": "Shorter", "effective_on": day(9)}).status_code == 302
    assert len(deliver()) == (4 if "email" in life.channels else 0)
    row = Notification.objects.get(user=cast.clinician, template="policy-changed")
    assert row.needs_acknowledgement == ("alert" in life.channels)
    assert "/notice/hospital/2/" in text(Client().get("/notice/hospital/"))


def test_the_notice_period_itself_is_the_policys(cast: Cast, life: Life) -> None:
    acting = actor_of(cast.administrator, fresh=True)
    save_draft(acting=acting, changes={"closing": "Write to us."})
    posted = post_draft(acting=acting, effective_at=None)
    assert posted.effective_at - posted.posted_at == timedelta(days=7)  # type: ignore[operator]


def test_technical_records_go_in_time(
    cast: Cast, life: Life, still: time_machine.Traveller
) -> None:
    """XENRAD-6.3, AVMI-2.7."""
    signed_in_client(cast.clinician)
    still.shift(timedelta(days=life.logs_days))
    forget_technical_records()
    assert SignIn.objects.filter(user=cast.clinician).exists()
    still.shift(timedelta(seconds=1))
    forget_technical_records()
    assert not SignIn.objects.filter(user=cast.clinician).exists()


def test_whoever_sends_images_attests_for_minors(cast: Cast, study: Study) -> None:
    """XENRAD-9.3, MEDDIM-10.4: in every policy, and the words go on record."""
    assert "of a minor" in text(signed_in_client(cast.clinician).get("/studies/new/"))
    assert len(Upload.objects.get().attestation_digest) == 64


def test_the_centre_keeps_its_own_policy_beside_any(cast: Cast, code: str) -> None:
    page = text(Client().get("/notice/imaging/"))
    assert "Datenschutz" in page
    assert "Technical records are deleted after 60 days" in page
