"""Keys about keeping: notice of changes, breaches, retention, requests, fees, de-identification."""

from __future__ import annotations

from policies.rules.categories import CATEGORY_LABELS
from policies.rules.kinds import Choice, Codes, Flag, Period, Records, Stricter, Whole, Words
from policies.rules.schema.key import Key, at_least

CHANNELS = {
    "website": "a notice on the website",
    "email": "e-mail",
    "announcement": "an announcement when signing in",
    "dashboard": "an alert on the first page, until it is acknowledged",
}
_CHANNELS = Codes(CHANNELS, Stricter.MORE)
_NOTICE_DAYS = Whole("days", 0, 365, Stricter.HIGHER)
_BREACH_HOURS = Whole("hours", 1, 1440, Stricter.LOWER)
_GROUP = Whole("people", 1, 10_000, Stricter.HIGHER)
_LOG_DAYS = Whole("days", 1, 3650, Stricter.LOWER)
_RESTORE_DAYS = Whole("days", 7, 365, Stricter.LOWER)
_ANSWER = Whole("days", 1, 365, Stricter.LOWER)

TRIGGERS = {
    "examination": "the examination",
    "last-contact": "the last contact",
    "relationship-ended": "the end of the relationship",
    "account-closed": "the closing of the account",
    "diagnosis-complete": "the end of the diagnostic process",
    "project-ended": "the end of the project",
    "created": "the day it was made",
}

DEID_OPTIONS = {
    "clean-pixel-data": "burned-in text is removed from images",
    "clean-descriptors": "free text is cleaned",
    "clean-structured-content": "structured reports are cleaned",
    "clean-graphics": "graphics and overlays are removed",
    "clean-recognizable-visual-features": "faces are removed from head scans",
}

