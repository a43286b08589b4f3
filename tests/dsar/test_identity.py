"""How it becomes known who asks: by level, each record by itself, in few tries (MEDDIM-7.22)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.rules import Actor
from audit.models import Event
from consent.models import DataSubject
from consent.services.subjects import link_account
from dsar.models import Case, IdentityCheck
from dsar.rules.identity import (
    CODE_LASTS,
    CODE_TRIES,
    MOST_FAILED,
    Check,
    Fact,
    Level,
    level_for,
    level_of,
    level_of_all,
)
from dsar.rules.kinds import KINDS, Kind
from dsar.rules.states import Denial, Outcome, Proof
from dsar.selectors import read_token
from dsar.selectors.identity import is_identified, level_known, levels_of
from dsar.services.collecting import link_subjects
from dsar.services.entries import CaseRefused, NotYours
from dsar.services.handling import answer_case
from dsar.services.identifying import WRONG_CODE, give_code, identify_person, make_code
from dsar.services.packaging import prepare_package
from tests.dsar.asking import by_form, post, signed_in
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]
MINE, THEIRS = UUID(int=1), UUID(int=2)
TWO = frozenset({Fact.NUMBER, Fact.BIRTH})
THREE = TWO | {Fact.EXAMINATION}


@pytest.fixture
def two(cast: Cast) -> tuple[UUID, UUID]:
    """Two patients of the hospital."""
    take_in(
        actor_of(cast.clinician), small_ct_object(study="one"),
        small_ct_object(study="cole", PatientName="Cole^Ann", PatientID="HVH-2",
                        AccessionNumber="A-3"),
    )  # fmt: skip
    first, second = DataSubject.objects.filter(organisation__slug="hospital").order_by("pk")
    return first.pk, second.pk


def matched(officer: Actor, case: Case, facts: frozenset[Fact], **more: object) -> Case:
    return identify_person(actor=officer, case=case, proof=Proof.MATCHED, facts=facts, **more)  # type: ignore[arg-type]


# Rules -------------------------------------------------------------------------------------------
def test_an_opt_out_asks_for_no_proof_and_the_data_itself_for_the_most() -> None:
    assert {kind for kind in Kind if level_for(kind) is Level.NONE} == {
        Kind.OPT_OUT, Kind.LIMIT_SENSITIVE, Kind.SHINE_THE_LIGHT, Kind.COMPLAINT, Kind.QUESTION,
        Kind.SUPPORT, Kind.TRANSFER_SAFEGUARDS,
    }  # fmt: skip
    assert level_for(Kind.ACCESS) is Level.STANDARD
    for kind in (Kind.COPY, Kind.PORTABILITY, Kind.ERASURE, Kind.CORRECTION):
        assert level_for(kind) is Level.HIGH


@pytest.mark.parametrize(
    ("checks", "level"),
    [
        ([], Level.NONE),
        ([Check(Proof.DOCUMENT)], Level.HIGH),
        ([Check(Proof.KNOWN)], Level.HIGH),
        ([Check(Proof.MATCHED, frozenset({Fact.BIRTH}), MINE)], Level.NONE),
        ([Check(Proof.MATCHED, TWO, MINE)], Level.STANDARD),
        ([Check(Proof.MATCHED, TWO, MINE, declared=True)], Level.STANDARD),
        ([Check(Proof.MATCHED, THREE, MINE)], Level.STANDARD),
        ([Check(Proof.MATCHED, THREE, MINE, declared=True)], Level.HIGH),
        ([Check(Proof.CALLED_BACK, frozenset({Fact.PHONE}), MINE)], Level.STANDARD),
        ([Check(Proof.CODE, frozenset({Fact.ADDRESS}), MINE)], Level.STANDARD),
        ([Check(Proof.CODE, frozenset({Fact.PHONE}), MINE),
          Check(Proof.MATCHED, TWO, MINE, declared=True)], Level.HIGH),
        # Of another record, however sure: nothing.
        ([Check(Proof.MATCHED, THREE, THEIRS, declared=True)], Level.NONE),
        ([Check(Proof.CODE, frozenset({Fact.EMAIL}), THEIRS)], Level.NONE),
        ([Check(Proof.MATCHED, THREE, None, declared=True)], Level.NONE),
        ([Check(Proof.ACCOUNT)], Level.HIGH),
    ],
)  # fmt: skip
def test_what_makes_it_sure_that_a_record_is_theirs(checks: list[Check], level: Level) -> None:
    assert level_of(checks, MINE, own={MINE}) is level


def test_an_account_says_nothing_of_a_record_that_is_not_its_own() -> None:
    assert level_of([Check(Proof.ACCOUNT)], THEIRS, own={MINE}) is Level.NONE
    assert level_of([Check(Proof.ACCOUNT)], None, own=()) is Level.HIGH


_CHECKS = st.lists(
    st.builds(
        Check, st.sampled_from(Proof), st.frozensets(st.sampled_from(Fact)),
        st.sampled_from([None, MINE, THEIRS]), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


@given(_CHECKS, _CHECKS)
def test_one_more_look_never_makes_it_less_sure(some: list[Check], more: list[Check]) -> None:
    assert level_of([*some, *more], MINE, own=()) >= level_of(some, MINE, own=())


@given(_CHECKS)
def test_of_several_records_the_least_sure_one_counts(checks: list[Check]) -> None:
    each = [level_of(checks, one, own={MINE}) for one in (MINE, THEIRS)]
    assert level_of_all(checks, {MINE, THEIRS}, own={MINE}) == min(each)


# Looks -------------------------------------------------------------------------------------------
def test_a_copy_needs_more_proof_than_knowing_what_is_held(
    officer: Actor, two: tuple[UUID, UUID]
) -> None:
    """MEDDIM-7.13: specific pieces need stronger verification than categories."""
    case = by_form(kind=Kind.ACCESS)
    link_subjects(actor=officer, case=case, subject_ids=two[:1])
    row = matched(officer, case, TWO)
    assert is_identified(row)
    with pytest.raises(CaseRefused, match="more proof"):
        prepare_package(actor=officer, case=case)
    matched(officer, case, THREE, declared=True)
    prepare_package(actor=officer, case=case)


def test_a_record_that_nobody_compared_is_not_handed_out(
    officer: Actor, two: tuple[UUID, UUID]
) -> None:
    """Somebody proves their own record and names another's: the known fault of a peer."""
    case = by_form(kind=Kind.COPY)
    link_subjects(actor=officer, case=case, subject_ids=two[:1])
    matched(officer, case, THREE, declared=True)
    case.refresh_from_db()
    assert is_identified(case)
    link_subjects(actor=officer, case=case, subject_ids=two)
    assert levels_of(case) == {two[0]: Level.HIGH, two[1]: Level.NONE}
    with pytest.raises(CaseRefused, match="more proof"):
        prepare_package(actor=officer, case=case)
    with pytest.raises(CaseRefused, match="Note first"):
        answer_case(actor=officer, case=case, text="Here.", outcome=Outcome.GRANTED)
    with pytest.raises(CaseRefused, match="each is shown by itself"):
        matched(officer, case, THREE, declared=True)
    matched(officer, case, THREE, declared=True, subject_id=two[1])
    prepare_package(actor=officer, case=case)


