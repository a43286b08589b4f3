"""Keys about what data is used for, and whom it goes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.rules.categories import CATEGORY_LABELS, HEALTH, Category
from policies.rules.kinds import Choice, Codes, Flag, Records, Stricter, Whole, Words
from policies.rules.purposes import ALWAYS, CARE, ONLY_DEIDENTIFIED, PURPOSE_LABELS, Purpose
from policies.rules.schema.key import Floor, Key, at_least

BASES = {
    "consent": "consent (GDPR Art. 6(1)(a), 9(2)(a))",
    "contract": "a contract (GDPR Art. 6(1)(b))",
    "legal-obligation": "a legal obligation (GDPR Art. 6(1)(c))",
    "legitimate-interests": "legitimate interests (GDPR Art. 6(1)(f))",
    "health-care": "health care (GDPR Art. 9(2)(h); 45 CFR 164.506(c))",
    "authorization": "the patient's authorization (45 CFR 164.508)",
    "instructions": "the instructions of the controller (GDPR Art. 28)",
}
_CATEGORIES = Codes(
    {category.value: label for category, label in CATEGORY_LABELS.items()}, Stricter.FEWER,
    may_be_empty=False,
)  # fmt: skip
_HEALTH = {category.value for category in HEALTH}
_MAY_USE_HEALTH = {purpose.value for purpose in CARE | ALWAYS} | {
    # Whoever has to mend a fault, keep the record in order or stand in court may have to look.
    Purpose.OPERATIONS.value,
    Purpose.SUPPORT.value,
    Purpose.LEGAL_CLAIMS.value,
}
_WITHOUT_PEOPLE = {purpose.value for purpose in ONLY_DEIDENTIFIED}


def purposes_below_floor(purposes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name each purpose that reaches for data it can never have, and which."""
    found = []
    for code, record in purposes.items():
        categories = set(record["categories"])
        if code in _WITHOUT_PEOPLE and (taken := categories - {Category.DEIDENTIFIED.value}):
            found.append(f"{code} may use only data without people in it, not {_listed(taken)}")
        elif code not in _MAY_USE_HEALTH and (taken := categories & _HEALTH):
            found.append(f"{code} may not use health information ({_listed(taken)})")
        if record["share"] and code not in {purpose.value for purpose in CARE}:
            found.append(f"{code} is no purpose of care, so nothing can be shared for it")
    return found


def _listed(categories: set[str]) -> str:
    return ", ".join(sorted(categories))


_LEVEL = Choice(
    {
        "user-authorised": "by whoever is signed in and may share",
        "documented": "with documented consent: proving again who one is, or a signed document",
        "express-authenticated":
            "with express consent: proving again who one is, at the moment of sharing",
    },
    ranked=True,
)  # fmt: skip
_SHARE_DAYS = Whole("days", 1, 3650, Stricter.LOWER)
_SECONDARY = {
    "deidentified": "with data without people in it",
    "deidentified-opt-in": "with data without people in it, of those who agreed",
    "off": "not at all",
}
_RESEARCH = Choice(_SECONDARY, ranked=True)
GROUNDS = {
    "law": "a law that demands it",
    "court-order": "a court's order",
    "subpoena": "a subpoena duly executed",
    "government-request": "a request of a government agency",
    "investigation": "an investigation by law enforcement",
    "compliance-review": "a review of compliance by an authority",
    "fraud": "preventing fraud or illegal acts",
    "terms": "enforcing the terms of the service",
    "rights": "defending rights or property, or against liability",
    "safety": "protecting the safety of people",
}
_GROUNDS = Codes(GROUNDS, Stricter.FEWER, may_be_empty=False)
MECHANISMS = {
    "adequacy": "an adequacy decision (GDPR Art. 45)",
    "scc": "standard contractual clauses (Decision (EU) 2021/914)",
    "uk-addendum": "the UK Addendum",
    "swiss-addendum": "the Swiss addendum",
    "bcr": "binding corporate rules (GDPR Art. 47)",
    "dpf": "the EU-US Data Privacy Framework",
    "explicit-consent": "explicit consent (GDPR Art. 49(1)(a))",
    "privacy-shield": "Privacy Shield",
}
_MECHANISMS = Codes(MECHANISMS, Stricter.FEWER)
REGIONS = {
    "us": "United States", "eu": "European Union", "uk": "United Kingdom", "ch": "Switzerland",
    "ca": "Canada",
}  # fmt: skip

