"""Directives in the portal: set and lifted by whom, and acting at once in pages and in lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notification, Organisation
from accounts.rules import Actor
from audit.models import Event
from consent.holdings import _files, _holdings
from consent.models import DataSubject, Directive, Grant, PurposeConsent
from consent.rules.agreement import OfferedItem
from consent.rules.decision import Action, Item, Reason
from consent.rules.directives import DirectiveKind, Source, Wanted, packed
from consent.selectors.directives import barred_among, bars_of, reason_of
from consent.services.decisions import decide
from consent.services.directives import (
    DirectiveRefused,
    announce_lifting,
    lift_directive,
    opt_out_by_signal,
    set_directive,
)
from consent.services.grants import GrantRefused, compose_agreement, create_grant
from consent.services.purposes import give_purpose_consent
from consent.services.subjects import link_account
from policies.rules.holdings import Whose
from studies.models import Study
from studies.selectors import counts_seen_by, resource_of, studies_listed_for
from tests.factories import Cast, actor_of, small_ct_object, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
RESTRICTION = DirectiveKind.RESTRICTION


@pytest.fixture
def study(cast: Cast) -> Study:
    """A study of the hospital's patient, who has an account."""
    take_in(actor_of(cast.clinician), small_ct_object())
    study = Study.objects.get()
    link_account(user=cast.patient, subject=study.subject)
    return study


def shared(cast: Cast, study: Study, purpose: str = "second-opinion") -> Grant:
    facts = {
        "actor": actor_of(cast.clinician, fresh=True), "owner": study.organisation,
        "recipient_organisation": Organisation.objects.get(slug="imaging"), "recipient": None,
        "purpose_code": purpose, "subject_id": study.subject_id,
    }  # fmt: skip
    agreement = compose_agreement(
        **facts, subject_name="A patient", may_download=True, collected_at=study.created_at,
        expires_at=timezone.now() + timedelta(days=7),
        items=(OfferedItem(Item(study.uid), "all of it", 1, "-"),),
    )  # fmt: skip
    from consent.rules.agreement import digest_of_text

    return create_grant(**facts, agreement=agreement, shown_digest=digest_of_text(agreement.text()))


def said(cast: Cast, study: Study, kind: DirectiveKind = RESTRICTION, **more: object) -> Directive:
    return set_directive(
        actor=actor_of(cast.patient),
        subject=study.subject,
        wanted=Wanted(kind, **more),  # type: ignore[arg-type]
    )


def seen_by(actor: Actor, study: Study) -> tuple[bool, bool, int]:
    """By the decision, in the list, and in the counts."""
    decision = decide(actor=actor, action=Action.VIEW, resource=resource_of(study))
    listed = studies_listed_for(actor).filter(pk=study.pk).exists()
    return decision.is_permit, listed, counts_seen_by(actor, [study])[study.pk].instances


def test_a_restriction_acts_at_once_in_the_decision_and_in_lists(cast: Cast, study: Study) -> None:
    """AVMI-8.5: sharing is refused, storage goes on."""
    shared(cast, study)
    reader, own = actor_of(cast.stranger), actor_of(cast.clinician)
    assert seen_by(reader, study) == (True, True, 1)
    row = said(cast, study)
    assert seen_by(reader, study) == (False, False, 0)
    assert seen_by(own, study) == (True, True, 1)
    with pytest.raises(GrantRefused, match=r"GDPR Art\. 18"):
        shared(cast, study)
    lift_directive(actor=actor_of(cast.patient, fresh=True), directive=row)
    assert seen_by(reader, study) == (True, True, 1)
    events = Event.objects.filter(target_id=str(row.pk)).order_by("occurred_at")
    assert [(one.action, one.reason) for one in events] == [
        ("directive.set", "restriction"), ("directive.lifted", "restriction"),
    ]  # fmt: skip


