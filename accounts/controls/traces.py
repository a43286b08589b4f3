"""What is left in a browser, what is kept of a visit, and where links lead."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from csp.constants import NONE, SELF
from django.apps import apps
from django.conf import settings
from django.db import connection

from accounts.controls.signing_in import gate_of, require_order
from accounts.rules.tracking import SignalFlags, signals_of, tracking_statement
from jobs.rules.kinds import schedules
from policies.rules.categories import Category
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.cookies import REGISTER, BrowserItem, Place, RegisterInvalid, item_named
from policies.rules.inventory import inventory
from policies.rules.links import LINKS, ExternalLink, LinkInvalid
from policies.rules.logs import LOGS
from policies.rules.schema import KEY

_ELSEWHERE = re.compile(r"""(?:src|href|action|poster|srcset|url\()\s*=?\s*["']?(?:https?:)?//""")


@cache
def _pages(folder: Path) -> tuple[tuple[str, str], ...]:
    """Every template as text; they do not change while we run."""
    return tuple(
        (str(path.relative_to(folder)), path.read_text()) for path in folder.rglob("*.html")
    )


@control("accounts.cookies-registered", "Every cookie is in the public register")
def cookies_registered() -> str:
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        require(item_named(name), f"The cookie {name} is in no register.")
    require("session" in settings.MESSAGE_STORAGE, "Messages travel in a cookie of their own.")
    with must_refuse(RegisterInvalid, "A cookie without a purpose"):
        BrowserItem("control", Place.COOKIE, "", "-", "-", "-", None)  # type: ignore[arg-type]
    require(gate_of("accounts:cookies") == "public", "The register is not for everybody.")
    return f"{len(REGISTER)} things are left in a browser; each is declared with its purpose."


@control("accounts.cookies-here-only", "Cookies are sent to this site alone")
def cookies_here_only() -> str:
    for kind in ("SESSION", "CSRF"):
        require(getattr(settings, f"{kind}_COOKIE_DOMAIN") is None, f"{kind}: sent to other hosts.")
        same = getattr(settings, f"{kind}_COOKIE_SAMESITE")
        require(same in {"Lax", "Strict"}, f"{kind}: sent along from other sites.")
    return "No cookie names a domain; none goes along from other sites."


@control("accounts.cookies-go", "What is said to go with the browser goes with it")
def cookies_go() -> str:
    session, form = item_named(settings.SESSION_COOKIE_NAME), item_named(settings.CSRF_COOKIE_NAME)
    require(session and form, "A cookie is in no register.")
    assert session is not None
    lasts = session.lifetime.total_seconds() if session.lifetime else None
    require(lasts == settings.SESSION_COOKIE_AGE, "The register says another lifetime.")
    require(settings.CSRF_COOKIE_AGE is None, "The cookie of forms outlasts the browser.")
    return f"The session's cookie lasts {session.hours} hours, as the register says."


@control("accounts.cookies-opaque", "A cookie is a random number that scripts cannot read")
def cookies_opaque() -> str:
    require(settings.SESSION_COOKIE_HTTPONLY, "Scripts can read the session's cookie.")
    require(
        settings.SESSION_ENGINE.endswith("backends.db"), "The session lies in the cookie itself."
    )
    secure = settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE
    require(secure or not settings.DEPLOYED, "Cookies travel in the clear.")
    return "The session's cookie holds a number and is hidden from scripts."


@control("accounts.nothing-from-elsewhere", "No page asks another server for anything")
def nothing_from_elsewhere() -> str:
    require_order("csp.middleware.CSPMiddleware")
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    require(directives["default-src"] == [NONE], "Pages may load what is not named.")
    allowed = {NONE, SELF, "data:"}
    for name, sources in directives.items():
        require(set(sources) <= allowed, f"{name} lets pages load from elsewhere.")
    foreign = [name for name, text in _templates() if _ELSEWHERE.search(text)]
    require(not foreign, f"Another address stands in {', '.join(foreign)}.")
    return "Browsers are told to load from this portal alone, and no page names another address."


def _templates() -> tuple[tuple[str, str], ...]:
    return _pages(settings.BASE_DIR / "templates")


@control("accounts.links", "A link that leaves says so, and takes nothing along")
def links() -> str:
    for url in ("http://a.example/", "https://a.example/?id=1", "https://me@a.example/"):
        with must_refuse(LinkInvalid, f"A link to {url}"):
            ExternalLink("control", "-", url, "-")
    require(gate_of("accounts:leaving") == "public", "The page in between is not for everybody.")
    foreign = [name for name, text in _templates() if _ELSEWHERE.search(text)]
    require(not foreign, f"A link passes by the page in between: {', '.join(foreign)}.")
    leaving = dict(_templates())["accounts/leaving.html"]
    out = re.findall(r"<a[^>]*{{ link\.[^>]*>", leaving)
    bare = [one for one in out if "noreferrer" not in one or "no-referrer" not in one]
    require(out and not bare, "A link out tells the other site where its visitor came from.")
    kept = settings.SECURE_REFERRER_POLICY
    require(kept in {"same-origin", "no-referrer"}, "Other sites learn who links to them.")
    return f"{len(LINKS)} links lead out, all by way of the page that says so, and tell nothing."


@control(
    "accounts.signals-honoured", "Signals of browsers count as the policy says", of_policy=True
)
def signals_honoured(values: Values) -> str:
    flags = SignalFlags(gpc=values["signals.gpc"], dnt=values["signals.dnt"])
    for header, counts in (("Sec-GPC", flags.gpc), ("DNT", flags.dnt)):
        opts_out = signals_of(_Sent({header: "1"}), flags).opts_out
        require(opts_out == counts, f"{header} is not treated as the policy says.")
    require(not signals_of(_Sent({}), flags).opts_out, "Silence counts as an opt-out.")
    said = tracking_statement(flags)
    require(("not acted on" in said[1]) != flags.dnt, "The page says otherwise of Do Not Track.")
    gpc, dnt = ("counts" if one else "does not count" for one in (flags.gpc, flags.dnt))
    return f"Global Privacy Control {gpc} and Do Not Track {dnt}, as the policy says."


class _Sent:
    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers


# What is kept of a visit -------------------------------------------------------------------------
@control("accounts.logs-declared", "Each field of the technical logs is declared in public")
def logs_declared() -> str:
    with connection.cursor() as cursor:
        for log in LOGS:
            if log.table == "audit_event":
                continue  # three of its fields are technical; the trail is declared by itself
            columns = connection.introspection.get_table_description(cursor, log.table)
            there, said = {one.name for one in columns}, {one.name for one in log.fields}
            extra = ", ".join(sorted(there ^ said))
            require(there == said, f"{log.title}: declared and kept differ in {extra}.")
    other = _undeclared()
    require(not other, f"Undeclared logs: {', '.join(sorted(other))}.")
    require(settings.AXES_DISABLE_ACCESS_LOG, "A second log of sign-ins is kept.")
    return f"{len(LOGS)} logs were compared with their tables in the database; nothing is hidden."


def _undeclared() -> set[str]:
    """Tables with technical data that are no declared log, and not known to be empty."""
    # Switched off, and empty; that they are is looked at, not believed.
    unused = {"axes_accesslog", "axes_accessfailurelog", "axes_accessattemptexpiration"}
    labels = {one.model for one in inventory() if one.category is Category.TECHNICAL}
    tables = {apps.get_model(label)._meta.db_table for label in labels}
    declared = {log.table for log in LOGS} | {"accounts_acceptance", "auditlog_logentry"}
    return tables - unused - declared


@control(
    "accounts.logs-forgotten", "Technical logs are deleted when their time is over", of_policy=True
)
def logs_forgotten(values: Values) -> str:
    daily = [one for one in schedules() if one.kind == "accounts.forget"]
    require(daily, "Nothing deletes them.")
    require(daily[0].every.days <= 1, "They are deleted less often than daily.")
    floor = KEY["logs.keep_days"].floor
    require(floor is not None and floor.broken(91), "A policy may keep them longer than 90 days.")
    require(values["logs.keep_days"] <= 90, "This policy keeps them longer than 90 days.")
    return f"A daily job deletes what is older than {values['logs.keep_days']} days."
