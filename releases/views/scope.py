"""What the pages of this room have in common: which project, and what it is used for."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest

from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from releases.models import Project
from releases.selectors import projects_of, projects_received_by

# Making data without people in it is part of running the organisation (45 CFR 164.501); its
# pages may show whose studies they are.
preparing = uses(Purpose.OPERATIONS, *CARE_DATA)
# What has left without people in it.
using_released = uses(Purpose.RESEARCH, Category.DEIDENTIFIED, otherwise=(Purpose.AI_TRAINING,))


def own_project_or_404(request: HttpRequest, pk: UUID) -> Project:
    found = projects_of(request.actor).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def known_project_or_404(request: HttpRequest, pk: UUID) -> Project:
    """One's own organisation's, or one that was released to it."""
    found = projects_of(request.actor).filter(pk=pk).first()
    found = found or projects_received_by(request.actor).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
