"""What stood in the clear before is sealed by the migration, and nothing of it is left."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

MADE = "2026-01-02 03:04:05"
BEFORE = f"""
CREATE TABLE otp_totp_totpdevice (id integer PRIMARY KEY, name text, confirmed bool, key text,
  step int, t0 int, digits int, tolerance int, drift int, last_t int, user_id int,
  throttling_failure_count int, throttling_failure_timestamp text, created_at text,
  last_used_at text);
CREATE TABLE otp_static_staticdevice (id integer PRIMARY KEY, name text, confirmed bool,
  user_id int, throttling_failure_count int, throttling_failure_timestamp text, created_at text,
  last_used_at text);
CREATE TABLE otp_static_statictoken (id integer PRIMARY KEY, token text, device_id int);
INSERT INTO accounts_user (id, password, email, name, residence, is_active, created_at)
  VALUES (7, 'x', 'quirina@quarz.example', 'Quirina Zwetschge', '', 1, '{MADE}'),
         (8, 'x', 'second@quarz.example', 'Second Zwetschge', '', 1, '{MADE}');
INSERT INTO accounts_profile (id, user_id, specialty, licence_number, licence_place, npi)
  VALUES (1, 7, 'Fersensporn', 'BLAEK-7719', 'Quarzberg', '');
INSERT INTO accounts_organisation (id, slug, name, kind, country, state, residency_region,
  regimes, privacy_email, is_active, created_at)
  VALUES ('{"1" * 32}', 'h', 'H', 'hospital', 'US', '', 'us', '[]', 'p@h.example', 1, '{MADE}');
INSERT INTO accounts_invitation (id, organisation_id, email, roles, secret_digest, created_at,
  expires_at) VALUES ('{"2" * 32}', '{"1" * 32}', 'Neuling@quarz.example', '[]', 'd', '{MADE}',
  '{MADE}');
INSERT INTO axes_accessattempt (id, user_agent, username, http_accept, path_info, attempt_time,
  get_data, post_data, failures_since_start)
  VALUES (1, '', 'vertippt@quarz.example', '', '', '{MADE}', '', 'email=vertippt@quarz', 1);
INSERT INTO otp_totp_totpdevice VALUES (3, 'app', 1, '{"ab" * 20}', 30, 0, 6, 1, 2, 99, 7, 0,
  NULL, '{MADE}', NULL);
INSERT INTO otp_static_staticdevice VALUES (4, 'codes', 1, 7, 0, NULL, '{MADE}', NULL);
INSERT INTO otp_static_statictoken VALUES (5, 'abcdefgh', 4);
"""
AFTER = """
import json
from accounts.models import *
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
with using(Purpose.SECURITY, *Category):
    user = User.objects.with_email("quirina@quarz.example").get()
    device, codes = user.authenticator_set.get(), user.recoverycodes_set.get()
    print(json.dumps([
        user.pk, user.email, user.name, user.phone, user.profile.licence_number, user.profile.npi,
        Invitation.objects.get().email, device.seed, device.drift, device.last_t,
        device.created_at.isoformat(), codes.verify_token("abcdefgx"), codes.codes.count(),
        str(codes.codes.filter(digest=codes.digest_of("abcdefgh")).exists()),
        User.objects.values("seal_id").distinct().count(),
    ]))
"""


def manage(state: Path, *words: str) -> str:
    environment = {
        k: v for k, v in os.environ.items() if not k.endswith(("_URL", "_SETTINGS_MODULE"))
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=environment | {"STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """An installation as it was, on the embedded default."""
    manage(tmp_path, "migrate", "accounts", "0004", "-v0")
    manage(tmp_path, "migrate", "axes", "-v0")
    manage(tmp_path, "migrate", "--database", "keys", "-v0")
    with sqlite3.connect(tmp_path / "data.sqlite3") as connection:
        connection.executescript(BEFORE)
    return tmp_path


def test_everything_is_there_and_nothing_in_the_clear(before: Path) -> None:
    manage(before, "migrate", "-v0")
    found = json.loads(manage(before, "shell", "-v0", "-c", AFTER))
    assert found == [
        7, "quirina@quarz.example", "Quirina Zwetschge", "", "BLAEK-7719", "",
        "neuling@quarz.example", "ab" * 20, 2, 99, "2026-01-02T03:04:05+00:00", False, 1, "True", 2,
    ]  # fmt: skip
    kept = b"".join(path.read_bytes() for path in before.glob("*.sqlite3*")).lower()
    words = (b"zwetschge", b"quarz", b"fersensporn", b"blaek", b"vertippt", b"neuling",
             b"abcdefgh", b"ab" * 20, b"otp_totp")  # fmt: skip
    assert [word for word in words if word in kept] == []
