"""The corrections of studies, opened: whatever of a study goes out asks for them here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from studies.models import Correction
from studies.rules.correcting import Coercion, corrected
from studies.sealing import correction_context
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_keys

Coercions = Mapping[int, tuple[Coercion, ...]]


def coercions_of(study_ids: Collection[int]) -> Coercions:
    """What was corrected in these studies, the earliest first: one query where nothing was."""
    found: dict[int, tuple[Coercion, ...]] = {}
    rows = list(
        Correction.objects.filter(study_id__in=set(study_ids))
        .select_related("study")
        .only("study__key_id", "sealed_values", "at")
        .order_by("at", "pk")
    )
    if not rows:
        return found
    keys = open_data_keys(ids={row.study.key_id for row in rows})
    for row in rows:
        values = opened(row, FieldSealer(keys[row.study.key_id]))
        new = {tag: value["new"] for tag, value in values.items()}
        found[row.study_id] = (*found.get(row.study_id, ()), Coercion(row.at, new))
    return found


def opened(row: Correction, sealer: FieldSealer) -> dict[str, dict[str, str]]:
    """Old and new values by tag."""
    values: dict[str, dict[str, str]] = orjson.loads(
        sealer.open(row.sealed_values, correction_context(row.pk))
    )
    return values


def sealed(values: Mapping[str, Mapping[str, str]], row: Correction, sealer: FieldSealer) -> bytes:
    return sealer.seal(orjson.dumps(values), correction_context(row.pk))


def as_corrected(description: bytes, coercions: Sequence[Coercion], *, whole: bool) -> bytes:
    """DICOM JSON with the new values; untouched where nothing was corrected."""
    if not coercions:
        return description
    attributes: dict[str, Any] = orjson.loads(description)
    return orjson.dumps(corrected(attributes, coercions, whole=whole))
