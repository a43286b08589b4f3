"""An organisation's account is closed by two people, and nothing of it is shown any more (C28)."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import ApiToken, Membership, Notification
from accounts.rules import Role, Scope
from accounts.services.members import MembershipRefused, change_roles, invite_member
from audit.models import Event
from consent.models import Grant
from jobs.services import RunOutcome, run_job
from retention.models import ArchivedStudy, OrganisationClosing
from retention.rules.archive import Why
from retention.services import archiving, closing_organisation
from retention.services.closing_organisation import (
    agree_to_close,
    ask_to_close,
    closing_of,
    take_back_closing,
)
from retention.services.refusals import NotYours, ProveAgain, RetentionRefused
from studies.models import Study
from tests.consent.test_sharing import share
from tests.factories import Cast, actor_of, signed_in_client, text_of, token_client
from tests.retention.archives import Committed, young
from tests.retention.cases import hospital
from vault.rules.errors import KeyArchived
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
PAGE = "/retention/closing/"


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Committed:
    return django_capture_on_commit_callbacks


def agreed(cast: Cast) -> OrganisationClosing:
    ask_to_close(actor=actor_of(cast.administrator, fresh=True))
    return agree_to_close(actor=actor_of(cast.officer, fresh=True))


def carried_out(closing: OrganisationClosing) -> None:
    assert closing.job_id is not None
    assert run_job(job_id=closing.job_id) is RunOutcome.DONE
    closing.refresh_from_db()


def test_two_people_close_it_and_nothing_is_shown_any_more(
    cast: Cast, committed: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing_organisation, "TOGETHER", 2)
    studies = [young(cast, f"n{number}") for number in range(3)]
    share(studies[0], actor_of(cast.clinician, fresh=True), cast.people)
    program = token_client(cast.clinician, Scope.READ)
    clinician, recipient = signed_in_client(cast.clinician), signed_in_client(cast.stranger)
    page = f"/studies/{studies[0].uid}/"
    assert clinician.get(page).status_code == recipient.get(page).status_code == 200
    with committed(execute=True):
        carried_out(agreed(cast))
    assert clinician.get(page).status_code == 302
    assert recipient.get(page).status_code == 404
    assert program.get("/dicom-web/studies").status_code == 401
    assert signed_in_client(cast.officer).get(page).status_code == 404
    assert set(ArchivedStudy.objects.values_list("why", flat=True)) == {Why.ORGANISATION}
    assert ArchivedStudy.objects.count() == 3
    for study in studies:
        with pytest.raises(KeyArchived):
            open_data_key(id=study.key_id)
    assert set(Grant.objects.values_list("revoke_reason", flat=True)) == {"organisation-closed"}
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    here = Membership.objects.filter(organisation=hospital(cast), is_active=True)
    assert {one.user for one in here} == {cast.officer, cast.administrator}
    closing = closing_of(hospital(cast).pk)
    assert closing is not None
    assert closing.ended_at is not None
    (event,) = Event.objects.filter(action="organisation.closed")
    assert event.details["shares"] == 1
    # Another organisation goes on.
    assert signed_in_client(cast.stranger).get("/").status_code == 200


def test_nobody_closes_it_alone(cast: Cast) -> None:
    admin = actor_of(cast.administrator, fresh=True)
    with pytest.raises(NotYours):
        ask_to_close(actor=actor_of(cast.officer, fresh=True))
    with pytest.raises(ProveAgain):
        ask_to_close(actor=actor_of(cast.administrator))
    with pytest.raises(RetentionRefused, match="Nobody has asked"):
        agree_to_close(actor=actor_of(cast.officer, fresh=True))
    closing = ask_to_close(actor=admin)
    with pytest.raises(RetentionRefused, match="already"):
        ask_to_close(actor=admin)
    with pytest.raises(RetentionRefused, match="Somebody else has to agree"):
        agree_to_close(actor=admin)
    with pytest.raises(ProveAgain):
        agree_to_close(actor=actor_of(cast.officer))
    with pytest.raises(NotYours):
        agree_to_close(actor=actor_of(cast.clinician, fresh=True))
    with pytest.raises(IntegrityError), transaction.atomic():
        OrganisationClosing.objects.filter(pk=closing.pk).update(agreed_by=closing.asked_by)
    told = Notification.objects.filter(template="organisation-closing")
    assert [one.user for one in told] == [cast.officer]
    assert hospital(cast).closed_at is None


def test_it_is_taken_back_before_and_not_after(cast: Cast) -> None:
    ask_to_close(actor=actor_of(cast.administrator, fresh=True))
    take_back_closing(actor=actor_of(cast.officer))
    assert closing_of(hospital(cast).pk) is None
    agreed(cast)
    with pytest.raises(RetentionRefused, match="cannot be taken back"):
        take_back_closing(actor=actor_of(cast.officer))
    with pytest.raises(RetentionRefused, match="closed already"):
        agree_to_close(actor=actor_of(cast.officer, fresh=True))


def test_nobody_comes_back_to_look_at_images(cast: Cast) -> None:
    agreed(cast)
    admin = actor_of(cast.administrator, fresh=True)
    with pytest.raises(MembershipRefused, match="closed"):
        invite_member(
            acting=admin, organisation_id=hospital(cast).pk, email="new@hospital.example",
            roles=[Role.CLINICIAN],
        )  # fmt: skip
    officer = Membership.objects.get(user=cast.officer)
    with pytest.raises(MembershipRefused, match="closed"):
        change_roles(acting=admin, membership=officer, roles=[Role.OFFICER, Role.CLINICIAN])
    invite_member(
        acting=admin, organisation_id=hospital(cast).pk, email="new@hospital.example",
        roles=[Role.OFFICER],
    )  # fmt: skip


def test_a_kill_goes_on_where_it_was(
    cast: Cast, committed: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing_organisation, "TOGETHER", 1)
    for number in range(3):
        young(cast, f"n{number}")
    closing = agreed(cast)
    real, calls = archiving.archive_studies, []

    def dies(**facts: object) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(**facts)  # type: ignore[arg-type]

    monkeypatch.setattr(closing_organisation, "archive_studies", dies)
    assert closing.job_id is not None
    with pytest.raises(KeyboardInterrupt):
        run_job(job_id=closing.job_id)
    assert ArchivedStudy.objects.count() == 1
    assert Study.objects.filter(instance_count__gt=0).count() == 2


def test_the_page_asks_for_the_name_and_for_a_second_person(cast: Cast) -> None:
    young(cast)
    admin, officer = signed_in_client(cast.administrator), signed_in_client(cast.officer)
    assert "1 study goes to the legal archive" in text_of(admin.get(PAGE))
    assert "An administrator asks for it" in text_of(officer.get(PAGE))
    assert admin.post(PAGE, {"act": "ask", "name": "Another"}).status_code == 422
    assert admin.post(PAGE, {"act": "burn", "name": "Hudson Valley Hospital"}).status_code == 422
    assert officer.post(PAGE, {"act": "ask", "name": hospital(cast).name}).status_code == 409
    assert closing_of(hospital(cast).pk) is None
    assert admin.post(PAGE, {"act": "ask", "name": hospital(cast).name}).status_code == 302
    assert "Somebody else has to agree" in text_of(admin.get(PAGE))
    assert admin.post(PAGE, {"act": "agree", "name": hospital(cast).name}).status_code == 409
    assert officer.post(PAGE, {"act": "agree", "name": hospital(cast).name}).status_code == 302
    assert "is closed" in text_of(officer.get(PAGE))
    assert Membership.objects.get(user=cast.clinician).is_active is False
