"""What a policy promises, clause by clause, and which control keeps each promise. Pure.

A clause is *enforceable* if the portal itself can keep it, *attestable* if people or hardware
keep it and the portal holds their evidence, and *informational* if it only tells something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from policies.rules.document import load_yaml
from policies.rules.findings import Finding, PackInvalid, invalid

LARGEST: Final = 400_000
_ID: Final = re.compile(r"[A-Z]+-\d+\.\d+")
_FIELDS: Final = frozenset({"says", "kind", "capability", "control"})
_LONGEST: Final = 200


class Kind(StrEnum):
    ENFORCEABLE = "enforceable"
    ATTESTABLE = "attestable"
    INFORMATIONAL = "informational"


# What the clauses of all policies ask of the portal, in 45 parts.
CAPABILITIES: dict[str, str] = {
    "C01": "Signing in, second factors and sessions",
    "C02": "Proving again who one is, with evidence",
    "C03": "Roles and need to know",
    "C04": "Profiles of clinicians and organisations",
    "C05": "One's own account, preferences and security",
    "C06": "Taking in, keeping and showing studies, reports and appointments",
    "C07": "Attestation of the sender, and processing on instructions",
    "C08": "Sharing under express consent",
    "C09": "Taking consent back",
    "C10": "Acceptance of the policy",
    "C11": "Versions of the policy and notice of changes",
    "C12": "Purposes and their bases in law",
    "C13": "Inventory and classes of data",
    "C14": "The trail, and watching over access",
    "C15": "Who looked, and who may look, for those concerned",
    "C16": "Disclosure under law",
    "C17": "Agreements with third parties",
    "C18": "People who work here: screening, training, sanctions",
    "C19": "Buildings and hardware",
    "C20": "Backups, disasters and old hardware",
    "C21": "Encryption on the way",
    "C22": "Encryption at rest, and keys",
    "C23": "Detection of threats and abuse",
    "C24": "Audits, assessments and certificates",
    "C25": "Schedules of retention",
    "C26": "Purge, deletion and anonymising",
    "C27": "Holds and exceptions to deletion",
    "C28": "Closed accounts and what becomes of their records",
    "C29": "Requests: intake, identity and clocks",
    "C30": "Access, copies and portability",
    "C31": "Correction",
    "C32": "Erasure",
    "C33": "Restriction, objection and limits",
    "C34": "Denials, fees and equal treatment",
    "C35": "Californian opt-outs",
    "C36": "Messages and advertising",
    "C37": "Cookies, signals and technical logs",
    "C38": "Children and minor patients",
    "C39": "Transfers abroad and place of storage",
    "C40": "De-identification and statistics",
    "C41": "Consent to research and training of software",
    "C42": "Incidents and notice of breaches",
    "C43": "Links to other sites",
    "C44": "Payment and billing",
    "C45": "Contact, notice and transparency",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise. `says` is in our own words; `control` is empty where nothing keeps it yet."""

    id: str
    says: str
    kind: Kind
    capability: str
    control: str = ""

    @property
    def order(self) -> tuple[str, int, int]:
        """Where it stands: clauses are numbered, and 2.10 comes after 2.9."""
        prefix, _, number = self.id.partition("-")
        chapter, _, line = number.partition(".")
        return prefix, int(chapter), int(line)


def read_clauses(text: str | bytes) -> tuple[Clause, ...]:
    """Return the clauses of a document in their order; raise `PackInvalid` with all findings."""
    document = load_yaml(text, largest=LARGEST)
    if not isinstance(document, Mapping):
        raise invalid("must be a mapping of clauses to what they say.")
    if findings := [one for pair in document.items() for one in _findings(*pair)]:
        raise PackInvalid(findings)
    clauses = (
        Clause(
            number, one["says"].strip(), Kind(one["kind"]), one["capability"],
            one.get("control", ""),
        )
        for number, one in document.items()
    )  # fmt: skip
    return tuple(sorted(clauses, key=lambda clause: clause.order))


def _findings(number: str, record: Any) -> Iterator[Finding]:
    if not _ID.fullmatch(number):
        yield Finding(number[:40], "is not the number of a clause, such as AVMI-3.6.")
    if not isinstance(record, Mapping) or not all(isinstance(one, str) for one in record.values()):
        yield Finding(number, "must have says, kind and capability, each a text.")
        return
    for name in sorted(record.keys() - _FIELDS):
        yield Finding(number, f"{name} is not part of a clause.")
    for name in sorted(_FIELDS - {"control"} - record.keys()):
        yield Finding(number, f"{name} is missing.")
    if not 0 < len(record.get("says", "-").strip()) <= _LONGEST:
        yield Finding(number, f"says must be a sentence of at most {_LONGEST} characters.")
    if record.get("kind", Kind.ENFORCEABLE) not in set(Kind):
        yield Finding(number, f"kind must be one of: {', '.join(Kind)}.")
    if record.get("capability", "C01") not in CAPABILITIES:
        yield Finding(number, "capability must be one of C01 to C45.")
    if "control" in record and record.get("kind") != Kind.ENFORCEABLE:
        yield Finding(number, "only an enforceable clause has a control; people attest the others.")
