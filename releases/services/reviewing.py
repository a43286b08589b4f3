"""People compare what was blacked with what was there, and say whether it may go out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.rules import Actor
from accounts.services.trail import record
from consent.rules.decision import Action
from consent.services.decisions import decide
from releases.models import Output, Project
from releases.permissions import can_look
from releases.rules.states import Act, Aside
from releases.sealing import output_context, source_context
from releases.services.projects import ReleaseRefused, lock_project, write_event
from releases.services.telling import tell_ready
from studies.gateways.decoder import CannotRender, render_frame
from studies.models import Instance, Study
from studies.rules.rendering import Picture
from studies.selectors import resource_of
from studies.services.rendering import draw_frame
from vault.rules.sealed_field import FieldSealer
from vault.services.blobs import open_blob
from vault.services.data_keys import open_data_key, open_data_keys

_LARGEST_SHOWN: Final = 64 << 20


@transaction.atomic
def judge(*, actor: Actor, project: Project, output_ids: Sequence[int], good: bool) -> int:
    """Say of objects that were compared that they may go out, or that they are kept back."""
    locked = lock_project(project, Act.LOOK)
    if not can_look(actor, locked):
        raise ReleaseRefused("Only somebody who may see the originals can compare.")
    rows = locked.outputs.filter(
        pk__in=output_ids, state__in=[Aside.LOOK, Aside.SEEN, Aside.REFUSED]
    )
    state = Aside.SEEN if good else Aside.REFUSED
    changed = rows.update(state=state, reviewed_by_id=actor.user_id, reviewed_at=timezone.now())
    if changed:
        write_event(actor, locked, "release.judged", {"objects": changed, "good": good})
        if not locked.outputs.filter(state=Aside.LOOK).exists():
            tell_ready(locked)
    return changed


# Before and after --------------------------------------------------------------------------------
def originals(*, actor: Actor, project: Project, outputs: Sequence[Output]) -> dict[int, Instance]:
    """The objects that these were made of, as far as they are here and the actor may see them."""
    if not can_look(actor, project):
        return {}
    rows = [one for one in outputs if one.sealed_source]
    sealer, context = _linker(project), source_context(project.pk)
    sources = {one.pk: json.loads(sealer.open(bytes(one.sealed_source), context)) for one in rows}
    here = Instance.objects.select_related("study", "series", "blob").in_bulk(
        [one["instance"] for one in sources.values()]
    )
    found = {pk: here.get(source["instance"]) for pk, source in sources.items()}
    # Asked once a study: of one's own organisation's a permit covers all of it.
    studies = {one.study_id: one.study for one in found.values() if one is not None}
    seen = {pk for pk, study in studies.items() if _may_view(actor, project, study)}
    return {pk: one for pk, one in found.items() if one is not None and one.study_id in seen}


def _linker(project: Project) -> FieldSealer:
    return FieldSealer(open_data_key(id=project.link_key_id))


def _may_view(actor: Actor, project: Project, study: Study) -> bool:
    is_own = study.organisation_id == project.organisation_id == actor.organisation_id
    resource = resource_of(study)
    # What went to the legal archive or was rejected since is looked at by nobody any more.
    is_own = is_own and not study.is_hidden
    return is_own and decide(actor=actor, action=Action.VIEW, resource=resource).is_permit


def note_look(*, actor: Actor, project: Project, instances: Iterable[Instance]) -> None:
    """Write down whose originals were looked at: one event a study."""
    for study in {one.study_id: one.study for one in instances}.values():
        record(
            action="release.image_seen", actor=actor, subject_id=study.subject_id,
            target=("study", study.uid), details={"project": str(project.pk)},
        )  # fmt: skip


def original_picture(
    actor: Actor, project: Project, output: Output, *, frame: int, width: int
) -> bytes | None:
    """A frame as it was; None where it is not here, or not for the actor's eyes."""
    one = originals(actor=actor, project=project, outputs=[output]).get(output.pk)
    if one is None:
        return None
    return draw_frame(one, frame=frame, picture=Picture(width=width, height=width))


def clean_picture(project: Project, output: Output, *, frame: int, width: int) -> bytes | None:
    """A frame as it is now; None where nothing was made. Raises `CannotRender`."""
    if not output.blob_name:
        return None
    # It is read whole, and a web server has other guests.
    if output.size > _LARGEST_SHOWN:
        raise CannotRender("size")
    content = next(clean_bytes([output], project))
    return render_frame(content, frame=frame, width=width, height=width)


def clean_pieces(output: Output, project: Project) -> Iterator[bytes]:
    """Open one clean object piece by piece, for it may be large."""
    key = open_data_key(id=project.key_id)
    with open_blob(output.blob_name, key=key, context=output_context(project.pk)) as opened:
        for piece in opened.stream():
            yield bytes(piece)


def clean_bytes(outputs: Sequence[Output], project: Project) -> Iterator[bytes]:
    """Open clean objects one after the other; each is read whole, for it is sent as a whole."""
    key = open_data_keys(ids=[project.key_id])[project.key_id]
    for output in outputs:
        context = output_context(project.pk)
        with open_blob(output.blob_name, key=key, context=context) as opened:
            yield opened.read()
