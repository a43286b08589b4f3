"""Celery carries ids and rings; the row in ``jobs`` is the truth.

A broker may be wiped, killed or late at any time: ``jobs`` re-rings what it owns.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A publisher gives up at once on a broker that is down: the sweeper rings again later.
PUBLISHING = {"max_retries": 0, "socket_connect_timeout": 2}

app = Celery("collimate")
log = logging.getLogger(__name__)


def configure(celery: Celery) -> None:
    from django.conf import settings

    # The host means nothing to a folder; without one, a warning is logged at every connection.
    broker = settings.REDIS_URL or "filesystem://localhost//"
    options: dict[str, object] = {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        **PUBLISHING,
    }
    if not settings.REDIS_URL:
        folder = settings.STATE_DIR / "broker"
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.2,
        }
    celery.conf.update(
        broker_url=broker,
        broker_transport_options=options,
        broker_connection_retry_on_startup=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        timezone="UTC",
        worker_hijack_root_logger=False,
        # The same in all three places, or redelivery and results disagree about it.
        visibility_timeout=3600,
        result_backend_transport_options={"visibility_timeout": 3600},
        beat_schedule={"sweep": {"task": "jobs.sweep", "schedule": _sweep_every()}},
        # In memory of the beat there is nothing worth keeping: due times are rows (jobs.DueJob).
        beat_schedule_filename=str(settings.STATE_DIR / "celerybeat"),
    )


def _sweep_every() -> float:
    """Return the seconds between two sweeps: how long work may lie unnoticed after a fault."""
    from django.conf import settings

    return float(getattr(settings, "JOBS_SWEEP_SECONDS", 5.0))


def enqueue(task: str, *arguments: str) -> None:
    """Ring for a task by name once the present transaction is committed.

    Outside a transaction it rings at once. A broker that is down costs the ring and
    nothing else. Where Celery is eager the task runs inline, after the commit.
    """
    from django.db import transaction

    transaction.on_commit(lambda: ring(task, arguments), robust=True)


def ring(task: str, arguments: tuple[str, ...]) -> None:
    """Send a ring now; a broker that does not answer is logged and not an error."""
    if app.conf.task_always_eager:
        app.loader.import_default_modules()
        app.tasks[task].apply(args=arguments, throw=True)
        return
    try:
        app.send_task(task, args=arguments, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("The ring for %s was lost: %s", task, type(error).__name__)


def sweep_at_start(**_: Any) -> None:
    """Look for neglected work as soon as a worker is up, with or without a beat."""
    ring("jobs.sweep", ())


app.config_from_object({})
app.on_configure.connect(lambda **_: configure(app), weak=False)
worker_ready.connect(sweep_at_start, weak=False)
app.autodiscover_tasks()