def test_whoever_received_it_is_told_of_a_restriction(cast: Cast, study: Study) -> None:
    """GDPR Art. 19."""
    grant = shared(cast, study)
    said(cast, study)
    told = Notification.objects.get(user=cast.stranger, template="share-restricted")
    assert told.target_id == str(grant.pk)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (RESTRICTION, {"purposes": frozenset({"treatment"})}),
        (RESTRICTION, {"studies": frozenset({"1.2.3"})}),
        (RESTRICTION, {}),
        (DirectiveKind.LIMIT_SENSITIVE, {}),
        (DirectiveKind.OPT_OUT, {}),
        (DirectiveKind.OBJECTION, {}),
        (DirectiveKind.DISCLOSURE, {"recipients": frozenset({"practice"})}),
        (DirectiveKind.DISCLOSURE, {"recipients": frozenset({"imaging", "practice"})}),
        (DirectiveKind.HEALTH_PLAN, {"recipients": frozenset({"imaging"})}),
    ],
)
@pytest.mark.parametrize("purpose", ["second-opinion", "treatment"])
def test_lists_and_the_decision_say_the_same(
    cast: Cast, study: Study, kind: DirectiveKind, more: dict[str, frozenset[str]], purpose: str
) -> None:
    shared(cast, study, purpose)
    slugs = more.get("recipients", frozenset())
    ids = Organisation.objects.filter(slug__in=slugs).values_list("pk", flat=True)
    said(cast, study, kind, **(more | {"recipients": frozenset(ids)}))
    for person in (cast.stranger, cast.clinician):
        permit, listed, count = seen_by(actor_of(person), study)
        if person == cast.stranger:
            assert permit == listed == bool(count)
        else:
            assert (listed, count) == (True, 1)


def test_what_was_consented_to_afterwards_is_shown_again(cast: Cast, study: Study) -> None:
    shared(cast, study)
    said(cast, study, purposes=frozenset({"second-opinion", "research"}))
    assert seen_by(actor_of(cast.stranger), study) == (False, False, 0)
    give_purpose_consent(
        actor=actor_of(cast.patient, fresh=True), subject=study.subject, purpose="second-opinion"
    )
    assert seen_by(actor_of(cast.stranger), study) == (True, True, 1)
    PurposeConsent.objects.update(by_subject=False)
    assert seen_by(actor_of(cast.stranger), study) == (False, False, 0)


def test_consent_taken_back_ends_consents_and_shares(cast: Cast, study: Study) -> None:
    grant = shared(cast, study)
    give_purpose_consent(
        actor=actor_of(cast.patient, fresh=True), subject=study.subject, purpose="second-opinion"
    )
    said(cast, study, DirectiveKind.WITHDRAWAL)
    grant.refresh_from_db()
    assert (grant.revoke_reason, grant.revoked_by) == ("withdrawn", cast.patient)
    assert PurposeConsent.objects.get().withdrawn_at is not None
    assert seen_by(actor_of(cast.stranger), study) == (False, False, 0)


def test_a_release_leaves_out_whoever_said_no(cast: Cast, study: Study) -> None:
    def barred() -> dict[str, DirectiveKind]:
        other = Organisation.objects.get(slug="imaging").pk
        return barred_among(
            [(study.uid, study.subject_id), ("1.2.3", uuid4())], recipient=other,
            organisation_id=study.organisation_id, purpose="research",
        )  # fmt: skip

    assert barred() == {}
    row = said(cast, study, DirectiveKind.OPT_OUT)
    assert barred() == {study.uid: DirectiveKind.OPT_OUT}
    lift_directive(actor=actor_of(cast.patient, fresh=True), directive=row)
    assert barred() == {}


# Who may -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "owner"])
def test_nobody_else_says_or_lifts_it(cast: Cast, study: Study, who: str) -> None:
    actor = actor_of(getattr(cast, who), fresh=True)
    for number in ("", "ABCD-EFGH"):
        with pytest.raises(DirectiveRefused):
            set_directive(
                actor=actor, subject=study.subject, wanted=Wanted(RESTRICTION), case_number=number
            )
    row = said(cast, study)
    for act in (lift_directive, announce_lifting):
        with pytest.raises(DirectiveRefused):
            act(actor=actor, directive=row)
    assert Directive.objects.get().lifted_at is None


