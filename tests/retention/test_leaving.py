"""Closing an account takes one's images out of sight where the policy says so (C28)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Event
from consent.models import Grant
from consent.services.closing import (
    ClosingRefused,
    close_account,
    close_account_for,
    consequences_of_closing,
)
from consent.services.subjects import link_account
from retention.models import ArchivedStudy
from retention.rules.archive import Why
from studies.models import Study
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in, text_of
from tests.policies.packs import under
from tests.retention.archives import Committed, of_patient, young
from vault.rules.errors import KeyArchived
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
PAGE = "/consent/account/close/"
CASE = "ABCD-1234"


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


@pytest.fixture
def mine(cast: Cast) -> Study:
    return of_patient(cast, young(cast))


def test_closing_by_the_button_ends_every_view_of_ones_images(
    cast: Cast, mine: Study, committed: Committed
) -> None:
    """LIFEIMAGE-12.8: recipient of an earlier grant gets 404, sign-in is refused."""
    for _ in range(3):
        share(mine, actor_of(cast.clinician, fresh=True), cast.people)
    recipient, clinician = signed_in_client(cast.stranger), signed_in_client(cast.clinician)
    page = f"/studies/{mine.uid}/"
    assert recipient.get(page).status_code == clinician.get(page).status_code == 200
    patient = signed_in_client(cast.patient)
    before = text_of(patient.get(PAGE))
    assert "One study at" in before
    assert "will not be shown to anybody any more, not even to the person" in before
    assert "This does not delete anything" in before
    with committed(execute=True):
        assert patient.post(PAGE)["Location"] == "/sign-in/"
    assert recipient.get(page).status_code == clinician.get(page).status_code == 404
    assert patient.get("/").status_code == 302
    with pytest.raises(KeyArchived):
        open_data_key(id=mine.key_id)
    # One moment for all: shares, account, archive.
    ends = set(Grant.objects.values_list("revoked_at", "revoke_reason"))
    entry = ArchivedStudy.objects.get()
    assert ends == {(entry.archived_at, "account-closed")}
    assert entry.why == Why.ACCOUNT
    (event,) = Event.objects.filter(action="account.closed")
    assert event.details == {"revoked": 0, "kept": 0, "archived": 1}


def test_a_closed_account_is_told_so_in_a_clear_word(cast: Cast) -> None:
    cast.patient.set_password("a long enough password")
    cast.patient.save()
    close_account(actor=actor_of(cast.patient, fresh=True))
    known = {"email": "patient@home.example", "password": "a long enough password"}
    told = text_of(Client().post("/sign-in/", known))
    assert "This account is closed" in told
    # Nobody else learns that there was one.
    for wrong in ({**known, "password": "another one"}, {**known, "email": "nobody@home.example"}):
        said = text_of(Client().post("/sign-in/", wrong))
        assert "closed" not in said
        assert "do not match an account" in said
    assert Event.objects.filter(action="session.failed", reason="closed").count() == 1


@pytest.mark.parametrize("pack", ["image-share", "radiology-information-system"])
def test_elsewhere_images_stay_with_whoever_treats_the_person(cast: Cast, pack: str) -> None:
    under(cast, pack)
    mine = of_patient(cast, young(cast))
    assert consequences_of_closing(actor_of(cast.patient)).images == ()
    close_account(actor=actor_of(cast.patient, fresh=True))
    assert not ArchivedStudy.objects.exists()
    assert signed_in_client(cast.clinician).get(f"/studies/{mine.uid}/").status_code == 200


def test_images_that_somebody_else_may_see_too_stay(cast: Cast, mine: Study) -> None:
    link_account(user=cast.owner, subject=mine.subject)
    close_account(actor=actor_of(cast.patient, fresh=True))
    assert not ArchivedStudy.objects.exists()
    close_account(actor=actor_of(cast.owner, fresh=True))
    assert ArchivedStudy.objects.count() == 1


def test_images_that_may_be_somebody_elses_stay(cast: Cast, mine: Study) -> None:
    Study.objects.update(doubts=["other-birth-date"])
    close_account(actor=actor_of(cast.patient, fresh=True))
    assert not ArchivedStudy.objects.exists()


def test_a_members_account_takes_no_patients_images_along(cast: Cast, mine: Study) -> None:
    close_account(actor=actor_of(cast.clinician, fresh=True))
    assert not ArchivedStudy.objects.exists()


# For somebody -------------------------------------------------------------------------------------
def test_an_officer_closes_an_account_of_the_organisation_alone(cast: Cast, mine: Study) -> None:
    officer = actor_of(cast.officer, fresh=True)
    with pytest.raises(ClosingRefused, match="no open account"):
        close_account_for(actor=officer, user=cast.stranger, case_number=CASE)
    with pytest.raises(ClosingRefused, match="your account's page"):
        close_account_for(actor=officer, user=cast.officer, case_number=CASE)
    with pytest.raises(ClosingRefused, match="Prove again"):
        close_account_for(actor=actor_of(cast.officer), user=cast.patient, case_number=CASE)
    cast.patient.refresh_from_db()
    assert cast.patient.is_active
    closed = close_account_for(actor=officer, user=cast.patient, case_number=CASE)
    assert (closed.is_whole, closed.archived) == (True, 1)
    assert ArchivedStudy.objects.get().case_number == CASE
    cast.patient.refresh_from_db()
    assert not cast.patient.is_active
    with pytest.raises(ClosingRefused, match="no open account"):
        close_account_for(actor=officer, user=cast.patient, case_number=CASE)


def test_what_another_organisation_has_in_an_account_is_not_touched(
    cast: Cast, mine: Study
) -> None:
    elsewhere = actor_of(cast.stranger)
    take_in(elsewhere, small_ct_object(study="there"))
    there = Study.objects.get(organisation_id=elsewhere.organisation_id)
    link_account(user=cast.patient, subject=there.subject)
    officer = actor_of(cast.officer, fresh=True)
    closed = close_account_for(actor=officer, user=cast.patient, case_number=CASE)
    assert (closed.is_whole, closed.archived) == (False, 1)
    cast.patient.refresh_from_db()
    assert cast.patient.is_active
    there.refresh_from_db()
    assert there.archived_at is None
    assert list(cast.patient.subjects.values_list("subject_id", flat=True)) == [there.subject_id]


def test_shares_that_ended_before_keep_their_own_end(cast: Cast, mine: Study) -> None:
    share(mine, actor_of(cast.clinician, fresh=True), cast.people)
    ended = timezone.now()
    Grant.objects.update(revoked_at=ended, revoke_reason="no-longer-needed")
    close_account(actor=actor_of(cast.patient, fresh=True))
    assert Grant.objects.get().revoked_at == ended
