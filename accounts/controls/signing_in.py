"""Who gets in, how they prove it, and for how long."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated

from accounts.api.permissions import UnderPolicy
from accounts.middleware import PERMISSIONS_POLICY
from accounts.rules import (
    ROLE_CAPABILITIES,
    SESSION_LIMITS,
    Capability,
    Factor,
    Role,
    session_expired,
    session_limits,
)
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.gate import declared_use
from policies.rules.schema import KEY

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "testserver"}
OURS = ("accounts", "consent", "studies", "retention", "dsar", "disclosures", "governance")


def require_order(*names: str) -> None:
    """Have these middlewares run, and in this order."""
    found = [settings.MIDDLEWARE.index(one) for one in names if one in settings.MIDDLEWARE]
    require(len(found) == len(names), f"One of these does not run: {', '.join(names)}.")
    require(found == sorted(found), f"These run in another order: {', '.join(names)}.")


@control("accounts.transit", "Nothing travels in the clear")
def transit() -> str:
    require_order(
        "django.middleware.security.SecurityMiddleware", "accounts.middleware.ActorMiddleware"
    )
    if not settings.DEPLOYED:
        open_to = sorted(set(settings.ALLOWED_HOSTS) - LOOPBACK)
        require(not open_to, f"It is not deployed, and yet answers to {', '.join(open_to)}.")
        return "Not deployed: it answers to this machine alone, so nothing travels."
    demanded = {
        "SECURE_SSL_REDIRECT": settings.SECURE_SSL_REDIRECT,
        "SESSION_COOKIE_SECURE": settings.SESSION_COOKIE_SECURE,
        "CSRF_COOKIE_SECURE": settings.CSRF_COOKIE_SECURE,
        "SECURE_HSTS_SECONDS": settings.SECURE_HSTS_SECONDS >= 31_536_000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": settings.SECURE_HSTS_INCLUDE_SUBDOMAINS,
    }
    off = sorted(name for name, on in demanded.items() if not on)
    require(not off, f"Switched off: {', '.join(off)}.")
    exempt = {r"^healthz$", r"^readyz$"}
    require(set(settings.SECURE_REDIRECT_EXEMPT) <= exempt, "More than the probes may go by HTTP.")
    return "HTTP is redirected, browsers are told to keep to TLS, and cookies go by TLS alone."


@control("accounts.passwords-strong", "Weak and well-known passwords are refused")
def passwords_strong() -> str:
    for weak in ("12345678", "short", "q1w2e3r4t5y6", "1qaz2wsx3edc"):
        with must_refuse(ValidationError, f"The password {weak!r}"):
            validate_password(weak)
    validate_password("a lamp on the windowsill")
    return "Short passwords, and long ones that everybody knows, were refused."


@control("accounts.second-factor", "Every role needs a second factor", of_policy=True)
def second_factor(values: Values) -> str:
    floor = KEY["auth.mfa_roles"].floor
    require(floor is not None, "A policy may leave the second factor out.")
    for role in Role:
        others = tuple(one.value for one in Role if one is not role)
        require(floor is not None and floor.broken(others), f"A policy may let {role} go without.")
    missing = {one.value for one in Role} - set(values["auth.mfa_roles"])
    require(not missing, f"Without a second factor: {', '.join(sorted(missing))}.")
    require("django_otp" in settings.INSTALLED_APPS, "Second factors are not installed.")
    return f"All {len(Role)} roles need one, and no policy may leave one of them out."


@control("accounts.factors-by-policy", "The policy says which factors count", of_policy=True)
def factors_by_policy(values: Values) -> str:
    needs = dict.fromkeys(Factor, "django_otp") | {Factor.PASSKEY: "django_otp_webauthn"}
    factors = {Factor(one) for one in values["auth.factors"]}
    require(factors & {Factor.TOTP, Factor.PASSKEY}, "Neither an app nor a passkey counts.")
    absent = [one for one in factors if needs[one] not in settings.INSTALLED_APPS]
    require(not absent, f"Allowed, and not installed: {', '.join(absent)}.")
    require(all(find_spec(needs[one]) for one in factors), "A factor's library is missing.")
    floor = KEY["auth.factors"].floor
    only_codes = floor is not None and floor.broken(("recovery",))
    require(only_codes, "A policy may have recovery codes as its only factor.")
    require(settings.AUTHENTICATION_BACKENDS[0].startswith("axes."), "Wrong tries are not counted.")
    return "Allowed: " + ", ".join(sorted(factors)) + "; all of them are installed."


@control(
    "accounts.sessions-listed", "A session ends when its owner, or time, ends it", of_policy=True
)
def sessions_listed(values: Values) -> str:
    require_order(
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "accounts.middleware.ActorMiddleware",
    )
    idle, most = values["session.idle_minutes"], values["session.absolute_hours"]
    limits = session_limits(public_computer=False, idle_minutes=idle, absolute_hours=most)
    require(limits.idle == timedelta(minutes=idle), "The policy's limit does not count.")
    now = timezone.now()
    left = session_expired(
        limits=limits, now=now, started_at=now - 2 * limits.idle, seen_at=now - 2 * limits.idle
    )
    busy = session_expired(
        limits=limits, now=now, started_at=now - 2 * limits.absolute, seen_at=now
    )
    require(left and busy, "A session goes on past its limit.")
    require(gate_of("accounts:session_end") == "signed-in", "Nobody can end a session of theirs.")
    return f"Sessions end after {idle} unused minutes or {most} hours, or by their owner's word."


@control("accounts.shared-computer", "On a shared computer nothing lasts")
def shared_computer() -> str:
    from accounts.views.sign_in import FORGET_ALL

    limits = session_limits(public_computer=True, idle_minutes=240, absolute_hours=72)
    require(limits.idle <= timedelta(minutes=5), "A session there may be left alone for longer.")
    require(limits.absolute < SESSION_LIMITS.absolute, "A session there lasts as long as any.")
    for what in ("cookies", "storage", "cache"):
        require(f'"{what}"' in FORGET_ALL, f"Signing out leaves the {what} there.")
    require(settings.CSRF_COOKIE_AGE is None, "The cookie of forms outlasts the browser.")
    return "Sessions end after 5 minutes; signing out has the browser clear what it kept."


# Pages -------------------------------------------------------------------------------------------
def routes(patterns: list[URLPattern | URLResolver] | None = None) -> list[tuple[str, object]]:
    """Every route of the portal with its name and its view."""
    found: list[tuple[str, object]] = []
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            space = f"{one.namespace}:" if one.namespace else ""
            found += [(space + name, view) for name, view in routes(one.url_patterns)]
        else:
            found.append((str(one.name), one.callback))
    return found


def gate_of(name: str) -> str:
    """Who may come to a route: public, signed-in, api, or capabilities; empty if nobody said."""
    view = dict(routes()).get(name)
    return str(getattr(view, "gate", getattr(getattr(view, "cls", None), "gate", "")))


@control("accounts.pages-gated", "Every page says who may come, and what for")
def pages_gated() -> str:
    found = routes()
    silent = [name for name, view in found if declared_use(view) is None]
    require(not silent, f"These name no purpose: {', '.join(silent[:5])}.")
    ours = [name for name, view in found if str(getattr(view, "__module__", "")).startswith(OURS)]
    open_ = [name for name in ours if not gate_of(name)]
    require(not open_, f"These say nothing of who may come: {', '.join(open_[:5])}.")
    for name, view in found:
        if gate_of(name) == "api":
            asked = set(getattr(getattr(view, "cls", None), "permission_classes", ()))
            require({IsAuthenticated, UnderPolicy} <= asked, f"{name} answers to anybody.")
    require_order("accounts.middleware.ActorMiddleware", "accounts.middleware.PolicyMiddleware")
    return f"Each of {len(found)} routes says who may come to it and what it uses data for."


@control("accounts.roles", "Who runs an organisation does not see images, and the other way round")
def roles() -> str:
    may_look = {role for role in Role if Capability.VIEW_IMAGES in ROLE_CAPABILITIES[role]}
    require(may_look == {Role.CLINICIAN}, f"Images are seen by {', '.join(sorted(may_look))}.")
    managing = {Capability.MANAGE_MEMBERS, Capability.MANAGE_CONFIGURATION}
    both = managing & ROLE_CAPABILITIES[Role.CLINICIAN]
    require(not both, "A clinician can manage the organisation.")
    need = Capability.SUBMIT_STUDIES in ROLE_CAPABILITIES[Role.CLINICIAN]
    require(need, "A clinician cannot send images.")
    return "Only clinicians see images; none of them manages the organisation."


@control("accounts.no-place", "Nobody is asked where they are")
def no_place() -> str:
    from policies.rules.inventory import inventory

    require_order("accounts.middleware.PermissionsPolicyMiddleware")
    require("geolocation=()" in PERMISSIONS_POLICY, "Browsers may give a place.")
    words = ("latitude", "longitude", "geo", "coordinates")
    kept = [f"{one.model}.{one.field}" for one in inventory() if one.field.startswith(words)]
    require(not kept, f"A place is kept in {', '.join(kept)}.")
    return "Browsers are told to give no place, and no field could hold one."
