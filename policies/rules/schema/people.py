"""Keys about whom a policy speaks to and for: roles, subjects, contact, accounts, sign-in."""

from __future__ import annotations

from policies.rules.kinds import ByPlace, Choice, Codes, Flag, Records, Stricter, Whole, Words
from policies.rules.schema.key import Floor, Key, at_least

ROLES = {
    "clinician": "clinicians",
    "administrator": "administrators",
    "officer": "privacy officers",
    "auditor": "auditors",
    "researcher": "researchers",
    "platform": "platform administrators",
}
FACTORS = {
    "totp": "a code from an authenticator app",
    "passkey": "a passkey",
    "recovery": "a one-time recovery code",
}
REGIMES = {
    "hipaa": "HIPAA (United States)",
    "hitech": "HITECH (United States)",
    "gdpr": "GDPR (European Union and EEA)",
    "uk-gdpr": "UK GDPR",
    "ch-fadp": "FADP (Switzerland)",
    "ccpa": "CCPA (California)",
    "caloppa": "CalOPPA (California)",
    "shine-the-light": "Shine the Light (California)",
    "ny-shield": "SHIELD Act (New York)",
}

_ROLES_MFA = Codes(ROLES, Stricter.MORE)
_FACTORS = Codes(FACTORS, Stricter.FEWER, may_be_empty=False)
_STEP_UP = Whole("minutes", 1, 60, Stricter.LOWER)
_PASSWORD = Whole("characters", 8, 128, Stricter.HIGHER)
_IDLE = Whole("minutes", 2, 240, Stricter.LOWER)
_ABSOLUTE = Whole("hours", 1, 72, Stricter.LOWER)
_DELETE_HOURS = Whole("hours", 1, 72, Stricter.LOWER)
_AGE = ByPlace(Whole("years", 0, 21, Stricter.HIGHER))

