from dsar.models.cases import Case, CaseEntry, CaseSubject, RequestDraft
from dsar.models.documents import CaseDocument
from dsar.models.outcomes import Erasure, Package

__all__ = [
    "Case",
    "CaseDocument",
    "CaseEntry",
    "CaseSubject",
    "Erasure",
    "Package",
    "RequestDraft",
]
