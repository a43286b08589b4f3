"""Every key that a pack can have. Everything that is a choice in a seed is a key; law is not."""

from __future__ import annotations

from dataclasses import dataclass

from policies.rules.schema import care_of_data, people, uses
from policies.rules.schema.key import Floor, Key

KEYS: tuple[Key, ...] = (*people.KEYS, *uses.KEYS, *care_of_data.KEYS)
KEY: dict[str, Key] = {key.path: key for key in KEYS}
CROSSING: tuple[Key, ...] = tuple(key for key in KEYS if key.kind.crosses and not key.optional)

__all__ = ["CROSSING", "KEY", "KEYS", "PART", "PARTS", "Floor", "Key", "Part"]


@dataclass(frozen=True, slots=True)
class Part:
    """Keys that an administrator looks at together."""

    slug: str
    title: str
    about: str
    paths: tuple[str, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(KEY[path] for path in self.paths)


PARTS = (
    Part(
        "texts", "Texts", "What stands in the notice in the organisation's own words.",
        ("title", "opening", "closing", "security.introduction", "security.disclaimer",
         "definitions"),
    ),
    Part(
        "contact", "Contact", "Whom people ask.",
        ("contact.officer", "contact.email", "contact.phone", "contact.hours", "contact.address"),
    ),
    Part(
        "role", "Role and laws", "What the organisation is in law, and under which laws.",
        ("role", "subject.mode", "regimes", "residency.regions", "transfers.mechanisms"),
    ),
    Part("purposes", "Purposes", "What data is used for. Nothing else is let happen.",
         ("purposes",)),
    Part(
        "sharing", "Sharing and disclosure", "How images go to somebody outside.",
        ("consent.disclosure_level", "consent.share_days_at_most", "legal.grounds",
         "legal.advance_notice", "legal.agencies_under_review"),
    ),
    Part(
        "secondary", "Secondary use", "Research, training, advertising, de-identification.",
        ("secondary.research", "secondary.ai_training", "secondary.advertising",
         "secondary.brokers", "sale_share.allowed", "deid.options", "deid.min_group_size",
         "deid.project_end"),
    ),
    Part(
        "accounts", "Accounts and sign-in", "Who can have an account, and how it is protected.",
        ("account.min_age", "minors.attestation", "minors.guardian_named",
         "minors.delete_hours", "auth.factors",
         "auth.mfa_roles",
         "auth.step_up_minutes", "auth.password_length", "session.idle_minutes",
         "session.absolute_hours"),
    ),
    Part(
        "closing", "Closing an account", "What it withdraws, and what becomes of its data.",
        ("account.withdrawal", "account.post_inactivation", "account.purge_after_days"),
    ),
    Part(
        "messages", "Messages and signals", "Promotional messages, and what browsers signal.",
        ("marketing.basis", "signals.gpc", "signals.dnt", "optional_events"),
    ),
    Part(
        "keeping", "How long things are kept", "Terms for each kind of data.",
        ("retention", "uploads.restore_days", "logs.keep_days"),
    ),
    Part(
        "requests", "Requests and fees", "How people's requests about their data are answered.",
        ("requests.patient_route", "requests.acknowledge_days", "requests.answer_days",
         "fees.charged", "record.readers_shown"),
    ),
    Part(
        "notice", "Notice and breaches", "How people learn of changes, and of breaches.",
        ("notice.min_days", "notice.channels", "notice.partners", "breach.threshold",
         "breach.internal_hours"),
    ),
)  # fmt: skip
PART: dict[str, Part] = {part.slug: part for part in PARTS}
