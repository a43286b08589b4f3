"""PostgreSQL, Redis and an S3-compatible store for one run of the tests, on free loopback ports.

Each is this run's own, in a temporary folder, and ends with it. What the environment names
(``STACK_DATABASE_URL``, ``STACK_REDIS_URL``, ``STACK_STORAGE_ENDPOINT``) is used as it is. A
missing program is installed with apt-get where that is possible, and named where it is not.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

POSTGRES = Path("/usr/lib/postgresql")
STARTS_WITHIN = 60.0


class StackMissing(Exception):
    """One line that says what cannot be had, and how it could."""


@contextmanager
def stack() -> Iterator[dict[str, str]]:
    """Start what is not named, and give the environment that names it all."""
    with ExitStack() as kept:
        folder = Path(tempfile.mkdtemp(prefix="collimate-stack-"))
        kept.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # the database server runs as another user
        _found("dcmdump", "dcmtk")  # reads what we write, and shares no code with it
        database = os.environ.get("STACK_DATABASE_URL") or kept.enter_context(_postgres(folder))
        redis = os.environ.get("STACK_REDIS_URL") or kept.enter_context(_redis(folder))
        endpoint = os.environ.get("STACK_STORAGE_ENDPOINT") or kept.enter_context(_storage(folder))
        yield {
            "STACK_DATABASE_URL": database,
            "DATABASE_URL": _with_database(database, "collimate"),
            "KEYS_DATABASE_URL": _with_database(database, "collimate_keys"),
            "REDIS_URL": redis,
            "STORAGE_URL": f"s3://collimate-tests?endpoint={endpoint}&region=us-east-1",
            "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
            "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
            "COLLIMATE_STACK": "1",
        }


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


# The three services ------------------------------------------------------------------------------
@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    binaries = _postgres_binaries()
    data, port, password = folder / "postgres", free_port(), secrets.token_hex(16)
    data.mkdir()
    secret = folder / "postgres-password"
    secret.write_text(password)
    user = _server_user()
    if user:
        for path in (data, secret):
            shutil.chown(path, user)
    _run(
        [
            str(binaries / "initdb"), "--pgdata", str(data), "--username", "portal",
            "--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync",
        ],
        user,
    )  # fmt: skip
    command = [
        str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1",
        # Nothing of this run is worth a power cut, and the disk is not what is tested.
        "-c", "fsync=off", "-c", "max_connections=200", "-c", f"unix_socket_directories={data}",
    ]  # fmt: skip
    with _running(command, folder / "postgres.log", lambda: answers(port), user):
        yield f"postgres://portal:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    program = _found("redis-server", "redis-server")
    port = free_port()
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    with _running(command, folder / "redis.log", lambda: answers(port)):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _storage(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, folder / "storage.log", lambda: answers(port)):
        yield f"http://127.0.0.1:{port}"


# Programs and processes --------------------------------------------------------------------------
def _postgres_binaries() -> Path:
    def newest() -> Path | None:
        found = [path.parent for path in POSTGRES.glob("*/bin/initdb")]
        if not found and (initdb := shutil.which("initdb")):
            return Path(initdb).resolve().parent
        return max(found, key=lambda path: int(path.parent.name.split(".")[0]), default=None)

    if (binaries := newest()) is None:
        _install("postgresql", "PostgreSQL")
        binaries = newest()
    if binaries is None:
        raise StackMissing(
            "PostgreSQL was installed, but its programs are not where Debian has them."
        )
    return binaries


def _found(program: str, package: str) -> str:
    if shutil.which(program) is None:
        _install(package, program)
    if (path := shutil.which(program)) is None:
        raise StackMissing(f"{program} was installed, but is not on the path.")
    return path


def _install(package: str, what: str) -> None:
    advice = f"{what} is needed for this: apt-get install {package}"
    if os.geteuid() or shutil.which("apt-get") is None:
        raise StackMissing(advice)
    sys.stderr.write(f"Installing {package}\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", package]):
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
        if done.returncode and "install" in command:
            raise StackMissing(f"{advice} (tried, and it failed)")


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package makes this user for it."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise StackMissing("PostgreSQL does not run as root, and there is no other user here.")


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, user=user, cwd="/")
    if done.returncode:
        raise StackMissing(f"{Path(command[0]).name} failed: {done.stderr.strip()[-300:]}")


@contextmanager
def _running(
    command: list[str], log: Path, ready: Callable[[], bool], user: str | None = None
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, user=user, cwd="/", start_new_session=True
        )
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace").strip()[-300:]
                raise StackMissing(f"{Path(command[0]).name} did not start: {text}")
            time.sleep(0.1)
        yield
    finally:
        # Postgres: disconnect everybody and stop.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
