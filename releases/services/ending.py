"""End a project: the way back is destroyed, and the data as the policy says (MEDDIM-5.6).

By `deid.project_end`: deleted; stripped of everything that options had kept, under identifiers
that nobody can derive again; or kept, without any way back. Destroying the key comes first.
"""

from __future__ import annotations

import secrets
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record, system_ref
from audit.services import ActorRef
from jobs.services import Run, create_job
from policies.selectors import effective_pack
from releases.models import Link, Output, Project
from releases.permissions import can_approve
from releases.rules.states import Act, Aside, State
from releases.sealing import pseudonym_context
from releases.selectors import in_batches
from releases.services.building import seal_output, values_of
from releases.services.counting import discard_counts
from releases.services.discarding import discard_outputs
from releases.services.projects import ReleaseRefused, lock_project
from releases.services.reviewing import clean_bytes
from releases.services.telling import tell_ended
from studies.gateways.deidentifying_apart import Deidentified, DeidentifierApart
from studies.rules.deidentification.keyed import KEY_BYTES
from studies.rules.deidentification.profile import Option, Profile, profile_of
from vault.rules.sealed_field import FieldSealer
from vault.services.blobs import delete_blob
from vault.services.data_keys import destroy_data_keys, open_data_key

END, END_DUE = "releases.end", "releases.end_due"
DELETE, FURTHER, KEEP = "delete", "deidentify-further", "keep"
# What stays by choice, and not because it was cleaned.
_KEEPS = frozenset({
    Option.SAFE_PRIVATE, Option.UIDS, Option.DEVICE, Option.INSTITUTION,
    Option.PATIENT_CHARACTERISTICS, Option.FULL_DATES, Option.MODIFIED_DATES,
})  # fmt: skip


@transaction.atomic
def end_project(*, actor: Actor, project: Project) -> None:
    """End a project before its last day."""
    locked = lock_project(project, Act.END)
    if not can_approve(actor, locked):
        raise ReleaseRefused("Only a privacy officer can end a project.")
    if not actor.is_fresh(timezone.now()):
        raise ReleaseRefused("Prove again that it is you, then end it.")
    _begin_end(locked, actor)


def end_due_projects() -> int:
    """End every project whose last day has passed. Safe to repeat."""
    due = Project.objects.filter(
        ends_on__lt=timezone.localdate(), state__in=[State.DRAFT, State.REVIEW, State.RELEASED]
    )
    for project in due:
        with transaction.atomic():
            _begin_end(lock_project(project, Act.END), system_ref())
    return len(due)


def _begin_end(locked: Project, actor: Actor | ActorRef) -> None:
    """From now on nothing of it can be had; a job does the rest."""
    locked.end = effective_pack(locked.organisation_id)["deid.project_end"]
    if not locked.outputs.exists():
        locked.end = DELETE
    locked.state = State.ENDING
    job = create_job(
        kind=END, natural_key=str(locked.pk), payload={"project": str(locked.pk)},
        organisation_id=locked.organisation_id,
    )  # fmt: skip
    locked.job_id = job.pk
    locked.save()
    record(
        action="release.ended", actor=actor, organisation_id=locked.organisation_id,
        purpose=locked.purpose, target=("release", str(locked.pk)),
        details={"end": locked.end, "build": locked.build},
    )  # fmt: skip


def finish_end(run: Run) -> None:
    """Destroy the way back, then do with the data what the policy says. Safe to repeat."""
    project = Project.objects.get(pk=UUID(run.payload["project"]))
    if project.state != State.ENDING:
        return
    # Another database: first, and final. What is left of the rows leads nowhere any more.
    keys = [project.link_key_id]
    if project.end == DELETE:
        keys.append(project.key_id)
    destroy_data_keys(ids=keys)
    with run.step(total=project.outputs.count()):
        Link.objects.filter(project=project).delete()
        project.studies.all().delete()
        project.outputs.update(source_token=None, study_token=None, sealed_source=b"")
        discard_counts(project, blocks_too=project.end == DELETE)
    if project.end == DELETE:
        _delete_outputs(run, project)
    else:
        _drop_what_never_went_out(run, project)
    if project.end == FURTHER:
        _strip(run, project)
    with run.step(finish=True):
        tell_ended(project)
        Project.objects.filter(pk=project.pk).update(
            state=State.ENDED, ended_at=timezone.now(), sealed_pseudonym_key=b""
        )


def _delete_outputs(run: Run, project: Project) -> None:
    for batch in in_batches(project.outputs.all()):
        for output in batch:
            if output.blob_name:
                delete_blob(name=output.blob_name)
        with run.step(advance=len(batch)):
            discard_outputs(batch)


def _drop_what_never_went_out(run: Run, project: Project) -> None:
    never = project.outputs.exclude(state__in=[Aside.CLEAN, Aside.SEEN])
    for batch in in_batches(never):
        with run.step(advance=len(batch)):
            discard_outputs(batch)


def _strip(run: Run, project: Project) -> None:
    """Clean once more without what options had kept, under a key that goes with this work.

    Afterwards nobody, not even the portal, can tell which objects of before and after belong
    together.
    """
    profile = Profile(profile_of(project.options).options - _KEEPS)
    key = open_data_key(id=project.key_id)
    with DeidentifierApart(profile, _strip_key(run, project, key)) as deidentifier:
        for batch in in_batches(project.outputs.filter(stripped=False)):
            for output, content in zip(batch, clean_bytes(batch, project), strict=True):
                made = deidentifier.deidentify(content, person=output.patient)
                with run.step(advance=1):
                    _replace(project, key, output, made)


def _strip_key(run: Run, project: Project, key: bytes) -> bytes:
    """The key of this stripping: kept until it is done, so that a kill parts no person in two."""
    sealer, context = FieldSealer(key), pseudonym_context(project.pk)
    if run.cursor.get("stripping"):
        project.refresh_from_db(fields=["sealed_pseudonym_key"])
        return sealer.open(bytes(project.sealed_pseudonym_key), context)
    fresh = secrets.token_bytes(KEY_BYTES)
    with run.step(cursor={"stripping": 1}):
        Project.objects.filter(pk=project.pk).update(
            sealed_pseudonym_key=sealer.seal(fresh, context)
        )
    return fresh


def _replace(project: Project, key: bytes, output: Output, made: Deidentified) -> None:
    """Put the stripped object in the place of the former; one that cannot be stripped goes."""
    if made.content is None:
        discard_outputs([output])
        return
    former = output.blob_name
    for field, value in values_of(made).items():
        setattr(output, field, value)
    output.state, output.stripped = Aside.CLEAN, True
    output.blob_name = seal_output(project, key, made.content)
    output.save()
    transaction.on_commit(lambda: delete_blob(name=former))
