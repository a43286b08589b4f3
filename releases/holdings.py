"""What this room holds of a patient: in which projects their images are, without them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from policies.rules.categories import Category
from policies.rules.holdings import File, Holder, Holding, Whose, one_file, register_holder
from releases.models import Project


def _projects(whose: Whose) -> list[Project]:
    """Those whose linking table still leads to the person."""
    return list(
        Project.objects.filter(
            organisation_id=whose.organisation_id,
            studies__subject_id__in=whose.subject_ids,
            studies__exclusion="",
        )
        .select_related("recipient")
        .distinct()
        .order_by("number")
    )


def _holdings(whose: Whose) -> Iterator[Holding]:
    projects = _projects(whose)
    if projects:
        recipients = sorted({one.recipient.name for one in projects})
        yield Holding(
            Category.DEIDENTIFIED, "Projects that use the images without the person in them",
            len(projects), projects[0].created_at, "made here from the images", tuple(recipients),
            f"until {max(one.ends_on for one in projects):%d %B %Y}",
            withheld="they are no copy: the person is taken out of them",
        )  # fmt: skip


def _files(whose: Whose) -> Iterator[File]:
    if projects := _projects(whose):
        listed = [
            {
                "title": one.title, "purpose": one.purpose, "recipient": one.recipient.name,
                "until": one.ends_on.isoformat(), "state": one.state,
            }
            for one in projects
        ]  # fmt: skip
        text = json.dumps(listed, indent=2, ensure_ascii=False)
        yield one_file("research-projects.json", text.encode())


def register() -> None:
    register_holder(Holder("releases", "Projects without the person", _holdings, _files))
