from __future__ import annotations

from django.db import models


class Effect(models.Model):
    """What one step of one job did. Without a unique key: a second time must show."""

    job_id = models.UUIDField()
    step = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.job_id} {self.step}"
