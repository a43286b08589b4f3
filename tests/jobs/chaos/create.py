"""Create jobs from a process of its own: ``python -m tests.jobs.chaos.create FIRST COUNT``."""

from __future__ import annotations

import sys

import django

if __name__ == "__main__":
    django.setup()
    from jobs.services import create_job

    first, count = map(int, sys.argv[1:])
    for number in range(first, first + count):
        create_job(kind="chaos.work", natural_key=str(number))
