"""Make the secrets that docker-compose.yml hands out, once; what is there stays as it is.

    python3 deploy/make_secrets.py [--email smtp+tls://user:password@host:587]

The folder can be entered by its owner alone. The files in it can be read by all, because each is
put into containers by itself, where a user without a name reads it.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"
IDENTITY = "portal"


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the secrets of a deployment.")
    parser.add_argument("--email", metavar="URL", help="the mail server, with user and password")
    options = parser.parse_args()
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    FOLDER.chmod(0o700)
    _keep("secret_key", secrets.token_urlsafe(60))
    _keep("master_key", secrets.token_hex(32))
    _keep("audit_signing_key", secrets.token_hex(32))
    for name, host in (("database", "db"), ("keys_database", "keys-db")):
        password = _keep(f"{name}_password", secrets.token_hex(24))
        _keep(f"{name}_url", f"postgres://portal:{password}@{host}:5432/portal")
    password = _keep("redis_password", secrets.token_hex(24))
    _keep("redis_url", f"redis://:{password}@redis:6379/0")
    _make_storage_credentials()
    if options.email:
        _keep("email_url", options.email)
    elif not (FOLDER / "email_url").exists():
        sys.stderr.write(f"Still to do: write the mail server's URL into {FOLDER / 'email_url'}\n")
        return 1
    return 0


def _make_storage_credentials() -> None:
    """Make one pair of keys, in the form the portal reads and in the form the store reads."""
    access, secret = secrets.token_hex(10), secrets.token_hex(24)
    paths = [FOLDER / "storage_credentials", FOLDER / "storage_identities"]
    if all(path.exists() for path in paths):
        return
    identity = {
        "name": IDENTITY,
        "credentials": [{"accessKey": access, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    for path in paths:
        path.unlink(missing_ok=True)
    _keep(
        "storage_credentials",
        f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n",
    )
    _keep("storage_identities", json.dumps({"identities": [identity]}))


def _keep(name: str, text: str) -> str:
    """Write a secret unless it is there; return the one that is."""
    path = FOLDER / name
    if not path.exists():
        path.write_text(text, encoding="ascii")
        path.chmod(0o444)
    return path.read_text(encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
