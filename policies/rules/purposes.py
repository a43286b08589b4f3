"""What personal data can be used for: one vocabulary for packs, code, grants and the trail."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    TREATMENT = "treatment"
    SECOND_OPINION = "second-opinion"
    CARE_COORDINATION = "care-coordination"
    TREATMENT_PLANNING = "treatment-planning"
    QUALITY_ASSURANCE = "quality-assurance"
    SUBJECT_REQUEST = "patient-request"
    AUTHENTICATION = "authentication"
    OPERATIONS = "operations"
    TRANSACTIONS = "transactions"
    COMMUNICATION = "communication"
    SUPPORT = "support"
    SERVICE_IMPROVEMENT = "service-improvement"
    ANALYTICS = "analytics"
    STATISTICS = "statistics"
    DEVELOPMENT = "development"
    PERSONALISATION = "personalisation"
    RESEARCH = "research"
    AI_TRAINING = "ai-training"
    MARKETING = "marketing"
    ADVERTISING = "advertising"
    LEGAL_CLAIMS = "legal-claims"
    # What law asks of whoever holds personal data, whatever a policy says.
    SECURITY = "security"
    LEGAL_OBLIGATION = "legal-obligation"
    RIGHTS = "rights"


PURPOSE_LABELS: dict[Purpose, str] = {
    Purpose.TREATMENT: "Treatment",
    Purpose.SECOND_OPINION: "Second opinion",
    Purpose.CARE_COORDINATION: "Coordinating care",
    Purpose.TREATMENT_PLANNING: "Planning a treatment",
    Purpose.QUALITY_ASSURANCE: "Quality assurance",
    Purpose.SUBJECT_REQUEST: "At the patient's or owner's request",
    Purpose.AUTHENTICATION: "Signing people in",
    Purpose.OPERATIONS: "Running the service and its records",
    Purpose.TRANSACTIONS: "Transactions and billing",
    Purpose.COMMUNICATION: "Messages about the service",
    Purpose.SUPPORT: "Answering questions and mending faults",
    Purpose.SERVICE_IMPROVEMENT: "Improving the service",
    Purpose.ANALYTICS: "Understanding how the service is used",
    Purpose.STATISTICS: "Statistics about groups",
    Purpose.DEVELOPMENT: "Developing new features",
    Purpose.PERSONALISATION: "Personal settings and suggestions",
    Purpose.RESEARCH: "Research and teaching",
    Purpose.AI_TRAINING: "Training of software that learns",
    Purpose.MARKETING: "Promotional messages",
    Purpose.ADVERTISING: "Advertising",
    Purpose.LEGAL_CLAIMS: "Legal claims and misuse",
    Purpose.SECURITY: "Keeping data secure and accounting for its use",
    Purpose.LEGAL_OBLIGATION: "Duties under law",
    Purpose.RIGHTS: "Answering people's requests about their data",
}

# GDPR Art. 5(2), 6(1)(c), 12, 32; 45 CFR 164.308, 164.312(b), 164.524, 164.528: a policy cannot
# do without these, so it need not list them, and they cover every category.
ALWAYS = frozenset({Purpose.SECURITY, Purpose.LEGAL_OBLIGATION, Purpose.RIGHTS})

# Care, and what is shared with others for it.
CARE = frozenset(
    {
        Purpose.TREATMENT,
        Purpose.SECOND_OPINION,
        Purpose.CARE_COORDINATION,
        Purpose.TREATMENT_PLANNING,
        Purpose.QUALITY_ASSURANCE,
        Purpose.SUBJECT_REQUEST,
    }
)

# What records of use can be for. Whoever objects to one of them has none written at all.
OF_USE = (Purpose.ANALYTICS, Purpose.SERVICE_IMPROVEMENT)

# Not about the person at all: only without people in the data (clauses §3, 8 and 26).
ONLY_DEIDENTIFIED = frozenset(
    {Purpose.STATISTICS, Purpose.DEVELOPMENT, Purpose.RESEARCH, Purpose.AI_TRAINING}
)

# Of these a policy says whether they are pursued at all, and whether each person is asked.
SECONDARY = {
    Purpose.RESEARCH: "secondary.research",
    Purpose.AI_TRAINING: "secondary.ai_training",
}

# No pack can list these, under whatever basis (AVMI-5.5, MEDDIM-4.1, MEDDIM-8.5).
PROHIBITED: dict[str, str] = {
    "sale": "personal data is never sold; no policy can allow it.",
    "third-party-marketing": "data is not given to others for their own marketing.",
}

# HL7 v3 PurposeOfUse, for FHIR and audit messages.
PURPOSE_OF_USE: dict[Purpose, str] = {
    Purpose.TREATMENT: "TREAT",
    Purpose.SECOND_OPINION: "TREAT",
    Purpose.CARE_COORDINATION: "COC",
    Purpose.TREATMENT_PLANNING: "TREAT",
    Purpose.QUALITY_ASSURANCE: "HQUALIMP",
    Purpose.SUBJECT_REQUEST: "PATRQT",
    Purpose.OPERATIONS: "HOPERAT",
    Purpose.TRANSACTIONS: "HPAYMT",
    Purpose.RESEARCH: "HRESCH",
    Purpose.LEGAL_OBLIGATION: "HLEGAL",
    Purpose.LEGAL_CLAIMS: "HLEGAL",
    Purpose.SECURITY: "HOPERAT",
    Purpose.RIGHTS: "PATRQT",
}
