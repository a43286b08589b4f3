"""Data from others than the people themselves: partners' programs, and lists of addresses."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Agreement, ApiToken, Invitation, Membership, Organisation
from accounts.rules import Role, Scope
from accounts.rules.agreements import AgreementKind
from accounts.rules.contacts import ContactsRefused, checked_contacts
from accounts.services.agreements import Terms, end_agreement, record_agreement
from accounts.services.members import MembershipRefused, invite_contacts
from accounts.services.own_data import export_own_data
from accounts.services.tokens import TokenRefused, issue_token
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from studies.models import Study, Upload
from studies.selectors import sources_of
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def partner(cast: Cast, **more: object) -> Agreement:
    facts: dict[str, object] = {
        "kind": AgreementKind.ASSOCIATE, "party": "Beacon Imaging", "contact": "it@beacon.example",
        "reference": "C-7", "starts_on": timezone.localdate() - timedelta(days=1),
    }  # fmt: skip
    terms = Terms(**(facts | more))  # type: ignore[arg-type]
    return record_agreement(acting=actor_of(cast.administrator), terms=terms)


def key_for(cast: Cast, agreement: Agreement, *scopes: Scope) -> str:
    _, secret = issue_token(
        acting=actor_of(cast.clinician),
        membership=Membership.objects.get(user=cast.clinician),
        name="Beacon's gateway",
        scopes=list(scopes or [Scope.WRITE]),
        lasts=timedelta(days=30),
        agreement=agreement,
    )
    return secret


def send(client: object, secret: str, content: bytes) -> int:
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n"
    answer = client.post(  # type: ignore[attr-defined]
        "/dicom-web/studies",
        body,
        content_type='multipart/related; type="application/dicom"; boundary=b',
        headers={"authorization": f"Bearer {secret}"},
    )
    return int(answer.status_code)


# Partners -----------------------------------------------------------------------------------------
def test_what_a_partner_sends_names_the_partner(cast: Cast, client: object) -> None:
    """LIFEIMAGE-3.1: on the study, and to the patient."""
    secret = key_for(cast, partner(cast))
    assert send(client, secret, small_ct_object()) == 200
    study = Study.objects.get()
    assert Upload.objects.get().agreement_id
    assert sources_of([study.pk]) == [
        "Beacon Imaging, a partner of Hudson Valley Hospital, by a program"
    ]
    page = signed_in_client(cast.clinician).get(f"/studies/{study.uid}/").content.decode()
    assert "Beacon Imaging, a partner of Hudson Valley Hospital" in page


def test_a_partners_key_sends_and_does_nothing_else(cast: Cast, client: object) -> None:
    agreement = partner(cast)
    for scopes in ([Scope.READ], [Scope.WRITE, Scope.READ], [Scope.WRITE, Scope.SHARE]):
        with pytest.raises(TokenRefused, match="can send studies"):
            key_for(cast, agreement, *scopes)
    secret = key_for(cast, agreement)
    answer = client.get(  # type: ignore[attr-defined]
        "/dicom-web/studies", headers={"authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 403


def test_it_ends_with_the_agreement(cast: Cast, client: object) -> None:
    agreement = partner(cast, ends_on=timezone.localdate() + timedelta(days=2))
    secret = key_for(cast, agreement)
    assert send(client, secret, small_ct_object()) == 200
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert send(client, secret, small_ct_object(number=2)) == 401
    end_agreement(acting=actor_of(cast.administrator), agreement=agreement)
    assert send(client, secret, small_ct_object(number=3)) == 401


def test_no_key_under_an_agreement_of_others_or_one_that_ended(cast: Cast) -> None:
    ended = partner(cast, ends_on=timezone.localdate() - timedelta(days=1))
    with pytest.raises(TokenRefused, match="not in force"):
        key_for(cast, ended)
    others = Agreement.objects.filter(organisation__slug="imaging")[0]
    with pytest.raises(TokenRefused, match="another organisation"):
        key_for(cast, others)


def test_the_page_of_tokens_offers_partners_and_says_what_is_wrong(cast: Cast) -> None:
    agreement, client = partner(cast), signed_in_client(cast.clinician)
    assert "Beacon Imaging" in client.get("/account/tokens/new/").content.decode()
    form = {"name": "Beacon", "agreement": str(agreement.pk), "days": "30"}
    wrong = client.post("/account/tokens/new/", form | {"scopes": [Scope.READ.value]})
    assert "can send studies, and nothing else" in wrong.content.decode()
    assert not ApiToken.objects.exists()
    right = client.post("/account/tokens/new/", form | {"scopes": [Scope.WRITE.value]})
    assert "clm_" in right.content.decode()
    assert ApiToken.objects.get().agreement == agreement


# Lists of addresses -------------------------------------------------------------------------------
NAMED = {"source": "Register of radiologists, New York", "basis": "legitimate-interests"}


def invite(cast: Cast, text: str, **more: str) -> list[Invitation]:
    return invite_contacts(
        acting=actor_of(cast.administrator), text=text, roles=[Role.CLINICIAN], **(NAMED | more)
    )


def test_with_source_and_basis_they_are_invited_and_told_the_source(
    cast: Cast, django_capture_on_commit_callbacks: object
) -> None:
    """MEDDIM-2.13."""
    under(cast, "surgical-planning")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        sent = invite(cast, "One@h.example\n\ntwo@h.example\none@h.example")
    assert len(sent) == 2
    letters = [letter for letter in mail.outbox if "Join" in letter.subject]
    assert sorted(letter.to[0] for letter in letters) == ["one@h.example", "two@h.example"]
    assert all("Register of radiologists" in letter.body for letter in letters)


def test_ones_own_file_names_the_source(cast: Cast) -> None:
    under(cast, "surgical-planning")
    invite(cast, cast.stranger.email)
    with using(Purpose.RIGHTS, Category.ACCOUNT):
        data = export_own_data(actor=actor_of(cast.stranger))["data"]
        other = export_own_data(actor=actor_of(cast.officer))["data"]
    (row,) = data["Account"]["invitation"]["rows"]
    assert row["Where the address came from"] == NAMED["source"]
    assert row["On what basis it was used"] == "legitimate-interests"
    assert other["Account"]["invitation"]["rows"] == []


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("a@h.example", {"source": " "}, "where the addresses come from"),
        ("a@h.example", {"basis": ""}, "on what basis"),
        ("a@h.example", {"basis": "instructions"}, "on what basis"),
        ("", {}, "holds no address"),
        ("a@h.example\nnobody", {}, "Line 2"),
        ("a@h.example\n<b@h.example>", {}, "Line 2"),
        ("\n".join(f"a{n}@h.example" for n in range(201)), {}, "200 addresses"),
    ],
)
def test_a_list_that_lacks_something_invites_nobody(
    cast: Cast, text: str, more: dict[str, str], said: str
) -> None:
    under(cast, "surgical-planning")
    with pytest.raises(ContactsRefused, match=said):
        invite(cast, text, **more)
    assert not Invitation.objects.exists()


def test_one_member_among_them_and_nobody_is_invited(cast: Cast) -> None:
    under(cast, "surgical-planning")
    with pytest.raises(MembershipRefused, match="member already"):
        invite(cast, f"new@h.example\n{cast.officer.email}")
    assert not Invitation.objects.exists()


def test_a_policy_that_takes_none_in_is_kept(cast: Cast) -> None:
    with pytest.raises(ContactsRefused, match="takes in no data"):
        invite(cast, "a@h.example")
    page = signed_in_client(cast.administrator).get("/members/invite/list/").content.decode()
    assert "takes in no data from brokers" in page
    assert "<textarea" not in page
    assert Organisation.objects.count() == 3


@given(st.text(max_size=300))
def test_whatever_a_list_is_it_is_read_or_refused(text: str) -> None:
    try:
        found = checked_contacts(text, **NAMED)
    except ContactsRefused:
        return
    assert all("@" in one and " " not in one for one in found)
