"""Requests that bar a use end in a directive; people set their own; signals of browsers count."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notification, SaleOptOut, User
from accounts.rules import Actor
from audit.models import Event
from consent.models import DataSubject, Directive
from consent.rules.directives import DirectiveKind, Wanted
from consent.services.directives import set_directive
from consent.services.subjects import link_account
from dsar.models import Case
from dsar.rules.directing import DIRECTIVES_OF, sets_directive
from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome, Proof, State
from dsar.services import handling, identifying
from dsar.services.collecting import link_subjects
from dsar.services.directing import grant_directive
from dsar.services.entries import CaseRefused
from studies.models import Study
from tests.dsar.asking import by_form, signed_in, written_down
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_rights"),
]
Browsers = Callable[[User], Client]
KIND_OF = [(kind, directives[0]) for kind, directives in DIRECTIVES_OF.items()]


@pytest.fixture
def subject(cast: Cast) -> DataSubject:
    take_in(actor_of(cast.clinician), small_ct_object())
    subject = DataSubject.objects.get()
    link_account(user=cast.patient, subject=subject)
    return subject


def written(officer: Actor, subject: DataSubject, kind: Kind) -> Case:
    """A letter of somebody whom the officer found, and knows."""
    case = written_down(officer, kind=kind)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    if case.facts.needs_identity:
        identifying.identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    return case


@pytest.mark.parametrize(("kind", "directive"), KIND_OF)
def test_granting_sets_the_directive_in_the_same_act(
    cast: Cast, subject: DataSubject, client_of: Browsers, kind: Kind, directive: DirectiveKind
) -> None:
    officer = actor_of(cast.officer)
    case, browser = written(officer, subject, kind), client_of(cast.officer)
    path = f"/requests/{case.number}/answer/"
    assert "every use that it can bar" in text_of(browser.get(path))
    given = {"outcome": "granted", "text": "We did as you asked.", "directive": directive.value}
    assert browser.post(path, given).status_code == 302
    row = Directive.objects.get()
    assert (row.kind, row.case_number, row.subject_id) == (directive, case.number, subject.pk)
    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.ANSWERED, Outcome.GRANTED)
    letter = text_of(browser.get(f"/requests/{case.number}/letter/"))
    assert f"{row.facts.label} from now on" in letter
    assert row.facts.cites in letter
    for action in ("request.answered", "directive.set"):
        assert Event.objects.filter(action=action).count() == 1


def test_the_scope_is_what_the_officer_ticked(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    case = written(actor_of(cast.officer), subject, Kind.RESTRICTION)
    uid = Study.objects.get().uid
    client_of(cast.officer).post(f"/requests/{case.number}/answer/", {
        "outcome": "partly", "text": "In part.", "directive": "restriction",
        "purposes": ["treatment", "second-opinion"], "studies": [uid],
    })  # fmt: skip
    row = Directive.objects.get()
    assert (row.purposes, row.studies) == ("|second-opinion|treatment|", f"|{uid}|")


@pytest.mark.parametrize(
    "wrong",
    [
        {"directive": "opt-out"}, {"directive": ""}, {"purposes": ["security"]},
        {"studies": ["9.9.9"]}, {"recipients": ["x"]}, {"directive": "disclosure"},
        {"recipients": [str(uuid4())], "directive": "disclosure"}, {"text": ""},
        {"purposes": ["<script>"]}, {"text": "x" * 4001},
    ],
)  # fmt: skip
def test_a_wrong_scope_is_refused_and_nothing_is_half_done(
    cast: Cast, subject: DataSubject, client_of: Browsers, wrong: dict[str, object]
) -> None:
    case = written(actor_of(cast.officer), subject, Kind.RESTRICTION)
    given = {"outcome": "granted", "text": "Done.", "directive": "restriction", **wrong}
    answer = client_of(cast.officer).post(f"/requests/{case.number}/answer/", given)
    assert answer.status_code in {409, 422}
    case.refresh_from_db()
    assert case.state == State.OPEN
    assert not Directive.objects.exists()
    assert not case.entries.filter(act="answer").exists()


def test_a_refusal_sets_nothing(cast: Cast, subject: DataSubject, client_of: Browsers) -> None:
    case = written(actor_of(cast.officer), subject, Kind.RESTRICTION)
    given = {"outcome": "denied", "denial": "exempted-by-law", "text": "No.",
             "directive": "restriction"}  # fmt: skip
    assert client_of(cast.officer).post(
        f"/requests/{case.number}/answer/", given
    ).status_code == 302  # fmt: skip
    assert not Directive.objects.exists()


def test_no_way_grants_without_setting(cast: Cast, subject: DataSubject) -> None:
    officer = actor_of(cast.officer)
    for kind in DIRECTIVES_OF:
        case = written(officer, subject, kind)
        with pytest.raises(CaseRefused, match="how far it reaches"):
            handling.answer_case(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED)
    assert not sets_directive(Kind.COPY, Outcome.GRANTED)


def test_whom_it_is_about_has_to_be_known(cast: Cast, subject: DataSubject) -> None:
    officer, wanted = actor_of(cast.officer), Wanted(DirectiveKind.OPT_OUT)
    case = by_form(kind=Kind.OPT_OUT)
    with pytest.raises(CaseRefused, match="Say first whom"):
        grant_directive(
            actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED, wanted=wanted
        )
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    grant_directive(actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED, wanted=wanted)
    assert Directive.objects.get().subject_id == subject.pk, "11 CCR 7060(b): without a proof"


def test_a_restriction_needs_to_be_known_whose(cast: Cast, subject: DataSubject) -> None:
    officer = actor_of(cast.officer)
    case = written_down(officer, kind=Kind.RESTRICTION)
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    with pytest.raises(CaseRefused, match="how it is known who asks"):
        grant_directive(
            actor=officer, case=case, text="Done.", outcome=Outcome.GRANTED,
            wanted=Wanted(DirectiveKind.RESTRICTION),
        )  # fmt: skip
    assert not Directive.objects.exists()


def test_who_asked_signed_in_is_the_one_it_is_about(cast: Cast, subject: DataSubject) -> None:
    case = signed_in(actor_of(cast.patient), kind=Kind.RESTRICTION)
    grant_directive(
        actor=actor_of(cast.officer), case=case, text="Done.", outcome=Outcome.GRANTED,
        wanted=Wanted(DirectiveKind.RESTRICTION),
    )  # fmt: skip
    assert Directive.objects.get().subject_id == subject.pk


def test_another_organisations_officer_grants_nothing(cast: Cast, subject: DataSubject) -> None:
    case = written(actor_of(cast.officer), subject, Kind.RESTRICTION)
    foreign = actor_of(cast["officer@imaging.example"])
    with pytest.raises(CaseRefused):
        grant_directive(
            actor=foreign, case=case, text="Done.", outcome=Outcome.GRANTED,
            wanted=Wanted(DirectiveKind.RESTRICTION),
        )  # fmt: skip
    assert not Directive.objects.exists()


# While an objection is open ----------------------------------------------------------------------
def test_what_is_objected_to_stands_still_until_it_is_decided(
    cast: Cast, subject: DataSubject
) -> None:
    """AVMI-8.7, GDPR Art. 18(1)(d): at once, and told before it ends."""
    case = signed_in(actor_of(cast.patient), kind=Kind.OBJECTION)
    row = Directive.objects.get()
    assert (row.kind, row.case_number, row.set_by) == ("restriction", case.number, cast.patient)
    assert "|research|" in row.purposes and "treatment" not in row.purposes
    officer = actor_of(cast.officer)
    handling.answer_case(
        actor=officer, case=case, text="No.", outcome=Outcome.DENIED, denial="exempted-by-law"
    )
    row.refresh_from_db()
    assert row.announced_at is not None and row.lifted_at is None
    handling.close_case(actor=officer, case=case)
    row.refresh_from_db()
    assert (row.lifted_by, row.lift_case) == (cast.officer, case.number)


def test_an_objection_that_is_granted_takes_the_place_of_what_stood_still(
    cast: Cast, subject: DataSubject
) -> None:
    case = signed_in(actor_of(cast.patient), kind=Kind.OBJECTION)
    grant_directive(
        actor=actor_of(cast.officer), case=case, text="Yes.", outcome=Outcome.GRANTED,
        wanted=Wanted(DirectiveKind.OBJECTION),
    )  # fmt: skip
    assert [one.kind for one in Directive.objects.filter(lifted_at=None)] == ["objection"]


def test_other_requests_and_strangers_stop_nothing(cast: Cast, subject: DataSubject) -> None:
    signed_in(actor_of(cast.patient), kind=Kind.COPY)
    signed_in(actor_of(cast.owner), kind=Kind.OBJECTION)
    by_form(kind=Kind.OBJECTION)
    assert not Directive.objects.exists()


# One's own ---------------------------------------------------------------------------------------
def test_a_person_sets_and_lifts_their_own(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    browser, path = client_of(cast.patient), f"/requests/directives/{subject.pk}/"
    assert path in browser.get("/my/").content.decode()
    said = text_of(browser.get(path))
    assert "Nothing was said against any use" in said
    assert "Kept from a health plan" not in said
    given = {"directive": "restriction", "purposes": ["second-opinion"],
             "reason": "<b>I contest the date.</b>"}  # fmt: skip
    assert browser.post(path, given).status_code == 302
    page = browser.get(path).content.decode()
    assert "&lt;b&gt;I contest" in page and "<b>I contest" not in page
    row = Directive.objects.get()
    assert (row.source, row.purposes) == ("portal", "|second-opinion|")
    lift = f"/requests/directives/{row.pk}/lift/"
    assert browser.post(lift, {}).status_code == 302
    row.refresh_from_db()
    assert row.lifted_at is not None
    assert "Was lifted" in text_of(browser.get(path))


@pytest.mark.parametrize(
    "wrong",
    [{"directive": "health-plan"}, {"directive": "disclosure"}, {"purposes": ["treatment"]},
     {"reason": "x" * 2001}, {"directive": "limit-sensitive", "purposes": ["second-opinion"]}],
)  # fmt: skip
def test_what_one_cannot_set_oneself_is_refused(
    cast: Cast, subject: DataSubject, client_of: Browsers, wrong: dict[str, object]
) -> None:
    given = {"directive": "restriction", **wrong}
    answer = client_of(cast.patient).post(f"/requests/directives/{subject.pk}/", given)
    assert answer.status_code == 422
    assert "Please look at this again" in text_of(answer)
    assert not Directive.objects.exists()


@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "owner"])
def test_nobody_else_sees_what_somebody_said(
    cast: Cast, subject: DataSubject, client_of: Browsers, who: str
) -> None:
    row = set_directive(
        actor=actor_of(cast.patient), subject=subject, wanted=Wanted(DirectiveKind.RESTRICTION)
    )
    browser = client_of(getattr(cast, who))
    assert browser.get(f"/requests/directives/{subject.pk}/").status_code == 404
    assert browser.post(f"/requests/directives/{row.pk}/lift/").status_code == 404
    foreign = client_of(cast["officer@imaging.example"])
    assert foreign.get(f"/requests/directives/{subject.pk}/").status_code == 404
    assert foreign.post(f"/requests/directives/{row.pk}/announce/").status_code == 404


def test_an_officer_announces_and_lifts_but_says_nothing(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    row = set_directive(
        actor=actor_of(cast.patient), subject=subject, wanted=Wanted(DirectiveKind.RESTRICTION)
    )
    officer, path = client_of(cast.officer), f"/requests/directives/{row.pk}/lift/"
    page = f"/requests/directives/{subject.pk}/"
    assert "Say no to something" not in text_of(officer.get(page))
    officer.post(page, {"directive": "opt-out"})
    assert Directive.objects.count() == 1
    assert "Art. 18(3)" in text_of(officer.post(path, {}))
    wrong = officer.post(path, {"case_number": "ZZZZ-ZZZZ"})
    assert (wrong.status_code, "no such request" in text_of(wrong)) == (422, True)
    officer.post(f"/requests/directives/{row.pk}/announce/")
    assert Notification.objects.filter(template="directive-ends", user=cast.patient).exists()
    assert officer.post(path, {}).status_code == 302
    assert Notification.objects.filter(template="directive-lifted", user=cast.patient).exists()


def test_those_who_treat_see_what_bars_care_and_nothing_else(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    patient, study = actor_of(cast.patient), Study.objects.get()
    set_directive(actor=patient, subject=subject, wanted=Wanted(DirectiveKind.OPT_OUT))
    browser = client_of(cast.clinician)
    assert "said no" not in text_of(browser.get(f"/studies/{study.uid}/"))
    set_directive(
        actor=patient, subject=subject,
        wanted=Wanted(DirectiveKind.RESTRICTION, frozenset({"treatment"})),
    )  # fmt: skip
    said = text_of(browser.get(f"/studies/{study.uid}/"))
    assert "Locked (GDPR Art. 18(1), (2)): Treatment" in said
    assert "Open in the viewer" not in said
    refused = browser.get(f"/studies/{study.uid}/download/")
    assert (refused.status_code, "had this locked" in text_of(refused)) == (403, True)


def test_the_page_asks_as_much_for_many_as_for_few(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    browser, counts = client_of(cast.patient), []
    page = f"/requests/directives/{subject.pk}/"
    for purposes in (["research"], ["ai-training", "analytics", "statistics"]):
        for one in purposes:
            set_directive(
                actor=actor_of(cast.patient), subject=subject,
                wanted=Wanted(DirectiveKind.RESTRICTION, frozenset({one})),
            )  # fmt: skip
        browser.get(page)
        with CaptureQueriesContext(connection) as asked:
            browser.get(page)
        counts.append(len(asked))
    assert counts[0] == counts[1]


# Signals -----------------------------------------------------------------------------------------
def test_a_signal_is_an_opt_out_and_a_closed_case_once(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    """MEDDIM-7.16: stored and shown, no verification asked."""
    browser = client_of(cast.patient)
    for _ in range(2):
        browser.get("/account/", headers={"Sec-GPC": "1"})
    another = client_of(cast.patient)
    another.get("/account/", headers={"Sec-GPC": "1"})
    row, case = Directive.objects.get(), Case.objects.get()
    assert (row.kind, row.source, row.subject_id) == ("opt-out", "gpc", subject.pk)
    assert row.case_number == case.number
    assert (case.kind, case.door, case.state) == ("opt-out", "signal", "closed")
    assert (case.person, case.identified_at) == (cast.patient, None)
    assert case.closed_at is not None and case.closed_at <= timezone.now()
    assert "a signal of the browser" in text_of(browser.get(f"/requests/mine/{case.number}/"))
    found = text_of(client_of(cast.officer).get(f"/requests/{case.number}/"))
    assert "Opted out of sale and sharing from now on" in found


def test_a_signal_of_a_member_counts_where_they_work(cast: Cast, client_of: Browsers) -> None:
    client_of(cast.clinician).get("/account/", headers={"Sec-GPC": "1"})
    row = Directive.objects.get()
    assert (row.user, row.organisation.slug) == (cast.clinician, "hospital")


def test_a_signal_of_nobody_known_leaves_no_record(cast: Cast, subject: DataSubject) -> None:
    Client().get("/sign-in/", headers={"Sec-GPC": "1"})
    assert not Directive.objects.exists()
    assert not Case.objects.exists()


def test_an_opt_out_that_its_person_lifts_is_gone_from_the_account(
    cast: Cast, subject: DataSubject, client_of: Browsers
) -> None:
    browser = client_of(cast.patient)
    browser.get("/account/", headers={"Sec-GPC": "1"})
    assert SaleOptOut.objects.filter(user=cast.patient).exists()
    browser.post(f"/requests/directives/{Directive.objects.get().pk}/lift/", {})
    assert not SaleOptOut.objects.filter(user=cast.patient).exists()
    assert Directive.objects.get().lifted_at is not None
