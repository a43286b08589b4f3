"""Sections about whom, what, what for, and whom it goes to."""

from __future__ import annotations

from policies.rules.categories import CATEGORIES, Category, labels_of
from policies.rules.notice.section import Section, Table, said
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, PURPOSE_LABELS, Purpose
from policies.rules.schema.uses import BASES


def whom(pack: Pack) -> Section:
    about = {
        "human": "patients",
        "human-and-family": "patients and members of their family",
        "veterinary": "animals' owners (the person concerned is the owner, not the animal)",
    }[pack["subject.mode"]]
    return Section(
        "whom", "Whom this protects",
        (
            ("Everybody whose data is here: visitors of the public pages, clinicians and others "
            f"with an account, and {about}."),
            f"In law the organisation is {said(pack, 'role')}.",
            f"It is under: {said(pack, 'regimes')}.",
        ),
    )  # fmt: skip


def collected(pack: Pack, kept: list[Category]) -> Section:
    rows = tuple(
        (
            facts.label,
            facts.examples,
            facts.source.value,
            ", ".join(one.value for one in facts.about),
            facts.data_class.value + (f"; sensitive: {facts.sensitive}" if facts.sensitive else ""),
        )
        for facts in (CATEGORIES[category] for category in kept)
    )
    optional = said(pack, "optional_events")
    return Section(
        "collected", "What is collected",
        (
            "Technical data counts as personal as soon as it can be linked to somebody.",
            f"Of the use of the portal, beyond what security needs, this is noted: {optional}.",
            *_records_of_use(pack),
            "Data from brokers or public registers: "
            + ("taken in, with its source." if pack["secondary.brokers"] else "none."),
        ),
        table=Table(("Kind", "For example", "Where from", "About", "Class"), rows),
    )  # fmt: skip


def _records_of_use(pack: Pack) -> tuple[str, ...]:
    if not pack["optional_events"]:
        return ()
    return (
        ("It names the feature and the day, under a pseudonym that changes every four weeks: no"
        " address, no search, no patient, no hour. Members find it in the file of their data; who"
        " objects has none written and all of theirs deleted. Visitors of the public notice are"
        " counted without a pseudonym. " + _joined(pack)),
    )  # fmt: skip


def _joined(pack: Pack) -> str:
    if not pack.lists(Purpose.SUPPORT, Category.TECHNICAL):
        return "It is shown to nobody together with a name, but to the member."
    return (
        "It is joined with a name only to solve a member's problem, under a ticket and for a"
        " limited time, and the member is told."
    )


def purposes(pack: Pack) -> Section:
    rows = [
        (
            one.label,
            ", ".join(labels_of(one.categories)),
            BASES[one.basis] + (f"; {one.cites}" if one.cites else ""),
            "you can object" if one.may_be_objected_to else "",
        )
        for one in pack.purposes
    ]
    rows += [
        (PURPOSE_LABELS[one], "Whatever the duty concerns", "Law, whatever this policy says", "")
        for one in Purpose
        if one in ALWAYS
    ]
    return Section(
        "purposes", "What it is used for",
        (
            ("These are all the purposes there are. The portal refuses any other use, and records "
            "that it was tried. A purpose that is added later does not reach what was collected "
            "before, unless the person concerned consents anew."),
        ),
        table=Table(("Purpose", "Data", "Basis", "Your choice"), tuple(rows)),
    )  # fmt: skip


def never(pack: Pack) -> Section:
    points = [
        "Data is never sold for money, nor given to others for their own marketing.",
        f"Research and teaching: {said(pack, 'secondary.research')}.",
        f"Training of software that learns: {said(pack, 'secondary.ai_training')}.",
        "Advertising of others: "
        + ("shown, but never beside images." if pack["secondary.advertising"] else "none."),
        f"Statistics say nothing about groups of fewer than {pack['deid.min_group_size']} people.",
    ]
    return Section("limits", "What it is not used for", points=tuple(points))


def disclosure(pack: Pack) -> Section:
    return Section(
        "disclosure", "Whom it goes to",
        (
            ("Images and reports go to somebody outside only by a share that names the recipient, "
            "the purpose, the exact items and the last day."),
            (f"A share is given {said(pack, 'consent.disclosure_level')}; it lasts "
            f"{said(pack, 'consent.share_days_at_most')} at the most, and ends the moment it is "
            "revoked. Members of a family see nothing without it."),
            "Where two organisations meet, the stricter rule of both policies holds.",
        ),
        tuple(
            f"It can be shared for: {one.label.lower()}" for one in pack.shareable_purposes
        ),
    )  # fmt: skip


def under_law(pack: Pack) -> Section:
    return Section(
        "law", "When law demands it",
        (
            ("Data may have to be disclosed on these grounds: "
            f"{said(pack, 'legal.grounds')}."),
            ("Only what is expressly demanded is released, after its scope was narrowed. Whoever "
            "is concerned is told of the demand and of what was released, before it happens, "
            "unless that is prohibited."),
        )
        + (
            ("Authorities that review compliance get what is relevant to their review.",)
            if pack["legal.agencies_under_review"]
            else ()
        ),
    )  # fmt: skip


def places(pack: Pack) -> Section:
    mechanisms = said(pack, "transfers.mechanisms")
    return Section(
        "places", "Where it lies, and where it goes",
        (
            f"Data and its backups are stored in: {said(pack, 'residency.regions')}.",
            "To a country with less protection it goes "
            + (
                "not at all." if not pack["transfers.mechanisms"]
                else f"only on one of these: {mechanisms}. Ask, and you get a description of them."
            ),
        ),
    )  # fmt: skip