def test_an_account_proves_its_own_record_and_no_other(
    cast: Cast, officer: Actor, two: tuple[UUID, UUID]
) -> None:
    case = signed_in(actor_of(cast.patient), kind=Kind.COPY)
    link_account(
        user=cast.patient,
        subject=DataSubject.objects.get(pk=two[0]),
    )  # fmt: skip
    link_subjects(actor=officer, case=case, subject_ids=two)
    assert levels_of(case) == {two[0]: Level.HIGH, two[1]: Level.NONE}
    with pytest.raises(CaseRefused, match="more proof"):
        prepare_package(actor=officer, case=case)


def test_only_a_record_of_the_request_is_compared(officer: Actor, two: tuple[UUID, UUID]) -> None:
    case = by_form(kind=Kind.COPY)
    for subject in (two[1], uuid4()):
        with pytest.raises(CaseRefused, match="a record that the request is about"):
            matched(officer, case, THREE, subject_id=subject)
    with pytest.raises(CaseRefused, match="Tick what agrees"):
        matched(officer, case, frozenset())
    with pytest.raises(CaseRefused, match="noted by the portal itself"):
        identify_person(actor=officer, case=case, proof=Proof.ACCOUNT)


def test_after_five_looks_that_did_not_agree_nothing_more_is_tried(officer: Actor) -> None:
    case = by_form(kind=Kind.COPY)
    for _ in range(MOST_FAILED):
        identify_person(actor=officer, case=case, proof=Proof.MATCHED, passed=False)
    with pytest.raises(CaseRefused, match="nothing more is tried"):
        identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    assert Event.objects.filter(action="request.not_identified").count() == MOST_FAILED
    row = answer_case(
        actor=officer, case=case, text="We could not see that it is you.",
        outcome=Outcome.DENIED, denial=Denial.IDENTITY,
    )  # fmt: skip
    assert row.identified_at is None


def test_whoever_asks_reads_the_same_whether_anybody_is_known_or_not(
    cast: Cast, officer: Actor, two: tuple[UUID, UUID], client: Client
) -> None:
    """Failing to show who one is discloses nothing."""
    pages = []
    for known in (True, False):
        case = by_form(kind=Kind.COPY, email=f"{known}@post.example".lower())
        if known:
            link_subjects(actor=officer, case=case, subject_ids=two[:1])
        identify_person(actor=officer, case=case, proof=Proof.MATCHED, passed=False)
        answer_case(
            actor=officer, case=case, text="No.", outcome=Outcome.DENIED, denial=Denial.IDENTITY
        )
        said = text_of(client.get(f"/requests/read/{read_token(case)}/"))
        pages.append(said.replace(case.number, "").replace(f"{known}".lower(), ""))
    assert pages[0] == pages[1]
    assert not [letter for letter in post() if "Adler" in letter]