KEYS = (
    Key(
        "notice.min_days", _NOTICE_DAYS, "Notice of changes",
        "How many days lie at least between posting a new version and its taking effect.",
        "A version with an earlier date cannot be posted.",
        ("LIFEIMAGE-14.4", "AVMI-11.3", "MEDDIM-14.2"),
        floor=at_least(
            _NOTICE_DAYS, 7, "nobody can read, ask and decline a policy that holds tomorrow."
        ),
    ),
    Key(
        "notice.channels", _CHANNELS, "Ways of telling",
        "How people are told of a change that matters.",
        "What is sent and shown when a version is posted.",
        ("XENRAD-10.2", "XENRAD-10.3", "XENRAD-10.4", "XENRAD-10.5", "MEDDIM-14.3"),
        floor=at_least(_CHANNELS, ["website"], "the public notice is where everybody can look."),
    ),
    Key(
        "notice.partners", Flag(True), "Partners told",
        "Whether organisations with an agreement in force are told as well.",
        "They get the same message when a version is posted.", ("LIFEIMAGE-14.3",),
    ),
    Key(
        "breach.threshold",
        Choice(
            {
                "legal-required": "a breach that law asks to report",
                "may-have": "any breach that may have exposed data",
            },
            ranked=True,
        ),
        "What counts as a breach", "From which point on people are told of a breach.",
        "Which incidents need a notice.",
        ("LIFEIMAGE-6.25", "VIGILANT-5.3", "MEDDIM-6.13", "XENRAD-4.11"),
    ),
    Key(
        "breach.internal_hours", _BREACH_HOURS, "Told within",
        "Within how many hours people are told. Clocks of law run beside it; the earliest counts.",
        "The deadline of an incident's notices.", ("VIGILANT-5.3", "LIFEIMAGE-6.25"),
        floor=at_least(
            _BREACH_HOURS, 720, "SHIELD asks for 30 days at the most (N.Y. Gen. Bus. Law 899-aa)."
        ),
    ),
    Key(
        "retention",
        Records(
            CATEGORY_LABELS,  # type: ignore[arg-type]
            {
                "trigger": Choice(TRIGGERS),
                "keep": Period(),
                "and_until": Choice(TRIGGERS),
                "action": Choice({
                    "delete": "deleted",
                    "anonymise": "made anonymous",
                    "review": "looked at by a person",
                    "archive": "archived until the law lets go of it",
                }),
                "cites": Words(200),
            },
            optional=frozenset({"and_until", "cites"}),
            crosses=False,
        ),
        "How long things are kept", "For each kind of data: counted from what, how long, and then.",
        "What the disposal runs propose, and what the notice says.",
        ("AVMI-7.1", "AVMI-7.2", "AVMI-7.3", "XENRAD-6.1", "XENRAD-6.3", "MEDDIM-5.8"),
    ),
    Key(
        "logs.keep_days", _LOG_DAYS, "Technical records",
        "How long technical data is kept.", "The daily purge deletes what is older.",
        ("XENRAD-6.3", "AVMI-2.7", "LIFEIMAGE-15.2"),
        floor=at_least(_LOG_DAYS, 90, "no record of a visit is needed for longer."),
    ),
    Key(
        "uploads.restore_days", _RESTORE_DAYS, "Rejected uploads",
        "For how many days a study that was rejected as wrongly sent can be restored; 30 where "
        "nothing is said.",
        "From the next day on it is due for disposal, unless a hold or the law keeps it.",
        ("MEDDIM-5.8", "AVMI-7.3"),
        floor=at_least(
            _RESTORE_DAYS, 90, "what should never have been here is not kept for a season."
        ),
        # Versions that were posted before there was this key stay as they are.
        optional=True,
    ),
    Key(
        "requests.patient_route",
        Choice({
            "direct": "to this organisation",
            "via-provider": "to the provider that sent the data; a request made here is handed on",
        }),
        "Patients' requests", "Where patients turn with a request about their data.",
        "Who works on a patient's request. Its clock never stops on the way.",
        ("MEDDIM-7.26", "AVMI-8.1", "LIFEIMAGE-12.1"),
    ),
    Key(
        "requests.answer_days", _ANSWER, "Answered within",
        "How many days the organisation gives itself. Clocks of law run beside it.",
        "The deadline of a request: the earliest counts.", ("MEDDIM-7.24", "AVMI-8.8"),
        floor=at_least(_ANSWER, 45, "no law that ships gives longer without an extension."),
    ),
    Key(
        "requests.acknowledge_days", _ANSWER, "Acknowledged within",
        "Within how many days a request is acknowledged.", "When a request is shown as late.",
        ("AVMI-8.8", "MEDDIM-7.21"),
        floor=at_least(_ANSWER, 14, "11 CCR 7021 gives ten business days."),
    ),
    Key(
        "fees.charged",
        Choice(
            {
                "cost-based": "the cost of fetching, copying and sending, quoted before",
                "none": "nothing",
            },
            ranked=True,
        ),
        "Fees", "What a copy of one's data may cost. Where law makes it free, it is free.",
        "Whether a request can have a quote, which the person accepts first.",
        ("LIFEIMAGE-12.11", "MEDDIM-7.13"),
    ),
    Key(
        "deid.min_group_size", _GROUP, "Smallest group",
        "How many people a group has at least before something is said about it.",
        "Smaller counts are not shown, nor released.", ("LIFEIMAGE-9.1", "LIFEIMAGE-9.3"),
        floor=at_least(_GROUP, 5, "in a group of four, three know who the fourth is."),
    ),
    Key(
        "deid.options",
        Codes(DEID_OPTIONS, Stricter.MORE),
        "De-identification", "What is cleaned beyond the basic profile (DICOM PS3.15 Annex E).",
        "The options of every release project, at least.", ("MEDDIM-2.23", "MEDDIM-2.24"),
    ),
    Key(
        "deid.project_end",
        Choice({
            "delete": "deleted",
            "deidentify-further": "stripped further, and kept",
            "keep": "kept, with its linking table destroyed",
        }),
        "At the end of a project", "What becomes of de-identified data when its project ends.",
        "What the project's end does.", ("MEDDIM-5.6", "MEDDIM-5.7"),
    ),
    Key(
        "optional_events", Codes(
            {
                "usage": "which features are used, by the day",
                "performance": "how long pages take",
                "errors": "what went wrong, without content",
                "clicks": "from which page to which somebody goes",
            },
            Stricter.FEWER,
        ),
        "Optional records of use",
        "What is noted of the use of the portal beyond what security needs.",
        "Only these are ever written, and none for those who object.",
        ("MEDDIM-2.5", "MEDDIM-2.10", "XENRAD-2.16", "XENRAD-2.17", "LIFEIMAGE-3.8"),
    ),
)  # fmt: skip

__all__ = ["CHANNELS", "DEID_OPTIONS", "KEYS", "TRIGGERS"]
