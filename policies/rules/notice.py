"""The public notice, made from the pack alone, so that it cannot say other than what runs.

Sections are plain values; templates/components/notice.html shows them. Nothing here is a text
about what a policy "usually" says: each sentence follows from a key, a floor or the inventory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.rules.categories import CATEGORIES, PERSONAL, Category
from policies.rules.kinds import Records
from policies.rules.pack import Pack
from policies.rules.purposes import ALWAYS, PURPOSE_LABELS, Purpose
from policies.rules.schema import KEY
from policies.rules.schema.uses import BASES

EUROPEAN = frozenset({"gdpr", "uk-gdpr", "ch-fadp"})
SAFEGUARDS = (
    ("Physical", "Servers are reached only by designated people; there is a plan for disasters."),
    ("Personnel", "People are checked, bound to confidentiality, and trained every year."),
    ("Administrative", "Practices are written down, followed up, and breaches of them sanctioned."),
    (
        "Access",
        (
            "Only those see something who need it for their role, after proving who they are with "
            "two factors; each look is recorded in a trail that cannot be altered."
        ),
    ),
    (
        "System",
        (
            "Images, names, numbers and descriptions are encrypted where they lie, each study "
            "under a key of its own, and the keys are kept apart from the data and its backups."
        ),
    ),
    ("Third parties", "Nobody gets data without an agreement that binds them to the same care."),
    ("Transmission", "Everything on its way to and from the portal is encrypted."),
)


@dataclass(frozen=True, slots=True)
class Table:
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the notice. `link` names a page of the portal (a route's name) and its words."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None
    terms: tuple[tuple[str, str], ...] = field(default=())
    link: tuple[str, str] | None = None


def notice_of(pack: Pack, *, kept: Iterable[Category]) -> tuple[Section, ...]:
    """Make the notice of a policy; `kept` are the categories that the portal really keeps."""
    return tuple(_sections(pack, [category for category in kept if category in PERSONAL]))


def _sections(pack: Pack, kept: list[Category]) -> Iterator[Section]:
    yield _whom(pack)
    yield _collected(pack, kept)
    yield _purposes(pack)
    yield _never(pack)
    yield _disclosure(pack)
    yield _under_law(pack)
    yield _places(pack)
    yield _kept(pack, kept)
    yield _security(pack)
    yield _rights(pack)
    if set(pack["regimes"]) & {"ccpa", "caloppa", "shine-the-light"}:
        yield _california(pack)
    yield _closing_account(pack)
    yield _messages(pack)
    yield _traces(pack)
    yield _links()
    yield _children(pack)
    yield _changes(pack)
    if pack["definitions"]:
        terms = tuple((one["term"], one["means"]) for one in pack["definitions"].values())
        yield Section("terms", "Terms", terms=terms)
    yield _contact(pack)


def said(pack: Pack, path: str) -> str:
    """A value in the words of its kind."""
    return KEY[path].kind.words(pack[path])


def _whom(pack: Pack) -> Section:
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


def _collected(pack: Pack, kept: list[Category]) -> Section:
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
            "Data from brokers or public registers: "
            + ("taken in, with its source." if pack["secondary.brokers"] else "none."),
        ),
        table=Table(("Kind", "For example", "Where from", "About", "Class"), rows),
    )  # fmt: skip


def _purposes(pack: Pack) -> Section:
    rows = [
        (
            one.label,
            _labels(one.categories),
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


def _labels(categories: Iterable[str]) -> str:
    return ", ".join(
        CATEGORIES[category].label for category in Category if category.value in set(categories)
    )


def _never(pack: Pack) -> Section:
    points = [
        "Data is never sold for money, nor given to others for their own marketing.",
        f"Research and teaching: {said(pack, 'secondary.research')}.",
        f"Training of software that learns: {said(pack, 'secondary.ai_training')}.",
        "Advertising of others: "
        + ("shown, but never beside images." if pack["secondary.advertising"] else "none."),
        f"Statistics say nothing about groups of fewer than {pack['deid.min_group_size']} people.",
    ]
    return Section("limits", "What it is not used for", points=tuple(points))


def _disclosure(pack: Pack) -> Section:
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


def _under_law(pack: Pack) -> Section:
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


def _places(pack: Pack) -> Section:
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


def _kept(pack: Pack, kept: list[Category]) -> Section:
    kind = KEY["retention"].kind
    assert isinstance(kind, Records)
    rows = []
    for category in kept:
        rule: Mapping[str, Any] = pack["retention"].get(category.value, {})
        if not rule:
            continue
        words = {name: kind.fields[name].words(value) for name, value in rule.items()}
        until = f"{words['keep']} from {words['trigger']}"
        if "and_until" in words:
            until += f", and until {words['and_until']}"
        rows.append((CATEGORIES[category].label, until, words["action"], words.get("cites", "")))
    return Section(
        "kept", "How long it is kept",
        ("Longer only where law or a hold demands it; then no longer than that.",),
        table=Table(("Kind", "Kept for", "Then", "Under"), tuple(rows)),
    )  # fmt: skip


def _security(pack: Pack) -> Section:
    threshold = {
        "may-have": "of any breach that may have exposed their data",
        "legal-required": "of a breach where law asks for it",
    }[pack["breach.threshold"]]
    return Section(
        "security", "How it is protected",
        (
            pack["security.introduction"],
            pack["security.disclaimer"],
            f"People are told {threshold}, within {said(pack, 'breach.internal_hours')}.",
        ),
        terms=SAFEGUARDS,
    )  # fmt: skip


def _rights(pack: Pack) -> Section:
    route = {
        "direct": "Send a request to this organisation.",
        "via-provider": "Patients turn to the provider that sent their data; a request made here "
        "is handed on to it, and its clock goes on.",
    }[pack["requests.patient_route"]]
    points = [
        "See and get a copy of what is held about you",
        "Have it corrected or completed",
        "Have it deleted, but for what law asks to keep",
        "Have its use restricted, and object to a use",
        "Take it to another provider",
        "Withdraw consent: " + said(pack, "account.withdrawal"),
        f"Know who looked: {said(pack, 'record.readers_shown')}",
    ]
    regimes = set(pack["regimes"])
    if regimes & EUROPEAN:
        points.append("Complain to a supervisory authority (GDPR Art. 77)")
    if "hipaa" in regimes:
        points.append(
            "Have an accounting of disclosures, and complain to the Secretary of Health and Human "
            "Services (45 CFR 164.528, 164.530)"
        )
    return Section(
        "rights", "Your rights",
        (
            route,
            (f"A request is acknowledged within {said(pack, 'requests.acknowledge_days')} and "
            f"answered within {said(pack, 'requests.answer_days')}, or earlier where law asks for "
            "it. Whoever asks is identified first, but for an opt-out. A denial is given in "
            "writing, with its reason and where to complain. Nobody is treated worse for asking."),
            f"It costs: {said(pack, 'fees.charged')}. What law makes free is free.",
        ),
        tuple(points),
        link=("request", "Make a request about your data"),
    )  # fmt: skip


def _california(pack: Pack) -> Section:
    shared = (
        "Some sharing for value may count as a sale or as sharing under the CCPA; you can opt out "
        "of it at any time, without proving who you are."
        if pack["sale_share.allowed"]
        else "Nothing is sold or shared as the CCPA counts it."
    )
    return Section(
        "california", "Residents of California",
        (
            shared,
            ("You may know, correct and delete what is held, limit the use of sensitive data, and "
            "are not treated worse for it. Once a year you may ask what went to others for their "
            "direct marketing (Shine the Light): nothing does."),
        ),
        link=("request", "Make a request under Californian law"),
    )  # fmt: skip


def fate_of_account(pack: Pack) -> str:
    """What becomes of a closed account's data, to go on with after "is"."""
    if pack["account.post_inactivation"] == "purge-after":
        return f"kept out of sight for {pack['account.purge_after_days']} days, then deleted"
    return said(pack, "account.post_inactivation")


