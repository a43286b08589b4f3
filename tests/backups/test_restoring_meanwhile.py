"""Until a restore has ended, nobody is answered; one that was killed is run again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backups.services import restoring
from backups.services.examining import examine
from backups.services.ledgers import refresh_ledgers
from backups.services.making import Places, make_backup
from backups.services.restoring import restore
from config.restoring import clear_mark, look
from jobs.models import Job
from studies.models import Study
from tests.backups.cases import back
from tests.factories import Cast, actor_of, signed_in_client, small_ct_object, take_in
from tests.retention.cases import approved, carried_out, take_in_old
from vault.rules.errors import KeyDestroyed
from vault.services.data_keys import open_data_key

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def test_nobody_is_answered_and_no_job_runs_until_the_replay_is_done(
    cast: Cast, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.tasks import run, sweep

    seen: list[tuple[int, ...]] = []
    browser = signed_in_client(cast.clinician)
    job = Job.objects.create(
        kind="audit.seal", natural_key="x", created_at=timezone.now(), not_before=timezone.now()
    )

    def ask(name: str) -> None:
        original = getattr(restoring, name)

        def wrapped(*given: Any, **more: Any) -> Any:
            answers = [
                Client().get(path) for path in ("/readyz", "/healthz", "/sign-in/", "/api/v1/")
            ]
            seen.append(tuple(one.status_code for one in [*answers, browser.get("/")]))
            assert "restored" in browser.get("/").content.decode()
            run(str(job.pk))
            sweep()
            return original(*given, **more)

        monkeypatch.setattr(restoring, name, wrapped)

    for name in ("_load", "_put_back", "replay_ledger", "replay_revocations", "end_what_opens",
                 "_require_head", "seal_all"):  # fmt: skip
        ask(name)
    take_in(actor_of(cast.clinician), small_ct_object())
    make_backup(places)
    assert Client().get("/readyz").status_code == 200
    back(places)
    assert len(seen) == 7
    assert set(seen) == {(503, 200, 503, 503, 503)}
    assert Client().get("/readyz").status_code == 200
    assert Client().get("/sign-in/").status_code == 200
    assert Job.objects.get(pk=job.pk).state == "waiting"


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "step", ["_load", "_put_back", "call_command", "replay_ledger", "replay_revocations",
             "end_what_opens", "clear_mark"],
)  # fmt: skip
def test_a_restore_that_was_killed_keeps_everybody_out_and_can_be_run_again(
    cast: Cast, places: Places, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    study = take_in_old(cast)
    make_backup(places)
    carried_out(approved(cast))
    refresh_ledgers()

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(restoring, step, killed)
        with pytest.raises(Killed):
            back(places)
    answer = Client().get("/readyz")
    assert (answer.status_code, Client().get("/").status_code) == (503, 503)
    assert "under way" in answer.json()["checks"]["restore"]
    # Whoever runs it again need not type the name once more: what is there is half of a restore.
    restore(examine(places))
    assert Client().get("/readyz").status_code == 200
    assert not Study.objects.filter(pk=study.pk).exists()
    with pytest.raises(KeyDestroyed):
        open_data_key(id=study.key_id)


def test_the_mark_lies_in_no_table(db: None) -> None:
    from config.restoring import set_mark

    assert not look()
    set_mark()
    set_mark()
    assert look()
    clear_mark()
    assert not look()
