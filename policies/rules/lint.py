"""What stands between a well-formed pack and its publication.

`floors`: what the platform does not run under. `demands`: what keys demand of each other, and
what a regime demands. `claims`: what may not be left standing in a text that people read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from policies.rules.categories import PERSONAL, UNDER_LAW
from policies.rules.findings import Finding, PackInvalid
from policies.rules.inventory import categories_kept
from policies.rules.kinds import Kind, Records, Words
from policies.rules.purposes import OF_USE, SECONDARY
from policies.rules.schema import KEYS
from policies.rules.schema.uses import purposes_below_floor

# Where a template was not filled in: [Number], [specify regions], {{name}}, <name>, TODO, XXX.
PLACEHOLDER: Final = re.compile(
    r"\[[^\]\n]{0,60}\]|\{\{.*?\}\}|<[A-Za-z][^>\n]{0,60}>|\bTO-?DO\b|\bTBD\b|\bX{3,}\b|"
    r"lorem ipsum|@(?:example\.(?:com|org|net))\b",
    re.IGNORECASE,
)
# No system is perfectly safe, and saying so is a promise that cannot be kept (MEDDIM-6.12).
ABSOLUTE: Final = re.compile(
    r"100\s?%\s*(?:secure|safe|protected|security)|absolutely (?:secure|safe)|"
    r"(?:completely|totally|perfectly|fully) (?:secure|safe)|guarantee[sd]? (?:the )?security|"
    r"unhackable|impenetrable|zero risk|bank-grade",
    re.IGNORECASE,
)
# "No system is impenetrable" is the honest sentence, not the claim.
_DENIED: Final = re.compile(r"\b(?:no|not|cannot|never|nobody|nothing)\b[^.]{0,60}$", re.IGNORECASE)


def findings_of(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return everything that stands against publishing these checked values."""
    return (*floors(values), *demands(values), *claims(values))


# What depends on who publishes it: rooms above know the laws of a place.
Look = Callable[[UUID, Mapping[str, Any], Mapping[str, Any]], Iterable[Finding]]
_looks: dict[str, Look] = {}


def register_lint(name: str, look: Look) -> None:
    """Have this asked before a draft is posted; called from `AppConfig.ready`."""
    _looks[name] = look


def findings_for(
    organisation_id: UUID, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Finding, ...]:
    """Return what stands against publishing `after` there, in the place of `before`."""
    found = [one for look in _looks.values() for one in look(organisation_id, before, after)]
    return (*findings_of(after), *found)


def require_publishable(values: Mapping[str, Any]) -> None:
    if findings := findings_of(values):
        raise PackInvalid(findings)


def floors(values: Mapping[str, Any]) -> Iterator[Finding]:
    for key in KEYS:
        if key.floor is None or key.path not in values:
            continue
        # As checked, whatever a database made of it: it gives lists for tuples.
        if not key.floor.broken(key.kind.check(values[key.path])):
            continue
        said = ""
        if key.path == "purposes":
            said = "; ".join(purposes_below_floor(values["purposes"])) + ". "
        yield Finding(
            key.path,
            f"{said}The platform's floor is {key.floor.words}: {key.floor.reason}",
        )


