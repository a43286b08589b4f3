"""Categories of data: what the inventory, the purposes, retention and exports speak of.

The three classes of AVMI-0.2 (personal, professional, diagnostic), technical data of
LIFEIMAGE-1.2, and what is not about people at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    ACCOUNT = "account"
    CREDENTIALS = "credentials"
    PROFESSIONAL = "professional"
    IDENTITY = "identity"
    MEDICAL = "medical"
    IMAGES = "images"
    REPORTS = "reports"
    SPECIAL = "special"
    CONSENT = "consent"
    COMMUNICATIONS = "communications"
    REQUESTS = "requests"
    BILLING = "billing"
    TECHNICAL = "technical"
    TRAIL = "trail"
    DEIDENTIFIED = "deidentified"
    ORGANISATION = "organisation"
    CONFIGURATION = "configuration"
    WORK = "work"
    KEYS = "keys"


class DataClass(StrEnum):
    PERSONAL = "personal"
    PROFESSIONAL = "professional"
    DIAGNOSTIC = "diagnostic"
    TECHNICAL = "technical"
    NOT_PERSONAL = "not personal"


class SubjectClass(StrEnum):
    """Whom a category is about (MEDDIM-0.2, AVMI-1.1)."""

    VISITOR = "visitor"
    USER = "registered user"
    PATIENT = "patient or owner of an animal"


class Source(StrEnum):
    """Where it comes from (MEDDIM-1.2, LIFEIMAGE-3.1)."""

    GIVEN = "given by the person"
    SUBMITTED = "submitted by a clinician or organisation"
    AUTOMATIC = "noted automatically"
    MADE = "made by the service"


class Sensitive(StrEnum):
    """Kinds of sensitive data (MEDDIM-1.3; GDPR Art. 9; Cal. Civ. Code 1798.140(ae))."""

    GOVERNMENT_ID = "government identifiers"
    LOG_INS = "account log-ins"
    FINANCIAL = "financial account details"
    LOCATION = "precise location"
    ORIGIN = "racial or ethnic origin"
    RELIGION = "religion or belief"
    HEALTH = "health information"
    SEXUALITY = "sex life or sexual orientation"
    GENETIC = "genetic data"
    BIOMETRIC = "biometric data"
    COMMUNICATIONS = "communications meant for others"


@dataclass(frozen=True, slots=True)
class CategoryFacts:
    label: str
    data_class: DataClass
    about: tuple[SubjectClass, ...]
    source: Source
    # Empty: not sensitive.
    kinds: tuple[Sensitive, ...]
    examples: str

    @property
    def sensitive(self) -> str:
        """The kinds in words; empty: not sensitive."""
        return ", ".join(self.kinds)

    @property
    def is_personal(self) -> bool:
        return self.data_class is not DataClass.NOT_PERSONAL


_USER, _PATIENT, _VISITOR = (SubjectClass.USER,), (SubjectClass.PATIENT,), SubjectClass.VISITOR

CATEGORIES: dict[Category, CategoryFacts] = {
    Category.ACCOUNT: CategoryFacts(
        "Account", DataClass.PERSONAL, _USER, Source.GIVEN, (),
        "Name, e-mail address, organisation, where you live, settings",
    ),
    Category.CREDENTIALS: CategoryFacts(
        "Sign-in secrets", DataClass.PERSONAL, _USER, Source.GIVEN, (Sensitive.LOG_INS,),
        "Password (only a hash of it), authenticator, passkeys, recovery codes, tokens",
    ),
    Category.PROFESSIONAL: CategoryFacts(
        "Profession", DataClass.PROFESSIONAL, _USER, Source.GIVEN, (),
        "Specialty, licence, NPI, roles in an organisation",
    ),
    Category.IDENTITY: CategoryFacts(
        "Who the patient, or the animal and its owner, is", DataClass.DIAGNOSTIC, _PATIENT,
        Source.SUBMITTED, (Sensitive.HEALTH,),
        "Name, patient number, birth date, owner, species",
    ),
    Category.MEDICAL: CategoryFacts(
        "Medical details", DataClass.DIAGNOSTIC, _PATIENT, Source.SUBMITTED,
        (Sensitive.HEALTH,),
        "Age, sex, size, weight, ethnic group, description and date of examinations",
    ),
    Category.IMAGES: CategoryFacts(
        "Images", DataClass.DIAGNOSTIC, _PATIENT, Source.SUBMITTED, (Sensitive.HEALTH,),
        "X-ray, CT, MRI, ultrasound and other examinations",
    ),
    Category.REPORTS: CategoryFacts(
        "Reports", DataClass.DIAGNOSTIC, _PATIENT, Source.SUBMITTED, (Sensitive.HEALTH,),
        "Findings and documents that belong to an examination",
    ),
    Category.SPECIAL: CategoryFacts(
        "Specially protected details", DataClass.DIAGNOSTIC, _PATIENT, Source.SUBMITTED,
        (Sensitive.GOVERNMENT_ID, Sensitive.LOCATION, Sensitive.ORIGIN, Sensitive.RELIGION,
         Sensitive.SEXUALITY, Sensitive.GENETIC, Sensitive.BIOMETRIC, Sensitive.COMMUNICATIONS),
        "Genetic findings, biometric templates, numbers of the state; none is kept today",
    ),
    Category.CONSENT: CategoryFacts(
        "Consent and acceptance", DataClass.PERSONAL, (*_USER, *_PATIENT), Source.GIVEN, (),
        "Shares with their evidence, acceptance of a policy",
    ),
    Category.COMMUNICATIONS: CategoryFacts(
        "Messages", DataClass.PERSONAL, _USER, Source.MADE, (),
        "Notifications, what was mailed when, what one does not want to receive",
    ),
    Category.REQUESTS: CategoryFacts(
        "Requests about one's data", DataClass.PERSONAL, (_VISITOR, *_USER, *_PATIENT),
        Source.GIVEN, (), "What was asked, by whom, and the answer",
    ),
    Category.BILLING: CategoryFacts(
        "Billing", DataClass.PERSONAL, _USER, Source.GIVEN, (Sensitive.FINANCIAL,),
        "Invoices and the payment processor's reference, never a card number",
    ),
    Category.TECHNICAL: CategoryFacts(
        "Technical data", DataClass.TECHNICAL, (_VISITOR, *_USER), Source.AUTOMATIC, (),
        "Browser, shortened network address, when a session began and was last used",
    ),
    Category.TRAIL: CategoryFacts(
        "Trail of uses", DataClass.PERSONAL, (*_USER, *_PATIENT), Source.MADE, (),
        "Who did what with which record, when, and for what purpose",
    ),
    Category.DEIDENTIFIED: CategoryFacts(
        "Data without people in it", DataClass.NOT_PERSONAL, (), Source.MADE, (),
        "De-identified images, counts about groups",
    ),
    Category.ORGANISATION: CategoryFacts(
        "Organisations", DataClass.NOT_PERSONAL, (), Source.GIVEN, (), "Name, kind, country",
    ),
    Category.CONFIGURATION: CategoryFacts(
        "Configuration", DataClass.NOT_PERSONAL, (), Source.GIVEN, (),
        "Policies, settings of the portal",
    ),
    Category.WORK: CategoryFacts(
        "Work under way", DataClass.NOT_PERSONAL, (), Source.MADE, (),
        "Jobs, their progress and state, by number only",
    ),
    Category.KEYS: CategoryFacts(
        "Keys", DataClass.NOT_PERSONAL, (), Source.MADE, (), "Wrapped keys; none in the clear",
    ),
}  # fmt: skip


def labels_of(categories: Collection[str]) -> list[str]:
    """The labels of these categories, in the order of the list."""
    return [facts.label for category, facts in CATEGORIES.items() if category.value in categories]


CATEGORY_LABELS = {category: facts.label for category, facts in CATEGORIES.items()}
PERSONAL = frozenset(category for category, facts in CATEGORIES.items() if facts.is_personal)
# What looking at, sending or sharing a study touches.
CARE_DATA = (
    Category.IDENTITY, Category.MEDICAL, Category.IMAGES, Category.REPORTS, Category.CONSENT,
)  # fmt: skip
# Health information of somebody: a policy can use it for care and duties, and else only
# without people in it (MEDDIM-1.4, MEDDIM-8.6).
HEALTH = frozenset(
    {
        Category.IDENTITY, Category.MEDICAL, Category.IMAGES, Category.REPORTS, Category.SPECIAL,
    }
)  # fmt: skip
# Whose every field is sealed, and which no role reads unless a release gives it to one.
SPECIAL = frozenset({Category.SPECIAL})
# Kept and shown under law and for people's rights, whatever a policy lists (GDPR Art. 5(2), 15).
UNDER_LAW = frozenset({Category.TRAIL, Category.REQUESTS})
