"""What `make check`, `make test` and `make test-stack` do.

    python -m config.verify check | test | test-stack [pytest arguments]

Says how long each step took, goes on after a failure, and ends with what failed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from config.stack import StackMissing, stack

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TEMPLATES = sorted(str(path) for path in (ROOT / "templates").rglob("*.html"))
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            return check()
        case ["test", *more]:
            return test(more)
        case ["test-stack", *more]:
            return test_stack(more)
    say("Say what to verify: check, test or test-stack.")
    return 2


def check() -> int:
    """Run every check, all of them, and name those that failed."""
    with tempfile.TemporaryDirectory(prefix="collimate-check-") as folder:
        here = os.environ | {"STATE_DIR": folder}
        manage = [sys.executable, "manage.py"]
        steps: list[tuple[str, list[str], dict[str, str]]] = [
            ("format", [_bin("ruff"), "format", "--check", "."], here),
            ("lint", [_bin("ruff"), "check", "."], here),
            ("layers", [_bin("lint-imports")], here),
            (
                "templates, order",
                [_bin("djade"), "--target-version", "5.2", "--check", *TEMPLATES],
                here,
            ),
            ("templates, lint", [_bin("djlint"), "--lint", "--quiet", "templates"], here),
            ("migrations", [*manage, "makemigrations", "--check", "--dry-run", "--noinput"], here),
            ("deploy check", [*manage, "check", "--deploy", "--fail-level", "WARNING"], deployed()),
            ("types", [_bin("mypy")], here),
        ]
        failed = [name for name, command, env in steps if not _step(name, command, env)]
    if failed:
        say(f"Failed: {'; '.join(failed)}")
    return 1 if failed else 0


def deployed() -> dict[str, str]:
    """Give the environment of a deployed portal whose services are nowhere."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DEPLOYED": "1",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "MASTER_KEY": secrets.token_hex(32),
        "AUDIT_SIGNING_KEY": secrets.token_hex(32),
        "DATABASE_URL": "postgres://portal@127.0.0.1:1/portal",
        "KEYS_DATABASE_URL": "postgres://keys@127.0.0.1:1/keys",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "STORAGE_URL": "s3://sealed?endpoint=http://127.0.0.1:1&region=us-east-1",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "ALLOWED_HOSTS": "portal.example",
    }


def test(more: list[str]) -> int:
    """Run the whole suite on the embedded default."""
    if not _provide_browser():
        return 1
    return 0 if _step("tests", _pytest(more), dict(os.environ)) else 1


def test_stack(more: list[str]) -> int:
    """Run the whole suite, and the tests of the stack, on real services."""
    if not _provide_browser():
        return 1
    try:
        with stack() as environment:
            command = _pytest(more)
            return 0 if _step("tests on the stack", command, os.environ | environment) else 1
    except StackMissing as missing:
        say(str(missing))
        return 1


def _pytest(more: list[str]) -> list[str]:
    count = str(max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2))
    # The order is tests/conftest.py's: by number of tests, the few that take long would come last.
    spread = ["-n", count, "--dist", "loadfile", "--no-loadscope-reorder"]
    return [sys.executable, "-m", "pytest", "-q", *spread, *more]


def _provide_browser() -> bool:
    """Find Chromium, or install Debian's as root; else say how it is to be had."""
    if not any((ROOT / "tests" / "browser").glob("test_*.py")) or _has_browser():
        return True
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium for the browser tests")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "chromium"]):
            subprocess.run(command, capture_output=True, check=False, env=environment)
    if _has_browser():
        return True
    say("The browser tests need Chromium: apt-get install chromium, or set CHROMIUM=/its/path.")
    return False


def _has_browser() -> bool:
    return any(shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *CHROMIUM) if name)


def _bin(name: str) -> str:
    return str(BIN / name)


def _step(name: str, command: list[str], environment: dict[str, str]) -> bool:
    say(f"-- {name}")
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    say(f"   {name}: {'ok' if not done.returncode else 'FAILED'}, {time.monotonic() - began:.0f} s")
    return not done.returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
