"""What this room keeps."""

from policies.rules.categories import Category
from policies.rules.inventory import Models, classify

MODELS: Models = [
    ("governance.LegalExport", Category.TRAIL, {
        "id": "Number", "organisation": "Whose trail", "authority": "To which authority",
        "ground": "On what ground", "citation": "Law or order cited", "since": "From",
        "until": "Until", "study_uid": "Of which study", "lines": "How many events",
        "digest": "Digest of the file", "made_by": "By whom", "made_at": "When",
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
