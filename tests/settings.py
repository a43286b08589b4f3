"""Settings of the tests: the real ones, in a state folder of this process, thrown away after it."""

# ruff: noqa: E402, F403 - the environment first, then everything that follows from it

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
_FOLDER = tempfile.mkdtemp(prefix=f"collimate-{_WORKER}-")
_OWNER = os.getpid()


def _clean() -> None:
    # A process that a test forked off inherits this, and is not to take the folder away.
    if os.getpid() == _OWNER:
        shutil.rmtree(_FOLDER, ignore_errors=True)


atexit.register(_clean)
os.environ["STATE_DIR"] = _FOLDER
for _name in ("DEPLOYED", "PORT", "PUBLIC_URL"):
    os.environ.pop(_name, None)

# One server each serves all processes of a parallel run on the stack. What a process keeps there is
# its own: a test that counts the objects of a bucket is not to see its neighbour's, and emptying
# the cache empties a whole database of Redis.
if os.environ.get("COLLIMATE_STACK") == "1":
    _bucket, _redis = urlsplit(os.environ["STORAGE_URL"]), urlsplit(os.environ["REDIS_URL"])
    # A process that a test starts inherits the names, and keeps them.
    _own = f"{_bucket.netloc.removesuffix(f'-{_WORKER}')}-{_WORKER}"
    os.environ["STORAGE_URL"] = _bucket._replace(netloc=_own).geturl()
    _number = int(_WORKER.removeprefix("gw")) + 1 if _WORKER != "main" else 0
    os.environ["REDIS_URL"] = _redis._replace(path=f"/{_number % 16}").geturl()

from config.settings import *

# scrypt takes a tenth of a second on purpose; what it protects is not here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A connection kept by a thread of a test's server would keep its database from being dropped.
for _database in DATABASES.values():  # noqa: F405
    _database["CONN_MAX_AGE"] = 0
# A test of backups names places of its own; the others run without.
BACKUP_URL = BACKUP_KEYS_URL = ""
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - or the server of static files warns
