"""Doors through which Celery and the job list reach the sealer."""

from __future__ import annotations

from audit.services.seal import seal_all
from config.celery import app


@app.task(name="audit.seal", expires=60)  # type: ignore[untyped-decorator]
def seal() -> None:
    seal_all()
