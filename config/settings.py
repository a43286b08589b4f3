"""Settings come from the environment and from nowhere else.

Unset means the embedded default: SQLite for data and for keys, sealed blobs in a
folder, a broker that is a folder. ``DEPLOYED=1`` refuses to start on any of them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

DEPLOYED = env.bool("DEPLOYED", False)
STATE_DIR = Path(env.str("STATE_DIR", str(BASE_DIR / "var"))).resolve()
PORT = env.int("PORT", 8000)
# Demo mode hands out sign-in links on the loopback. It cannot be had when deployed.
DEMO = not DEPLOYED

_MISSING_WHEN_DEPLOYED: list[str] = []


def _secret_file(name: str) -> str | None:
    """Read ``NAME`` or, as container secrets want it, the file that ``NAME_FILE`` names."""
    if path := env.str(f"{name}_FILE", None):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read: {error.strerror}."
            ) from None
    return env.str(name, None)


def _required(name: str, default: Callable[[], str]) -> str:
    """Read a setting; unset, it is the embedded default, or is missed when deployed."""
    if value := _secret_file(name):
        return value
    if DEPLOYED:
        _MISSING_WHEN_DEPLOYED.append(name)
        return ""
    return default()


def _embedded_secret(name: str) -> str:
    """Make, once per state folder, a random secret that only its owner may read."""
    path = STATE_DIR / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written whole under another name first: a process that starts at the same time must
        # not read half of it, nor may two processes go on with different ones.
        draft = path.with_name(f"{name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # fails if it exists, which a rename does not
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = _required("SECRET_KEY", lambda: _embedded_secret("secret_key"))
# 32 bytes in hexadecimal: the root of the key hierarchy (vault).
MASTER_KEY = _required("MASTER_KEY", lambda: _embedded_secret("master_key"))
# While the master key is being changed: the ones it replaces, separated by commas.
MASTER_KEY_PREVIOUS = _secret_file("MASTER_KEY_PREVIOUS") or ""
# Who signs the trail's checkpoints: 32 bytes in hexadecimal, kept apart from the data (audit).
AUDIT_SIGNING_KEY = _required("AUDIT_SIGNING_KEY", lambda: _embedded_secret("audit_signing_key"))
# The name of this portal's log, in its checkpoints; unset, it follows from the signing key.
AUDIT_ORIGIN = env.str("AUDIT_ORIGIN", "")
# Verifier keys (C2SP signed-note) of signing keys that were replaced.
AUDIT_RETIRED_KEYS = [key for key in env.str("AUDIT_RETIRED_KEYS", "").split(",") if key]

_database_url = _required("DATABASE_URL", lambda: f"sqlite:///{STATE_DIR}/data.sqlite3")
_keys_database_url = _required("KEYS_DATABASE_URL", lambda: f"sqlite:///{STATE_DIR}/keys.sqlite3")
REDIS_URL = _required("REDIS_URL", str)
# file:///folder or s3://bucket?endpoint=http://host:port&region=name
STORAGE_URL = _required("STORAGE_URL", lambda: f"file://{STATE_DIR}/blobs")
# Where backups go, and their keys, which never lie with them; none, and the portal makes none
# itself. What is embedded stands for two places, on the one disk that a demonstration has.
BACKUP_URL = env.str("BACKUP_URL", "" if DEPLOYED else f"file://{STATE_DIR}/backups/data")
BACKUP_KEYS_URL = env.str("BACKUP_KEYS_URL", "" if DEPLOYED else f"file://{STATE_DIR}/backups/keys")
BACKUP_KEEP_DATA_DAYS = env.int("BACKUP_KEEP_DATA_DAYS", 30)
# How long an erasure takes to be final: a destroyed key lives on in backups of keys.
BACKUP_KEEP_KEYS_DAYS = env.int("BACKUP_KEEP_KEYS_DAYS", 14)
BACKUP_DRILL_DAYS = env.int("BACKUP_DRILL_DAYS", 90)
_email_url = _required("EMAIL_URL", lambda: "outbox:")
ALLOWED_HOSTS = [
    host.strip()
    for host in _required("ALLOWED_HOSTS", lambda: "127.0.0.1,localhost,[::1]").split(",")
    if host.strip()
]
_host = ALLOWED_HOSTS[0].lstrip("*.") if ALLOWED_HOSTS else ""
PUBLIC_URL = env.str("PUBLIC_URL", f"https://{_host}" if DEPLOYED else f"http://localhost:{PORT}")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if DEPLOYED else []

if DEPLOYED:
    _unfit = [
        f"{name} (not SQLite)"
        for name, url in (
            ("DATABASE_URL", _database_url),
            ("KEYS_DATABASE_URL", _keys_database_url),
        )
        if url.startswith("sqlite")
    ]
    if _database_url and _database_url == _keys_database_url:
        _unfit.append("KEYS_DATABASE_URL (another database than DATABASE_URL)")
    if _email_url == "outbox:":
        _unfit.append("EMAIL_URL (a mail server)")
    if _MISSING_WHEN_DEPLOYED or _unfit:
        raise ImproperlyConfigured(
            "DEPLOYED=1 does not run on embedded defaults. Set, or set NAME_FILE to a file that "
            "holds it: " + ", ".join(_MISSING_WHEN_DEPLOYED + _unfit)
        )

DEBUG = False

INSTALLED_APPS = [
    "vault",
    "jobs",
    "audit",
    "policies",
    "accounts",
    "consent",
    "studies",
    "releases",
    "retention",
    "backups",
    "dsar",
    "disclosures",
    "incidents",
    "governance",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_otp",
    "django_otp_webauthn",
    "auditlog",
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
]

MIDDLEWARE = [
    "config.methods.KnownMethods",
    "config.restoring.RestoringMiddleware",
    "config.faults.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "accounts.middleware.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActorMiddleware",
    "accounts.middleware.UsageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.PolicyMiddleware",
    "accounts.middleware.CardNumberMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "consent.middleware.RefusedMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "builtins": ["django.templatetags.static"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.navigation",
            ],
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    database: dict[str, Any] = {**dj_database_url.parse(url)}
    # Opening a connection for each request would cost more than the request; closing SQLite's
    # last one would also write the whole log back each time.
    database["CONN_MAX_AGE"] = 600
    if database["ENGINE"].endswith("sqlite3"):
        database["ENGINE"] = "config.sqlite"
        # What Django takes anyway; pytest-django knows it only of Django's own engine.
        database["TEST"] = {"NAME": ":memory:"}
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        database["OPTIONS"] = {
            "timeout": 20,
            # A writer takes its lock at BEGIN: two of them queue instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            # FULL: what is acknowledged survives a power cut. secure_delete: what is deleted is
            # overwritten.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
            ),
        }
    else:
        database["CONN_HEALTH_CHECKS"] = True
        # Compiling a plan takes seconds where a condition looks costly; answering it, milliseconds.
        database.setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")
    return database


DATABASES = {"default": _database(_database_url), "keys": _database(_keys_database_url)}
DATABASE_ROUTERS = ["vault.routers.KeysRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Passwords and sign-in --------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    # NIST SP 800-63B-4: 15 characters where a password stands alone; here it never does, and 12
    # is above its 8.
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
AXES_USERNAME_FORM_FIELD = "username"  # what our form hands to authenticate()
AXES_FAILURE_LIMIT = 6
# Addresses that were tried are known by a keyed hash, and are struck out of the form.
AXES_USERNAME_CALLABLE = "accounts.services.failed_tries.name_of_attempt"
AXES_SENSITIVE_PARAMETERS = ["username", "email", "password", "ip_address"]
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "accounts.views.sign_in.locked_out"
# Who signed in when is in the trail; a second log with addresses would only be another store.
AXES_DISABLE_ACCESS_LOG = True
OTP_TOTP_ISSUER = "Collimate"
OTP_WEBAUTHN_RP_NAME = "Collimate"
OTP_WEBAUTHN_RP_ID = urlsplit(PUBLIC_URL).hostname
OTP_WEBAUTHN_ALLOWED_ORIGINS = [PUBLIC_URL]

# Cookies and headers ----------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = DEPLOYED
SESSION_COOKIE_NAME = "__Host-session" if DEPLOYED else "collimate_session"
# The viewer's script reads the token for its STOW requests, so this one cannot be HttpOnly.
CSRF_COOKIE_SECURE = DEPLOYED
# It goes when the browser is closed: on a shared computer nothing may last (LIFEIMAGE-15.11).
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "accounts.views.public.form_refused"
# Messages name people; a cookie must not.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 63_072_000 if DEPLOYED else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = DEPLOYED
SECURE_HSTS_PRELOAD = DEPLOYED
SECURE_SSL_REDIRECT = DEPLOYED
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if DEPLOYED else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# Bodies are streamed by our own handlers; Django's own would spool plaintext to disk.
FILE_UPLOAD_HANDLERS = ["config.uploads.SmallFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# Words, time, static files ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(STATE_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# E-mail -----------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Collimate <portal@collimate.example>")
if _email_url == "outbox:":
    EMAIL_BACKEND = "accounts.gateways.outbox.OutboxBackend"
    EMAIL_OUTBOX_DIR = STATE_DIR / "outbox"
else:
    _mail = dj_email_url.parse(_email_url)
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST = _mail["EMAIL_HOST"]
    EMAIL_PORT = _mail["EMAIL_PORT"]
    EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
    EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
    EMAIL_USE_SSL = _mail["EMAIL_USE_SSL"]

# What goes wrong is told on standard error: which exception, out of which places, in which request,
# and nothing of what was being worked on (config.faults). Who asked for what is in the trail and
# nowhere else, so refusals (whose paths may hold secrets) are not logged here.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"fault": {"()": "config.faults.FaultFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "fault"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "WARNING").upper()},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "WARNING"},
        "django.request": {"handlers": [], "propagate": True, "level": "ERROR"},
        "django.security": {"handlers": [], "propagate": True, "level": "ERROR"},
    },
}

# Cache: rate limits only; it may be lost at any time --------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "config.api.Pagination",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Collimate",
    "DESCRIPTION": "Medical images under express consent.",
    "VERSION": "1",
    "PREPROCESSING_HOOKS": ["config.api.described"],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

# How many requests one web process serves at a time (config.gunicorn).
WEB_THREADS = env.int("WEB_THREADS", 8)
