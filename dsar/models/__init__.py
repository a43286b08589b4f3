from dsar.models.agents import Authority
from dsar.models.archive import ArchiveRelease
from dsar.models.cases import Case, CaseEntry, CaseSubject, RequestDraft
from dsar.models.documents import CaseDocument
from dsar.models.fees import FeeQuote
from dsar.models.identity import IdentityCheck
from dsar.models.outcomes import Erasure, ErasureNotice, Package
from dsar.models.transfers import Transfer

__all__ = [
    "ArchiveRelease",
    "Authority",
    "Case",
    "CaseDocument",
    "CaseEntry",
    "CaseSubject",
    "Erasure",
    "ErasureNotice",
    "FeeQuote",
    "IdentityCheck",
    "Package",
    "RequestDraft",
    "Transfer",
]
