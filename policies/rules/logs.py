"""Every technical record that is kept of a visit, field by field: the register (C37). Pure.

`tests/accounts/test_technical_logs.py` compares it with the tables: an undeclared field fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class LogField:
    name: str
    meaning: str
    personal: bool = True


@dataclass(frozen=True, slots=True)
class TechnicalLog:
    """One kind of record: `table` is where, `kept` how long; None if another rule says so."""

    title: str
    table: str
    technique: str
    implication: str
    fields: tuple[LogField, ...]
    kept_words: str
    kept: timedelta | None = None


SIGN_INS_KEPT = timedelta(days=90)
FAILED_TRIES_KEPT = timedelta(days=1)

SIGN_INS = TechnicalLog(
    title="Where you are signed in",
    table="accounts_signin",
    technique="When you sign in, one line is written, so that you can see and end it.",
    implication="It is linked to your account. You see your lines on the page of your account."
    " The browser's full description of itself, which can tell one computer from another, and your"
    " network address are not part of it.",
    fields=(
        LogField("id", "a random number of the line", personal=False),
        LogField("user_id", "your account"),
        LogField("session_digest", "a hash by which the session is known again"),
        LogField("browser", "browser and operating system, in two words"),
        LogField("factor", "how you proved who you are"),
        LogField("public_computer", "whether you said that others use the computer too"),
        LogField("started_at", "when you signed in"),
        LogField("seen_at", "when you were last seen, to the minute"),
        LogField("ended_at", "when you signed out"),
    ),
    kept_words="90 days after the session's end, or what the policy says if shorter; then deleted.",
    kept=SIGN_INS_KEPT,
)
SESSIONS = TechnicalLog(
    title="Your session",
    table="django_session",
    technique="While you are signed in, the portal keeps what belongs to the visit: who you are,"
    " for which organisation you work, and when you last proved it.",
    implication="It is linked to your account, and gone when you sign out.",
    fields=(
        LogField("session_key", "the random number that is in your session cookie"),
        LogField("session_data", "account, organisation, time and kind of the last proof"),
        LogField("expire_date", "when it ends"),
    ),
    kept_words="Until you sign out, at most 12 hours; leftovers are deleted daily.",
    kept=timedelta(hours=12),
)
FAILED_TRIES = TechnicalLog(
    title="Failed tries to sign in",
    table="axes_accessattempt",
    technique="A wrong password is counted, so that guessing is stopped after eight tries.",
    implication="This is the only record with a whole network address and the browser's full"
    " description. Nothing is written here when a password is right.",
    fields=(
        LogField("id", "the number of the line", personal=False),
        LogField("user_agent", "how the browser describes itself"),
        LogField("ip_address", "the network address"),
        LogField("username", "the e-mail address that was given"),
        LogField("http_accept", "which formats the browser takes"),
        LogField("path_info", "the page, which is the sign-in page"),
        LogField("attempt_time", "when"),
        LogField("get_data", "what was in the address bar"),
        LogField("post_data", "which fields were sent; the password is never kept"),
        LogField("failures_since_start", "how many tries", personal=False),
    ),
    kept_words="Counted for 15 minutes, deleted within two days.",
    kept=FAILED_TRIES_KEPT,
)
TRAIL = TechnicalLog(
    title="The trail",
    table="audit_event",
    technique="Each act upon somebody's data is written down and cannot be altered. With the act"
    " stand three technical fields.",
    implication="They are linked to your account where you were signed in. The network is cut so"
    " that it names a neighbourhood of the net and not a computer.",
    fields=(
        LogField("session", "a hash by which the acts of one session belong together"),
        LogField("network", "the first part of the network address"),
        LogField("request_id", "the number of the request, if the network gave it one", False),
    ),
    kept_words="As long as the trail itself, which the law requires to be kept.",
)
LOGS = (SIGN_INS, SESSIONS, FAILED_TRIES, TRAIL)

# What other portals keep and this one does not: said on the page, and tested.
NOT_KEPT = (
    "Which pages you visit, what you click and what you search for.",
    "Where you are: neither a place nor coordinates; browsers are told not to give them.",
    "A log of the web server. It is switched off; only faults of the program are noted.",
    "Anything for advertisers or by other companies: no page asks any other server for anything.",
)