def _closing_account(pack: Pack) -> Section:
    return Section(
        "account", "If you close your account",
        (
            (f"Its data is {fate_of_account(pack)}. What law or a hold demands to be kept stays, "
            "out of sight, and is used for nothing else."),
            f"Consent is withdrawn {said(pack, 'account.withdrawal')}.",
        ),
    )  # fmt: skip


def _messages(pack: Pack) -> Section:
    return Section(
        "messages", "Messages",
        (
            ("Messages about your account, its security, your cases and this policy are part of "
            "the service; you choose the ways. None of them holds health information."),
            (f"Promotional messages, by where you live: {said(pack, 'marketing.basis')}. Each "
            "carries a link that ends them with one click."),
        ),
    )  # fmt: skip


def _traces(pack: Pack) -> Section:
    gpc = (
        "Global Privacy Control is honoured: it counts as an opt-out of sale and sharing."
        if pack["signals.gpc"]
        else "Global Privacy Control is not acted on, as nothing is sold or shared."
    )
    dnt = (
        "Do Not Track is honoured: with it, nothing optional is noted."
        if pack["signals.dnt"]
        else "Do Not Track is not acted on."
    )
    return Section(
        "traces", "Cookies, logs and signals",
        (
            gpc,
            dnt,
            (f"Technical records are deleted after {said(pack, 'logs.keep_days')}. Nothing on our "
            "pages comes from elsewhere, so nobody else learns of your visit. On a shared "
            "computer, say so when you sign in: then no cookie outlasts the browser."),
        ),
        link=("cookies", "Every cookie and every field of the logs"),
    )  # fmt: skip


def _links() -> Section:
    return Section(
        "links", "Links to other sites",
        (
            ("A link that leads elsewhere passes a page that says so. Other sites learn nothing of "
            "you from us; we do not review or endorse them. Read their policy before you give "
            "them anything."),
        ),
    )  # fmt: skip


def _children(pack: Pack) -> Section:
    return Section(
        "children", "Children",
        (
            (f"One has to be this old for an account: {said(pack, 'account.min_age')}. What a "
            "younger person gave by mistake is deleted as soon as we learn of it."),
            ("Patients may be minors. Whoever sends their images attests to having the consent of "
            "a parent or guardian where it is needed."),
        ),
    )  # fmt: skip


def _changes(pack: Pack) -> Section:
    partners = (
        ["Organisations with an agreement in force are told as well."]
        if pack["notice.partners"]
        else []
    )
    return Section(
        "changes", "Changes of this policy",
        (
            (f"A new version is posted here at least {said(pack, 'notice.min_days')} before it "
            "takes effect. Whoever has an account reads it and accepts it, or declines."),
            f"What matters is also told by: {said(pack, 'notice.channels')}.",
            *partners,
        ),
        link=("versions", "All versions, and what changed"),
    )  # fmt: skip


def _contact(pack: Pack) -> Section:
    lines = [
        ("Who", pack["contact.officer"]),
        ("E-mail", pack["contact.email"]),
        ("Telephone", pack["contact.phone"]),
        ("Hours", pack["contact.hours"]),
        ("Letters", pack["contact.address"]),
    ]
    closing = (pack["closing"],) if pack["closing"] else ()
    return Section(
        "contact", "Questions", closing, terms=tuple((name, text) for name, text in lines if text)
    )
