"""A process of its own in which disposals meet full disks, broken stores, kills and power cuts.

Run as `python -m tests.stack.disposal_trials MODE`, with the settings' environment. It prints one
line of JSON. Whatever was met, each study has to end wholly there or wholly gone, the certificate
has to say what is so, and no key of a held study may be destroyed.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.stack import disposal_host as disposal
from tests.stack.crash_host import Steps

import structlog  # isort: skip
from botocore.exceptions import ClientError, EndpointConnectionError  # isort: skip
from django.db import OperationalError, connections  # isort: skip

from config.celery import app
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from retention.models import DisposalItem, DisposalRun, Hold
from retention.rules.disposal import FINAL, Step
from retention.services.refusals import RetentionRefused
from studies.models import Study
from tests.stack.disposal_host import (
    Before,
    dispose,
    goes_on,
    hold,
    let_lease_run_out,
    one,
    taken_in,
    verdict,
)
from vault.models import DataKey
from vault.services.blobs import is_stored


# Errors at a step ---------------------------------------------------------------------------------
class Fault(Steps):
    """One error at one step: a full disk, a broken one, or an answer that is lost on its way."""

    def __init__(self, at: int, kind: str) -> None:
        super().__init__(at)
        self.kind, self.where = kind, ""

    def strike(self, where: str, act: Callable[[], Any], connection: Any) -> Any:
        self.where = where
        if self.kind == "lost":
            # It was done; only the answer does not come.
            act()
        if connection is not None:
            return self._of_database(connection)
        if where[0].isupper():
            raise self._of_object_store(where)
        number = errno.ENOSPC if self.kind == "full" else errno.EIO
        raise OSError(number, os.strerror(number))

    def _of_database(self, connection: Any) -> None:
        if connection.vendor == "postgresql":
            # A real error of the server, after which it takes nothing more in this transaction.
            code = "53100" if self.kind == "full" else "58030"
            with connection.wrap_database_errors, connection.connection.cursor() as cursor:
                cursor.execute(
                    f"DO $$ BEGIN RAISE EXCEPTION 'disk' USING ERRCODE = '{code}'; END $$"
                )
        if self.kind == "full":
            # SQLite rolls back by itself then (SQLITE_FULL).
            connection.connection.rollback()
            raise OperationalError("database or disk is full")
        raise OperationalError("disk I/O error")

    def _of_object_store(self, operation: str) -> Exception:
        if self.kind == "full":
            return ClientError({"Error": {"Code": "XMinioStorageFull"}}, operation)
        return EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def kinds_at(where: str) -> tuple[str, ...]:
    """What can go wrong there. A statement whose answer is lost is rolled back as a failed one."""
    if where == "committed":
        return ()
    return ("full", "broken") if where == "statement" else ("full", "broken", "lost")


def fail_everywhere() -> dict[str, Any]:
    """Let each step of a disposal fail once in each way; the first study of half of them is held
    before the job goes on."""
    first = int(os.environ.get("FIRST", "0"))
    status, heard, problems, _ = one(first, Steps(-1), with_hold=False)
    if status:
        problems.append("the undisturbed disposal failed")
    faults = [
        (at, kind) for at, where in enumerate(heard.get("names", ())) for kind in kinds_at(where)
    ]  # fmt: skip
    met: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    # A sample takes every so many, or a part of all that others complete.
    part = slice(int(os.environ.get("OFFSET", "0")), None, int(os.environ.get("STRIDE", "1")))
    for number, (at, kind) in enumerate(faults[part], start=first + 1):
        status, heard, found, stays = one(number, Fault(at, kind), with_hold=bool(number % 2))
        met[kind] += 1
        outcomes["kept"] += stays
        outcomes[heard.get("outcome", f"status {status}")] += 1
        problems += [f"{kind} at step {at}: {what}" for what in found]
    return {
        "faults": len(faults), "met": dict(met), "outcomes": dict(outcomes), "problems": problems,
    }  # fmt: skip


# Kills at any moment ------------------------------------------------------------------------------
STUDIES = 6


def kill_at_random() -> dict[str, Any]:
    """Kill disposals of several studies at random moments, hold some at others, until all end."""
    wanted, seed = int(os.environ["KILLS"]), int(os.environ["SEED"])
    first = int(os.environ.get("FIRST", "0"))
    chance, told = random.Random(seed), Counter[str]()
    problems: list[str] = []
    # How long one takes undisturbed says when a kill can come.
    problems += _several(first, chance, told, lasts=0.0)
    lasts = told.pop("milliseconds") / 1000
    number = first + 1
    while told["kills"] < wanted:
        found = _several(number, chance, told, lasts=1.1 * lasts)
        problems += [f"seed {seed}, run {number}: {what}" for what in found]
        number += 1
    return {"runs": number - first, "lasts": round(lasts, 2), **told, "problems": problems}


def _several(number: int, chance: random.Random, told: Counter[str], *, lasts: float) -> list[str]:
    """One run, killed and started again until it ends."""
    studies = [taken_in(STUDIES * number + n) for n in range(STUDIES)]
    run = disposal.approved_run(STUDIES)
    holds: dict[int, Hold] = {}
    while lasts:
        child = _started(lambda: dispose(run, Steps(-1)))
        ends = time.monotonic() + chance.random() * lasts
        # A busy machine gets there as well.
        lasts *= 1.1
        if chance.random() < 0.5:
            # Early rather than late: what has lost its key cannot be held any more.
            time.sleep(chance.random() ** 3 * max(0.0, ends - time.monotonic()))
            _hold_one(chance.choice(studies), holds)
        time.sleep(max(0.0, ends - time.monotonic()))
        if not _killed(child):
            break
        told["kills"] += 1
        let_lease_run_out(run)
    # However it ended, the sweep comes by once more.
    began = time.monotonic()
    goes_on(run)
    if not lasts:
        told["milliseconds"] = round(1000 * (time.monotonic() - began))
    return _judged(studies, run, holds, told)


def _judged(
    studies: list[Before], run: DisposalRun, holds: dict[int, Hold], told: Counter[str]
) -> list[str]:
    problems = []
    for before in studies:
        placed = holds.get(before.study.pk)
        problems += verdict(before, run, placed)
        is_kept = before.item_of(run).step == Step.KEPT
        told["kept" if is_kept else "gone"] += 1
        told["gone, held later"] += placed is not None and not is_kept
        if is_kept:
            before.clear_away()
    # So that the next runs do not ask for all of them.
    Hold.objects.all().delete()
    return problems


def _started(act: Callable[[], Any]) -> int:
    connections.close_all()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return child


def _killed(child: int) -> bool:
    """Was it still at work?"""
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _hold_one(before: Before, holds: dict[int, Hold]) -> None:
    if before.study.pk in holds:
        return
    try:
        holds[before.study.pk] = hold(before.study)
    except RetentionRefused:
        # It is gone already.
        assert not Study.objects.filter(pk=before.study.pk).exists()


# Power cuts ---------------------------------------------------------------------------------------
def dispose_until_the_cut() -> dict[str, Any]:
    """Take in studies, approve, tell so, and dispose until the disk is gone."""
    number = int(os.environ["FIRST"])
    studies = [taken_in(number + n) for n in range(STUDIES)]
    run = disposal.approved_run(STUDIES)
    connections.close_all()
    # All of this is on the disk before the power goes.
    os.sync()
    told = {
        "run": str(run.pk),
        "studies": [one.told(number + n) for n, one in enumerate(studies)],
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    dispose(run, Steps(-1))
    return {"ended": True}


def look_after_the_cut() -> dict[str, Any]:
    """Say what is there, hold one study, let the run go on, and judge it."""
    told = json.loads(sys.stdin.read())
    run = DisposalRun.objects.get(pk=told["run"])
    items = list(run.items.all())
    problems = [what for item in items for what in _ahead_of_itself(item)]
    stood = Counter(item.step for item in items)
    chance, holds = random.Random(told["run"]), dict[int, Hold]()
    studies = [Before.again(one) for one in told["studies"]]
    there = [one for one in studies if Study.objects.filter(pk=one.study.pk).exists()]
    if there:
        _hold_one(chance.choice(there), holds)
    goes_on(run)
    tally: Counter[str] = Counter()
    problems += _judged(studies, run, holds, tally)
    return {"stood": dict(stood), **tally, "problems": problems}


def _ahead_of_itself(item: DisposalItem) -> list[str]:
    """What a row says is done has to be done: of keys first, for they are another database's."""
    found = []
    living = DataKey.objects.filter(pk__in=item.key_ids, destroyed_at=None).exists()
    if item.step in FINAL and living:
        found.append(f"its step is {item.step}, and a key is there")
    without_files = FINAL - {Step.KEY_DESTROYED}
    if item.step in without_files and any(is_stored(name=name) for name in item.blob_names):
        found.append(f"its step is {item.step}, and a file is there")
    return found


MODES = {
    "fail": fail_everywhere,
    "kill": kill_at_random,
    "dispose": dispose_until_the_cut,
    "look": look_after_the_cut,
}

if __name__ == "__main__":
    app.send_task = lambda *_, **__: None  # type: ignore[method-assign] # nobody listens here
    # Each fault is logged with all that stood around it: here it was made on purpose.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with using(Purpose.LEGAL_OBLIGATION, *CARE_DATA, Category.REQUESTS):
        sys.stdout.write(json.dumps(MODES[sys.argv[1]]()) + "\n")
