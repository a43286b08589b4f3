"""Settings come from the environment and from nowhere else.

Unset means the embedded default: SQLite for data and for keys, sealed blobs in a
folder, a broker that is a folder. ``DEPLOYED=1`` refuses to start on any of them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
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
        return Path(path).read_text(encoding="utf-8").strip()
    return env.str(name, None)


def _required(name: str, default: str) -> str:
    value = _secret_file(name)
    if value:
        return value
    if DEPLOYED:
        _MISSING_WHEN_DEPLOYED.append(name)
    return default


def _embedded_secret(name: str) -> str:
    """Make, once per state folder, a random secret that only its owner may read."""
    path = STATE_DIR / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = _required("SECRET_KEY", "" if DEPLOYED else _embedded_secret("secret_key"))
# 32 bytes in hexadecimal: the root of the key hierarchy (vault).
MASTER_KEY = _required("MASTER_KEY", "" if DEPLOYED else _embedded_secret("master_key"))

_database_url = _required("DATABASE_URL", f"sqlite:///{STATE_DIR}/data.sqlite3")
_keys_database_url = _required("KEYS_DATABASE_URL", f"sqlite:///{STATE_DIR}/keys.sqlite3")
REDIS_URL = _required("REDIS_URL", "")
# file:///folder or s3://bucket?endpoint=http://host:port&region=name
STORAGE_URL = _required("STORAGE_URL", f"file://{STATE_DIR}/blobs")
_email_url = _required("EMAIL_URL", "outbox:")
ALLOWED_HOSTS = [
    host for host in _required("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host
]
PUBLIC_URL = env.str("PUBLIC_URL", f"http://localhost:{PORT}")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if DEPLOYED else []

if _MISSING_WHEN_DEPLOYED:
    raise ImproperlyConfigured(
        "DEPLOYED=1 does not run on embedded defaults. Set (or set NAME_FILE to a file that holds): "
        + ", ".join(_MISSING_WHEN_DEPLOYED)
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
    "retention",
    "dsar",
    "governance",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_otp_webauthn",
    "auditlog",
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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


def _database(url: str) -> dict:
    database = dj_database_url.parse(url)
    if database["ENGINE"].endswith("sqlite3"):
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        database["OPTIONS"] = {
            "timeout": 20,
            # A writer takes its lock at BEGIN, so that two of them queue instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            # FULL: what is acknowledged survives a power cut. secure_delete: what is deleted is overwritten.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        }
    else:
        database["CONN_MAX_AGE"] = 600
        database["CONN_HEALTH_CHECKS"] = True
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
    # NIST SP 800-63B-4: 15 characters where a password stands alone; here it never does, and 12 is above its 8.
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
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
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# Words, time, static files ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
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
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "config.api.Pagination",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Collimate",
    "DESCRIPTION": "Medical images under express consent.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

# Who signs the trail's checkpoints; 32 bytes in hexadecimal, kept apart from the data (audit).
AUDIT_SIGNING_KEY = (
    _secret_file("AUDIT_SIGNING_KEY")
    or hashlib.sha256(b"collimate/audit-signing/" + MASTER_KEY.encode()).hexdigest()
)

BLOB_CHUNK = 64 * 1024
