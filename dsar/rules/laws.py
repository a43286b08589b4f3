"""Which laws protect a person who asks: by where they live, and by whom they ask. Pure (AVMI-10.3).

Two kinds of law follow the person home (GDPR Art. 3(2), UK GDPR, FADP, LGPD, PIPEDA, PIPA): they
count whatever a policy names, for the worst that can come of it is an answer in time. Others bind
only some organisations (HIPAA, CCPA with its thresholds): they count where the policy names them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from accounts.rules.marketing import EEA


class Law(StrEnum):
    GDPR = "gdpr"
    UK_GDPR = "uk-gdpr"
    CH_FADP = "ch-fadp"
    HIPAA = "hipaa"
    CCPA = "ccpa"
    SHINE_THE_LIGHT = "shine-the-light"
    CA_PATIENTS = "ca-patient-access"
    TX_PATIENTS = "tx-patient-access"
    NY_PATIENTS = "ny-patient-access"
    EHDS = "ehds"
    LGPD = "lgpd"
    PIPEDA = "pipeda"
    PHIPA = "phipa"
    PIPA = "pipa"


LAW_LABELS = {
    Law.GDPR: "GDPR (European Union and EEA)",
    Law.UK_GDPR: "UK GDPR and Data Protection Act 2018",
    Law.CH_FADP: "Federal Act on Data Protection (Switzerland)",
    Law.HIPAA: "HIPAA Privacy Rule (United States)",
    Law.CCPA: "California Consumer Privacy Act",
    Law.SHINE_THE_LIGHT: "Shine the Light (California)",
    Law.CA_PATIENTS: "Patient access to records (California)",
    Law.TX_PATIENTS: "Medical Practice Act (Texas)",
    Law.NY_PATIENTS: "Public Health Law 18 (New York)",
    Law.EHDS: "European Health Data Space",
    Law.LGPD: "LGPD (Brazil)",
    Law.PIPEDA: "PIPEDA (Canada)",
    Law.PHIPA: "PHIPA (Ontario)",
    Law.PIPA: "PIPA (Korea)",
}
# Where somebody can complain beside the organisation itself.
AUTHORITIES = {
    Law.GDPR: "the data protection authority of the country where you live or work"
    " (GDPR Art. 77), and a court (Art. 79)",
    Law.UK_GDPR: "the Information Commissioner (UK GDPR Art. 77), and a court (Art. 79)",
    Law.CH_FADP: "the Federal Data Protection and Information Commissioner",
    Law.HIPAA: "the Office for Civil Rights of the US Department of Health and Human Services"
    " (45 CFR 160.306)",
    Law.CCPA: "the California Privacy Protection Agency, and the Attorney General of California",
    Law.LGPD: "the ANPD, Brazil's data protection authority",
    Law.PIPEDA: "the Privacy Commissioner of Canada",
    Law.PHIPA: "the Information and Privacy Commissioner of Ontario",
    Law.PIPA: "Korea's Personal Information Protection Commission",
}
_OF_STATE = {"CA": Law.CA_PATIENTS, "TX": Law.TX_PATIENTS, "NY": Law.NY_PATIENTS}
_OF_COUNTRY = {
    "GB": Law.UK_GDPR, "CH": Law.CH_FADP, "BR": Law.LGPD, "CA": Law.PIPEDA, "KR": Law.PIPA,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The organisation that is asked, as values: its place, its policy's laws, whom it treats."""

    country: str
    state: str
    regimes: Collection[str]
    treats_people: bool = True


def laws_for(residence: str, asked: Asked) -> tuple[Law, ...]:
    """Give the laws that protect somebody who lives there and asks this organisation.

    `residence` is `FR`, `US-CA` or `US`; empty if it is not known: then every law counts that
    the policy names, so that the earliest due date is kept.
    """
    country, _, state = residence.partition("-")
    found: set[Law] = set()
    for place in (country, asked.country):
        if place in EEA:
            found |= {Law.GDPR, Law.EHDS}
        if law := _OF_COUNTRY.get(place):
            found.add(law)
    if (asked.country, asked.state) == ("CA", "ON"):
        found.add(Law.PHIPA)
    found |= {Law(one) for one in asked.regimes if one in set(Law) and _binds(one, country, state)}
    if asked.country == "US" and asked.treats_people and asked.state in _OF_STATE:
        found.add(_OF_STATE[asked.state])
    return tuple(law for law in Law if law in found)


def _binds(regime: str, country: str, state: str) -> bool:
    """Does a law that the policy names protect somebody who lives there?"""
    if not country:
        return True
    match regime:
        case Law.HIPAA:
            return True  # wherever the patient lives
        case Law.CCPA | Law.SHINE_THE_LIGHT:
            # A resident of the United States who names no state may live in California.
            return country == "US" and state in {"", "CA"}
    return False


def known_laws(codes: Collection[str]) -> tuple[Law, ...]:
    """Read stored codes; one that a newer or older release knows is left out."""
    return tuple(law for law in Law if law.value in codes)
