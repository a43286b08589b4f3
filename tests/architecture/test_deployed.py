"""A deployed portal starts on settings of its own, or says in one message what is missing."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from policies.rules.cookies import REGISTER, Place, item_named

REQUIRED = (
    "SECRET_KEY", "MASTER_KEY", "AUDIT_SIGNING_KEY", "DATABASE_URL", "KEYS_DATABASE_URL",
    "REDIS_URL", "STORAGE_URL", "EMAIL_URL", "ALLOWED_HOSTS",
)  # fmt: skip


def complete() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(60),
        "MASTER_KEY": secrets.token_hex(32),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "DATABASE_URL": "postgres://portal:x@127.0.0.1:1/portal",
        "KEYS_DATABASE_URL": "postgres://keys:x@127.0.0.1:1/keys",
        "REDIS_URL": "redis://:x@127.0.0.1:1/0",
        "STORAGE_URL": "s3://sealed?endpoint=http://127.0.0.1:1&region=us-east-1",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "ALLOWED_HOSTS": "portal.example",
    }


def manage(*arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=kept | {"DEPLOYED": "1"} | values,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().splitlines()[-1]


def test_the_deploy_check_is_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **complete())
    assert done.returncode == 0, done.stderr


def test_with_nothing_set_one_message_names_all_that_is_missing(tmp_path: Path) -> None:
    done = manage("check", STATE_DIR=str(tmp_path / "state"))
    assert done.returncode != 0
    assert [name for name in REQUIRED if name not in last_line(done)] == []
    assert not (tmp_path / "state").exists(), "no secret is made up where one was to be given"


@pytest.mark.parametrize("name", REQUIRED)
def test_each_is_missed_by_name(name: str) -> None:
    values = complete()
    del values[name]
    done = manage("check", **values)
    assert done.returncode != 0
    assert last_line(done).endswith(f": {name}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:////tmp/data.sqlite3"),
        ("KEYS_DATABASE_URL", "sqlite:////tmp/keys.sqlite3"),
        ("KEYS_DATABASE_URL", "postgres://portal:x@127.0.0.1:1/portal"),
        ("EMAIL_URL", "outbox:"),
    ],
)
def test_what_is_fit_for_a_demonstration_only_is_refused(name: str, value: str) -> None:
    done = manage("check", **complete() | {name: value})
    assert done.returncode != 0
    assert name in last_line(done)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    values = complete()
    file = tmp_path / "master_key"
    file.write_text(values.pop("MASTER_KEY") + "\n")
    done = manage("check", MASTER_KEY_FILE=str(file), **values)
    assert done.returncode == 0, done.stderr
    missing = manage("check", MASTER_KEY_FILE=str(tmp_path / "none"), **values)
    assert "MASTER_KEY_FILE" in last_line(missing)


@pytest.mark.parametrize("command", [["seed_demo"], ["demo_link", "--all"]])
def test_there_is_no_demonstration(command: list[str]) -> None:
    done = manage(*command, **complete())
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "DEPLOYED=1" in done.stderr


PRINT_COOKIES = """
from django.conf import settings as s
print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY,
      s.SESSION_COOKIE_DOMAIN, s.SESSION_COOKIE_AGE)
print(s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE, s.CSRF_COOKIE_HTTPONLY,
      s.CSRF_COOKIE_DOMAIN, s.CSRF_COOKIE_AGE)
"""


def test_deployed_cookies_are_those_of_the_register_and_secure() -> None:
    """LIFEIMAGE-15.7, LIFEIMAGE-15.8, LIFEIMAGE-15.9."""
    done = manage("shell", "--no-imports", "-c", PRINT_COOKIES, **complete())
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.strip().splitlines()]
    for name, secure, hidden, domain, seconds in lines:
        item = item_named(name)
        assert item is not None, name
        assert (secure, domain) == ("True", "None")
        assert (hidden == "True") == item.hidden_from_scripts
        lasts = None if seconds == "None" else timedelta(seconds=int(seconds))
        assert lasts == item.lifetime
    assert {line[0] for line in lines} == {
        item.deployed_name or item.name for item in REGISTER if item.place is Place.COOKIE
    }


def test_the_image_has_the_programs_of_the_server_that_the_portal_runs_on() -> None:
    """XENRAD-4.6: an older pg_dump refuses, and without one nothing is backed up."""
    image = (settings.BASE_DIR / "Dockerfile").read_text()
    portal = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())["x-portal"]
    database = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())["x-database"]
    built_with = portal["build"]["args"]["POSTGRES_VERSION"]
    assert database["image"] == f"postgres:{built_with}"
    default = built_with.partition(":-")[2].rstrip("}")
    assert f"ARG POSTGRES_VERSION={default}\n" in image
    assert "FROM postgres:${POSTGRES_VERSION} AS database" in image
    last = image[image.rindex("\nFROM ") :]
    assert "postgresql-client-${POSTGRES_VERSION%%[.-]*}" in last
    assert "pg_dump --version && pg_restore --version" in last
    asked = 'POSTGRES_VERSION=$1; echo "postgresql-client-${POSTGRES_VERSION%%[.-]*}"'
    for version, name in (("16-bookworm", "16"), ("17.2-bookworm", "17"), ("16", "16")):
        said = subprocess.run(
            ["sh", "-c", asked, "sh", version], capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == f"postgresql-client-{name}"
