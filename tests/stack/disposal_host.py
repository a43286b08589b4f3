"""A process of its own that disposes of a study, is killed at every step, and looks at the rest.

Run as `python -m tests.stack.disposal_host MODE`, with the settings' environment. It prints one
line of JSON. Steps are those of `tests.stack.crash_host`: every call of the file store to the
system, every statement to either database, and before and after each commit of either.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.stack import crash_host as host  # Django is set up by it, first

from django.db import DatabaseError, connection  # isort: skip
from django.db.models import Count  # isort: skip
from django.utils import timezone  # isort: skip

from accounts.models import Organisation, User
from accounts.rules import Actor
from accounts.selectors import actor_of_user
from accounts.services.policy import adopt_pack
from config.celery import app
from jobs.models import Job
from jobs.services import run_job
from policies.models import PolicyVersion
from policies.rules.categories import CARE_DATA, Category
from policies.rules.gate import using
from policies.rules.immutable import drop_statements
from policies.rules.purposes import Purpose
from policies.selectors import effective_pack, forget_policies
from retention.models import Certificate, DisposalItem, DisposalRun, DisposedStudy, Hold
from retention.rules.disposal import Fate, RunState, Step
from retention.rules.holds import HoldFacts, Scope
from retention.services.approving import approve_run
from retention.services.certificates import check_certificate
from retention.services.holds import place_hold
from retention.services.leftovers import what_is_left
from retention.services.planning import plan_disposal
from retention.services.rows import delete_study_rows
from studies.gateways.objects import ObjectReader
from studies.models import Blob, Instance, Study
from tests.audit.append_only import run_each
from tests.studies.objects import an_object, of_size, uid
from vault.models import DataKey
from vault.services.blobs import delete_blob, is_stored
from vault.services.data_keys import destroy_data_keys

OBJECTS = 3


def actor(email: str) -> Actor:
    found = actor_of_user(User.objects.with_email(email).get())
    return replace(found, stepped_up_at=timezone.now(), factor="totp")


def objects_of(number: int) -> dict[str, bytes]:
    """One study of long ago: two small objects, and one that is streamed into a file of its own."""
    name = str(number + 1)
    # Nothing is burned in, so that no text has to be looked for.
    facts: dict[int, Any] = {
        0x00080020: ("DA", "20100105"), 0x00100030: ("DA", "19700101"), 0x00280301: ("CS", "NO"),
    }  # fmt: skip
    found = {uid(f"{name}.1.{n}"): an_object(study=name, number=n, changes=facts) for n in (1, 2)}
    found[uid(f"{name}.1.9")] = b"".join(of_size(5, study=name, number=9, changes=facts))
    return found


def anonymise() -> None:
    """Let the policy want studies made anonymous."""
    hospital = Organisation.objects.get(slug="hospital")
    lines = dict(effective_pack(hospital.pk)["retention"])
    for category in ("identity", "medical", "images", "reports"):
        lines[category] = lines[category] | {"action": "anonymise"}
    run_each(drop_statements(connection.vendor))
    PolicyVersion.objects.filter(organisation_id=hospital.pk).delete()
    forget_policies()
    adopt_pack(organisation=hospital, pack_code="image-exchange", changes={"retention": lines})


def approved_run(due: int) -> DisposalRun:
    run = plan_disposal(organisation=Organisation.objects.get(slug="hospital"))
    assert run is not None
    assert run.due == due, f"{run.due} studies are due, {run.kept} stay"
    approve_run(actor=actor("officer@hospital.example"), run=run)
    return approve_run(actor=actor("admin@hospital.example"), run=run)


def dispose(run: DisposalRun, steps: host.Steps) -> dict[str, Any]:
    """As a worker does: what escapes from the job is logged, and the job waits for the sweep."""
    outcome = "raised"
    with host.counted(steps), suppress(DatabaseError):
        outcome = run_job(job_id=UUID(str(run.job_id))).value
    return {"steps": steps.seen, "names": steps.names, "outcome": outcome}


def let_lease_run_out(run: DisposalRun) -> None:
    """What time does: the lease of a dead worker ends, and so does a wait."""
    past = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=run.job_id).update(lease_until=past, not_before=past)


def goes_on(run: DisposalRun) -> None:
    """What the sweep does once the lease of a dead worker has run out, and its wait is over."""
    let_lease_run_out(run)
    run_job(job_id=UUID(str(run.job_id)))
    run.refresh_from_db()


def hold(study: Study) -> Hold:
    return place_hold(
        actor=actor("officer@hospital.example"),
        facts=HoldFacts(UUID(int=0), Scope.STUDY, study_uid=study.uid),
        matter="Dispute", reason="A claim was announced.",
        custodian=User.objects.with_email("officer@hospital.example").get(),
        review_on=timezone.now().date() + timedelta(days=90),
    )  # fmt: skip


# Looking at what is left -------------------------------------------------------------------------
class Before:
    """A study as it was, and what there should be of it: all, or nothing."""

    def __init__(self, study: Study, objects: dict[str, bytes]) -> None:
        self.study, self.objects = study, objects
        blobs = Blob.objects.filter(study=study)
        self.names = list(blobs.values_list("name", flat=True))
        self.keys = {study.key_id, *blobs.values_list("key_id", flat=True)}

    def told(self, number: int) -> dict[str, Any]:
        """For another process, which looks at it later."""
        study = {"pk": self.study.pk, "uid": self.study.uid, "key_id": str(self.study.key_id)}
        return {
            "study": study, "number": number, "names": self.names,
            "keys": [str(one) for one in self.keys],
        }  # fmt: skip

    @classmethod
    def again(cls, told: dict[str, Any]) -> Before:
        """The same in that process, also if the study is gone meanwhile."""
        found = cls.__new__(cls)
        study = told["study"] | {"key_id": UUID(told["study"]["key_id"])}
        found.study = Study.objects.filter(pk=study["pk"]).first() or Study(**study)
        found.objects, found.names = objects_of(told["number"]), told["names"]
        found.keys = {UUID(one) for one in told["keys"]}
        return found

    def key_is_there(self) -> bool:
        return DataKey.objects.filter(pk__in=self.keys, destroyed_at=None).count() == len(self.keys)

    def unlike_whole(self) -> list[str]:
        found = [] if self.key_is_there() else ["a key is gone"]
        row = Study.objects.filter(pk=self.study.pk).first()
        if row is None or row.instance_count != len(self.objects):
            found.append("it is not in the lists as it was")
        rows = list(Instance.objects.filter(study_id=self.study.pk).select_related("blob"))
        if len(rows) != len(self.objects):
            found.append("an object is gone")
        for one in rows:
            with ObjectReader([one]) as reader:
                if b"".join(map(bytes, reader.stream(one))) != self.objects[one.uid]:
                    found.append("an object differs")
        return found

    def item_of(self, run: DisposalRun) -> DisposalItem:
        return run.items.get(study_uid=self.study.uid)

    def unlike_gone(self, run: DisposalRun) -> list[str]:
        item = self.item_of(run)
        found = [] if item.step == Step.GONE else [f"its step is {item.step} {item.kept_for}"]
        if left := what_is_left([item]).get(item.pk):
            found.append(f"left: {left}")
        if Study.objects.filter(pk=self.study.pk).exists():
            found.append("the study is there")
        if Instance.objects.filter(uid__in=list(self.objects)).exists():
            found.append("an object is there")
        if any(is_stored(name=name) for name in self.names):
            found.append("a file is there")
        if DataKey.objects.filter(pk__in=self.keys, destroyed_at=None).exists():
            found.append("a key is there")
        if DisposedStudy.objects.filter(study_key_id=self.study.key_id).count() != 1:
            found.append("the ledger does not name it once")
        certificate = Certificate.objects.filter(run=run).first()
        if certificate is None or not check_certificate(certificate).agrees:
            found.append("the certificate does not agree")
        return found

    def clear_away(self) -> None:
        """Of a study that was kept: so that the next plan has one of its own."""
        delete_study_rows([self.study])
        for name in self.names:
            delete_blob(name=name)
        destroy_data_keys(ids=self.keys)


def verdict(before: Before, run: DisposalRun, placed: Hold | None) -> list[str]:
    """Say what is wrong after all has gone on to its end."""
    found = [] if run.state == RunState.DONE else [f"the run is {run.state}: {run.stopped_for}"]
    if before.item_of(run).step == Step.KEPT:
        found += before.unlike_whole()
        return [*found, "it stays, and nothing held it"] if placed is None else found
    found += before.unlike_gone(run)
    if placed is not None:
        late = DataKey.objects.filter(pk__in=before.keys, destroyed_at__gt=placed.placed_at)
        found += ["a key was destroyed although it was held"] if late.exists() else []
    return found


def unlike_copies(run: DisposalRun, copies_before: int) -> list[str]:
    """As many copies as studies that went, all whole, and no way back to them."""
    made = run.items.filter(step=Step.GONE, fate=Fate.ANONYMISE)
    copies = Study.objects.filter(is_anonymous=True).annotate(there=Count("instances"))
    found = []
    if copies.count() - copies_before != made.count():
        found.append(f"{copies.count() - copies_before} copies of {made.count()} studies")
    if copies.exclude(there=OBJECTS, instance_count=OBJECTS).exists():
        found.append("a copy is not whole")
    if DataKey.objects.filter(pk=run.link_key_id, destroyed_at=None).exists():
        found.append("the way back is there")
    return found


def taken_in(number: int) -> Before:
    objects = objects_of(number)
    host.upload(objects)
    return Before(Instance.objects.get(uid=next(iter(objects))).study, objects)


def one(
    number: int, steps: host.Steps, *, with_hold: bool
) -> tuple[int, dict[str, Any], list[str], bool]:
    """Let the disposal of two studies be struck, hold the first or not, and let it go on."""
    studies = [taken_in(2 * number), taken_in(2 * number + 1)]
    copies = Study.objects.filter(is_anonymous=True).count()
    first, run = studies[0], approved_run(len(studies))
    status, heard = host.in_child(lambda: dispose(run, steps))
    is_there = Study.objects.filter(pk=first.study.pk).exists()
    placed = hold(first.study) if with_hold and is_there else None
    goes_on(run)
    problems = verdict(first, run, placed) + verdict(studies[1], run, None)
    problems += unlike_copies(run, copies)
    kept = first.item_of(run).step == Step.KEPT
    if kept:
        first.clear_away()
    return status, heard, problems, kept


def kill_everywhere() -> dict[str, Any]:
    """Kill a disposal at each of its steps, once each; half of the studies are held after that."""
    if os.environ.get("ANONYMISE"):
        anonymise()
    status, heard, problems, _ = one(0, host.Steps(-1), with_hold=False)
    problems = [f"undisturbed: {one}" for one in problems]
    if status:
        problems.append("the undisturbed disposal failed")
    total, killed, kept, after_key = heard.get("steps", 0), 0, 0, 0
    stride = int(os.environ.get("STRIDE", "1"))
    for at in range(int(os.environ.get("OFFSET", "0")), total, stride):
        status, _, found, stays = one(at + 1, host.Steps(at), with_hold=bool(at // stride % 2))
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        kept += stays
        after_key += bool(at // stride % 2) and not stays
        problems += [f"step {at}: {one}" for one in found]
    return {
        "steps": total, "killed": killed, "kept": kept, "gone_although_held_later": after_key,
        "problems": problems,
    }  # fmt: skip


MODES = {"prepare": lambda: host.prepare() or {}, "kill": kill_everywhere}

if __name__ == "__main__":
    app.send_task = lambda *_, **__: None  # nobody listens here
    with using(Purpose.LEGAL_OBLIGATION, *CARE_DATA, Category.REQUESTS):
        sys.stdout.write(json.dumps(MODES[sys.argv[1]]()) + "\n")