def test_an_officer_sets_it_for_a_request_only(cast: Cast, study: Study) -> None:
    officer = actor_of(cast.officer)
    with pytest.raises(DirectiveRefused):
        set_directive(actor=officer, subject=study.subject, wanted=Wanted(RESTRICTION))
    row = set_directive(
        actor=officer, subject=study.subject, wanted=Wanted(RESTRICTION), case_number="ABCD-EFGH"
    )
    assert (row.source, row.case_number, row.set_by) == ("case", "ABCD-EFGH", cast.officer)


def test_a_program_says_nothing_for_a_person(cast: Cast, study: Study) -> None:
    program = replace(actor_of(cast.patient), token_id=uuid4())
    with pytest.raises(DirectiveRefused):
        set_directive(actor=program, subject=study.subject, wanted=Wanted(RESTRICTION))


def test_an_officer_tells_the_person_before_a_restriction_is_lifted(
    cast: Cast, study: Study
) -> None:
    """MEDDIM-7.8, GDPR Art. 18(3)."""
    shared(cast, study)
    row, officer = said(cast, study), actor_of(cast.officer, fresh=True)
    with pytest.raises(DirectiveRefused, match=r"Art\. 18\(3\)"):
        lift_directive(actor=officer, directive=row)
    announce_lifting(actor=officer, directive=row)
    announce_lifting(actor=officer, directive=row)
    assert Notification.objects.filter(user=cast.patient, template="directive-ends").count() == 1
    assert not seen_by(actor_of(cast.stranger), study)[0], "until then it holds"
    for _ in range(2):
        lift_directive(actor=officer, directive=row)
    assert Event.objects.filter(action="directive.lifted").count() == 1
    assert seen_by(actor_of(cast.stranger), study)[0]


def test_other_directives_are_lifted_by_their_person_or_for_their_request(
    cast: Cast, study: Study
) -> None:
    row, officer = said(cast, study, DirectiveKind.OPT_OUT), actor_of(cast.officer, fresh=True)
    with pytest.raises(DirectiveRefused, match="Only a restriction"):
        announce_lifting(actor=officer, directive=row)
    with pytest.raises(DirectiveRefused, match="number of their request"):
        lift_directive(actor=officer, directive=row)
    done = lift_directive(actor=officer, directive=row, case_number="ABCD-EFGH")
    assert (done.lifted_by, done.lift_case) == (cast.officer, "ABCD-EFGH")


def test_lifting_takes_a_fresh_proof_and_saying_none(cast: Cast, study: Study) -> None:
    row = said(cast, study)
    with pytest.raises(DirectiveRefused, match="Prove again"):
        lift_directive(actor=actor_of(cast.patient), directive=row)


# What is kept ------------------------------------------------------------------------------------
def test_the_same_said_again_is_one_and_after_lifting_another(cast: Cast, study: Study) -> None:
    row = said(cast, study)
    assert said(cast, study) == row
    lift_directive(actor=actor_of(cast.patient, fresh=True), directive=row)
    assert said(cast, study) != row
    assert Directive.objects.count() == 2


def test_a_reason_is_sealed_and_the_trail_holds_none(cast: Cast, study: Study) -> None:
    row = said(cast, study, reason="MARKER-REASON")
    assert b"MARKER" not in bytes(row.sealed_reason)
    assert reason_of(row) == "MARKER-REASON"
    assert "MARKER" not in str(list(Event.objects.values("details", "reason")))


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(DirectiveKind.DISCLOSURE, recipients=frozenset({UUID(int=5)})),
        Wanted(DirectiveKind.DISCLOSURE),
        Wanted(RESTRICTION, purposes=frozenset({"security"})),
        Wanted(RESTRICTION, reason="x" * 2001),
    ],
)
def test_what_cannot_hold_is_refused_and_nothing_is_kept(
    cast: Cast, study: Study, wanted: Wanted
) -> None:
    with pytest.raises(DirectiveRefused):
        set_directive(actor=actor_of(cast.patient), subject=study.subject, wanted=wanted)
    assert not Directive.objects.exists()


