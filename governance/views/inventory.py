"""What the portal keeps, field by field (C13)."""

from __future__ import annotations

from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import needs
from accounts.rules import Capability
from policies.rules.categories import CATEGORIES, SubjectClass
from policies.rules.gate import uses_no_personal_data
from policies.rules.inventory import inventory as entries_kept
from policies.selectors import packs_held
from studies.rules.classes import ATTRIBUTES


@needs(Capability.MANAGE_CONFIGURATION, Capability.SEE_TRAIL)
@require_safe
@uses_no_personal_data
def inventory(request: HttpRequest) -> HttpResponse:
    about = request.GET.get("about", "")
    held = packs_held(request.actor.organisation_id) if request.actor.organisation_id else ()
    pack = held[-1] if held else None
    groups = []
    for category, entries in groupby(entries_kept(), key=lambda entry: entry.category):
        facts = CATEGORIES[category]
        if about and about not in {one.value for one in facts.about}:
            continue
        listed = pack.purposes if pack else ()
        groups.append(
            {
                "category": category,
                "facts": facts,
                "entries": list(entries),
                # What the images carry of this kind themselves, as DICOM names it.
                "attributes": sorted(ATTRIBUTES.get(category, {}).items()),
                "purposes": [one.label for one in listed if category.value in one.categories],
                "rule": (pack["retention"] if pack else {}).get(category.value),
            }
        )
    context = {"groups": groups, "about": about, "classes": [one.value for one in SubjectClass]}
    return render(request, "governance/inventory.html", context)
