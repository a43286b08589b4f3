"""A portal that really runs: databases and blobs of its own, gunicorn in front, thrown away after.

On the embedded default it lives in a state folder; on the stack it has two databases and a bucket.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import psycopg2
import pytest

from config.prepare import make_bucket
from config.stack import free_port
from tests.clock import shifted_to
from tests.commands import Commands, commands_of

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60
ON_THE_STACK = os.environ.get("COLLIMATE_STACK") == "1"


@dataclass(frozen=True)
class Site:
    """The running portal; `server` is the process id of gunicorn's master."""

    address: str
    environment: dict[str, str]
    server: int
    commands: Commands

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of `manage.py` on this portal's databases."""
        return self.commands.run(*arguments, check=check)

    def link_of(self, email: str) -> str:
        """Give a fresh one-time link that signs a demonstration account in."""
        return self.command("demo_link", "--user", email).stdout.strip().split()[-1]

    def count(self, query: str) -> int:
        """Ask this portal's data for one number, past everything that decides who may."""
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite"):
            connection: Any = sqlite3.connect(f"file:{urlsplit(url).path[1:]}?mode=ro", uri=True)
        else:
            connection = psycopg2.connect(url)
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return int(cursor.fetchone()[0])
        finally:
            connection.close()

    def token_of(self, email: str, *scopes: str) -> str:
        return self.command("issue_token", "--user", email, "--scope", *scopes).stdout.strip()


@contextmanager
def running_portal(at: datetime | None = None, **settings: str) -> Iterator[Site]:
    """Start a portal with its demonstration; `settings` are added to its environment.

    `at` is the time that it is there, from now on.
    """
    folder, port = tempfile.mkdtemp(prefix="collimate-portal-"), free_port()
    prepared = _prepared()
    shutil.copytree(prepared["STATE_DIR"], folder, dirs_exist_ok=True)
    stores = _own_stores(folder)
    if ON_THE_STACK:
        _copy_stores(prepared, stores)
    environment = _environment(folder, port) | stores | settings
    if at is not None:
        environment |= shifted_to(at)
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "tests.wsgi"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        with commands_of(environment) as commands:
            _wait_for(f"http://localhost:{port}/healthz", server)
            yield Site(f"http://localhost:{port}", environment, server.pid, commands)
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: str, port: int) -> dict[str, str]:
    return os.environ | {
        "STATE_DIR": folder,
        "PORT": str(port),
        "PUBLIC_URL": f"http://localhost:{port}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


@cache
def _prepared() -> dict[str, str]:
    """The environment of a portal that nobody has used yet: made once, then copied for each."""
    folder = tempfile.mkdtemp(prefix="collimate-prepared-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    stores = _own_stores(folder)
    if ON_THE_STACK:
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL"):
            _create_database(stores[name])
        make_bucket(stores["STORAGE_URL"])
    environment = _environment(folder, free_port()) | stores
    subprocess.run(
        [sys.executable, "-m", "config.prepare"],
        cwd=ROOT, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    return environment


def _own_stores(folder: str) -> dict[str, str]:
    """Name two databases and a place for blobs that are to be one portal's own."""
    if not ON_THE_STACK:
        return {
            "DATABASE_URL": f"sqlite:///{folder}/data.sqlite3",
            "KEYS_DATABASE_URL": f"sqlite:///{folder}/keys.sqlite3",
            "STORAGE_URL": f"file://{folder}/blobs",
        }
    name = f"portal_{uuid4().hex}"
    server = urlsplit(os.environ["STACK_DATABASE_URL"])
    bucket = urlsplit(os.environ["STORAGE_URL"])
    return {
        "DATABASE_URL": server._replace(path=f"/{name}").geturl(),
        "KEYS_DATABASE_URL": server._replace(path=f"/{name}_keys").geturl(),
        "STORAGE_URL": bucket._replace(netloc=name.replace("_", "-")).geturl(),
    }


def _create_database(url: str, template: str = "template1") -> None:
    """Make a database of PostgreSQL, as a copy of one that nobody is in."""
    connection = psycopg2.connect(os.environ["STACK_DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {urlsplit(url).path[1:]} TEMPLATE {template}")
    connection.close()


def _copy_stores(source: dict[str, str], target: dict[str, str]) -> None:
    for name in ("DATABASE_URL", "KEYS_DATABASE_URL"):
        _create_database(target[name], urlsplit(source[name]).path[1:])
    make_bucket(target["STORAGE_URL"])
    here, there = urlsplit(source["STORAGE_URL"]), urlsplit(target["STORAGE_URL"]).netloc
    (endpoint,) = parse_qs(here.query)["endpoint"]
    store = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1")
    for one in store.Bucket(here.netloc).objects.all():
        store.Object(there, one.key).copy({"Bucket": here.netloc, "Key": one.key})
    store.meta.client.close()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the portal did not start")
