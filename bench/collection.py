"""Collecting what is held about one person: `python -m bench.collection`, a part of `make bench`.

Among rows of other patients lies one with 200 studies of real objects. Measured are the list that
the officer sees, and the copy: its speed beside that of copying as many bytes on the same disk,
and how much memory it takes beyond what the process had. Over SQLite in a folder thrown away.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bench.filling import fill

if TYPE_CHECKING:
    from accounts.rules import Actor

AMONG, STUDIES, SLICES, SIDE = 100_000, 200, 4, 512
# The goals: seconds for the list, the share of the disk's own speed, megabytes of memory.
LIST_GOAL, SPEED_GOAL, MEMORY_GOAL = 2.0, 0.5, 64
ROUNDS = 5
OURS, OFFICER = "clinician@hospital.example", "officer@hospital.example"


def take_in_person(actor: Actor, studies: int) -> None:
    """File studies of one patient, by the intake itself."""
    import numpy as np

    from studies.services.intake import Intake
    from studies.services.uploads import open_upload
    from tests.factories import small_ct_object

    noise = np.random.default_rng(7).integers(0, 4096, SIDE * SIDE, dtype="<u2").tobytes()
    for study in range(studies):
        with Intake(actor=actor, upload=open_upload(actor=actor, source="command")) as intake:
            for slice_ in range(1, SLICES + 1):
                intake.take([
                    small_ct_object(
                        study=f"bench-{study}", number=slice_, size=SIDE, PixelData=noise,
                        PatientID="BENCH-1", PatientName="Collected^Person",
                        AccessionNumber=f"B-{study}",
                    )
                ])  # fmt: skip
            intake.commit()


def case_of(officer: Actor) -> Any:
    """A request of somebody who is known, about this one patient."""
    from accounts.models import Organisation
    from consent.models import DataSubject
    from consent.selectors import identities
    from dsar.models import RequestDraft
    from dsar.rules.kinds import Kind
    from dsar.rules.states import Proof
    from dsar.services.collecting import link_subjects
    from dsar.services.identifying import identify_person
    from dsar.services.intake import Asking, begin_request, confirm_request
    from studies.models import Study

    one = Study.objects.order_by("-pk").select_related("subject").first()
    assert one is not None
    subject = DataSubject.objects.get(pk=one.subject_id)
    assert identities([subject])[subject.pk].identifier == "BENCH-1"
    organisation = Organisation.objects.get(slug="hospital")
    draft = begin_request(
        asking=Asking(
            organisation, Kind.COPY, "", "Nobody", "nobody@post.example", "All of it, please."
        )
    )
    case = confirm_request(draft=RequestDraft.objects.get(pk=draft.pk))
    link_subjects(actor=officer, case=case, subject_ids=[subject.pk])
    identify_person(actor=officer, case=case, proof=Proof.KNOWN)
    return case


def time_list(case: Any) -> tuple[float, int]:
    """The median seconds of the list that an officer sees, and its lines."""
    from dsar.services.collecting import collect, whose_of
    from dsar.services.explaining import explained

    times, lines = [], 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        whose = whose_of(case)
        lines = len(explained(collect(whose), whose))
        times.append(time.perf_counter() - began)
    return statistics.median(times), lines


def time_copy(officer: Actor, case: Any) -> tuple[float, float, int, float]:
    """Seconds of making the copy, those of the processor, its bytes, and the megabytes of memory
    that it added."""
    from dsar.services.packaging import prepare_package
    from jobs.services import run_job

    package, _ = prepare_package(actor=officer, case=case)
    before = memory_from_here()
    began, worked = time.perf_counter(), time.process_time()
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    package.refresh_from_db()
    if package.state != package.State.READY:
        raise SystemExit(f"The copy was not made: {package.state}.")
    return seconds, worked, package.size, megabytes("VmHWM") - before


def memory_from_here() -> float:
    """Forget the peak of before (proc_pid_clear_refs(5)); give what is held now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return megabytes("VmRSS")


def megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (found,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(found.split()[1]) / 1024


def copy_on_disk(folder: Path, size: int) -> float:
    """The median seconds of copying as many bytes. The first copy of a process takes four times as
    long as those after it, so that a single one says little."""
    return statistics.median(_copy_once(folder, size) for _ in range(ROUNDS))


def _copy_once(folder: Path, size: int) -> float:
    """Seconds of copying, read and written a piece at a time, made durable."""
    source, target = folder / "source", folder / "target"
    piece = os.urandom(1 << 20)
    with source.open("wb") as out:
        for _ in range(size >> 20):
            out.write(piece)
        os.fsync(out.fileno())
    began = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as out:
        while block := read.read(1 << 20):
            out.write(block)
        os.fsync(out.fileno())
    seconds = time.perf_counter() - began
    source.unlink()
    target.unlink()
    return seconds


@contextmanager
def nothing_drawn() -> Iterator[None]:
    """Leave out pages and pictures, which no copying of a disk draws."""
    with patch("studies.holdings.files_to_look_at", lambda *_, **__: iter(())):
        yield


@contextmanager
def for_rights() -> Iterator[None]:
    from policies.rules.categories import Category
    from policies.rules.gate import using
    from policies.rules.purposes import Purpose

    with using(Purpose.RIGHTS, *Category):
        yield


def run(folder: Path, *, among: int, studies: int) -> None:
    from accounts.selectors import actor_of_user
    from accounts.services.demo import seed_cast

    people = seed_cast()
    with for_rights():
        ours, officer = (actor_of_user(people[email]) for email in (OURS, OFFICER))
        fill(ours, 0, among)
        take_in_person(ours, studies)
        case = case_of(officer)
        seconds, lines = time_list(case)
        print(f"collection of {studies} studies among {among:,}: {lines} lines", end="")
        print(f" in {seconds * 1000:.0f} ms (goal: at most {LIST_GOAL:g} s)")
        copies = {"with pictures to look at": time_copy(officer, case)}
        with nothing_drawn():
            copies["of the same without pictures"] = time_copy(officer, case)
    for which, (made, worked, size, memory) in copies.items():
        copied = copy_on_disk(folder, size)
        speed, disk = size / made / 1e6, size / copied / 1e6
        print(f"copy {which}, {size / 1e6:.0f} MB: {made:.1f} s ({worked:.1f} s of", end="")
        print(f" the processor), {speed:.0f} MB/s; the disk copies {disk:.0f} MB/s,", end="")
        print(f" so {speed / disk:.2f} (goal: at least {SPEED_GOAL})")
        print(f"  memory beyond what was there: {memory:.0f} MB (goal: at most {MEMORY_GOAL})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--among", type=int, default=AMONG)
    parser.add_argument("--studies", type=int, default=STUDIES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="collimate-collection-") as folder:
        os.environ["STATE_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "STORAGE_URL"):
            os.environ.pop(name, None)
        import django
        from django.core.management import call_command

        django.setup()
        for name in ("default", "keys"):
            call_command("migrate", database=name, interactive=False, verbosity=0)
        run(Path(folder), among=options.among, studies=options.studies)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
