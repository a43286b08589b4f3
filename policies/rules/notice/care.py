"""Sections about keeping, protecting, rights, changes and contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.rules.categories import CATEGORIES, Category
from policies.rules.kinds import Records
from policies.rules.notice.section import Section, Table, said
from policies.rules.pack import Pack
from policies.rules.schema import KEY

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


def kept(pack: Pack, kept: list[Category]) -> Section:
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
        ("Longer only where law or a hold demands it; then no longer than that.",
         ("What was sent by mistake is hidden at once. It can be restored for "
         f"{restored_for(pack)}, and is destroyed after that.")),
        table=Table(("Kind", "Kept for", "Then", "Under"), tuple(rows)),
    )  # fmt: skip


def restored_for(pack: Pack) -> str:
    """How long something rejected can be restored; what counts where the policy is silent."""
    days = pack.get("uploads.restore_days")
    return "30 days" if days is None else said(pack, "uploads.restore_days")


def security(pack: Pack) -> Section:
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


def rights(pack: Pack) -> Section:
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


def california(pack: Pack) -> Section:
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
        link=("request-california", "Make a request under Californian law"),
    )  # fmt: skip


def fate_of_account(pack: Pack) -> str:
    """What becomes of a closed account's data, to go on with after "is"."""
    if pack["account.post_inactivation"] == "purge-after":
        return f"kept out of sight for {pack['account.purge_after_days']} days, then deleted"
    return said(pack, "account.post_inactivation")


def closing_account(pack: Pack) -> Section:
    return Section(
        "account", "If you close your account",
        (
            (f"Its data is {fate_of_account(pack)}. What law or a hold demands to be kept stays, "
            "out of sight, and is used for nothing else."),
            f"Consent is withdrawn {said(pack, 'account.withdrawal')}.",
        ),
    )  # fmt: skip


def messages(pack: Pack) -> Section:
    return Section(
        "messages", "Messages",
        (
            ("Messages about your account, its security, your cases and this policy are part of "
            "the service; you choose the ways. None of them holds health information."),
            (f"Promotional messages, by where you live: {said(pack, 'marketing.basis')}. Each "
            "carries a link that ends them with one click."),
        ),
    )  # fmt: skip


def traces(pack: Pack) -> Section:
    gpc = (
        "Global Privacy Control is honoured: it counts as an opt-out of sale and sharing, and "
        "nothing optional is noted."
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


def links() -> Section:
    return Section(
        "links", "Links to other sites",
        (
            ("A link that leads elsewhere passes a page that says so. Other sites learn nothing of "
            "you from us; we do not review or endorse them. Read their policy before you give "
            "them anything."),
        ),
    )  # fmt: skip


def children(pack: Pack) -> Section:
    return Section(
        "children", "Children",
        (
            (f"One has to be this old for an account: {said(pack, 'account.min_age')}. What a "
            "younger person gave by mistake is deleted as soon as we learn of it."),
            ("Patients may be minors. Whoever sends their images attests to having the consent of "
            "a parent or guardian where it is needed."),
        ),
    )  # fmt: skip


def changes(pack: Pack) -> Section:
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


def contact(pack: Pack) -> Section:
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
