"""Snapshots of PostgreSQL by its own programs, `pg_dump` and `pg_restore`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2
from django.db import connections

from backups.rules.refusals import BackupRefused, CopyDamaged
from config.restoring import SCHEMA
from releases.rules.reader import ROLE_IS_THERE

PIECE = 1024 * 1024
_EMPTY = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', one.name);
    END LOOP;
END $$
"""


def require_programs(alias: str) -> None:
    """Raise `BackupRefused` if the programs are missing, or older than the server."""
    server = _major_version(alias)
    for program in ("pg_dump", "pg_restore"):
        if shutil.which(program) is None:
            raise BackupRefused(
                f"{program} is not installed here. Install the client of PostgreSQL {server} or"
                f" newer (Debian: postgresql-client-{server})."
            )
    said = subprocess.run(["pg_dump", "--version"], capture_output=True, text=True, check=True)  # noqa: S607
    own = re.search(r"(\d+)", said.stdout.partition("PostgreSQL")[2])
    if own is None or int(own[1]) < server:
        raise BackupRefused(
            f"pg_dump is older than the server, and would refuse: install the client of PostgreSQL"
            f" {server} or newer (Debian: postgresql-client-{server})."
        )


def _major_version(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


def dump(alias: str) -> Iterator[bytes]:
    command = ["pg_dump", "--format=custom", "--no-owner", f"--exclude-schema={SCHEMA}"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - a program of the database, words of our own
            command, env=_environment(alias), stdout=subprocess.PIPE, stderr=said
        )
        assert process.stdout is not None
        try:
            while piece := process.stdout.read(PIECE):
                yield piece
        finally:
            process.stdout.close()
            if process.wait() != 0:
                raise BackupRefused(f"pg_dump failed: {_last_line(said)}")


def load(alias: str, pieces: Iterator[bytes]) -> None:
    """Empty the database and load a dump: what breaks off leaves it empty, and marked."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_EMPTY)
        # A dump holds no roles; it grants something to this one.
        cursor.execute(ROLE_IS_THERE)
    connections[alias].close()
    command = [
        "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction",
        f"--dbname={connections[alias].settings_dict['NAME']}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603
            command, env=_environment(alias), stdin=subprocess.PIPE, stderr=said
        )
        assert process.stdin is not None
        try:
            for piece in pieces:
                process.stdin.write(piece)
        except BrokenPipeError:
            pass  # it has ended, and says why
        except BaseException:
            process.kill()
            raise
        finally:
            _close(process)
        if process.returncode:
            raise CopyDamaged(f"pg_restore failed: {_last_line(said)}")


@contextmanager
def temporary_database(alias: str, name: str) -> Iterator[str]:
    """Make a database beside that of an alias; give its address, and drop it afterwards."""
    try:
        _administer(alias, f"CREATE DATABASE {name}")
    except psycopg2.Error as error:
        raise BackupRefused(
            "A drill makes two databases of its own on the server and drops them again. Allow"
            f" that: ALTER ROLE ... CREATEDB ({type(error).__name__})."
        ) from None
    try:
        yield _address(alias, name)
    finally:
        _administer(alias, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(alias: str, statement: str) -> None:
    params = connections[alias].get_connection_params()
    known = {key: params[key] for key in ("dbname", "user", "password", "host", "port", "sslmode")
             if params.get(key)}  # fmt: skip
    with closing(psycopg2.connect(**known)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _address(alias: str, name: str) -> str:
    said: dict[str, Any] = connections[alias].settings_dict
    user = f"{quote(said['USER'], safe='')}:{quote(said['PASSWORD'], safe='')}"
    options = {key: said["OPTIONS"][key] for key in ("sslmode", "sslrootcert")
               if key in said.get("OPTIONS", {})}  # fmt: skip
    query = f"?{urlencode(options)}" if options else ""
    port = f":{said['PORT']}" if said.get("PORT") else ""
    return f"postgres://{user}@{said['HOST']}{port}/{name}{query}"


def _close(process: subprocess.Popen[bytes]) -> None:
    try:
        assert process.stdin is not None
        process.stdin.close()
    except BrokenPipeError:
        pass
    process.wait()


def _environment(alias: str) -> dict[str, str]:
    """Where the database is, as these programs read it; a password on a command line is seen."""
    said: dict[str, Any] = connections[alias].settings_dict
    options = said.get("OPTIONS", {})
    names = {
        "PGHOST": said.get("HOST"), "PGPORT": said.get("PORT"), "PGUSER": said.get("USER"),
        "PGPASSWORD": said.get("PASSWORD"), "PGDATABASE": said.get("NAME"),
        **{f"PG{name.upper()}": options.get(name) for name in ("sslmode", "sslrootcert")},
    }  # fmt: skip
    return os.environ | {name: str(value) for name, value in names.items() if value}


def _last_line(said: Any) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1][-300:] if lines else "it did not say why"
