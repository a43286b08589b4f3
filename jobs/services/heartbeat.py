"""Keep a lease alive while a handler is busy between two steps."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from jobs.models import Job
from jobs.rules.states import State

log = structlog.get_logger(__name__)


class Heartbeat:
    """Renew a lease three times in its length, from a thread with its own connection.

    A short job ends before the first beat and costs the database nothing. The thread only
    ever lengthens the lease of its own token: it cannot win back what was lost.
    """

    def __init__(self, job_id: UUID, token: int, lease: timedelta) -> None:
        self._job_id, self._token, self._lease = job_id, token, lease
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _beat(self) -> None:
        pause = self._lease.total_seconds() / 3
        try:
            while not self._stop.wait(pause):
                if not self._renew():
                    return
        finally:
            connection.close()

    def _renew(self) -> bool:
        try:
            return bool(
                Job.objects.filter(
                    pk=self._job_id, fencing_token=self._token, state=State.RUNNING
                ).update(lease_until=timezone.now() + self._lease)
            )
        except DatabaseError:
            # A busy or absent database: the next beat may do; if none does, the lease runs out.
            log.warning("job.heartbeat_missed", job=str(self._job_id))
            return True
