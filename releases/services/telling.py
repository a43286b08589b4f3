"""Tell people of a project that it is their turn; in the transaction of what made it so."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from accounts.rules import Actor, Role
from accounts.selectors import officers_of, people_with
from accounts.services.notifications import notify
from releases.models import Project
from releases.permissions import can_prepare
from releases.rules.states import Act
from releases.services.projects import ReleaseRefused, lock_project, write_event


@transaction.atomic
def ask_for_approval(*, actor: Actor, project: Project) -> None:
    """Tell the officers that a project is put together. It may go on being changed."""
    locked = lock_project(project, Act.ASK)
    if not can_prepare(actor, locked):
        raise ReleaseRefused("Only whoever prepares a project can ask for its approval.")
    if not locked.studies.exists():
        raise ReleaseRefused("There is no study in it yet.")
    notify(users=officers_of(locked.organisation_id), template="release-asked", target_id=locked.pk)
    write_event(actor, locked, "release.approval_asked", {"studies": locked.studies.count()})


def tell_made(project: Project, *, waiting: int) -> None:
    """Whoever put studies in compares; where there is nothing to compare, officers go on."""
    if waiting:
        notify(users=_workers(project), template="release-look", target_id=project.pk)
    else:
        tell_ready(project)


def tell_ready(project: Project) -> None:
    notify(
        users=officers_of(project.organisation_id), template="release-ready", target_id=project.pk
    )


def tell_released(project: Project) -> None:
    notify(users=_workers(project), template="release-out", target_id=project.pk)
    if project.is_external:
        them = people_with([project.recipient_id], Role.CLINICIAN, Role.RESEARCHER)
        notify(users=them, template="release-received", target_id=project.pk)


def tell_ended(project: Project) -> None:
    users = {user.pk: user for user in officers_of(project.organisation_id)}
    users[project.created_by_id] = project.created_by
    notify(users=users.values(), template="release-ended", target_id=project.pk)


def _workers(project: Project) -> list[User]:
    """Who began the project, and who put studies into it."""
    added = project.studies.values("added_by_id")
    people = User.objects.filter(pk__in=added) | User.objects.filter(pk=project.created_by_id)
    return list(people.distinct())
