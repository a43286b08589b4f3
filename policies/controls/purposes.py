"""What data is used for: the purposes, and the inventory of what there is."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.utils import timezone

from policies.rules.categories import CATEGORIES, HEALTH, PERSONAL, UNDER_LAW, Category
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.document import check_document, load_yaml, written
from policies.rules.findings import PackInvalid
from policies.rules.gate import (
    PurposeRefused,
    Use,
    check_collected,
    check_use,
    enter_use,
    require_purpose,
    resume_use,
)
from policies.rules.inventory import categories_kept, differences, inventory
from policies.rules.lint import findings_of
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, PROHIBITED, Purpose
from policies.rules.schema import KEY
from policies.selectors import shipped_packs

NOBODY = UUID(int=0)


def pack_with(values: Values, **more: Any) -> Pack:
    """A version of a policy that nobody runs under, to try rules on."""
    facts: dict[str, Any] = {
        "revision": 1,
        "effective_at": timezone.now(),
        "code": "control",
        "digest": "",
    }
    return Pack(id=NOBODY, values=values, **(facts | more))


def finds(values: Values, key: str, **changed: Any) -> bool:
    """Is there anything against publishing these values with one of them changed?"""
    return any(one.key == key for one in findings_of({**values, **changed}))


@control("policies.uses-closed", "No use but those that the policy lists", of_policy=True)
def uses_closed(values: Values) -> str:
    pack, tried = pack_with(values), 0
    listed = {one.code: one.categories for one in pack.purposes}
    for purpose in Purpose:
        if purpose in ALWAYS:
            continue
        for category in PERSONAL:
            if category.value in listed.get(purpose.value, ()):
                continue
            tried += 1
            with must_refuse(PurposeRefused, f"Using {category.value} for {purpose.value}"):
                check_use(pack, Use(purpose, frozenset({category})))
    return f"{len(listed)} purposes are listed; {tried} uses beyond them were tried and refused."


@control("policies.no-use-unnamed", "Nothing sealed opens for a use that names no purpose")
def no_use_unnamed() -> str:
    with resume_use():
        enter_use(None)
        with must_refuse(PurposeRefused, "Opening images for no purpose"):
            require_purpose(Category.IMAGES)
        enter_use(Use(Purpose.COMMUNICATION, frozenset({Category.ACCOUNT})))
        with must_refuse(PurposeRefused, "Opening images to write a message"):
            require_purpose(Category.IMAGES)
    return "Opening images for no purpose, and for another one, was refused just now."


@control("policies.not-backwards", "A new purpose does not reach what was collected before")
def not_backwards() -> str:
    values = next(iter(shipped_packs().values()))
    later = deepcopy(dict(values))
    later["purposes"] = {
        **values["purposes"],
        "personalisation": {"categories": ["account"], "basis": "consent", "share": False},
    }
    now = timezone.now()
    packs = [
        pack_with(values, effective_at=now - timedelta(days=30)),
        pack_with(later, effective_at=now, revision=2),
    ]
    facts: dict[str, Any] = {"collected_at": now - timedelta(days=1), "consented": False}
    with must_refuse(PurposeRefused, "Using yesterday's data for today's purpose"):
        check_collected(packs, "personalisation", [Category.ACCOUNT], **facts)
    facts["consented"] = True
    check_collected(packs, "personalisation", [Category.ACCOUNT], **facts)
    return "Yesterday's data was refused to today's purpose, until the person consented."


@control("policies.nothing-sold", "No policy can allow a sale", of_policy=True)
def nothing_sold(values: Values) -> str:
    document = _document(values)
    for code in ("sale", "third-party-marketing"):
        require(code in PROHIBITED, f"A policy may list {code}.")
        purposes = {**document["purposes"], code: {"categories": ["account"], "basis": "consent"}}
        with must_refuse(PackInvalid, f"A policy that lists {code}"):
            check_document({**document, "purposes": purposes})
    return "A sale, and giving data to others for their marketing, were refused in this policy."


def _document(values: Values) -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(written(values))
    return found


@control("policies.health-for-care", "Health information is for care and duties alone")
def health_for_care() -> str:
    floor = KEY["purposes"].floor
    require(floor is not None, "The purposes have no floor.")
    tried = [Purpose.MARKETING, Purpose.ADVERTISING, Purpose.ANALYTICS, Purpose.AUTHENTICATION]
    tried += [Purpose.RESEARCH, Purpose.AI_TRAINING, Purpose.DEVELOPMENT, Purpose.STATISTICS]
    for purpose in tried:
        for category in HEALTH:
            record = {"categories": (category.value,), "basis": "consent", "share": False}
            require(
                floor is not None and floor.broken({purpose.value: record}),
                f"A policy may use {category.value} for {purpose.value}.",
            )
    return f"{len(tried)} other purposes were tried on health information; no policy may list them."


@control("policies.basis-said", "Every purpose has its basis in law, and says it", of_policy=True)
def basis_said(values: Values) -> str:
    for code, record in values["purposes"].items():
        require(record.get("basis"), f"{code} names no basis.")
        for basis in ("legal-obligation", "legitimate-interests"):
            bare = {"categories": record["categories"], "share": record["share"], "basis": basis}
            purposes = {**values["purposes"], code: bare}
            require(finds(values, "purposes", purposes=purposes), f"{code} needs no grounds.")
    return f"Each of {len(values['purposes'])} purposes has a basis; none passes without grounds."


@control("policies.advertising-gated", "Advertising needs its opt-out first", of_policy=True)
def advertising_gated(values: Values) -> str:
    changed: dict[str, Any] = {"secondary.advertising": True, "signals.gpc": False}
    require(finds(values, "signals.gpc", **changed), "Advertising may be on without an opt-out.")
    purposes = {code: one for code, one in values["purposes"].items() if code != "advertising"}
    changed = {"secondary.advertising": True, "purposes": purposes}
    require(finds(values, "purposes", **changed), "Advertising may be on without its purpose.")
    return "Switching advertising on without opt-out, and without its purpose, was refused."


@control("policies.inventory-complete", "Every field is classified, and health data as such")
def inventory_complete() -> str:
    fields = {
        model._meta.label: {field.name for field in model._meta.concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }
    wrong = list(differences(fields))
    require(not wrong, " ".join(wrong[:3]))
    entries = inventory()
    technical = [one for one in entries if one.category is Category.TECHNICAL]
    require(all(one.is_personal for one in technical), "Technical data does not count as personal.")
    health = sum(one.category in HEALTH for one in entries)
    require(health, "No field is classified as health information.")
    return f"All {len(entries)} fields are classified; {health} of them as health information."


@control("policies.collected-for", "No kind of data is kept without a purpose", of_policy=True)
def collected_for(values: Values) -> str:
    kept = [one for one in categories_kept() if one in PERSONAL - UNDER_LAW]
    for category in kept:
        purposes = {
            code: {
                **record,
                "categories": [one for one in record["categories"] if one != category.value],
            }
            for code, record in values["purposes"].items()
        }
        require(finds(values, "purposes", purposes=purposes), f"Nothing needs to use {category}.")
    require(not finds(values, "purposes"), "This policy keeps something for no purpose.")
    return f"Each of {len(kept)} kinds of data was taken out of the purposes in turn, and missed."


@control("policies.sources-said", "Of each kind of data it is said where it comes from")
def sources_said() -> str:
    silent = [
        category.value
        for category in Category
        if not (
            category in CATEGORIES and CATEGORIES[category].source and CATEGORIES[category].label
        )
    ]
    require(not silent, f"Nothing is said of {', '.join(silent)}.")
    return f"Each of {len(Category)} kinds of data names its source."


@control("policies.health-sensitive", "What concerns patients is sensitive")
def health_sensitive() -> str:
    plain = [one.value for one in sorted(HEALTH) if not CATEGORIES[one].sensitive]
    require(not plain, f"Not sensitive: {', '.join(plain)}.")
    about = {one for one in Category if CATEGORIES[one].data_class.value == "diagnostic"}
    require(about <= HEALTH, "A diagnostic kind of data is not under the rules of health data.")
    return "Identity, medical details, images and reports are classified as sensitive."


@control("policies.retention-said", "For each kind of data there is a term", of_policy=True)
def retention_said(values: Values) -> str:
    kept = {one.category for one in inventory() if one.is_personal}
    silent = sorted(one.value for one in kept if one.value not in values["retention"])
    require(not silent, f"Nothing says how long to keep {', '.join(silent)}.")
    shorter = dict(values["retention"])
    del shorter["account"]
    require(finds(values, "retention", retention=shorter), "A kind of data may go without a term.")
    return f"Each of {len(kept)} kinds of personal data that are kept has a term."
