"""Bring databases, demonstration and static files up to date, in one process.

Says what it does on standard error; on standard output it gives, as JSON, the people who can
sign in to the demonstration, each with a link.

    python -m config.prepare               the embedded default, with demonstration
    python -m config.prepare --static      static files, and nothing else
    python -m config.prepare --deployed    databases and the bucket, and nothing else
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def main(arguments: list[str]) -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings

    # What serves static files warns of a folder that is not there yet.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    if "--static" in arguments:
        _step("Static files", _collect_static)
        return 0
    _step("Databases", _migrate_both)
    if "--deployed" in arguments:
        _step("Bucket", lambda: make_bucket(settings.STORAGE_URL))
        return 0
    if settings.DEPLOYED:
        sys.stderr.write(
            "make run is for one machine and a demonstration; see docs/operating.md.\n"
        )
        return 1
    _step("Demonstration", lambda: _call("seed_demo", verbosity=0))
    _step("Static files", _collect_static)
    sys.stdout.write(_call("demo_link", all=True, json=True))
    return 0


def _step(name: str, act: Callable[[], object]) -> None:
    sys.stderr.write(f"{name} … ")
    sys.stderr.flush()
    began = time.monotonic()
    act()
    sys.stderr.write(f"{time.monotonic() - began:.1f} s\n")


def _call(command: str, **options: object) -> str:
    from django.core.management import call_command

    output = io.StringIO()
    call_command(command, stdout=output, **options)
    return output.getvalue()


def _migrate_both() -> None:
    for database in ("default", "keys"):
        _call("migrate", database=database, interactive=False, verbosity=0)


def _collect_static() -> None:
    """Collect if anything changed since; looking takes a fraction of collecting."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    stamp = Path(settings.STATIC_ROOT) / ".collected"
    found = sorted(
        f"{path}\t{storage.get_modified_time(path).timestamp()}\t{storage.size(path)}"
        for finder in get_finders()
        for path, storage in finder.list([])
    )
    state = "\n".join([settings.STORAGES["staticfiles"]["BACKEND"], *found])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    _call("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(state, encoding="utf-8")


def make_bucket(url: str) -> None:
    """Make the bucket of ``STORAGE_URL`` if it is not there; a folder makes itself."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        return
    import boto3
    from botocore.exceptions import ClientError

    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    client = boto3.client(
        "s3", endpoint_url=query.get("endpoint"), region_name=query.get("region", "us-east-1")
    )
    try:
        client.head_bucket(Bucket=parts.netloc)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        client.create_bucket(Bucket=parts.netloc)
    finally:
        client.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
