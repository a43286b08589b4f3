"""A process of its own that uploads, is killed at every step, and looks at what is left.

Run as `python -m tests.stack.crash_host MODE`, with the settings' environment. It prints one line
of JSON. Its children die by SIGKILL: no handler runs, nothing is cleared away.

Steps are: every call of the file store to the system or of the object store to its server, every
statement to either database, and before and after each commit of either.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from botocore.client import BaseClient

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django first
from django.db import DatabaseError, connections  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.selectors import actor_of_user  # noqa: E402
from accounts.services.demo import seed_cast  # noqa: E402
from config.celery import app  # noqa: E402
from policies.rules.categories import CARE_DATA  # noqa: E402
from policies.rules.gate import using  # noqa: E402
from policies.rules.purposes import Purpose  # noqa: E402
from studies.gateways.objects import ObjectReader  # noqa: E402
from studies.models import Blob, Instance, Study  # noqa: E402
from studies.services.faults import is_database_full  # noqa: E402
from studies.services.intake import Intake  # noqa: E402
from studies.services.sweeping import sweep_store  # noqa: E402
from studies.services.uploads import open_upload  # noqa: E402
from tests.studies.objects import an_object, of_size, uid  # noqa: E402
from tests.vault.store_faults import FaultyOs  # noqa: E402
from vault.gateways import file_store  # noqa: E402
from vault.models import DataKey  # noqa: E402
from vault.rules.errors import StorageFull  # noqa: E402
from vault.services.blobs import stored_names  # noqa: E402

ALIASES = ("default", "keys")


# Uploading ---------------------------------------------------------------------------------------
def objects_of(number: int) -> dict[str, bytes]:
    """Two studies of one submission: three small objects and one that is streamed."""
    one, two = str(2 * number + 1), str(2 * number + 2)
    found = {
        uid(f"{one}.1.{n}"): an_object(study=one, number=n, patient=f"P-{one}") for n in (1, 2, 3)
    }
    found[uid(f"{two}.1.1")] = b"".join(of_size(5, study=two))
    return found


def upload(objects: dict[str, bytes]) -> dict[str, str]:
    """Submit as a request does; return what is acknowledged."""
    user = User.objects.with_email("clinician@hospital.example").get()
    # As the page and the command do: it names what it uses data for.
    with using(Purpose.TREATMENT, *CARE_DATA):
        actor = actor_of_user(user)
        submission = open_upload(actor=actor, source="stow", save=False)
        with Intake(actor=actor, upload=submission) as intake:
            for data in objects.values():
                intake.take(data[at : at + 100_000] for at in range(0, len(data), 100_000))
            return {result.sop_instance: result.status.value for result in intake.commit()}


# Dying at a step ---------------------------------------------------------------------------------
class Steps:
    """Counts steps over store and databases, and dies at one of them."""

    def __init__(self, at: int) -> None:
        self.at, self.names = at, list[str]()

    @property
    def seen(self) -> int:
        return len(self.names)

    def around(self, where: str, act: Callable[[], Any], connection: Any = None) -> Any:
        """Take a step: `where` names it, `act` is what the program wanted."""
        is_hit = self.seen == self.at
        self.names.append(where)
        return self.strike(where, act, connection) if is_hit else act()

    def strike(self, where: str, act: Callable[[], Any], connection: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


class CountedOs(FaultyOs):
    """The file store's `os`: each call is a step."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(-1, before=None, after=None)
        self._count = steps

    def _step(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._count.around(name, lambda: real(*args, **kwargs))

        return call


@contextmanager
def counted(steps: Steps) -> Iterator[None]:
    def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return steps.around(
            "statement", lambda: execute(sql, params, many, context), context["connection"]
        )

    def request(client: Any, operation: str, kwargs: Any) -> Any:
        return steps.around(operation, lambda: asked(client, operation, kwargs))

    with ExitStack() as stack:
        for alias in ALIASES:
            connection = connections[alias]
            connection.ensure_connection()
            stack.enter_context(connection.execute_wrapper(statement))
            commit = connection._commit

            def stepped(commit: Callable[[], None] = commit, connection: Any = connection) -> None:
                steps.around("commit", commit, connection)
                steps.around("committed", lambda: None, connection)

            connection._commit = stepped
        vars(file_store)["os"] = CountedOs(steps)
        asked, BaseClient._make_api_call = BaseClient._make_api_call, request
        try:
            yield
        finally:
            vars(file_store)["os"] = os
            BaseClient._make_api_call = asked
            for alias in ALIASES:
                del connections[alias]._commit


def in_child(act: Callable[[], dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Run in a forked process; return its status and what it told before it ended."""
    connections.close_all()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(tell, json.dumps(act()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        heard = pipe.read()
    return os.waitpid(child, 0)[1], json.loads(heard or b"{}")


def dying_upload(objects: dict[str, bytes], at: int) -> dict[str, Any]:
    steps = Steps(at)
    with counted(steps):
        acknowledged = upload(objects)
    return {"acknowledged": acknowledged, "steps": steps.seen}


# Looking at what is left -------------------------------------------------------------------------
def violations(objects: dict[str, bytes], acknowledged: dict[str, str]) -> list[str]:
    """Say what is wrong with the store: whole submissions, rows with blobs, bytes as sent."""
    found = []
    rows = list(Instance.objects.filter(uid__in=list(objects)).select_related("blob"))
    if len(rows) not in {0, len(objects)}:
        found.append(f"{len(rows)} of {len(objects)} objects have rows")
    if acknowledged and len(rows) != len(objects):
        found.append("an acknowledged object is lost")
    for row in rows:
        with ObjectReader([row]) as reader:
            if b"".join(bytes(piece) for piece in reader.stream(row)) != objects[row.uid]:
                found.append("an object differs from what was sent")
    counted_rows = sum(Study.objects.values_list("instance_count", flat=True))
    if counted_rows != Instance.objects.count():
        found.append("a count is wrong")
    return found


def after_sweep() -> list[str]:
    """Sweep, and say what is left that nothing names, or is named and not there."""
    swept = sweep_store(older_than=timedelta(seconds=-5))
    found = ["a row has lost its blob"] if swept.missing else []
    names = set(stored_names(before=_soon()))
    if names != set(Blob.objects.values_list("name", flat=True)):
        found.append("the store and its rows differ")
    living = DataKey.objects.filter(kind="study", destroyed_at=None).values_list("id", flat=True)
    if set(living) != set(Blob.objects.values_list("key_id", flat=True)):
        found.append("keys and what they seal differ")
    return found


def _soon() -> Any:
    from django.utils import timezone

    return timezone.now() + timedelta(minutes=1)


# Modes -------------------------------------------------------------------------------------------
def prepare() -> None:
    for alias in ALIASES:
        call_command("migrate", database=alias, verbosity=0)
    seed_cast()


def kill_everywhere() -> dict[str, Any]:
    """Kill an upload at each of its steps, once each."""
    status, heard = in_child(lambda: dying_upload(objects_of(0), -1))
    problems = [] if status == 0 else ["the undisturbed upload failed"]
    total, killed, kept = heard.get("steps", 0), 0, 0
    for at in range(total):
        objects = objects_of(at + 1)
        status, heard = in_child(lambda objects=objects, at=at: dying_upload(objects, at))
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        problems += [f"step {at}: {one}" for one in violations(objects, heard)]
        kept += Instance.objects.filter(uid__in=list(objects)).exists()
        problems += [f"step {at}: {one}" for one in after_sweep()]
        # Sending again is harmless, and completes what was lost.
        again = set(upload(objects).values())
        if again not in ({"stored"}, {"repeated"}):
            problems.append(f"step {at}: sent again, it was {sorted(again)}")
        problems += [f"step {at}, again: {one}" for one in violations(objects, {"all": "stored"})]
    return {"steps": total, "killed": killed, "kept": kept, "problems": problems}


def race() -> dict[str, Any]:
    """Let four processes submit the same objects at the same moment, again and again."""
    outcomes, problems = [], []
    for number in range(6):
        objects = objects_of(1000 + number)
        connections.close_all()
        begin = time.time() + 0.3
        pipes = []
        for _ in range(4):
            told, tell = os.pipe()
            if os.fork() == 0:
                code = 1
                try:
                    time.sleep(max(0.0, begin - time.time()))
                    os.write(tell, json.dumps(sorted(set(upload(objects).values()))).encode())
                    code = 0
                finally:
                    os._exit(code)
            os.close(tell)
            pipes.append(told)
        for told in pipes:
            with os.fdopen(told, "rb") as pipe:
                outcomes.append(json.loads(pipe.read() or b'["failed"]'))
        for _ in pipes:
            os.wait()
        problems += violations(objects, {"all": "stored"}) + after_sweep()
    return {"outcomes": outcomes, "problems": problems}


def fill_disk() -> dict[str, Any]:
    """Upload until there is no room, make room, and upload again."""
    problems: list[str] = []
    refused, acknowledged, number = 0, {}, 0
    filler = Path(os.environ["STATE_DIR"]) / "filler"
    while refused < 8 and number < 200:
        objects = objects_of(2000 + number)
        number += 1
        try:
            upload(objects)
        except StorageFull:
            refused += 1
        except DatabaseError as error:
            refused += 1
            if not is_database_full(error):
                problems.append(f"not known as full: {error!r}")
        else:
            acknowledged |= objects
            continue
        problems += violations(objects, {})
        if refused == 4 and filler.exists():
            os.truncate(filler, max(0, filler.stat().st_size - 300_000))
    filler.unlink(missing_ok=True)
    problems += after_sweep()
    after = upload({uid("5.1.1"): an_object(study="5", patient="P-5")})
    rows = Instance.objects.filter(uid__in=list(acknowledged)).count()
    if rows != len(acknowledged):
        problems.append("an acknowledged object is lost")
    for row in Instance.objects.filter(uid__in=list(acknowledged)).select_related("blob"):
        with ObjectReader([row]) as reader:
            if b"".join(bytes(one) for one in reader.stream(row)) != acknowledged[row.uid]:
                problems.append("an object differs from what was sent")
    return {
        "refused": refused,
        "acknowledged": len(acknowledged),
        "after": list(after.values()),
        "problems": problems,
    }


def upload_for_ever() -> dict[str, Any]:
    """Upload and tell each acknowledgement, until the disk is gone."""
    number = int(os.environ.get("FIRST", "0"))
    while True:
        objects = objects_of(number)
        acknowledged = upload(objects)
        sys.stdout.write(json.dumps({"number": number, "kept": sorted(acknowledged)}) + "\n")
        sys.stdout.flush()
        number += 1


def look() -> dict[str, Any]:
    """Say what is there after a power cut, of what was acknowledged before it."""
    told = [json.loads(line) for line in sys.stdin if line.strip()]
    problems: list[str] = []
    for one in told:
        problems += violations(objects_of(one["number"]), {"all": "stored"})
    unread = Instance.objects.count()
    for row in Instance.objects.select_related("blob"):
        with ObjectReader([row]) as reader:
            unread -= sum(len(piece) for piece in reader.stream(row)) == row.length
    if unread:
        problems.append(f"{unread} objects cannot be read")
    problems += after_sweep()
    return {"acknowledged": len(told), "problems": problems}


MODES = {
    "prepare": lambda: prepare() or {},
    "kill": kill_everywhere,
    "race": race,
    "fill": fill_disk,
    "upload": upload_for_ever,
    "look": look,
}

if __name__ == "__main__":
    app.send_task = lambda *_, **__: None  # type: ignore[method-assign] # nobody listens here
    print(json.dumps(MODES[sys.argv[1]]()))  # noqa: T201 - the answer
