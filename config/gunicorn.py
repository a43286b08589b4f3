"""The web server: few processes, several threads each, bodies read as they come."""

import contextlib
import ctypes
import os
import socket
from typing import Any

bind = [f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"]
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 120
graceful_timeout = 20
keepalive = 15
# Each worker loads the application itself: a preloaded parent would be a third copy in memory.
preload_app = False
# A process shows that it lives by touching a file at every turn: not one on a disk. The file has
# no name.
_MEMORY = "/dev/shm"  # noqa: S108
worker_tmp_dir = _MEMORY if os.access(_MEMORY, os.W_OK) else None
# Request lines and headers longer than these are refused before any code of ours runs.
limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190
accesslog = None
errorlog = "-"
logger_class = "config.server_log.ServerLogger"
loglevel = os.environ.get("LOG_LEVEL", "warning").lower()

_M_ARENA_MAX = -8


def post_fork(server: object, worker: object) -> None:
    """Keep glibc from giving each thread a heap of its own, which is never given back."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


# What gunicorn itself reads away after an answer, for the next request on the same connection.
_DRAINED = 64 * 1024


def post_request(worker: object, request: Any, environ: dict[str, Any], response: object) -> None:
    """Hang up on a long body that was not read to its end; gunicorn would wait for its sender.

    A short one is left to gunicorn: it was promised that the connection stays, and the next
    request may be under way on it.
    """
    unread = getattr(getattr(request.body, "reader", None), "length", 0)
    if unread > _DRAINED or "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
        with contextlib.suppress(OSError, KeyError):
            environ["gunicorn.socket"].shutdown(socket.SHUT_RD)
