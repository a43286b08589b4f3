"""A person asks for erasure: what may go goes, what stays is named with its reason, all proven."""

from __future__ import annotations

import pytest

from accounts.models import Notification, User
from audit.models import Event, EventCommitment
from audit.services import ActorRef, TargetRef
from audit.services import record as record_event
from audit.services.verify import verify_database
from consent.models import DataSubject, Directive, Grant, PurposeConsent
from consent.rules.directives import DirectiveKind, Wanted
from consent.services.directives import set_directive
from consent.services.purposes import give_purpose_consent
from consent.services.subjects import link_account
from dsar.models import Package
from dsar.rules.erasure import ErasureState, letter_text
from dsar.rules.kinds import Kind
from dsar.rules.states import Outcome, Proof
from dsar.services.collecting import link_subjects
from dsar.services.erasing import erasure_of, plan_case_erasure
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from dsar.services.packaging import prepare_package
from jobs.services import RunOutcome, run_job
from policies.rules.erasing import Fate
from policies.selectors import effective_pack
from retention.rules.holds import Scope
from retention.services.planning import plan_disposal
from studies.models import Study
from tests.consent.test_sharing import share
from tests.dsar.asking import by_form, signed_in
from tests.dsar.erasures import approve, asked, erased, run_of, said
from tests.factories import Cast, actor_of
from tests.policies.packs import under
from tests.retention.cases import carried_out, held, hospital
from vault.rules.errors import KeyDestroyed
from vault.services.data_keys import open_data_key

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
STUDIES = "Studies, with all images and reports"
WHO = "Name, numbers and dates of the patient"


def test_what_no_law_asks_for_goes_and_the_last_study_takes_the_person_with_it(
    cast: Cast, old: Study
) -> None:
    case, person_key = asked(cast, old), old.subject.key_id
    erased(cast, case)
    assert not Study.objects.filter(pk=old.pk).exists()
    assert not DataSubject.objects.filter(pk=old.subject_id).exists()
    for key in (old.key_id, person_key):
        with pytest.raises(KeyDestroyed):
            open_data_key(id=key)
    lines = said(case)
    assert lines[("goes", STUDIES)] == lines[("goes", WHO)] == 1
    assert lines[("stays", "Requests and their answers")] == 1
    shown = erasure_of(case)
    assert shown is not None
    assert shown.state is ErasureState.DONE
    assert shown.certificate is not None
    assert Event.objects.filter(action="request.erased").count() == 1
    assert Notification.objects.filter(template="request-erased").count() == 1


def test_what_the_law_asks_for_stays_and_is_named(cast: Cast, old: Study, young: Study) -> None:
    case = asked(cast, old, young)
    erased(cast, case)
    assert not Study.objects.filter(pk=old.pk).exists()
    assert open_data_key(id=young.key_id)
    assert Study.objects.get(pk=young.pk).instance_count == 1
    shown = erasure_of(case)
    assert shown is not None
    (stays,) = [one for one in shown.lines if one.fate is Fate.STAYS and one.what == STUDIES]
    assert stays.number == 1
    assert "the law asks to keep it" in stays.why
    assert "10 NYCRR 405.10" in stays.why
    lines = said(case)
    assert (lines[("goes", WHO)], lines[("stays", WHO)]) == (1, 1)


def test_the_time_of_the_policy_is_no_reason_to_keep_what_somebody_wants_erased(
    cast: Cast, old: Study
) -> None:
    # The policy keeps for longer than the law; a nightly plan would leave the study alone.
    lines = dict(effective_pack(hospital(cast).pk)["retention"])
    lines["images"] = lines["images"] | {"keep": "50 years", "trigger": "examination"}
    under(cast, "image-exchange", retention=lines)
    nightly = plan_disposal(organisation=hospital(cast))
    assert nightly is not None
    assert nightly.due == 0
    case = asked(cast, old)
    erased(cast, case)
    assert not Study.objects.filter(pk=old.pk).exists()


def test_what_is_held_stays(cast: Cast, old: Study) -> None:
    case = asked(cast, old)
    hold = held(cast, Scope.STUDY, study_uid=old.uid)
    erased(cast, case)
    assert Study.objects.get(pk=old.pk).instance_count == 2
    lines = said(case)
    assert lines[("stays", STUDIES)] == lines[("stays", "Holds on studies")] == 1
    assert hold.lifted_at is None


def test_a_hold_placed_after_the_approval_counts(cast: Cast, old: Study) -> None:
    case = asked(cast, old)
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    run = approve(cast, run_of(case))
    held(cast, Scope.SUBJECT, subject_id=old.subject_id)
    carried_out(run)
    assert run.items.get().kept_for == "held"
    assert open_data_key(id=old.key_id)


def test_another_open_request_about_the_same_person_keeps_what_it_asks_for(
    cast: Cast, old: Study
) -> None:
    case = asked(cast, old)
    copy = by_form(kind=Kind.COPY)
    link_subjects(actor=actor_of(cast.officer), case=copy, subject_ids=[old.subject_id])
    plan_case_erasure(actor=actor_of(cast.officer), case=case)
    assert run_of(case).items.get().kept_for == "requested"
    nightly = plan_disposal(organisation=hospital(cast))
    assert nightly is not None
    assert nightly.items.get().kept_for == "requested"


