"""Hand out what was released: a ZIP archive on the way, or a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from zipstream import ZIP_STORED, ZipStream

from accounts.rules import Actor
from accounts.services.trail import record
from audit.services import ActorRef
from releases.gateways.stow import StowServer
from releases.models import Output, Project
from releases.permissions import can_download
from releases.rules.states import State
from releases.selectors import in_batches, releasable_of
from releases.services.projects import ReleaseRefused, require_plan, write_event
from releases.services.releasing import withdrawn_since
from releases.services.reviewing import clean_bytes, clean_pieces

REPORT, NOTE = "REPORT.json", "REPORT.note"
# Of one request: as many objects, and about as many bytes, at the most.
_STORED_TOGETHER: Final = 50
_MOST_TOGETHER: Final = 64 << 20


class NoLongerReleased(Exception):
    """The project was ended, or opened again, while it was being sent."""


def require_released(project: Project) -> None:
    """Ask at the door whether a project may be handed out now. Raises `ReleaseRefused`."""
    if project.state != State.RELEASED:
        raise ReleaseRefused("This project is not released, or not any more.")
    require_plan(project)
    if withdrawn := withdrawn_since(project):
        raise ReleaseRefused(
            f"Of its studies, {withdrawn} may not be used any more. It has to be made anew without "
            "them, and released again, before it can be downloaded."
        )


class Archive:
    """The released objects as a ZIP archive with report and signature; its size is known before."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._archive = ZipStream(compress_type=ZIP_STORED, sized=True)
        self._archive.add(project.report.encode(), REPORT)
        self._archive.add(project.report_note.encode(), NOTE)
        self.objects = 0
        for batch in in_batches(releasable_of(project)):
            for output in batch:
                self.objects += 1
                self._archive.add(self._object(output), str(path_of(output)), size=output.size)
        self.size = len(self._archive)

    def pieces(self) -> Iterator[bytes]:
        yield from self._archive

    def _object(self, output: Output) -> Iterator[bytes]:
        """Open one object when its turn comes, if the project is still out by then."""
        if not Project.objects.filter(
            pk=self._project.pk, state=State.RELEASED, build=self._project.build
        ).exists():
            raise NoLongerReleased
        yield from clean_pieces(output, self._project)


def path_of(output: Output) -> PurePosixPath:
    return PurePosixPath(
        output.patient, output.study_uid, output.series_uid, f"{output.uid}-{output.pk}.dcm"
    )


def open_archive(*, actor: Actor, project: Project) -> Archive:
    """Let a recipient download, and write it down. Raises `ReleaseRefused`."""
    if not can_download(actor, project):
        raise ReleaseRefused("Only members of the organisation that receives it can download it.")
    require_released(project)
    archive = Archive(project)
    # In the trail of the organisation that lets it go, whoever takes it.
    write_event(
        actor, project, "release.downloaded",
        {"objects": archive.objects, "by_organisation": str(actor.organisation_id)},
    )  # fmt: skip
    return archive


def export_to(*, project: Project, folder: Path, actor: ActorRef) -> int:
    """Write a released project into an empty folder, each file whole; returns how many objects."""
    require_released(project)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ReleaseRefused(f"{folder} is not an empty folder. Give one that is, or a new name.")
    number = 0
    for batch in in_batches(releasable_of(project)):
        for output, content in zip(batch, clean_bytes(batch, project), strict=True):
            _write(folder / path_of(output), content)
            number += 1
    # Last, so that a folder with a report is a whole one.
    _write(folder / NOTE, project.report_note.encode())
    _write(folder / REPORT, project.report.encode())
    _write_event(project, actor, {"objects": number, "way": "folder"})
    return number


def store_at(*, project: Project, url: str, token: str, actor: ActorRef) -> int:
    """Store a released project in another DICOMweb server; returns how many objects.

    Safe to repeat: servers take the same object again as success. Raises `StowRefused`.
    """
    require_released(project)
    server, number = StowServer(url, token), 0
    for batch in in_batches(releasable_of(project), size=_STORED_TOGETHER):
        contents: list[bytes] = []
        for content in clean_bytes(batch, project):
            if contents and sum(map(len, contents)) + len(content) > _MOST_TOGETHER:
                server.store(contents)
                contents = []
            contents.append(content)
            number += 1
        server.store(contents)
    _write_event(project, actor, {"objects": number, "way": "stow", "host": urlsplit(url).netloc})
    return number


def _write_event(project: Project, actor: ActorRef, details: dict[str, object]) -> None:
    record(
        action="release.exported", actor=actor, organisation_id=project.organisation_id,
        purpose=project.purpose, target=("release", str(project.pk)), details=details,
    )  # fmt: skip


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
