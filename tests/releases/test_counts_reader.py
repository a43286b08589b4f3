"""Whoever reads counts can read nothing else, and the database says so (LIFEIMAGE-5.4)."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Model

from accounts.models import User
from accounts.rules import Actor
from audit.models import Event
from consent.models import DataSubject
from releases.gateways.counts_reader import counts_alone
from releases.models import Output, Project, Snapshot, SnapshotBlock, SnapshotPerson
from releases.services.counting import answer
from releases.services.projects import ReleaseRefused
from studies.models import Study

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


NOT_ALLOWED = r"permission denied|prohibited|not authorized"


@pytest.mark.parametrize("model", [DataSubject, Study, Output, SnapshotPerson, User, Event])
def test_whoever_reads_counts_can_read_nothing_else(counted: Project, model: type[Model]) -> None:
    """LIFEIMAGE-5.4: it is the database that says no."""
    with counts_alone():
        assert SnapshotBlock.objects.count() == 3
        with pytest.raises(DatabaseError, match=NOT_ALLOWED), transaction.atomic():
            model._default_manager.first()
    model._default_manager.first()


def test_whoever_reads_counts_can_change_nothing(counted: Project) -> None:
    with counts_alone():
        for change in (SnapshotBlock.objects.all().delete, Snapshot.objects.all().delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
        with pytest.raises(DatabaseError), transaction.atomic():
            SnapshotBlock.objects.update(people=1000)
    assert SnapshotBlock.objects.filter(people=15).exists()


def test_an_answer_is_read_as_such_a_reader(
    counted: Project, clinician: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "releases.services.counting.blocks_told", lambda _: DataSubject.objects.first()
    )
    with pytest.raises(DatabaseError):
        answer(actor=clinician, project=counted, by="modality")
    assert DataSubject.objects.count() >= 0


def test_a_refusal_within_leaves_no_role_behind(counted: Project, clinician: Actor) -> None:
    Snapshot.objects.update(edition=99)
    with pytest.raises(ReleaseRefused, match="other vocabularies"):
        answer(actor=clinician, project=counted, by="modality")
    assert Study.objects.count() >= 0
    assert Event.objects.filter(action="release.counts_refused").exists()
