"""Backups, as people who answer for the portal see them: what there is, until when, and drills."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.permissions import needs
from accounts.rules import Capability
from backups.models import Drill
from backups.selectors import (
    generations,
    is_drill_overdue,
    last_good,
    last_good_drill,
    lines_of,
    makes_backups,
)
from backups.services.drilling import is_signed
from policies.rules.gate import uses_no_personal_data

SHOWN = 60


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses_no_personal_data
def backups(request: HttpRequest) -> HttpResponse:
    """Generations and drills. They are the whole portal's, and name no organisation."""
    context = {
        "lines": lines_of(list(generations()[:SHOWN])),
        "drills": Drill.objects.order_by("-began_at")[:20],
        "last": last_good(),
        "last_drill": last_good_drill(),
        "is_overdue": is_drill_overdue(),
        "makes": makes_backups(),
        "keep_data": settings.BACKUP_KEEP_DATA_DAYS,
        "keep_keys": min(settings.BACKUP_KEEP_KEYS_DAYS, settings.BACKUP_KEEP_DATA_DAYS),
        "drill_days": settings.BACKUP_DRILL_DAYS,
    }
    return render(request, "backups/backups.html", context)


@needs(Capability.APPROVE_DISPOSAL, Capability.SEE_TRAIL)
@require_safe
@uses_no_personal_data
def drill(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The signed record of one drill, checked again at this moment."""
    found = get_object_or_404(Drill, pk=pk)
    text = found.note.rpartition("\n\n")[0]
    facts = [line.partition(": ")[::2] for line in text.splitlines()[1:]]
    context = {"drill": found, "facts": facts, "is_signed": is_signed(found)}
    return render(request, "backups/drill.html", context)
