"""Studies in the legal archive, by the services that pages and jobs call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from consent.services.subjects import link_account
from retention.rules.archive import Why
from retention.services.archiving import archive_studies
from studies.models import Study
from studies.rules.demo_uids import uid_of
from tests.factories import Cast, actor_of, small_ct_object, take_in

# Runs what waits for the commit, which a test never comes to.
Committed = Callable[..., AbstractContextManager[Any]]


def young(cast: Cast, name: str = "young", **attributes: Any) -> Study:
    """A study of this year: law asks to keep it."""
    given = {"PatientID": f"HVH-{name}", **attributes}
    actor = actor_of(cast.clinician)
    take_in(actor, *(small_ct_object(study=name, series=name, number=n, **given) for n in (1, 2)))
    return Study.objects.select_related("organisation", "subject").get(
        uid=uid_of("test", name), organisation_id=actor.organisation_id
    )


def of_patient(cast: Cast, study: Study) -> Study:
    """The patient's account may see it."""
    link_account(user=cast.patient, subject=study.subject)
    return study


def archived(cast: Cast, study: Study, committed: Committed) -> Study:
    with committed(execute=True):
        done = archive_studies(
            actor=actor_of(cast.officer), organisation_id=study.organisation_id,
            study_ids=[study.pk], why=Why.ACCOUNT,
        )  # fmt: skip
    assert done == 1
    study.refresh_from_db()
    return study
