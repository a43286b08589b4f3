"""Every technical record that is kept of a visit, field by field: the register (C37). Pure.

`tests/accounts/test_technical_logs.py` compares it with the tables: an undeclared field fails.
"""

from __future__ import annotations

from collections.abc import Collection
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
    technique="A wrong password is counted, so that guessing is stopped after six tries.",
    implication="This is the only record with a whole network address and the browser's full"
    " description. Nothing is written here when a password is right.",
    fields=(
        LogField("id", "the number of the line", personal=False),
        LogField("user_agent", "how the browser describes itself"),
        LogField("ip_address", "the network address"),
        LogField("username", "a keyed hash of the e-mail address that was given"),
        LogField("http_accept", "which formats the browser takes"),
        LogField("path_info", "the page, which is the sign-in page"),
        LogField("attempt_time", "when"),
        LogField("get_data", "what was in the address bar"),
        LogField(
            "post_data", "which fields were sent; neither the address nor the password is kept"
        ),
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
        LogField("request_id", "a random number of the request, by which a fault is found", False),
    ),
    kept_words="As long as the trail itself, which the law requires to be kept.",
)
REQUEST_DRAFTS = TechnicalLog(
    title="Requests that wait for their confirmation",
    table="dsar_requestdraft",
    technique="A request from the public form is kept until its address is confirmed by a link in"
    " a mail, and forms are counted so that nobody can send thousands.",
    implication="What you wrote is encrypted. Of your address and of the first part of your network"
    " address there is only a keyed hash, by which forms are counted. Unconfirmed, all of it is"
    " deleted after a day.",
    fields=(
        LogField("id", "a random number of the line", personal=False),
        LogField("organisation_id", "whom you ask", personal=False),
        LogField("key_id", "the number of its key", personal=False),
        LogField("sealed_record", "what you wrote, encrypted"),
        LogField("email_token", "a keyed hash of your e-mail address"),
        LogField("network_token", "a keyed hash of the first part of the network address"),
        LogField("created_at", "when you wrote it"),
        LogField("expires_at", "when it is deleted", personal=False),
        LogField("confirmed_at", "when you confirmed it"),
    ),
    kept_words="24 hours; deleted hourly.",
    kept=timedelta(hours=24),
)
USE = TechnicalLog(
    title="Which features you use",
    table="accounts_usageevent",
    technique="If the policy of your organisation lists it, one line is written when a page was"
    " shown: which feature, and on which day. Not the address, not what was searched for, not"
    " which patient or study it was about, not at what hour.",
    implication="While you are signed in, it is tied to your account by a pseudonym, so it is"
    " personal data: you find it in the file of your data, you can object to it, and closing your"
    " account deletes it. The pseudonym changes every four weeks, so no line can be followed for"
    " longer. A reader of the public notice who is not signed in is only counted. Nothing is"
    " written on a computer that you say is shared, or against a signal of your browser that the"
    " policy honours.",
    fields=(
        LogField("id", "a random number of the line", personal=False),
        LogField("organisation_id", "the organisation whose policy lists it", personal=False),
        LogField("day", "on which day, without the hour"),
        LogField("pseudonym", "a keyed hash that stands for you for four weeks"),
        LogField("feature", "which part of the portal"),
        LogField("page", "which kind of page, by its name; never its address"),
        LogField("from_page", "which kind of page before, if the policy lists it"),
        LogField("browser", "browser and operating system, in two words"),
        LogField("outcome", "done, refused, not found, wrongly filled in, or a fault"),
        LogField("took_ms", "how long the page took, if the policy lists it"),
        LogField("forget_on", "the day on which the line is deleted", personal=False),
    ),
    kept_words="As long as the policy keeps technical records, at most 90 days; each line holds the"
    " day on which it is deleted.",
    kept=timedelta(days=90),
)
LOGS = (SIGN_INS, SESSIONS, FAILED_TRIES, REQUEST_DRAFTS, TRAIL, USE)

# What other portals keep and this one does not: said on the page, and tested.
_NOT_KEPT = (
    "Where you are: neither a place nor coordinates; browsers are told not to give them.",
    "A log of the web server. It is off; faults of the program are noted without their contents.",
    "Anything for advertisers or by other companies: no page asks any other server for anything.",
)


def logs_under(events: Collection[str] | None) -> tuple[TechnicalLog, ...]:
    """The records that are kept under a policy with these optional ones; None: of any policy."""
    return LOGS if events is None or events else tuple(one for one in LOGS if one is not USE)


def not_kept_under(events: Collection[str] | None) -> tuple[str, ...]:
    """What is not kept; under a policy that is not known, only what none can list."""
    if events is not None and not events:
        first = "Which pages you visit, what you click and what you search for."
    elif events is not None and "clicks" not in events:
        first = "Addresses of pages, what you click, what you search for, and in which order."
    else:
        first = "Addresses of pages, what you search for, and at which hour you see what."
    return (first, *_NOT_KEPT)
