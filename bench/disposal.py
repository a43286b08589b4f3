"""Disposing of studies beside Orthanc's DELETE: `python -m bench.disposal`, a part of `make bench`.

The same objects go into both on the same disk. Ours: by the intake, planned, approved by two, and
carried out by the job as a worker runs it, while a clinician asks for the worklist ten times a
second. Orthanc: one DELETE for each study, which neither asks for holds nor reads anything back nor
certifies. On SQLite and files, each of both durable as they come; with `--stack` on PostgreSQL,
whose writes that stack does not make durable, and files.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.objects import build

STUDIES, OBJECTS, YOUNG = 10_000, 10, 300
SIDE = 64
PIXELS = bytes(range(256)) * (SIDE * SIDE * 2 // 256)
EMAIL = "clinician@hospital.example"


def objects_of(study: int, *, date: str = "20100105") -> list[bytes]:
    """One study of small slices (9 kB each)."""
    return [
        build(
            study=study, series=0, instance=n, date=date, rows=SIDE, columns=SIDE, pixels=PIXELS
        ).data
        for n in range(OBJECTS)
    ]  # fmt: skip


# Ours, each part in a process of its own ----------------------------------------------------------
def fill(studies: int) -> dict[str, Any]:
    from accounts.selectors import actor_of_user
    from accounts.services.demo import seed_cast
    from retention.services.approving import approve_run
    from retention.services.planning import plan_disposal

    people = seed_cast()
    actor = actor_of_user(people[EMAIL])
    began = time.monotonic()
    for study in range(studies):
        _take_in(actor, objects_of(study))
    for study in range(YOUNG):
        _take_in(actor, objects_of(studies + study, date="20260105"))
    filled = time.monotonic() - began
    began = time.monotonic()
    run = plan_disposal(organisation=people[EMAIL].memberships.get().organisation)
    assert run is not None
    assert run.due == studies
    planned = time.monotonic() - began
    for email in ("officer@hospital.example", "admin@hospital.example"):
        from django.utils import timezone

        officer = replace(actor_of_user(people[email]), stepped_up_at=timezone.now(), factor="totp")
        approve_run(actor=officer, run=run)
    return {"filled": filled, "planned": planned, "objects": run.objects_due}


def _take_in(actor: Any, objects: list[bytes]) -> None:
    from studies.services.intake import Intake
    from studies.services.uploads import open_upload

    with Intake(actor=actor, upload=open_upload(actor=actor, source="command")) as intake:
        for one in objects:
            intake.take([one])
        intake.commit()


def dispose(_: int) -> dict[str, Any]:
    from django.db.models import Max

    from jobs.services import run_job
    from retention.models import DisposalRun
    from retention.rules.disposal import Step

    run = DisposalRun.objects.get()
    before, used = _memory(), time.process_time()
    outcome = run_job(job_id=run.job_id)
    run.refresh_from_db()
    assert run.begun_at is not None
    assert run.ended_at is not None, outcome
    last = run.items.aggregate(Max("key_destroyed_at"))["key_destroyed_at__max"]
    return {
        "unreadable": (last - run.begun_at).total_seconds(),
        "gone": (run.ended_at - run.begun_at).total_seconds(),
        "studies": run.items.filter(step=Step.GONE).count(),
        "processor": time.process_time() - used, "before_mb": before, "peak_mb": _memory(),
    }  # fmt: skip


def listen(_: int) -> dict[str, Any]:
    """Ask for the worklist ten times a second until the other end of stdin is closed."""
    import select

    from accounts.models import User
    from accounts.selectors import actor_of_user
    from studies.services.listing import worklist

    actor = actor_of_user(User.objects.with_email(EMAIL).get())
    worklist(actor=actor, wanted={}, page="1")
    print("ready", flush=True)
    times = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        began = time.perf_counter()
        worklist(actor=actor, wanted={}, page="1")
        times.append(time.perf_counter() - began)
        time.sleep(max(0.0, 0.1 - times[-1]))
    ordered = sorted(times)
    return {
        "asked": len(ordered),
        "median": 1000 * ordered[len(ordered) // 2],
        "p99": 1000 * ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))],
        "longest": 1000 * ordered[-1],
    }  # fmt: skip


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = {"fill": fill, "dispose": dispose, "listen": listen}


def part(name: str, studies: int, *, profiled: bool) -> None:
    """What a child process does: a line of JSON is its answer."""
    import logging

    import django

    django.setup()
    logging.disable(logging.INFO)
    from config.celery import app
    from policies.rules.categories import CARE_DATA
    from policies.rules.gate import using
    from policies.rules.purposes import Purpose

    app.send_task = lambda *_, **__: None  # nobody listens here
    purpose = Purpose.TREATMENT if name == "listen" else Purpose.LEGAL_OBLIGATION
    with using(purpose, *CARE_DATA):
        if profiled:
            import cProfile
            import pstats

            profiler = cProfile.Profile()
            answer = profiler.runcall(PARTS[name], studies)
            with Path(f"/tmp/{name}.profile").open("w") as file:
                for order in ("cumulative", "tottime"):
                    pstats.Stats(profiler, stream=file).sort_stats(order).print_stats(70)
        else:
            answer = PARTS[name](studies)
    print(json.dumps(answer), flush=True)


def child(name: str, studies: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.disposal", "--part", name, "--studies", str(studies)]
    return subprocess.Popen(
        [*command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    told, _ = process.communicate("over\n")
    assert process.returncode == 0, told
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def ours(studies: int, *, profiled: bool) -> dict[str, Any]:
    migrate = [sys.executable, "manage.py", "migrate", "-v0"]
    for database in ("default", "keys"):
        subprocess.run([*migrate, "--database", database], check=True)
    filled = answer_of(child("fill", studies))
    print(
        f"ours: {studies:,} studies, {filled['objects']:,} objects taken in in "
        f"{filled['filled']:.0f} s, planned in {filled['planned']:.1f} s",
        flush=True,
    )
    alone = _listening()
    time.sleep(20)
    before = answer_of(alone)
    beside = _listening()
    disposing = child("dispose", studies, *(["--profile"] if profiled else []))
    found = answer_of(disposing)
    return found | {"worklist_before": before, "worklist_during": answer_of(beside)}


def _listening() -> subprocess.Popen[str]:
    process = child("listen", 0)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


# Orthanc ------------------------------------------------------------------------------------------
def theirs(studies: int, folder: Path) -> dict[str, Any]:
    from bench.dicomweb import start_orthanc

    process, server = start_orthanc(folder)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def ask(method: str, path: str, body: bytes | None = None) -> bytes:
        connection.request(method, path, body)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (method, path, answer.status)
        return content

    try:
        began = time.monotonic()
        for study in range(studies):
            for one in objects_of(study):
                ask("POST", "/instances", one)
        filled = time.monotonic() - began
        names = json.loads(ask("GET", "/studies"))
        assert len(names) == studies
        began = time.monotonic()
        for name in names:
            ask("DELETE", f"/studies/{name}")
        gone = time.monotonic() - began
        assert json.loads(ask("GET", "/statistics"))["CountInstances"] == 0
        return {"filled": filled, "gone": gone, "peak_mb": _peak_of(process.pid)}
    finally:
        process.terminate()
        process.wait()


def _peak_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(one for one in lines if one.startswith("VmHWM:")).split()[1]) / 1024


# Side by side -------------------------------------------------------------------------------------
def of_ours(studies: int, us: dict[str, Any]) -> Iterator[str]:
    yield f"{studies:,} studies, {studies * OBJECTS:,} objects"
    for what in ("unreadable", "gone"):
        yield f"  {what} after {us[what]:.1f} s: {studies / us[what]:.1f} studies/s"
    yield f"  of that, {us['processor']:.1f} s of processor"
    yield f"  memory at its peak {us['peak_mb']:.0f} MB, {us['before_mb']:.0f} MB before"
    for when in ("before", "during"):
        seen = us[f"worklist_{when}"]
        yield (
            f"  worklist {when}: median {seen['median']:.1f} ms, p99 {seen['p99']:.1f} ms, longest "
            f"{seen['longest']:.1f} ms, asked {seen['asked']} times"
        )


def of_both(studies: int, us: dict[str, Any], them: dict[str, Any]) -> Iterator[str]:
    yield (
        f"  Orthanc: gone after {them['gone']:.1f} s: {studies / them['gone']:.1f} studies/s; "
        f"memory {them['peak_mb']:.0f} MB"
    )
    yield (
        f"  studies per second, ours to theirs: unreadable {them['gone'] / us['unreadable']:.1f}, "
        f"wholly gone {them['gone'] / us['gone']:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--stack", action="store_true", help="on PostgreSQL and files")
    parser.add_argument("--alone", action="store_true", help="without Orthanc")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if options.part:
        part(options.part, options.studies, profiled=options.profile)
        return
    for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "STORAGE_URL"):
        os.environ.pop(name, None)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"Load of the machine {load} on {os.cpu_count()} cores", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="collimate-disposal-") as name,
        ExitStack() as kept,
    ):
        folder = Path(name)
        os.environ["STATE_DIR"] = str(folder / "state")
        if options.stack:
            from bench.planning import create_databases
            from config.stack import stack

            os.environ |= kept.enter_context(stack())
            create_databases()
            del os.environ["STORAGE_URL"]
        us = ours(options.studies, profiled=options.profile)
        for line in of_ours(options.studies, us):
            print(line, flush=True)
        if options.alone:
            return
        (folder / "orthanc").mkdir()
        for line in of_both(options.studies, us, theirs(options.studies, folder / "orthanc")):
            print(line, flush=True)


if __name__ == "__main__":
    main()
