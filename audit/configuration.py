"""Keep the history of configuration: who changed which field of a pack, a schedule, a role.

The trail records *that* a configuration changed, with ids and codes; django-auditlog keeps
what it was and what it became. It is for configuration only: never register a model that
holds the data of a patient, an animal or an owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditlog.registry import auditlog
from django.db.models import Model

MASK = "(masked)"


def mask_whole(_value: object) -> str:
    """Hide all of a value; the library's own mask leaves half of it readable."""
    return MASK


def register_configuration(
    model: type[Model],
    *,
    mask_fields: Sequence[str] = (),
    exclude_fields: Sequence[str] = (),
    m2m_fields: Sequence[str] = (),
) -> None:
    """Keep the history of a configuration model; called from ``AppConfig.ready``.

    ``mask_fields`` hold something personal: that they changed is kept, what they held is not.
    Raises ValueError for a field that the model does not have.
    """
    known = {field.name for field in model._meta.get_fields()}
    if unknown := {*mask_fields, *exclude_fields, *m2m_fields} - known:
        raise ValueError(f"{model.__name__} has no field {', '.join(sorted(unknown))}")
    if auditlog.contains(model):
        auditlog.unregister(model)
    options: dict[str, Any] = {
        "mask_fields": list(mask_fields),
        "mask_callable": f"{__name__}.{mask_whole.__name__}",
        "exclude_fields": list(exclude_fields),
        "m2m_fields": set(m2m_fields),
    }
    auditlog.register(model, **options)
