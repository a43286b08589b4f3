"""Settings of the processes that the chaos test starts: the real ones, with jobs alone."""

from __future__ import annotations

from config.settings import *  # noqa: F403

INSTALLED_APPS = ["jobs", "tests.jobs.chaos"]
DATABASE_ROUTERS: list[str] = []
MIDDLEWARE: list[str] = []
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
JOBS_RERING_SECONDS = 1.5
JOBS_SWEEP_SECONDS = 0.7
ROOT_URLCONF = "tests.jobs.urls"
