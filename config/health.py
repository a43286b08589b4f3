"""Is the process alive, and can it do its work: for whoever starts, watches and balances."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import public
from config.restoring import look
from policies.rules.gate import uses_no_personal_data
from vault.gateways.blob_store import blob_store
from vault.rules.errors import StorageError

log = logging.getLogger(__name__)

# Anybody may ask, so what costs a write is asked at most once in so many seconds.
STORAGE_TRUSTED_FOR = 10.0
BROKER_PATIENCE = 1.0

OK = "ok"
_migrated: set[str] = set()
_storage_was_good_at = -STORAGE_TRUSTED_FOR


class NotReady(Exception):
    """One short sentence that holds nothing secret: anybody can read it."""


@public
@require_safe
@never_cache
@uses_no_personal_data
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer; whoever can, is alive."""
    return JsonResponse({"status": "alive"})


@public
@require_safe
@never_cache
@uses_no_personal_data
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 if requests can be served, else 503, with the state of each part.

    A broker that is away is a warning: the work is in the database and is rung for again.
    """
    checks = {
        "data": _outcome(lambda: _check_database("default")),
        "keys": _outcome(lambda: _check_database("keys")),
        "storage": _outcome(_check_storage),
        "restore": _outcome(_check_restore),
    }
    ready = all(outcome == OK for outcome in checks.values())
    checks["broker"] = _outcome(_check_broker, prefix="warning: ")
    body = {"status": "ready" if ready else "not ready", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)


def _outcome(check: Callable[[], None], *, prefix: str = "") -> str:
    try:
        check()
    except NotReady as reason:
        return f"{prefix}{reason}"
    return OK


def _check_database(alias: str) -> None:
    connection = connections[alias]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if alias not in _migrated:
            _check_migrated(alias)
    except DatabaseError as error:
        log.warning("The database %s does not answer: %s", alias, type(error).__name__)
        raise NotReady("does not answer") from None


def _check_migrated(alias: str) -> None:
    """Look once; new code, which may want new tables, is a new process."""
    executor = MigrationExecutor(connections[alias])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("is not migrated: run manage.py migrate, and again with --database keys")
    _migrated.add(alias)


def _check_storage() -> None:
    global _storage_was_good_at  # noqa: PLW0603 - one figure, and a wrong one costs nothing
    if time.monotonic() - _storage_was_good_at < STORAGE_TRUSTED_FOR:
        return
    name = str(uuid.uuid4())
    try:
        store = blob_store()
        sink = store.create(name)
        try:
            sink.write(memoryview(b"probe"))
            sink.flush()
            sink.publish()
        except BaseException:
            sink.discard()
            raise
        store.delete(name)
    except StorageError as error:
        log.warning("The store cannot be written: %s", type(error).__name__)
        raise NotReady("cannot be written") from None
    _storage_was_good_at = time.monotonic()


def _check_restore() -> None:
    try:
        under_way = look()
    except DatabaseError:
        # The database itself is looked at above.
        raise NotReady("cannot be asked about") from None
    if under_way:
        raise NotReady("is under way: nobody is answered before its replay is done")


def _check_broker() -> None:
    if not settings.REDIS_URL:
        if not (settings.STATE_DIR / "broker").is_dir():
            raise NotReady("the folder of the broker is not there yet")
        return
    import redis

    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_PATIENCE, socket_connect_timeout=BROKER_PATIENCE
    )
    try:
        client.ping()
    except redis.RedisError as error:
        log.warning("The broker does not answer: %s", type(error).__name__)
        raise NotReady("does not answer") from None
    finally:
        client.close()
