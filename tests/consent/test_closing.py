"""Closing an account, and what it withdraws by each policy (C09, C28; contradictions 2 and 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import ApiToken, SignIn
from accounts.rules import Scope
from audit.models import Event
from consent.models import Grant
from consent.services.closing import ClosingRefused, close_account, consequences_of_closing
from studies.models import Study
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, signed_in_client, take_in, token_client
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def three_shares(cast: Cast, small_ct: Callable[..., bytes]) -> Callable[[str], list[Grant]]:
    def make(pack_code: str) -> list[Grant]:
        under(cast, pack_code)
        clinician = actor_of(cast.clinician, fresh=True)
        take_in(clinician, small_ct())
        study = Study.objects.select_related("organisation").get()
        return [share(study, clinician, cast.people) for _ in range(3)]

    return make


@pytest.mark.parametrize("pack_code", ["image-share", "image-exchange"])
def test_closing_withdraws_all_consents_at_one_moment(
    cast: Cast, three_shares: Callable[[str], list[Grant]], pack_code: str
) -> None:
    """VIGILANT-7.3, LIFEIMAGE-13.3."""
    three_shares(pack_code)
    assert len(consequences_of_closing(actor_of(cast.clinician)).revoked) == 3
    close_account(actor=actor_of(cast.clinician, fresh=True))
    ends = set(Grant.objects.values_list("revoked_at", "revoke_reason"))
    assert len(ends) == 1
    assert ends.pop()[1] == "account-closed"
    study = Study.objects.get()
    assert signed_in_client(cast.stranger).get(f"/studies/{study.uid}/").status_code == 403
    assert Event.objects.filter(action="grant.revoked").count() == 3


@pytest.mark.parametrize(
    "pack_code", ["veterinary-teleradiology", "radiology-information-system", "surgical-planning"]
)
def test_elsewhere_each_share_is_revoked_by_itself(
    cast: Cast, three_shares: Callable[[str], list[Grant]], pack_code: str
) -> None:
    """XENRAD-8.7, MEDDIM-7.12."""
    three_shares(pack_code)
    consequences = close_account(actor=actor_of(cast.clinician, fresh=True))
    assert len(consequences.kept) == 3
    assert not Grant.objects.exclude(revoked_at=None).exists()


def test_a_closed_account_is_closed_everywhere(cast: Cast) -> None:
    browser = signed_in_client(cast.clinician)
    program = token_client(cast.clinician, Scope.READ)
    assert program.get("/dicom-web/studies").status_code == 200
    page = browser.get("/consent/account/close/")
    assert b"kept out of sight until the time that law asks for has passed" in page.content
    assert browser.post("/consent/account/close/")["Location"] == "/sign-in/"
    cast.clinician.refresh_from_db()
    assert not cast.clinician.is_active
    assert browser.get("/").status_code == 302
    assert program.get("/dicom-web/studies").status_code == 401
    assert not SignIn.objects.filter(user=cast.clinician, ended_at=None).exists()
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    (event,) = Event.objects.filter(action="account.closed")
    assert event.details == {"revoked": 0, "kept": 0, "archived": 0}


def test_closing_needs_a_fresh_proof(cast: Cast) -> None:
    with pytest.raises(ClosingRefused, match="Prove again"):
        close_account(actor=actor_of(cast.clinician))
    program = replace(actor_of(cast.clinician, fresh=True), token_id=Study().pk or cast_id())
    with pytest.raises(ClosingRefused, match="program"):
        close_account(actor=program)


def cast_id() -> object:
    from uuid import uuid4

    return uuid4()


def test_a_patient_closes_theirs_too(cast: Cast) -> None:
    assert timezone.now()
    client = signed_in_client(cast.patient)
    assert client.get("/consent/account/close/").status_code == 200
    assert client.post("/consent/account/close/").status_code == 302
    assert client.get("/my/").status_code == 302
