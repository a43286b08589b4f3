"""What was taken back since a backup stays so, and what opened the portal opens it no more."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import Agreement, ApiToken, Invitation, Membership, Notification, SignIn, User
from accounts.rules import Role, Scope
from accounts.services.members import change_roles, end_membership, invite_member
from accounts.services.trail import record, user_ref
from audit.models import Event
from backups.rules.ledgers import What
from backups.services.ledgers import refresh_ledgers
from backups.services.making import Places, make_backup
from consent.models import DataSubject, Directive, Grant
from consent.rules.directives import DirectiveKind, Source, Wanted, packed
from consent.services.directives import set_directive
from consent.services.grants import revoke_grant
from dsar.models import RequestDraft
from jobs.services import RunOutcome
from policies.models import PolicyVersion
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from policies.services.versions import withdraw
from releases.models import Project, ProjectStudy
from retention.models import ArchivedStudy
from retention.rules.archive import Why
from retention.rules.disposal import RunState
from retention.rules.holds import Scope as HoldScope
from retention.selectors.keeping import keeping_of_studies, terms_of
from retention.services.approving import cancel_run, resume_run
from retention.services.archiving import archive_studies, keys_left_outside
from studies.models import Rejection, Study
from studies.rules.rejecting import Why as Rejected
from studies.services.rejecting import reject_study
from tests.backups.cases import back, under_a_duty
from tests.consent.test_sharing import share
from tests.dsar.asking import FORM, WRITTEN
from tests.dsar.erasures import asked, erased
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in, token_client
from tests.retention.cases import approved, carried_out, held, take_in_old
from vault.rules.errors import KeyArchived
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def test_a_share_that_was_revoked_since_stays_revoked(cast: Cast, places: Places) -> None:
    take_in(actor_of(cast.clinician), small_ct_object())
    study = Study.objects.get()
    grant = share(study, actor_of(cast.clinician, fresh=True), cast.people)
    other = share(study, actor_of(cast.clinician, fresh=True), cast.people)
    assert signed_in_client(cast.stranger).get(f"/studies/{study.uid}/").status_code == 200
    under_a_duty()
    make_backup(places)
    for one in (grant, other):
        revoke_grant(actor=actor_of(cast.officer), grant=one, reason="withdrawn")
    refresh_ledgers()
    assert back(places).revoked_again[What.GRANT] == 2
    row = Grant.objects.get(pk=grant.pk)
    assert (row.revoke_reason, row.revoked_by_id) == ("withdrawn", cast.officer.pk)
    under_a_duty()
    stranger = signed_in_client(User.objects.get(pk=cast.stranger.pk))
    assert stranger.get(f"/studies/{study.uid}/").status_code == 403
    assert Event.objects.filter(action="grant.revoked", reason="after-restore").count() == 2


def test_what_went_to_the_archive_since_lies_there_again(cast: Cast, places: Places) -> None:
    take_in(actor_of(cast.clinician), small_ct_object(), small_ct_object(study="other"))
    study, other = Study.objects.order_by("pk")
    under_a_duty()
    make_backup(places)
    archive_studies(
        actor=actor_of(cast.officer), organisation_id=study.organisation_id,
        study_ids=[study.pk], why=Why.ACCOUNT,
    )  # fmt: skip
    at = ArchivedStudy.objects.get().archived_at
    refresh_ledgers()
    assert back(places).revoked_again[What.ARCHIVED] == 1
    under_a_duty()
    clinician = signed_in_client(User.objects.get(pk=cast.clinician.pk))
    assert clinician.get(f"/studies/{study.uid}/").status_code == 404
    assert clinician.get(f"/studies/{other.uid}/").status_code == 200
    assert clinician.get("/").status_code == 200
    entry = ArchivedStudy.objects.get()
    assert (entry.archived_at, entry.why) == (at, Why.RESTORED)
    with pytest.raises(KeyArchived):
        open_data_key(id=study.key_id)
    assert list(keys_left_outside()) == []
    # Its files were read and its end is known, though its keys never left the archive.
    row = Study.objects.select_related("organisation").get(pk=study.pk)
    assert keeping_of_studies([row], terms_of(row.organisation))[row.pk].floor is not None


def test_what_was_rejected_since_is_hidden_again(cast: Cast, places: Places) -> None:
    take_in(actor_of(cast.clinician), small_ct_object(), small_ct_object(study="other"))
    study, other = Study.objects.order_by("pk")
    under_a_duty()
    make_backup(places)
    reject_study(actor=actor_of(cast.clinician), study=study, why=Rejected.WRONG_PATIENT, note="-")
    at = Rejection.objects.get().at
    refresh_ledgers()
    assert back(places).revoked_again[What.REJECTED] == 1
    under_a_duty()
    clinician = signed_in_client(User.objects.get(pk=cast.clinician.pk))
    assert clinician.get(f"/studies/{study.uid}/").status_code == 404
    assert clinician.get(f"/studies/{other.uid}/").status_code == 200
    row = Rejection.objects.get()
    assert (row.at, row.why, row.by_id) == (at, Rejected.WRONG_PATIENT, cast.clinician.pk)
    assert "Restore" in clinician.get("/studies/rejected/").content.decode()


def test_people_get_back_no_role_and_no_membership_that_they_had_lost(
    cast: Cast, places: Places
) -> None:
    make_backup(places)
    administrator = actor_of(cast.administrator, fresh=True)
    end_membership(acting=administrator, membership=cast.clinician.memberships.get())
    change_roles(
        acting=administrator, membership=cast.auditor.memberships.get(), roles=[Role.CLINICIAN]
    )
    cast.owner.is_active = False
    cast.owner.save()
    refresh_ledgers()
    found = back(places).revoked_again
    assert (found[What.MEMBERSHIP], found[What.ACCOUNT]) == (2, 1)
    assert not Membership.objects.get(user=cast.clinician).is_active
    # The clinician's role was given since: what widens does not come back.
    assert not Membership.objects.get(user=cast.auditor).roles.exists()
    assert not User.objects.get(pk=cast.owner.pk).is_active


def test_an_objection_since_holds(cast: Cast, places: Places) -> None:
    make_backup(places)
    membership = cast.clinician.memberships.get()
    Directive.objects.create(
        user=cast.clinician, organisation=membership.organisation, kind=DirectiveKind.OBJECTION,
        purposes=packed(["analytics"]), source=Source.PORTAL,
    )  # fmt: skip
    refresh_ledgers()
    assert back(places).revoked_again[What.DIRECTIVE] == 1
    assert Membership.objects.get(pk=membership.pk).objected_to == ["analytics"]
    assert Directive.objects.count() == 1


def test_what_a_patient_said_since_holds_and_what_was_lifted_since_is_not_lifted(
    cast: Cast, places: Places
) -> None:
    organisation = cast.clinician.memberships.get().organisation
    facts = {"organisation": organisation, "kind": DirectiveKind.RESTRICTION,
             "source": Source.CASE, "purposes": packed(["research"])}  # fmt: skip
    lifted = Directive.objects.create(subject_id=uuid4(), **facts)
    make_backup(places)
    said = Directive.objects.create(
        subject_id=uuid4(), studies=packed(["1.2.3"]), case_number="ABCD-EFGH", **facts
    )
    Directive.objects.filter(pk=lifted.pk).update(lifted_at=timezone.now())
    refresh_ledgers()
    assert back(places).revoked_again[What.DIRECTIVE] == 1
    again = Directive.objects.get(pk=said.pk)
    assert (again.subject_id, again.studies) == (said.subject_id, said.studies)
    assert (again.case_number, again.set_at) == (said.case_number, said.set_at)
    # Lifting it widens: whoever lifted it does so again.
    assert Directive.objects.get(pk=lifted.pk).lifted_at is None


def test_a_password_that_was_changed_since_does_not_come_back(cast: Cast, places: Places) -> None:
    cast.clinician.set_password("the old one, that leaked")
    cast.clinician.save()
    cast.officer.set_password("the officer's, unchanged")
    cast.officer.save()
    make_backup(places)
    record(action="password.changed", actor=user_ref(cast.clinician))
    refresh_ledgers()
    assert back(places).revoked_again[What.PASSWORD] == 1
    assert not User.objects.get(pk=cast.clinician.pk).has_usable_password()
    assert User.objects.get(pk=cast.officer.pk).check_password("the officer's, unchanged")


def test_sessions_tokens_and_links_of_before_open_nothing(cast: Cast, places: Places) -> None:
    browser = signed_in_client(cast.clinician)
    program = token_client(cast.clinician, Scope.READ)
    reset = default_token_generator.make_token(cast.clinician)
    invite_member(
        acting=actor_of(cast.administrator),
        organisation_id=cast.administrator.memberships.get().organisation_id,
        email="new@hospital.example", roles=[Role.CLINICIAN],
    )  # fmt: skip
    assert browser.get("/").status_code == 200
    assert program.get("/dicom-web/studies").status_code in {200, 204}
    under_a_duty()
    make_backup(places)
    ended = back(places).ended
    assert (ended["sign_ins"], ended["programs"], ended["invitations"]) == (1, 1, 1)
    assert browser.get("/").status_code == 302
    assert program.get("/dicom-web/studies").status_code == 401
    assert not Session.objects.exists()
    assert not SignIn.objects.filter(ended_at=None).exists()
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    assert not Invitation.objects.filter(withdrawn_at=None).exists()
    under_a_duty()
    clinician = User.objects.get(pk=cast.clinician.pk)
    assert not default_token_generator.check_token(clinician, reset)


def test_a_mailed_link_of_a_request_ends_as_well(cast: Cast, places: Places) -> None:
    Client().post(FORM, WRITTEN)
    assert RequestDraft.objects.get().expires_at > timezone.now()
    under_a_duty()
    make_backup(places)
    assert back(places).ended["links"] == 1
    assert RequestDraft.objects.get().expires_at <= timezone.now()


def test_an_agreement_that_ended_and_a_version_that_was_withdrawn_stay_so(
    cast: Cast, places: Places, announced: Callable[..., PolicyVersion]
) -> None:
    version = announced({"logs.keep_days": 20})
    agreement = Agreement.objects.exclude(ended_on__isnull=False).first()
    assert agreement is not None
    make_backup(places)
    withdraw(version=version, withdrawn_by=cast.administrator.pk)
    Agreement.objects.filter(pk=agreement.pk).update(ended_on=timezone.now().date())
    refresh_ledgers()
    found = back(places).revoked_again
    assert (found[What.AGREEMENT], found[What.POLICY]) == (1, 1)
    assert Agreement.objects.get(pk=agreement.pk).ended_on == timezone.now().date()
    assert PolicyVersion.objects.get(pk=version.pk).withdrawn_by == cast.administrator.pk


def test_a_disposal_that_was_approved_before_goes_on_only_when_people_say_so(
    cast: Cast, places: Places
) -> None:
    """It could have been cancelled since, or a hold placed: both are lost."""
    study = take_in_old(cast)
    run = approved(cast)
    make_backup(places)
    cancel_run(actor=actor_of(cast.officer, fresh=True), run=run)
    held(cast, HoldScope.STUDY, study_uid=study.uid)
    refresh_ledgers()
    assert back(places).ended["disposals"] == 1
    run.refresh_from_db()
    assert run.state == RunState.STOPPED
    assert "holds that were placed since are lost" in run.stopped_for
    assert carried_out(run) is RunOutcome.NOT_CLAIMED
    assert open_data_key(id=study.key_id)
    told = Notification.objects.filter(template="disposal-stopped", user=cast.officer)
    assert told.exists()
    # The officer places the hold anew, and lets the rest go on.
    held(cast, HoldScope.STUDY, study_uid=study.uid)
    resume_run(actor=actor_of(cast.officer, fresh=True), run=run)
    assert carried_out(run) is RunOutcome.DONE
    assert open_data_key(id=study.key_id)


def test_what_an_erasure_did_beside_the_studies_is_done_again(cast: Cast, places: Places) -> None:
    study = take_in_old(cast)
    subject_id = study.subject_id
    reason = set_directive(
        actor=actor_of(cast.officer, fresh=True), subject=study.subject, case_number="ABCD-EFGH",
        wanted=Wanted(DirectiveKind.RESTRICTION, reason="My neighbour works there."),
    )  # fmt: skip
    project = Project.objects.create(
        organisation=study.organisation, number=1, title="x", purpose="research",
        recipient=study.organisation, ethics_reference="E", method="expert",
        ends_on=timezone.now().date(), key_id=uuid4(), link_key_id=uuid4(),
        sealed_pseudonym_key=b"", created_by=cast.clinician,
    )  # fmt: skip
    ProjectStudy.objects.create(
        project=project, study_uid=study.uid, subject_id=subject_id, added_by=cast.clinician
    )
    make_backup(places)
    with using(Purpose.RIGHTS, *CARE_DATA, *Category):
        erased(cast, asked(cast, study))
    assert not ProjectStudy.objects.exists()
    refresh_ledgers()
    found = back(places).revoked_again
    assert found[What.ERASURE] == 1
    assert not ProjectStudy.objects.exists()
    again = Directive.objects.get(pk=reason.pk)
    assert (again.key_id, again.sealed_reason, again.lifted_at) == (None, None, None)
    assert not Study.objects.filter(uid=study.uid).exists()
    assert not DataSubject.objects.filter(pk=subject_id).exists()
