"""Keeping a statement of disagreement, or a reply to one, with the studies that it is about."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from accounts.rules import Actor
from accounts.services.trail import record
from audit.services import ActorRef
from consent.models import DataSubject
from consent.services.grants import tell_recipients
from studies.models import Statement, Study
from studies.rules.messages import DISPUTED
from studies.sealing import statement_context
from vault.rules.sealed_field import FieldSealer
from vault.services.data_keys import open_data_keys

LONGEST_STATEMENT = 4000


@transaction.atomic
def keep_statement(
    *,
    actor: Actor | ActorRef,
    subjects: Iterable[DataSubject],
    kind: Statement.Kind,
    text: str,
    case_number: str,
) -> int:
    """Seal a statement with every study of these people, under each study's key; once a request.

    May they, the caller has asked. Returns with how many studies it stands now.
    """
    if not text or len(text) > LONGEST_STATEMENT:
        raise ValueError("a statement has words, and not too many")
    studies = list(
        Study.objects.select_related("subject").filter(
            subject__in=list(subjects), instance_count__gt=0
        )
    )
    keys = open_data_keys(ids={study.key_id for study in studies})
    for study in studies:
        row = Statement(study=study, kind=kind, case_number=case_number)
        sealer = FieldSealer(keys[study.key_id])
        row.sealed_text = sealer.seal(text.encode(), statement_context(row.pk))
        row.save(force_insert=True)
        record(
            action="study.disputed", actor=actor, organisation_id=study.organisation_id,
            subject_id=study.subject_id, target=("study", study.uid),
            details={"kind": kind.value, "case": case_number.lower()},
        )  # fmt: skip
    if kind is Statement.Kind.DISAGREEMENT:
        for subject in {study.subject for study in studies}:
            tell_recipients(
                organisation_id=subject.organisation_id,
                study_uids=[study.uid for study in studies if study.subject_id == subject.pk],
                template=DISPUTED.code,
            )
    return len(studies)