def test_shares_end_and_who_received_something_is_told(cast: Cast, old: Study) -> None:
    grant = share(old, actor_of(cast.clinician, fresh=True), cast.people)
    case = asked(cast, old)
    erased(cast, case)
    now = Grant.objects.get(pk=grant.pk)
    assert (now.revoked_at is not None, now.revoke_reason) == (True, "erasure")
    told = Notification.objects.filter(template="share-erased", target_id=str(grant.pk))
    assert told.count() >= 1
    assert said(case)[("changes", "Shares in force")] == 1


def test_the_trail_stays_true_without_what_stood_beside_it(cast: Cast, old: Study) -> None:
    event = record_event(
        action="study.opened", actor=ActorRef("user", "1"), organisation_id=old.organisation_id,
        subject_id=old.subject_id, target=TargetRef("study", old.uid),
        private={"name": "Marker^Greta"},
    )  # fmt: skip
    assert EventCommitment.objects.filter(event_id=event.pk).exists()
    before = set(Event.objects.values_list("pk", flat=True))
    case = asked(cast, old)
    erased(cast, case)
    assert not EventCommitment.objects.filter(event_id=event.pk).exists()
    assert set(Event.objects.filter(pk__in=before).values_list("pk", flat=True)) == before
    assert verify_database().verified
    lines = said(case)
    assert lines[("goes", "What the trail keeps beside its entries")] == 1
    assert ("stays", "Acts in the trail") in lines


def test_consents_count_as_withdrawn(cast: Cast, old: Study) -> None:
    give_purpose_consent(
        actor=actor_of(cast.clinician, fresh=True),
        subject=old.subject,
        purpose="treatment",
        document="F-17",
    )
    case = asked(cast, old)
    erased(cast, case)
    assert PurposeConsent.objects.get().withdrawn_at is not None
    assert said(case)[("changes", "Consents to a purpose")] == 1


def test_a_copy_made_for_another_request_goes(cast: Cast, old: Study) -> None:
    officer = actor_of(cast.officer, fresh=True)
    copy = by_form(kind=Kind.COPY)
    identify_person(actor=officer, case=copy, proof=Proof.DOCUMENT)
    link_subjects(actor=officer, case=copy, subject_ids=[old.subject_id])
    copy.refresh_from_db()
    package, _ = prepare_package(actor=officer, case=copy)
    assert run_job(job_id=package.job_id) is RunOutcome.DONE
    answer_case(actor=officer, case=copy, text="Here it is.", outcome=Outcome.GRANTED)
    case = asked(cast, old)
    erased(cast, case)
    package.refresh_from_db()
    assert package.state == Package.State.GONE
    with pytest.raises(KeyDestroyed):
        open_data_key(id=package.key_id)
    lines = said(case)
    assert lines[("goes", "Copies made for requests")] == 1
    assert lines[("stays", "Requests and their answers")] == 2


def test_nothing_is_claimed_of_recipients_where_there_are_none(cast: Cast, old: Study) -> None:
    case = asked(cast, old)
    erased(cast, case)
    shown = erasure_of(case)
    assert shown is not None
    assert "received" not in letter_text(shown.lines, shown.certificate_number)


def test_the_person_of_an_account_reads_that_it_stays_theirs(cast: Cast, old: Study) -> None:
    link_account(user=cast.patient, subject=old.subject)
    case = signed_in(actor_of(cast.patient, fresh=True), kind=Kind.ERASURE)
    officer = actor_of(cast.officer)
    if case.identified_at is None:
        identify_person(actor=officer, case=case, proof=Proof.DOCUMENT)
    link_subjects(actor=officer, case=case, subject_ids=[old.subject_id])
    case.refresh_from_db()
    erased(cast, case)
    assert said(case)[("stays", "The account of whoever asks")] == 1
    assert User.objects.get(pk=cast.patient.pk).is_active
    assert User.objects.get(pk=cast.patient.pk).erased_at is None


def test_what_somebody_said_against_a_use_goes_on_to_count_without_its_words(
    cast: Cast, old: Study, young: Study
) -> None:
    case = asked(cast, old, young)
    said_before = set_directive(
        actor=actor_of(cast.officer, fresh=True), subject=young.subject,
        wanted=Wanted(DirectiveKind.RESTRICTION, reason="My neighbour works there."),
        case_number=case.number,
    )  # fmt: skip
    assert said_before.key_id is not None
    erased(cast, case)
    now = Directive.objects.get(pk=said_before.pk)
    assert (now.lifted_at, now.sealed_reason, now.key_id) == (None, None, None)
    with pytest.raises(KeyDestroyed):
        open_data_key(id=said_before.key_id)
    assert ("stays", "What was said against uses, without the words written beside it") in said(
        case
    )