def test_the_database_takes_no_directive_of_nobody(cast: Cast, study: Study) -> None:
    facts = {"organisation": study.organisation, "kind": "restriction", "source": "portal"}
    for wrong in (
        {"purposes": "|research|"}, {"subject_id": study.subject_id, "purposes": ""},
        {"subject_id": study.subject_id, "user": cast.patient, "purposes": "|research|"},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Directive.objects.create(**facts, **wrong)


def test_a_collection_finds_them(cast: Cast, study: Study) -> None:
    said(cast, study, reason="MARKER-REASON")
    whose = Whose(study.organisation_id, frozenset({study.subject_id}), cast.patient.pk)
    assert "What was said against a use" in {one.what for one in _holdings(whose)}
    text = b"".join(b"".join(one.pieces()) for one in _files(whose)).decode()
    assert "MARKER-REASON" in text
    assert "GDPR Art. 18(1)" in text


def test_a_signal_opts_out_as_a_patient_and_as_a_member_once(cast: Cast, study: Study) -> None:
    found = opt_out_by_signal(user=cast.patient, source=Source.GPC)
    assert [(one.subject_id, one.source) for one in found] == [(study.subject_id, "gpc")]
    assert opt_out_by_signal(user=cast.patient, source=Source.GPC) == []
    member = opt_out_by_signal(user=cast.clinician, source=Source.GPC)
    assert [one.user for one in member] == [cast.clinician]


def test_the_decision_asks_one_statement_more_and_lists_none(cast: Cast, study: Study) -> None:
    """Of an opt-out another: to whom data goes for value."""
    for kind, statements in ((RESTRICTION, 2), (DirectiveKind.OPT_OUT, 3)):
        said(cast, study, kind)
        with CaptureQueriesContext(connection) as asked:
            bars_of(study.subject_id, study.organisation_id)
        assert len(asked) == statements
    Directive.objects.all().delete()
    with CaptureQueriesContext(connection) as asked:
        bars_of(study.subject_id, study.organisation_id)
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as asked:
        list(studies_listed_for(actor_of(cast.stranger)))
    assert sum("consent_directive" in one["sql"] for one in asked) <= 1


def test_nobody_is_known_by_another_organisations_directive(cast: Cast, study: Study) -> None:
    """What somebody said at one organisation is no fact of another's."""
    said(cast, study, purposes=frozenset({"treatment"}))
    assert bars_of(study.subject_id, Organisation.objects.get(slug="imaging").pk) == ()
    own = decide(actor=actor_of(cast.clinician), action=Action.VIEW, resource=resource_of(study))
    assert own.reason is Reason.RESTRICTED
    assert DataSubject.objects.count() == 1


def test_lists_say_what_the_decision_says_whatever_was_said(cast: Cast, study: Study) -> None:
    """120 times: shares, directives and consents of later; one rule in two languages."""
    chance = Random(6)
    purposes = ["treatment", "second-opinion", "research"]
    organisations = list(Organisation.objects.values_list("pk", flat=True))
    for purpose in purposes[:2]:
        shared(cast, study, purpose)
    reader, now, seen = actor_of(cast.stranger), timezone.now(), set()
    for _ in range(120):
        Directive.objects.all().delete()
        PurposeConsent.objects.all().delete()
        Grant.objects.filter(purpose="treatment").update(
            revoked_at=chance.choice([None, now - timedelta(hours=1)])
        )
        for _ in range(chance.randint(0, 3)):
            Directive.objects.create(
                organisation=study.organisation, subject_id=study.subject_id, source="portal",
                kind=chance.choice(list(DirectiveKind)), set_at=now,
                purposes=packed(chance.sample(purposes, chance.randint(1, 3))),
                studies=packed(chance.choice([[], ["1.2.3"], [study.uid], ["1.2.3", study.uid]])),
                recipients=packed(chance.sample(organisations, chance.choice([0, 0, 1, 2]))),
                lifted_at=chance.choice([None, None, None, now]),
            )  # fmt: skip
        if chance.random() < 0.4:
            PurposeConsent.objects.create(
                organisation=study.organisation, subject_id=study.subject_id, version_id=uuid4(),
                purpose=chance.choice(purposes), given_by=cast.patient, factor="totp",
                by_subject=chance.random() < 0.7, given_at=now + timedelta(
                    minutes=chance.choice([-5, 5])
                ),
                withdrawn_at=chance.choice([None, None, now]),
            )  # fmt: skip
        permit, listed, count = seen_by(reader, study)
        assert permit == listed == bool(count)
        seen.add(permit)
    assert seen == {True, False}