KEYS = (
    Key(
        "title", Words(120), "Title", "What the policy is called.",
        "Heads the public notice.", ("MEDDIM-0.1", "LIFEIMAGE-0.1"),
    ),
    Key(
        "opening", Words(1200), "Opening statement", "What the organisation commits itself to.",
        "The first paragraph of the notice, right under the effective date.",
        ("AVMI-0.1", "LIFEIMAGE-0.2", "XENRAD-1.1"), material=False,
    ),
    Key(
        "closing", Words(1200, may_be_empty=True), "Closing statement",
        "What the notice ends with.", "The last paragraph of the notice.", ("AVMI-12.2",),
        material=False,
    ),
    Key(
        "security.introduction", Words(1200), "Introduction to the safeguards",
        "What stands before the list of safeguards.", "Opens the notice's section on security.",
        ("LIFEIMAGE-6.26", "MEDDIM-13.1"), material=False,
    ),
    Key(
        "security.disclaimer", Words(600), "Limits of security",
        "That loss or misuse cannot be excluded altogether.",
        "Stands beside the safeguards in the notice.",
        ("LIFEIMAGE-6.23", "MEDDIM-6.12", "VIGILANT-5.1"), material=False,
    ),
    Key(
        "definitions", Records(None, {"term": Words(80), "means": Words(800)}, crosses=False),
        "Definitions", "Terms that have a meaning of their own in this policy.",
        "The notice's list of terms, and their explanation where the portal uses them.",
        ("LIFEIMAGE-1.0", "MEDDIM-1.8"), material=False,
    ),
    Key(
        "contact.officer", Words(120), "Privacy officer",
        "Who answers questions about privacy: a name, or the office.",
        "Named in the notice and on every refusal.", ("XENRAD-11.1", "LIFEIMAGE-17.2"),
    ),
    Key(
        "contact.email",
        Words(254, r"[^@\s]+@[^@\s]+\.[^@\s.]+", "name@hospital.example"), "E-mail for privacy",
        "Where people write with questions and requests.",
        "In the notice, in messages and on every refusal.",
        ("VIGILANT-9.1", "XENRAD-11.2", "MEDDIM-15.1", "AVMI-8.8"),
    ),
    Key(
        "contact.phone", Words(60, may_be_empty=True), "Telephone for privacy",
        "Where people can call.", "In the notice.", ("XENRAD-11.3", "LIFEIMAGE-17.1"),
    ),
    Key(
        "contact.hours", Words(120, may_be_empty=True), "Hours", "When the telephone is answered.",
        "In the notice, beside the number.", ("LIFEIMAGE-17.1",), material=False,
    ),
    Key(
        "contact.address", Words(300, may_be_empty=True), "Postal address",
        "Where letters go.", "In the notice.", ("LIFEIMAGE-17.2",), material=False,
    ),
    Key(
        "role",
        Choice({
            "controller": "a controller: it decides what data is used for",
            "processor": "a processor: it acts on the instructions of whoever sends data",
            "processor-and-controller":
                "a processor for patients' data, controller for users and visitors",
        }),
        "Role in law", "Whether the organisation decides itself what data is used for.",
        "The notice; and who answers a patient's request.",
        ("MEDDIM-2.22", "XENRAD-2.7", "AVMI-8.1"),
    ),
    Key(
        "subject.mode",
        Choice({
            "human": "patients",
            "human-and-family": "patients, and members of their family",
            "veterinary": "animals and their owners",
        }),
        "Whom images are about", "Patients, or animals: then the owner is the person concerned.",
        "How records name people, and what counts as identifying.",
        ("AVMI-1.1", "LIFEIMAGE-1.1", "MEDDIM-1.4"),
    ),
    Key(
        "regimes", Codes(REGIMES, Stricter.MORE, may_be_empty=False), "Laws",
        "The privacy laws that the organisation says it is under.",
        "Which rights and clocks apply, and which keys this policy must have.",
        ("AVMI-10.1", "XENRAD-12.1", "MEDDIM-7.5", "MEDDIM-13.1"),
    ),
    Key(
        "account.withdrawal",
        Choice({
            "each-share": "each share is revoked by itself",
            "each-share-or-inactivation":
                "each share by itself, or all at once by closing the account",
        }),
        "Withdrawing consent", "How consent can be withdrawn. Each share can always be revoked.",
        "Whether closing an account also revokes every share that the person gave.",
        ("VIGILANT-7.3", "LIFEIMAGE-13.3", "XENRAD-8.7", "MEDDIM-7.12"),
    ),
    Key(
        "account.post_inactivation",
        Choice({
            "archive-until-law": "kept out of sight until the time that law asks for has passed",
            "purge-after": "kept out of sight, and deleted after a number of days",
            "erase-now": "deleted at once, but for what law asks to keep",
        }),
        "After an account is closed", "What becomes of the data of somebody who closes an account.",
        "What closing an account does; a policy without it cannot be published.",
        ("LIFEIMAGE-12.8", "LIFEIMAGE-12.9", "VIGILANT-7.4", "XENRAD-6.2"),
    ),
    Key(
        "account.purge_after_days", Whole("days", 1, 3650, Stricter.LOWER, crosses=False),
        "Days until deletion", "How long a closed account is kept, where it is deleted after.",
        "When the purge takes a closed account.", ("XENRAD-6.2",), optional=True,
    ),
    Key(
        "account.min_age", _AGE, "Youngest age for an account",
        "How old one must be to have an account, by country.",
        "Sign-up refuses younger people; the strictest counts where the country is not known.",
        ("XENRAD-9.2", "MEDDIM-10.1"),
        floor=Floor(
            "13 years everywhere", "COPPA asks for a parent's consent below 13 (16 CFR 312.2).",
            broken=lambda ages: any(age < 13 for age in ages.values()),
        ),
    ),
    Key(
        "auth.factors", _FACTORS, "Second factors", "How people may prove who they are.",
        "What can be set up as second factor, and what signs in.",
        ("LIFEIMAGE-6.12", "VIGILANT-4.12", "XENRAD-4.2", "LIFEIMAGE-1.6"),
        floor=Floor(
            "an authenticator app or a passkey among them",
            "a recovery code alone would be a second factor that is used once.",
            broken=lambda factors: not {"totp", "passkey"} & set(factors),
        ),
    ),
    Key(
        "auth.mfa_roles", _ROLES_MFA, "Second factor for", "Who always needs a second factor.",
        "Sign-in asks these roles for a second factor.", ("XENRAD-4.2", "LIFEIMAGE-3.5"),
        floor=at_least(
            _ROLES_MFA, list(ROLES),
            "whoever can see, release or configure needs a second factor, whatever the policy.",
        ),
    ),
    Key(
        "auth.step_up_minutes", _STEP_UP, "Proving again",
        "How long proving again who one is holds, for sharing and other acts that matter.",
        "After it, sharing asks for the second factor again.",
        ("LIFEIMAGE-1.5", "LIFEIMAGE-1.9", "LIFEIMAGE-6.12"),
        floor=at_least(
            _STEP_UP, 15, "identity is confirmed at the time of authorising, not long before."
        ),
    ),
    Key(
        "auth.password_length", _PASSWORD, "Shortest password", "How long a password must be.",
        "Setting a password refuses a shorter one.", ("XENRAD-2.4", "VIGILANT-4.12"),
        floor=at_least(_PASSWORD, 12, "shorter ones are guessed even beside a second factor."),
    ),
    Key(
        "session.idle_minutes", _IDLE, "Unused session",
        "How long a signed-in browser may be left alone.", "After it, the session ends.",
        ("LIFEIMAGE-11.3", "XENRAD-3.5"),
        floor=at_least(_IDLE, 60, "a screen left alone shows images to the next person."),
    ),
    Key(
        "session.absolute_hours", _ABSOLUTE, "Longest session",
        "How long one may stay signed in, however busy.", "After it, one signs in again.",
        ("LIFEIMAGE-11.3", "XENRAD-3.5"),
        floor=at_least(_ABSOLUTE, 24, "a session that never ends is a password left on the desk."),
    ),
    Key(
        "minors.attestation", Flag(True), "Attestation for minors",
        "Whoever sends images of a minor attests that they may.",
        "Sending asks for it; without it nothing is taken.",
        ("XENRAD-9.3", "MEDDIM-10.4"),
        floor=at_least(Flag(True), True, "patients may be minors anywhere."),
    ),
    Key(
        "minors.guardian_named", Flag(True), "Guardian named for minors",
        "Whether images of a minor wait until whoever sends them names the guardian who agreed.",
        "They are held, and shown to nobody, until the guardian and their right are noted.",
        ("XENRAD-9.3", "MEDDIM-10.4"), optional=True,
    ),
    Key(
        "minors.delete_hours", _DELETE_HOURS, "A child's account",
        "Within how many hours the account of a child that slipped in is gone; 72 where nothing "
        "is said.",
        "It is closed as soon as it is reported; who is above is told if it is not gone in time.",
        ("MEDDIM-10.3",), optional=True,
    ),
    Key(
        "signals.gpc", Flag(True), "Global Privacy Control",
        "Whether a browser's signal counts as an opt-out of sale and sharing.",
        "A signed-in person with the signal is opted out, and the notice says so.",
        ("MEDDIM-7.16", "MEDDIM-8.2"),
    ),
    Key(
        "signals.dnt", Flag(True), "Do Not Track",
        "Whether the older Do Not Track signal stops what is optional.",
        "With it, no optional event is written; the notice says which it is.",
        ("MEDDIM-7.4", "MEDDIM-9.1"),
    ),
    Key(
        "marketing.basis",
        ByPlace(
            Choice(
                {
                    "opt-out": "sent until somebody objects",
                    "opt-in": "sent only to those who agreed",
                    "none": "never sent",
                },
                ranked=True,
            )
        ),
        "Promotional messages", "On what basis promotional messages are sent, by residence.",
        "Whom a campaign reaches.",
        ("MEDDIM-3.3", "MEDDIM-3.4", "LIFEIMAGE-16.3", "VIGILANT-8.3", "AVMI-3.2"),
        floor=Floor(
            "opt-in or none for EEA, GB and CH",
            "promotional mail there needs consent (Directive 2002/58/EC Art. 13).",
            broken=lambda value: any(
                value.get(place, value["default"]) == "opt-out" for place in ("EEA", "GB", "CH")
            ),
        ),
    ),
    Key(
        "record.readers_shown",
        Choice({
            "organisation": "the organisation only",
            "role": "organisation and role",
            "name": "organisation, role and name",
        }),
        "Who looked", "What a patient or owner is told of those who looked at their record.",
        "How much the record's own timeline says of other people.",
        ("XENRAD-8.2", "XENRAD-8.3", "VIGILANT-3.1"),
    ),
)  # fmt: skip