def demands(values: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _purposes(values["purposes"])
    yield from _secondary(values)
    yield from _regimes(values)
    yield from _records_of_use(values)
    if values["account.post_inactivation"] == "purge-after" and (
        "account.purge_after_days" not in values
    ):
        yield Finding("account.purge_after_days", "is needed where accounts end by deletion.")
    if values["subject.mode"] == "veterinary" and "identity" not in values["retention"]:
        yield Finding("retention", "must say how long the identity of owners is kept.")
    if values["legal.agencies_under_review"] and (
        "compliance-review" not in values["legal.grounds"]
    ):
        yield Finding("legal.grounds", "must list compliance-review, as authorities get its data.")
    used = {category for record in values["purposes"].values() for category in record["categories"]}
    for category in sorted(used - set(values["retention"]) - {"deidentified"}):
        yield Finding("retention", f"says nothing of {category}, which the purposes use.")
    for category in categories_kept():
        if category in PERSONAL - UNDER_LAW and category.value not in used:
            yield Finding("purposes", f"none uses {category.value}, which is kept; say what for.")


def _purposes(purposes: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    if not purposes:
        yield Finding("purposes", "lists none, so nothing could be done under this policy.")
    for code, record in purposes.items():
        if record["basis"] == "legal-obligation" and not record.get("cites"):
            yield Finding("purposes", f"{code} rests on a legal obligation, and cites none.")
        if record["basis"] == "legitimate-interests" and not record.get("assessment"):
            yield Finding(
                "purposes",
                f"{code} rests on legitimate interests, and names no assessment of them "
                "(GDPR Art. 6(1)(f)).",
            )


def _secondary(values: Mapping[str, Any]) -> Iterator[Finding]:
    purposes = values["purposes"]
    for code, path in SECONDARY.items():
        if values[path] != "off" and code not in purposes:
            yield Finding("purposes", f"must list {code} where {path} is not off.")
        if values[path] == "off" and code in purposes:
            yield Finding(path, f"is off, but the purposes list {code}.")
    if values["secondary.advertising"]:
        if "advertising" not in purposes:
            yield Finding("purposes", "must list advertising where it is on.")
        if not values["signals.gpc"]:
            yield Finding("signals.gpc", "must be on with advertising: it is the opt-out.")
    mailed = any(basis != "none" for basis in values["marketing.basis"].values())
    if mailed and "marketing" not in purposes:
        yield Finding("purposes", "must list marketing where promotional messages are sent.")
    if not mailed and "marketing" in purposes:
        yield Finding("marketing.basis", "is none everywhere, but the purposes list marketing.")
    if values["sale_share.allowed"] and not values["signals.gpc"]:
        yield Finding("signals.gpc", "must be on where anything is shared for value (CCPA).")


def _records_of_use(values: Mapping[str, Any]) -> Iterator[Finding]:
    """What is noted of use needs a purpose that people can read, and object to."""
    events, purposes = values["optional_events"], values["purposes"]
    if not events:
        return
    if "usage" not in events:
        yield Finding("optional_events", "must list usage: the others are said of a use.")
    if not any("technical" in purposes.get(one, {}).get("categories", ()) for one in OF_USE):
        yield Finding(
            "optional_events",
            f"needs one of the purposes {', '.join(OF_USE)} with technical data: what has no"
            " purpose is never noted.",
        )


def _regimes(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what each law demands of the keys; the law itself is not in the pack."""
    regimes = set(values["regimes"])
    if regimes & {"ccpa", "caloppa"} and not values["signals.gpc"]:
        yield Finding(
            "signals.gpc", "must be on under Californian law (11 CCR 7025: opt-out signals)."
        )
    if regimes & {"gdpr", "uk-gdpr", "ch-fadp"}:
        if not values["transfers.mechanisms"]:
            yield Finding("transfers.mechanisms", "must name at least one under GDPR Chapter V.")
        if values["fees.charged"] != "none":
            yield Finding("fees.charged", "must be none: under GDPR Art. 12(5) answers are free.")
    if (
        "uk-gdpr" in regimes
        and "scc" in values["transfers.mechanisms"]
        and ("uk-addendum" not in values["transfers.mechanisms"])
    ):
        yield Finding("transfers.mechanisms", "must have uk-addendum beside scc for the UK.")
    if (
        "hipaa" in regimes
        and values["role"] == "controller"
        and (not values["contact.phone"] and not values["contact.address"])
    ):
        yield Finding(
            "contact.phone",
            "or a postal address must be given under HIPAA (45 CFR 164.520(b)(1)(vii)).",
        )


def claims(values: Mapping[str, Any]) -> Iterator[Finding]:
    for path, text in texts(values):
        if found := PLACEHOLDER.search(text):
            yield Finding(path, f"holds {found.group(0)!r}, which was never filled in.")
        for claim in ABSOLUTE.finditer(text):
            if not _DENIED.search(text[: claim.start()]):
                yield Finding(
                    path, f"says {claim.group(0)!r}; no system is, so a policy cannot promise it."
                )


def texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give every text that a person wrote, with its key."""
    for key in KEYS:
        if key.path in values:
            yield from _texts(key.path, key.kind, values[key.path])


def _texts(path: str, kind: Kind, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(kind, Words):
        yield path, value
    elif isinstance(kind, Records):
        for record in value.values():
            for name, inner in record.items():
                yield from _texts(path, kind.fields[name], inner)
