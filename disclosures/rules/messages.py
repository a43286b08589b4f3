"""Messages about disclosures under law: a template and a number. Pure (C45)."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate

TO_APPROVE, EMERGENCY, REVIEW_LATE = (
    "disclosure-to-approve", "disclosure-emergency", "disclosure-review-late",
)  # fmt: skip
TOLD, MADE, NOTICE_DUE = "disclosure-told", "disclosure-made", "disclosure-notice-due"

TEMPLATES = [
    MessageTemplate(
        TO_APPROVE, Category.CASE, "A disclosure under law waits for a second person",
        "A privacy officer has written down what is to be given out under law. Somebody else has to"
        " look at it and approve it.",
        "disclosures:approve", has_target=True,
    ),
    MessageTemplate(
        EMERGENCY, Category.CASE, "Data is given out in an emergency",
        "A privacy officer gives out data to protect somebody, without a second person. Somebody"
        " else has to review it within the time that the case names.",
        "disclosures:review", has_target=True,
    ),
    MessageTemplate(
        REVIEW_LATE, Category.CASE, "The review of an emergency disclosure is late",
        "Data was given out in an emergency, and nobody has reviewed it in time. Look at it now.",
        "disclosures:review", has_target=True,
    ),
    MessageTemplate(
        NOTICE_DUE, Category.CASE, "A person can be told of a demand now",
        "What prohibited telling a person of a demand for their data has ended. They have no"
        " account here: write to them by post, and note that in the case.",
        "disclosures:case", has_target=True,
    ),
    MessageTemplate(
        TOLD, Category.CASE, "Your data is demanded under law",
        "A court, an authority or another matter of law demands data about you. You see who, on"
        " which ground, and until when you can object before anything is given out.",
        "disclosures:mine",
    ),
    MessageTemplate(
        MADE, Category.CASE, "Data about you was given out under law",
        "Data about you was given out under law. You see to whom, on which ground, and each item.",
        "disclosures:mine",
    ),
]  # fmt: skip
