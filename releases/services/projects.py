"""Begin a project, put studies into it, approve it, open it again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Organisation
from accounts.rules import Actor, Capability
from accounts.services.trail import record
from consent.rules.decision import Action
from consent.services.decisions import authorise
from jobs.models import Job
from jobs.rules.states import State as JobState
from jobs.services import create_job
from policies.rules.purposes import Purpose
from policies.selectors import NoPolicy, effective_pack
from releases.models import Project, ProjectStudy
from releases.permissions import can_approve, can_collect, can_prepare
from releases.rules.states import Act, State, refusal_of_act
from releases.rules.terms import Method, Plan, needed_options, options_of, refusal_of_plan
from releases.sealing import pseudonym_context
from releases.selectors import agreement_of, data_use_agreement, policies_of
from releases.services.discarding import discard
from studies.models import Study
from studies.rules.deidentification.keyed import KEY_BYTES
from studies.rules.deidentification.profile import ProfileRefused
from studies.selectors import resource_of
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import create_data_key

BUILD = "releases.build"


class ReleaseRefused(Exception):
    """One sentence that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project as somebody writes it down."""

    title: str
    purpose: Purpose
    recipient_id: UUID
    ethics_reference: str
    method: Method
    method_reference: str
    options: tuple[str, ...]
    ends_on: date


@transaction.atomic
def begin_project(*, actor: Actor, wanted: Wanted) -> Project:
    """Write a project down, with keys of its own. Raises `ReleaseRefused`."""
    if actor.organisation_id is None or not actor.can(Capability.PREPARE_RELEASES):
        raise ReleaseRefused("Your role does not include release projects.")
    if wanted.ends_on <= timezone.localdate():
        raise ReleaseRefused("A project ends on a day to come.")
    # Locked, so that two projects begun at once do not take one number.
    owner = Organisation.objects.select_for_update().get(pk=actor.organisation_id)
    made = _new_project(actor, owner, wanted)
    require_plan(made)
    last = Project.objects.filter(organisation=owner).aggregate(last=Max("number"))["last"] or 0
    made.number = last + 1
    made.save(force_insert=True)
    details = {"purpose": made.purpose, "recipient": str(made.recipient_id)}
    write_event(actor, made, "release.drafted", {**details, "options": made.options})
    return made


def _new_project(actor: Actor, owner: Organisation, wanted: Wanted) -> Project:
    pk = uuid4()
    key = create_data_key(organisation_id=owner.pk, kind="release")
    link = create_data_key(organisation_id=owner.pk, kind="release-link")
    agreement = None
    if wanted.recipient_id != owner.pk:
        agreement = data_use_agreement(owner.pk, wanted.recipient_id)
    return Project(
        id=pk,
        organisation=owner,
        title=wanted.title.strip(),
        purpose=wanted.purpose,
        recipient_id=wanted.recipient_id,
        agreement=agreement,
        ethics_reference=wanted.ethics_reference.strip(),
        method=wanted.method,
        method_reference=wanted.method_reference.strip(),
        options=_all_options(owner.pk, agreement.deid_options if agreement else (), wanted.options),
        ends_on=wanted.ends_on,
        key_id=key.id,
        link_key_id=link.id,
        sealed_pseudonym_key=FieldSealer(link.key).seal(
            secrets.token_bytes(KEY_BYTES), pseudonym_context(pk)
        ),
        created_by_id=actor.user_id,
    )


def _all_options(owner_id: UUID, agreed: Iterable[str], chosen: Iterable[str]) -> list[str]:
    try:
        needed = needed_options(effective_pack(owner_id), list(agreed))
        return sorted(options_of({*needed, *chosen}))
    except (ProfileRefused, NoPolicy) as refusal:
        raise ReleaseRefused(str(refusal)) from None


def require_plan(project: Project) -> None:
    """Ask policy, agreement and method anew. Raises `ReleaseRefused`."""
    owner, recipient = policies_of(project)
    agreement = agreement_of(project)
    plan = Plan(
        purpose=Purpose(project.purpose),
        is_external=project.is_external,
        ethics_reference=project.ethics_reference,
        method=Method(project.method),
        method_reference=project.method_reference,
        options=frozenset(options_of(project.options)),
        has_agreement=agreement is not None,
    )
    if refusal := refusal_of_plan(plan, owner, recipient):
        raise ReleaseRefused(refusal)
    agreed = agreement.deid_options if agreement else ()
    if missing := needed_options(owner, agreed) - options_of(project.options):
        raise ReleaseRefused(
            "The policy asks for more cleaning than this project has: "
            f"{', '.join(sorted(missing))}. Begin a new project."
        )


# Studies -----------------------------------------------------------------------------------------
@transaction.atomic
def add_study(*, actor: Actor, project: Project, study: Study) -> ProjectStudy:
    """Put a study into a project, if the actor may share it. Safe to repeat."""
    locked = lock_project(project, Act.COLLECT)
    if not can_collect(actor, locked) or study.organisation_id != locked.organisation_id:
        raise ReleaseRefused("Only a clinician of the organisation that holds a study can add it.")
    authorise(
        actor=actor, action=Action.SHARE, resource=resource_of(study),
        event="release.study_added", details={"project": str(locked.pk)},
    )  # fmt: skip
    row, _ = ProjectStudy.objects.get_or_create(
        project=locked,
        study_uid=study.uid,
        defaults={"subject_id": study.subject_id, "added_by_id": actor.user_id},
    )
    return row


@transaction.atomic
def remove_study(*, actor: Actor, project: Project, row: ProjectStudy) -> None:
    """Take a study out again, with whatever was made of it before."""
    locked = lock_project(project, Act.COLLECT)
    if not can_prepare(actor, locked):
        raise ReleaseRefused("Only whoever prepares a project can take a study out.")
    discard(locked, [row])
    record(
        action="release.study_removed", actor=actor, target=("study", row.study_uid),
        subject_id=row.subject_id, details={"project": str(locked.pk)},
    )  # fmt: skip
    row.delete()


# Going on ----------------------------------------------------------------------------------------
@transaction.atomic
def approve_project(*, actor: Actor, project: Project) -> None:
    """Sign a project off and have it made. Never by whoever began it."""
    locked = lock_project(project, Act.APPROVE)
    if not can_approve(actor, locked):
        raise ReleaseRefused("Only a privacy officer can approve a project.")
    if actor.user_id == locked.created_by_id:
        raise ReleaseRefused("Whoever began a project does not approve it. Ask another officer.")
    if not locked.studies.exists():
        raise ReleaseRefused("There is no study in it yet.")
    require_plan(locked)
    locked.approved_by_id, locked.approved_at = actor.user_id, timezone.now()
    start_build(locked)
    write_event(actor, locked, "release.approved", {"studies": locked.studies.count()})


@transaction.atomic
def rebuild_project(*, actor: Actor, project: Project) -> None:
    """Make a project anew: whoever has withdrawn is left out, what is there already stays."""
    locked = lock_project(project, Act.REBUILD)
    if locked.state == State.BUILDING and not job_has_failed(locked):
        raise ReleaseRefused("It is being made already. Wait until it is done.")
    if not (can_approve(actor, locked) or can_prepare(actor, locked)):
        raise ReleaseRefused("Your role does not include release projects.")
    require_plan(locked)
    start_build(locked)
    write_event(actor, locked, "release.rebuilt", {"build": locked.build})


@transaction.atomic
def reopen_project(*, actor: Actor, project: Project) -> None:
    """Open a project again, to put studies in or take some out; it needs a new approval."""
    locked = lock_project(project, Act.REOPEN)
    if not can_prepare(actor, locked):
        raise ReleaseRefused("Only whoever prepares a project can open it again.")
    locked.state = State.DRAFT
    locked.approved_by, locked.approved_at = None, None
    locked.save()
    write_event(actor, locked, "release.reopened", {"build": locked.build})


def job_has_failed(project: Project) -> bool:
    return Job.objects.filter(pk=project.job_id, state=JobState.FAILED).exists()


def start_build(project: Project) -> None:
    """Have a locked project made by a job of its own."""
    project.state, project.build = State.BUILDING, project.build + 1
    job = create_job(
        kind=BUILD,
        natural_key=f"{project.pk}:{project.build}",
        payload={"project": str(project.pk), "build": project.build},
        organisation_id=project.organisation_id,
        created_by_id=project.created_by_id,
    )
    project.job_id = job.pk
    project.save()


def lock_project(project: Project, act: Act) -> Project:
    """Take a project for an act; raises `ReleaseRefused` where it stands otherwise."""
    locked = Project.objects.select_for_update().get(pk=project.pk)
    if refusal := refusal_of_act(act, State(locked.state)):
        raise ReleaseRefused(refusal)
    return locked


def write_event(
    actor: Actor, project: Project, action: str, details: dict[str, object] | None = None
) -> None:
    record(
        action=action, actor=actor, organisation_id=project.organisation_id,
        purpose=project.purpose, target=("release", str(project.pk)), details=details or {},
    )  # fmt: skip
