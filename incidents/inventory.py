"""What this room keeps: incidents, whom they touched, and who was told."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify, readable, sealed

MODELS: Models = [
    ("incidents.Incident", Category.TRAIL, {
        "id": "Number of the row", "organisation": "Organisation", "number": "Number",
        "source": "How it came in", "state": "How it stands", "key_id": "Its key",
        "sealed_title": sealed("What happened"),
        "sealed_factors": sealed("The four factors, as weighed"),
        "sealed_letter": sealed("The letter to people"),
        "discovered_at": "Discovered", "opened_at": "Written down",
        "opened_by": readable("Who opened it", Category.PROFESSIONAL),
        "lead": readable("Who leads", Category.PROFESSIONAL),
        "account": "By which account", "since": "From when", "until": "Until when",
        "kinds": "Kinds of data", "is_breach": "Whether data was exposed",
        "is_unreadable": "Whether nobody could read it",
        "low_probability": "Whether the probability is low",
        "licensed_clinic": "Whether it is a licensed clinic of California",
        "risk": "Risk to people", "delay_since": "Since when the police asks to wait",
        "delay_until": "Until when", "delay_in_writing": "Whether in writing",
        "counted_at": "When it was counted whom it touches",
        "others": "How many other organisations it touches",
        "assessed_at": "Assessed", "told_at": "People told", "closed_at": "Closed",
    }),
    ("incidents.IncidentEntry", Category.TRAIL, {
        "id": "Number", "incident": "Incident", "act": "What was done", "code": "More of it",
        "at": "When", "by": readable("Who did it", Category.PROFESSIONAL),
        "sealed_text": sealed("What was written"),
    }),
    ("incidents.PlanStep", Category.TRAIL, {
        "id": "Number", "incident": "Incident", "step": "Step",
        "owner": readable("Who does it", Category.PROFESSIONAL), "due_at": "By when",
        "done_at": "When it was done", "done_by": readable("Who did it", Category.PROFESSIONAL),
    }),
    ("incidents.Affected", Category.TRAIL, {
        "id": "Number", "incident": "Incident", "subject_id": "Whom it touches",
        "study_uids": "By which studies", "residence": "Where they live",
        "told": "How they were told", "told_at": "When",
        "told_by": readable("By whom", Category.PROFESSIONAL),
    }),
    ("incidents.DutyMark", Category.TRAIL, {
        "id": "Number", "incident": "Incident", "code": "Duty", "reminded_at": "Reminded",
        "escalated_at": "Told to be late", "done_on": "Done on",
        "done_by": readable("Who did it", Category.PROFESSIONAL), "done_at": "Written down",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
