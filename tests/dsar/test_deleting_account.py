"""One asks for one's account to be deleted (C32): shown before, approved by two, and then gone."""

from __future__ import annotations

import pytest

from accounts.models import Acceptance, Membership, User
from accounts.services.erasing import FORMER
from audit.models import Event
from consent.models import Grant, SubjectAccount
from consent.services.ending_accounts import end_account
from consent.services.subjects import link_account
from dsar.models import Case
from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome
from dsar.services.deleting_account import ask_to_delete_account, prospects
from dsar.services.entries import CaseRefused
from dsar.services.handling import answer_case
from policies.rules.erasing import Erased
from policies.rules.holdings import Whose
from studies.models import Study
from tests.consent.test_sharing import share
from tests.dsar.asking import path_in, post
from tests.dsar.erasures import erased, said
from tests.factories import Cast, actor_of, signed_in_client, text_of
from tests.retention.cases import hospital

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
ACCOUNT = "The account: name, address, telephone, profession, settings, what signs in"


@pytest.fixture
def patients(cast: Cast, old: Study, young: Study) -> User:
    for study in (old, young):
        link_account(user=cast.patient, subject=study.subject)
    return cast.patient


def case_of(user: User) -> Case:
    (case,) = ask_to_delete_account(actor=actor_of(user, fresh=True))
    return case


def test_the_page_says_what_stays_why_and_until_when_before_it_asks(
    cast: Cast, patients: User
) -> None:
    """LIFEIMAGE-12.0: closing and deleting are two things."""
    client = signed_in_client(patients)
    closing = text_of(client.get("/consent/account/close/"))
    assert "ask for your account to be deleted" in closing
    page = text_of(client.get("/requests/mine/delete-account/"))
    assert "Hudson Valley Hospital" in page
    assert "the law asks for it until" in page
    assert "N.Y." in page or "NYCRR" in page
    assert ACCOUNT in page
    assert not Case.objects.exists()


def test_deleting_needs_a_fresh_proof_and_is_asked_once(cast: Cast, patients: User) -> None:
    with pytest.raises(CaseRefused, match="Prove again"):
        ask_to_delete_account(actor=actor_of(patients))
    client = signed_in_client(patients)
    answer = client.post("/requests/mine/delete-account/", follow=True)
    case = Case.objects.get()
    assert case.number in text_of(answer)
    assert (case.kind, case.ends_account, case.proof) == (Kind.ERASURE, True, "account")
    assert case.answer_on > case.received_on
    assert case.subjects.count() == 2
    with pytest.raises(CaseRefused, match="asked for this already"):
        ask_to_delete_account(actor=actor_of(patients, fresh=True))
    assert f"request {case.number}" in text_of(client.get("/requests/mine/delete-account/"))


def test_approval_deletes_the_account_and_the_answer_finds_its_person(
    cast: Cast, patients: User, old: Study, young: Study
) -> None:
    """XENRAD-6.6, AVMI-8.3: signing in fails, what may go is gone, the letter lists all of it."""
    client = signed_in_client(patients)
    case = case_of(patients)
    erased(cast, case)
    lines = said(case)
    assert lines[("goes", ACCOUNT)] == 1
    gone = User.objects.get(pk=patients.pk)
    assert (gone.name, gone.is_active) == (FORMER, False)
    assert gone.erased_at is not None
    assert not User.objects.with_email("patient@home.example").exists()
    assert client.get("/my/").status_code == 302
    assert not SubjectAccount.objects.filter(subject=old.subject_id).exists()
    assert not Study.objects.filter(pk=old.pk).exists()
    assert Study.objects.filter(pk=young.pk).exists()
    assert Event.objects.filter(action="account.erased", target_id=str(gone.pk)).count() == 1
    # The answer goes to the address that they had, as a link that opens without an account.
    case.refresh_from_db()
    answer_case(
        actor=actor_of(cast.officer, fresh=True), case=case, outcome=Outcome.PARTLY,
        text="Your account is gone; one study stays by law.",
    )  # fmt: skip
    (letter,) = post()
    page = signed_in_client(cast.owner).get(path_in(letter))
    assert "one study stays by law" in text_of(page)


def test_a_clinician_leaves_evidence_and_nothing_of_themselves(cast: Cast, old: Study) -> None:
    grant = share(old, actor_of(cast.clinician, fresh=True), cast.people)
    accepted = Acceptance.objects.filter(user=cast.clinician).count()
    case = case_of(cast.clinician)
    erased(cast, case)
    assert said(case)[("stays", "Answers to the policy, and acts in the trail")] == accepted
    gone = User.objects.get(pk=cast.clinician.pk)
    assert gone.name == FORMER
    # What the organisation shared is its own, and goes on to hold, given by a number.
    assert Grant.objects.get(pk=grant.pk).granted_by_id == gone.pk
    assert Acceptance.objects.filter(user=gone).count() == accepted
    assert Membership.objects.get(user=gone).ended_at is not None


def test_whoever_is_the_last_in_a_role_stays_until_somebody_takes_it_over(cast: Cast) -> None:
    (prospect,) = prospects(actor_of(cast.officer, fresh=True))
    (line,) = [line for line in prospect.lines if line.what == ACCOUNT]
    assert line.fate == "stays"
    assert "privacy officer" in line.why
    end_account(_erased(cast, cast.officer))
    assert User.objects.get(pk=cast.officer.pk).is_active


def test_an_account_of_two_organisations_leaves_one(cast: Cast) -> None:
    imaging = cast.stranger.memberships.get().organisation
    Membership.objects.create(user=cast.clinician, organisation=imaging)
    found = prospects(actor_of(cast.clinician, fresh=True))
    assert {one.organisation.slug for one in found} == {"hospital", "imaging"}
    end_account(_erased(cast, cast.clinician))
    user = User.objects.get(pk=cast.clinician.pk)
    assert (user.is_active, user.erased_at) == (True, None)
    assert not user.memberships.get(organisation=hospital(cast)).is_active
    assert user.memberships.get(organisation=imaging).is_active


def test_an_erasure_that_did_not_ask_for_it_leaves_the_account(cast: Cast) -> None:
    end_account(Erased(Whose(hospital(cast).pk, user_id=cast.clinician.pk), _id(), frozenset()))
    assert User.objects.get(pk=cast.clinician.pk).is_active


def _erased(cast: Cast, user: User) -> Erased:
    whose = Whose(hospital(cast).pk, user_id=user.pk, ends_account=True)
    return Erased(whose, _id(), frozenset())


def _id():  # type: ignore[no-untyped-def]
    from uuid import uuid4

    return uuid4()
