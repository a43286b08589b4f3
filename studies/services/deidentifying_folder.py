"""De-identify a folder into another: parallel, each file in a process with limits, nothing half.

Needs no database. What is put aside is never written; what is released appears whole or not at
all, under names of its new identifiers, for the names of files tell of people too.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from studies.gateways.deidentifying_limits import (
    LARGEST,
    deidentified_in_time,
    limit_process,
    seconds_of,
)
from studies.rules.deidentification.assess import DOUBT_WORDS, Doubt
from studies.rules.deidentification.profile import Profile
from studies.rules.deidentification.table import edition

_BATCH: Final = 256


class FolderRefused(ValueError):
    """One sentence that says which folder is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one file. `source` is below IN, `target` below OUT; empty: put aside."""

    source: str
    target: str = ""
    doubts: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    # Of a broken one: kind and place, by which a fault of ours is told from one of the file.
    fault: str = ""
    # Frames that were touched, boxes in each, share of a frame that is black.
    pixels: dict[str, Any] | None = None


@dataclass
class Run:
    """What came of a folder."""

    profile: Profile
    lines: list[Line] = field(default_factory=list)

    @property
    def released(self) -> list[Line]:
        return [line for line in self.lines if line.target]

    @property
    def put_aside(self) -> list[Line]:
        return [line for line in self.lines if not line.target]

    def report(self) -> dict[str, Any]:
        """The report as JSON values. It names the files of IN, so it is as secret as they are."""
        return {
            "profile": "basic",
            "options": sorted(self.profile.options),
            "table": f"DICOM PS3.15 Table E.1-1, edition {edition()}",
            "methods": [code for code, _ in self.profile.methods],
            "released": len(self.released),
            "quarantined": len(self.put_aside),
            "files": [asdict(line) for line in sorted(self.lines, key=lambda one: one.source)],
        }

    def words(self) -> Iterator[str]:
        """The report as people read it."""
        yield f"Released: {len(self.released)} of {len(self.lines)} files."
        cleaned = [line.pixels for line in self.released if line.pixels]
        if cleaned:
            frames = sum(one["frames"] for one in cleaned)
            share = sum(one["blacked_share"] * one["frames"] for one in cleaned) / frames
            yield (
                f"Text was blacked in the pixels of {len(cleaned)} files: {frames} frames, "
                f"{share:.1%} of their area."
            )
        by_doubt: dict[str, list[str]] = {}
        for line in self.put_aside:
            for doubt in line.doubts:
                by_doubt.setdefault(doubt, []).append(line.source)
        for doubt, sources in sorted(by_doubt.items(), key=lambda one: -len(one[1])):
            yield f"\nPut aside, {len(sources)}: {DOUBT_WORDS[Doubt(doubt)]}"
            yield from (f"  {source}" for source in sorted(sources))


def deidentify_folder(
    *, source: Path, target: Path, profile: Profile, key: bytes, jobs: int
) -> Run:
    """De-identify every file of `source` into `target`. Raises `FolderRefused`."""
    _check(source, target)
    target.mkdir(parents=True, exist_ok=True)
    files = (
        [source]
        if source.is_file()
        else sorted(one for one in source.rglob("*") if one.is_file() and not one.is_symlink())
    )
    root = source.parent if source.is_file() else source
    run = Run(profile)
    for place in range(0, len(files), _BATCH):
        run.lines += _taken(files[place : place + _BATCH], root, target, profile, key, jobs)
    return run


def _check(source: Path, target: Path) -> None:
    if not source.exists():
        raise FolderRefused(f"There is no {source}.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FolderRefused(f"{target} is not an empty folder. Give one that is, or a new name.")
    inner, outer = target.resolve(), source.resolve()
    if inner == outer or outer in inner.parents:
        raise FolderRefused("The result must not lie in the folder that it is made from.")


def _taken(
    files: list[Path], root: Path, target: Path, profile: Profile, key: bytes, jobs: int
) -> list[Line]:
    """Take some files at once; those during which a process died, once more and alone."""
    lines, again = [], []
    with _pool(profile, key, jobs) as pool:
        waiting = {pool.submit(_one, path, root, target): path for path in files}
        for done in as_completed(waiting):
            line = _line(done)
            if line is None:
                again.append(waiting[done])
            else:
                lines.append(line)
    for path in again:
        with _pool(profile, key, 1) as pool:
            line = _line(pool.submit(_one, path, root, target))
        lines.append(line or Line(str(path.relative_to(root)), doubts=(Doubt.TOO_LARGE.value,)))
    return lines


def _line(done: Future[Line]) -> Line | None:
    try:
        return done.result()
    except BrokenProcessPool:
        return None


def _pool(profile: Profile, key: bytes, jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, initializer=_begin, initargs=(profile, key))


# In the child -----------------------------------------------------------------------------------
_deidentifier: Any = None
_seconds = 0


def _begin(profile: Profile, key: bytes) -> None:
    """Prepare a child: limits first, then what reads strangers' bytes."""
    global _deidentifier, _seconds
    limit_process()
    from studies.gateways.deidentifying import Deidentifier
    from studies.rules.deidentification.keyed import Keyed

    _seconds, _deidentifier = seconds_of(profile), Deidentifier(profile, Keyed(key))


def _one(path: Path, root: Path, target: Path) -> Line:
    source = str(path.relative_to(root))
    if path.stat().st_size > LARGEST:
        return Line(source, doubts=(Doubt.TOO_LARGE.value,))
    outcome = deidentified_in_time(_deidentifier, path.read_bytes, seconds=_seconds)
    if outcome.content is None:
        doubts = tuple(one.value for one in outcome.doubts)
        return Line(
            source, doubts=doubts, counts=outcome.counts, left=outcome.left, fault=outcome.fault
        )
    name = Path(outcome.patient, *outcome.uids[:2], f"{outcome.uids[2]}.dcm")
    found = _appears(target / name, outcome.content).relative_to(target)
    pixels = asdict(outcome.pixels) if outcome.pixels else None
    return Line(source, str(found), counts=outcome.counts, pixels=pixels)


def _appears(path: Path, content: bytes) -> Path:
    """Let a file appear whole, and say under which name.

    Where another file has its identifier, as two encodings of one object do, it gets a number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        for number in count(1):
            wanted = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            try:
                # Fails if it is there, where a rename would replace it.
                os.link(name, wanted)
            except FileExistsError:
                if wanted.read_bytes() != content:
                    continue
            return wanted
    finally:
        Path(name).unlink(missing_ok=True)
    raise AssertionError("there is always another number")