# Codes -------------------------------------------------------------------------------------------
@pytest.fixture
def coded(officer: Actor, two: tuple[UUID, UUID]) -> tuple[Case, str]:
    case = by_form(kind=Kind.ACCESS)
    link_subjects(actor=officer, case=case, subject_ids=two[:1])
    return case, make_code(actor=officer, case=case, fact=Fact.PHONE)[1]


def test_a_code_shows_that_the_one_record_is_theirs(
    coded: tuple[Case, str], client: Client
) -> None:
    case, code = coded
    page = f"/requests/read/{read_token(case)}/"
    assert "A code was sent to you" in text_of(client.get(page))
    client.post(f"{page}code/", {"code": code.lower().replace("-", " ")})
    case.refresh_from_db()
    assert case.proof == Proof.CODE and level_known(case) is Level.STANDARD
    assert "A code was sent to you" not in text_of(client.get(page))


def test_a_code_that_is_guessed_five_times_opens_nothing_any_more(coded: tuple[Case, str]) -> None:
    case, code = coded
    for _ in range(CODE_TRIES):
        with pytest.raises(CaseRefused, match="not the code"):
            give_code(case=case, code="0000-0000-0000")
    with pytest.raises(CaseRefused) as refused:
        give_code(case=case, code=code)
    assert str(refused.value) == WRONG_CODE
    assert Event.objects.filter(action="request.code_refused").count() == CODE_TRIES
    assert level_known(case) is Level.NONE


def test_a_code_holds_once_and_for_its_days(coded: tuple[Case, str]) -> None:
    case, code = coded
    late = timezone.now() + CODE_LASTS + timedelta(minutes=1)
    with time_machine.travel(late), pytest.raises(CaseRefused):
        give_code(case=case, code=code)
    give_code(case=case, code=code)
    with pytest.raises(CaseRefused):
        give_code(case=case, code=code)
    assert IdentityCheck.objects.get().code_digest == ""


def test_another_code_ends_the_one_before(officer: Actor, coded: tuple[Case, str]) -> None:
    case, first = coded
    _, second = make_code(actor=officer, case=case, fact=Fact.ADDRESS)
    with pytest.raises(CaseRefused):
        give_code(case=case, code=first)
    give_code(case=case, code=second)


def test_a_code_goes_to_a_record_and_never_to_what_a_request_says(officer: Actor) -> None:
    with pytest.raises(CaseRefused, match="never where the request says"):
        make_code(actor=officer, case=by_form(kind=Kind.COPY), fact=Fact.EMAIL)


def test_nobody_gives_a_code_for_somebody_else(
    cast: Cast, officer: Actor, two: tuple[UUID, UUID], client_of: Browsers
) -> None:
    case = signed_in(actor_of(cast.patient), kind=Kind.COPY)
    link_subjects(actor=officer, case=case, subject_ids=two[:1])
    _, code = make_code(actor=officer, case=case, fact=Fact.PHONE)
    address = f"/requests/mine/{case.number}/code/"
    assert client_of(cast.owner).post(address, {"code": code}).status_code == 404
    with pytest.raises(NotYours):
        give_code(case=case, code=code, actor=actor_of(cast.owner))
    client_of(cast.patient).post(address, {"code": code})
    assert IdentityCheck.objects.get().state == IdentityCheck.State.PASSED


def test_an_officer_notes_a_look_and_makes_a_code_on_the_pages(
    cast: Cast, officer: Actor, two: tuple[UUID, UUID], client_of: Browsers
) -> None:
    case, browser = by_form(kind=Kind.COPY), client_of(cast.officer)
    link_subjects(actor=officer, case=case, subject_ids=two)
    page = f"/requests/{case.number}/"
    said = text_of(browser.get(f"{page}identify/"))
    assert "as sure as for handing out the data itself" in said and "Adler" in said
    wrong = browser.post(f"{page}identify/", {"proof": "facts-matched", "facts": ["birth"]})
    assert wrong.status_code == 409
    browser.post(f"{page}identify/code/", {"fact": "phone", "subject": str(two[0])})
    code = browser.session[f"identity-code-{case.pk}"]
    assert code in text_of(browser.get(page))
    assert code not in text_of(browser.get(page))
    browser.post(f"{page}identify/", {"proof": "identity-document"} | {"proof": "document"})
    assert "I saw an identity document" in text_of(browser.get(page))
    assert all(KINDS[kind].needs_identity for kind in Kind if level_for(kind))
