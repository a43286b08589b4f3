"""Images of minors wait until whoever answers for them names the guardian who agreed (C38)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from policies.selectors import packs_held
from studies.models import GuardianAttestation, Instance, Study, Upload
from studies.rules.minors import (
    RELATIONS,
    UNATTESTED,
    Relation,
    refusal_of_guardian,
    waits,
)
from studies.sealing import guardian_context
from studies.selectors import held_in
from studies.services.holding import require_settling, show_held
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_key


class GuardianRefused(Exception):
    """One sentence that says why nothing was noted, and what to do."""


def words_of_guardian(relation: Relation) -> str:
    """What whoever names a guardian confirms; its digest goes on record."""
    who = "The patient" if relation is Relation.ALONE else "The person whom I name"
    return (
        f"{who} agreed that these images are kept and used here ({RELATIONS[relation].lower()}),"
        " and I have seen what shows that they may."
    )


class Guardians:
    """For one submission: which of its objects wait for a guardian to be named."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._attested: dict[str, bool] = {}

    def is_missing(self, study: str, texts: Mapping[str, str]) -> bool:
        if not waits(self._values, texts, timezone.now().date()):
            return False
        if study not in self._attested:
            rows = GuardianAttestation.objects.filter(
                study__organisation_id=self._upload.organisation_id, study__uid=study
            )
            self._attested[study] = rows.exists()
        return not self._attested[study]

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        held = packs_held(self._upload.organisation_id)
        return held[-1].values if held else {}


@transaction.atomic
def name_guardian(*, actor: Actor, study: Study, name: str, relation: Relation) -> int:
    """Note who agreed, and show what waited for nothing else; returns how many objects.

    What is out of norm as well stays held for a look. Raises `GuardianRefused`.
    """
    require_settling(actor, study)
    if refusal := refusal_of_guardian(name):
        raise GuardianRefused(refusal)
    row = Study.objects.select_for_update().get(pk=study.pk)
    waiting = [one for one in held_in(row) if UNATTESTED in one.reasons]
    if not waiting:
        raise GuardianRefused("No image of this study waits for a guardian to be named.")
    _note(row, " ".join(name.split()), relation, by_id=actor.user_id)
    for one in waiting:
        one.reasons = [code for code in one.reasons if code != UNATTESTED]
    Instance.objects.bulk_update(waiting, ["reasons"], batch_size=500)
    shown = [one for one in waiting if not one.reasons]
    show_held(row, shown)
    record(
        action="study.guardian_named", actor=actor, subject_id=row.subject_id,
        target=("study", row.uid), reason=relation.value,
        details={"instances": len(shown), "held": len(waiting) - len(shown)},
    )  # fmt: skip
    return len(shown)


def _note(study: Study, name: str, relation: Relation, *, by_id: int) -> None:
    number = uuid4()
    sealer = FieldSealer(open_data_key(id=study.key_id))
    GuardianAttestation.objects.create(
        id=number, study=study, relation=relation.value, by_id=by_id,
        sealed_name=sealer.seal(name.encode(), guardian_context(number)),
        words_digest=hashlib.sha256(words_of_guardian(relation).encode()).hexdigest(),
    )  # fmt: skip


def guardian_named_for(study: Study) -> tuple[str, GuardianAttestation] | None:
    """Who agreed last, for the page of the study."""
    row = study.guardians.select_related("by").order_by("-at").first()
    if row is None:
        return None
    sealer = FieldSealer(open_data_key(id=study.key_id))
    return sealer.open(bytes(row.sealed_name), guardian_context(UUID(str(row.pk)))).decode(), row
