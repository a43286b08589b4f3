"""De-identify the objects of a project, one step an object, so that any kill loses at most one.

What goes in is asked anew at the beginning: whoever has withdrawn consent is left out, and what
was made of their images before is deleted. Objects are taken in the order of their keyed hashes,
so that the order of the results tells nothing of the order of the originals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.services.trail import record, system_ref
from jobs.services import Run
from releases.models import Link, Output, Project, ProjectStudy
from releases.rules.states import Aside, State
from releases.sealing import link_context, output_context, pseudonym_context, source_context
from releases.selectors import exclusions_of, standing_of, token_of_source
from releases.services.discarding import discard
from releases.services.telling import tell_made
from studies.gateways.deidentifying_apart import Deidentified, DeidentifierApart
from studies.models import Instance
from studies.rules.deidentification.profile import profile_of
from studies.services.deidentifying_stored import deidentify_stored
from vault.rules.sealed_field import FieldSealer
from vault.services.blobs import seal_blob
from vault.services.data_keys import open_data_keys


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a project, opened for one run."""

    output: bytes
    link: bytes
    pseudonyms: bytes


def keys_of(project: Project) -> Keys:
    opened = open_data_keys(ids=[project.key_id, project.link_key_id])
    link = opened[project.link_key_id]
    pseudonyms = FieldSealer(link).open(
        bytes(project.sealed_pseudonym_key), pseudonym_context(project.pk)
    )
    return Keys(opened[project.key_id], link, pseudonyms)


def build_project(run: Run) -> None:
    """Make what is missing of a project; what is there already stays. Safe to repeat."""
    project = Project.objects.select_related("organisation").get(pk=UUID(run.payload["project"]))
    if project.state != State.BUILDING or project.build != run.payload["build"]:
        return
    keys = keys_of(project)
    studies = _check_studies(run, project)
    todo = _todo(project, keys, studies)
    with run.step(total=run.cursor.get("done", 0) + len(todo)):
        pass
    with DeidentifierApart(profile_of(project.options), keys.pseudonyms) as deidentifier:
        maker = Maker(project, keys, deidentifier)
        for number, source in enumerate(todo, start=run.cursor.get("done", 0) + 1):
            made = maker.make(source)
            with run.step(cursor={"done": number}, advance=1):
                maker.keep(source, made)
    with run.step(finish=True):
        _finish(project)


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One original: its row, its study's, and the hashes that stand for both."""

    instance_id: int
    row: ProjectStudy
    token: bytes
    study_token: bytes


def _check_studies(run: Run, project: Project) -> list[ProjectStudy]:
    """Ask which studies may go in, write it down, and let go of what was made of the others."""
    rows = list(project.studies.order_by("pk"))
    excluded = exclusions_of(project, rows)
    with run.step():
        for row in rows:
            row.exclusion = excluded.get(row.pk, "")
            row.checked_at = timezone.now()
        ProjectStudy.objects.bulk_update(rows, ["exclusion", "checked_at"], batch_size=500)
        discard(project, [row for row in rows if row.exclusion])
    return [row for row in rows if not row.exclusion]


def _todo(project: Project, keys: Keys, studies: list[ProjectStudy]) -> list[SourceObject]:
    """What is not made yet, in the order of the hashes of studies, then of objects."""
    done = {bytes(one) for one in project.outputs.values_list("source_token", flat=True) if one}
    found = [
        source
        for row in studies
        for source in _sources(project, keys, row)
        if source.token not in done
    ]
    return sorted(found, key=lambda one: (one.study_token, one.token))


def _sources(project: Project, keys: Keys, row: ProjectStudy) -> Iterator[SourceObject]:
    study_token = token_of_source(keys.link, row.study_uid)
    rows = Instance.objects.filter(
        organisation_id=project.organisation_id, study__uid=row.study_uid, held=False
    )
    for pk in rows.values_list("pk", flat=True).iterator(chunk_size=5000):
        yield SourceObject(pk, row, token_of_source(keys.link, pk), study_token)


class Maker:
    """Makes the objects of one project: reads, cleans and keeps them."""

    def __init__(self, project: Project, keys: Keys, deidentifier: DeidentifierApart) -> None:
        self._project, self._keys, self._deidentifier = project, keys, deidentifier
        self._linker = FieldSealer(keys.link)

    def make(self, source: SourceObject) -> Deidentified:
        """Clean one object; whatever is wrong with it puts it aside and stops nothing."""
        return deidentify_stored(
            source.instance_id, self._deidentifier, subject_id=source.row.subject_id
        )

    def keep(self, source: SourceObject, made: Deidentified) -> None:
        """Write down what came of an object, and seal its clean form; within a step."""
        output = Output(
            project=self._project,
            source_token=source.token,
            study_token=source.study_token,
            sealed_source=self._linker.seal(
                json.dumps(
                    {"instance": source.instance_id, "study": source.row.study_uid}
                ).encode(),
                source_context(self._project.pk),
            ),
            **values_of(made),
        )
        if made.content is not None:
            output.blob_name = seal_output(self._project, self._keys.output, made.content)
            self._link(made.patient, source.row.subject_id)
        output.save(force_insert=True)

    def _link(self, code: str, subject_id: UUID) -> None:
        if not Link.objects.filter(project=self._project, code=code).exists():
            sealed = self._linker.seal(
                str(subject_id).encode(), link_context(self._project.pk, code)
            )
            Link.objects.create(project=self._project, code=code, sealed_subject=sealed)


def values_of(made: Deidentified) -> dict[str, Any]:
    """The columns of what came of an object, but for where it came from and where it lies."""
    common: dict[str, Any] = {
        "counts": made.counts, "left": list(made.left), "fault": made.fault[:120],
        "doubts": list(made.doubts),
    }  # fmt: skip
    if made.content is None:
        return common | {"state": Aside.ASIDE}
    study_uid, series_uid, uid = made.uids
    return common | {
        "state": Aside.LOOK if made.pixels else Aside.CLEAN,
        "pixels": made.pixels,
        "facts": made.facts,
        "patient": made.patient,
        "study_uid": study_uid,
        "series_uid": series_uid,
        "uid": uid,
        "frames": _frames(made.facts),
        "size": len(made.content),
        "digest": sha256(made.content).hexdigest(),
    }


def _frames(facts: dict[str, Any]) -> int:
    text = str(facts.get("frames", ""))
    return min(int(text), 1_000_000) if text.isascii() and text.isdigit() else 0


def seal_output(project: Project, key: bytes, content: bytes) -> str:
    """Seal a clean object into the store; returns the name of the file."""
    with seal_blob(key=key, context=output_context(project.pk)) as writer:
        writer.write(content)
        return writer.commit().name


def _finish(project: Project) -> None:
    locked = Project.objects.select_for_update().get(pk=project.pk)
    locked.state = State.REVIEW
    locked.save(update_fields=["state"])
    standing = standing_of(locked)
    tell_made(locked, waiting=standing.waiting)
    record(
        action="release.built", actor=system_ref(), organisation_id=locked.organisation_id,
        purpose=locked.purpose, target=("release", str(locked.pk)),
        details={
            "build": locked.build, "clean": standing.releasable, "to_look_at": standing.waiting,
            "held_back": standing.held_back,
            "excluded": locked.studies.exclude(exclusion="").count(),
        },
    )  # fmt: skip
