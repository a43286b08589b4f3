"""What an erasure does with projects: what was made of the images goes, with the way back."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from accounts.services.trail import record, system_ref
from policies.rules.erasing import Erased, Eraser, Fate, Line, register_eraser
from policies.rules.holdings import Whose
from releases.models import Project, ProjectStudy
from releases.rules.states import State
from releases.services.discarding import discard
from releases.services.telling import tell_ready


def _studies(whose: Whose) -> QuerySet[ProjectStudy]:
    """In projects whose linking table still leads to the person."""
    return ProjectStudy.objects.filter(
        project__organisation_id=whose.organisation_id, subject_id__in=whose.subject_ids
    )


def _projects(whose: Whose) -> list[Project]:
    numbers = _studies(whose).values("project_id")
    return list(Project.objects.filter(pk__in=numbers).order_by("number"))


def _plan(whose: Whose) -> Iterator[Line]:
    if projects := _projects(whose):
        yield Line(
            Fate.GOES, "What projects made of the images, and the line that leads back",
            len(projects), "what a recipient has fetched has no person in it",
        )  # fmt: skip


def _carry_out(erased: Erased) -> None:
    for project in _projects(erased.whose):
        with transaction.atomic():
            locked = Project.objects.select_for_update().get(pk=project.pk)
            rows = list(_studies(erased.whose).filter(project=locked))
            gone = discard(locked, rows)
            for row in rows:
                record(
                    action="release.study_removed", actor=system_ref(), reason="erasure",
                    organisation_id=locked.organisation_id, target=("study", row.study_uid),
                    details={"project": str(locked.pk)},
                )  # fmt: skip
            ProjectStudy.objects.filter(pk__in=[row.pk for row in rows]).delete()
            _withdraw_report(locked, gone)
            record(
                action="release.discarded", actor=system_ref(), reason="erasure",
                organisation_id=locked.organisation_id, target=("release", str(locked.pk)),
                details={"studies": len(rows), "objects": gone},
            )  # fmt: skip


def _withdraw_report(project: Project, gone: int) -> None:
    """The signed report of what is out counts what is gone: an officer signs another one."""
    if gone and project.state == State.RELEASED:
        project.state = State.REVIEW
        project.save(update_fields=["state"])
        tell_ready(project)


def register() -> None:
    register_eraser(Eraser("releases", _plan, _carry_out))
