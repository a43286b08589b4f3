"""`manage.py check`: no field without a class, no shipped pack that could not be published."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register

from policies.rules.findings import PackInvalid
from policies.rules.inventory import categories_kept, differences, inventory, unprotected
from policies.rules.lint import findings_of
from policies.rules.records import without_ending
from policies.selectors import shipped_packs


@register()
def every_field_is_classified(**_: Any) -> list[CheckMessage]:
    fields = {
        model._meta.label: {field.name for field in model._meta.concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }
    return [Error(said, id="policies.E001") for said in differences(fields)]


@register()
def what_is_specially_protected_is_sealed(**_: Any) -> list[CheckMessage]:
    """MEDDIM-1.3."""
    return [Error(said, id="policies.E004") for said in unprotected()]


@register()
def shipped_packs_can_be_published(**_: Any) -> list[CheckMessage]:
    try:
        packs = shipped_packs()
    except PackInvalid as invalid:
        return [Error(str(invalid), id="policies.E002")]
    return [
        Error(f"{code}: {finding}", id="policies.E002")
        for code, values in packs.items()
        for finding in findings_of(values)
    ]


@register()
def every_category_kept_has_a_rule_of_retention(**_: Any) -> list[CheckMessage]:
    """AVMI-7.1: what has no rule would be kept for ever."""
    from policies.rules.categories import CATEGORIES

    personal = [category for category in categories_kept() if CATEGORIES[category].is_personal]
    return [
        Error(f"{code}: retention says nothing of {category}.", id="policies.E003")
        for code, values in shipped_packs().items()
        for category in personal
        if category.value not in values["retention"]
    ]


@register()
def every_kind_of_record_ends(**_: Any) -> list[CheckMessage]:
    """AVMI-7.1, XENRAD-6.5: what nothing deletes would be kept for ever, whatever a policy says."""
    personal = {entry.model for entry in inventory() if entry.is_personal}
    return [
        Error(f"{model} ends by nothing: register it among the records.", id="policies.E005")
        for model in without_ending(personal)
    ]