KEYS = (
    Key(
        "purposes",
        Records(
            {purpose.value: label for purpose, label in PURPOSE_LABELS.items()
             if purpose not in ALWAYS},
            {
                "categories": _CATEGORIES,
                "basis": Choice(BASES),
                "share": Flag(False),
                "words": Words(300),
                "cites": Words(200),
                "assessment": Words(200),
            },
            optional=frozenset({"words", "cites", "assessment"}),
        ),
        "Purposes", "What each kind of data is used for, and on what legal basis.",
        "The only uses that the portal lets happen; what is not listed is refused and recorded.",
        ("AVMI-3.6", "LIFEIMAGE-5.0", "VIGILANT-3.2", "XENRAD-3.1", "MEDDIM-3.1", "AVMI-3.7"),
        floor=Floor(
            "health information only for care and duties; statistics, research, development and "
            "training only with data without people in it",
            "these are promised by every policy that ships (MEDDIM-8.6, LIFEIMAGE-9.2).",
            broken=lambda value: bool(purposes_below_floor(value)),
        ),
    ),
    Key(
        "consent.disclosure_level", _LEVEL, "Consent to a share",
        "How strong consent to a share must be. Recipient, purpose and items are always named.",
        "What sharing asks for at that moment.",
        ("LIFEIMAGE-1.7", "LIFEIMAGE-1.9", "VIGILANT-2.3", "XENRAD-5.1", "MEDDIM-4.16"),
    ),
    Key(
        "consent.share_days_at_most", _SHARE_DAYS, "Longest share",
        "For how long something can be shared at the most.", "The last day a share can be given.",
        ("LIFEIMAGE-1.7", "AVMI-5.1"),
        floor=at_least(_SHARE_DAYS, 730, "an agreement that nobody remembers is no consent."),
    ),
    Key(
        "secondary.research", _RESEARCH, "Research and teaching",
        "Whether images may be used for research and teaching.",
        "Whether a release project can be made for it, and what it needs.",
        ("MEDDIM-3.9", "MEDDIM-3.10", "MEDDIM-4.7"),
    ),
    Key(
        "secondary.ai_training", _RESEARCH, "Training of software",
        "Whether images may be used to train software that learns.",
        "Whether a release project can be made for it, and what it needs.",
        ("XENRAD-3.9", "MEDDIM-3.11", "MEDDIM-3.12", "AVMI-3.6"),
    ),
    Key(
        "secondary.advertising", Flag(False), "Advertising",
        "Whether the portal shows advertising of others.",
        "With it, the notice says so, and an opt-out must be offered. Study pages never show any.",
        ("MEDDIM-2.12", "MEDDIM-3.5"),
    ),
    Key(
        "secondary.brokers", Flag(False), "Data from brokers",
        "Whether data about people may be taken in from brokers, partners or public registers.",
        "An import of contacts is refused without it, and without its source.",
        ("MEDDIM-2.13",),
    ),
    Key(
        "sale_share.allowed", Flag(False), "Sharing for other value",
        "Whether anything is given to others for value, as California counts it. Never for money.",
        "With it, the notice carries the opt-out, and browsers' signals must be honoured.",
        ("MEDDIM-4.2", "MEDDIM-7.16", "AVMI-5.5"),
    ),
    Key(
        "legal.grounds", _GROUNDS, "Grounds of disclosure under law",
        "When data may have to be given to authorities or courts.",
        "The only grounds that a case of compelled disclosure can be opened on.",
        ("XENRAD-5.12", "MEDDIM-4.11", "LIFEIMAGE-7.1", "VIGILANT-6.1", "AVMI-5.4"),
    ),
    Key(
        "legal.advance_notice", Flag(True), "Notice before",
        "Whether the person concerned is told before, unless that is prohibited.",
        "A release asks for the notice, or for the citation of what prohibits it.",
        ("LIFEIMAGE-7.6", "VIGILANT-6.5", "LIFEIMAGE-4.7"),
        floor=at_least(Flag(True), True, "who was not told can do nothing against it."),
    ),
    Key(
        "legal.agencies_under_review", Flag(False), "Reviews by authorities",
        "Whether authorities that review compliance get what is relevant to their review.",
        "Whether a review can be a case, item by item with its relevance.",
        ("VIGILANT-6.6", "LIFEIMAGE-7.7"),
    ),
    Key(
        "transfers.mechanisms", _MECHANISMS, "Transfers abroad",
        "On what data goes to a country with less protection.",
        "A share across such a border needs one of these.",
        ("MEDDIM-12.1", "MEDDIM-12.2", "XENRAD-7.5", "AVMI-9.1"),
        floor=Floor(
            "without Privacy Shield",
            "the Court of Justice declared it invalid on 16 July 2020 (C-311/18).",
            broken=lambda value: "privacy-shield" in value,
        ),
    ),
    Key(
        "residency.regions", Codes(REGIONS, Stricter.FEWER, may_be_empty=False), "Where data lies",
        "Regions in which data and its backups are stored.",
        "A store elsewhere is refused; the notice names the regions.",
        ("XENRAD-7.1", "XENRAD-7.2", "XENRAD-7.9"),
    ),
)  # fmt: skip
