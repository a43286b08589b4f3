from __future__ import annotations

from accounts.rules import Actor, Capability
from releases.models import Project


def is_own(actor: Actor, project: Project) -> bool:
    return actor.organisation_id == project.organisation_id


def can_prepare(actor: Actor, project: Project) -> bool:
    return is_own(actor, project) and actor.can(Capability.PREPARE_RELEASES)


def can_collect(actor: Actor, project: Project) -> bool:
    """Only whoever may share a study puts it into a project."""
    return is_own(actor, project) and actor.can(Capability.SHARE_STUDIES)


def can_look(actor: Actor, project: Project) -> bool:
    """Comparing a clean image with its original takes somebody who may see the original."""
    return is_own(actor, project) and actor.can(Capability.VIEW_IMAGES)


def can_approve(actor: Actor, project: Project) -> bool:
    return is_own(actor, project) and actor.can(Capability.APPROVE_RELEASES)


def can_look_up(actor: Actor, project: Project) -> bool:
    return is_own(actor, project) and actor.can(Capability.LOOK_UP_LINKS)


def can_download(actor: Actor, project: Project) -> bool:
    return project.recipient_id == actor.organisation_id and actor.can(Capability.PREPARE_RELEASES)


def can_read_counts(actor: Actor, project: Project) -> bool:
    """Counts stay within the organisation that released the data, whoever received that."""
    return is_own(actor, project) and (
        actor.can(Capability.PREPARE_RELEASES) or actor.can(Capability.APPROVE_RELEASES)
    )
