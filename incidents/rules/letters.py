"""The letter to people, and what officers and they are told. Pure.

A letter holds what 45 CFR 164.404(c)(1) and GDPR Art. 34(2) with 33(3)(b) to (d) ask for: what
happened and when, which kinds of data, what people can do, what is done, and whom they can ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accounts.rules.messages import Category, MessageTemplate
from incidents.rules.states import DATA_LABELS

OPENED, SOON, LATE, YOURS = "incident-opened", "incident-due", "incident-late", "breach-notice"
LOCKED = "account-locked"
TEMPLATES = [
    MessageTemplate(
        OPENED, Category.SECURITY, "An incident was opened",
        "Something went wrong with data, or somebody else may have used an account. The clocks by"
        " which others are told are running.",
        "incidents:incident", has_target=True,
    ),
    MessageTemplate(
        SOON, Category.SECURITY, "Somebody has to be told of an incident within a day",
        "A time by which people or an authority are told of an incident ends within a day.",
        "incidents:incident", has_target=True,
    ),
    MessageTemplate(
        LATE, Category.SECURITY, "Nobody was told of an incident in time",
        "A time by which people or an authority are told of an incident is over, and nothing says"
        " that it was done. Do it now, and write down why it is late.",
        "incidents:incident", has_target=True,
    ),
    MessageTemplate(
        YOURS, Category.SECURITY, "Something happened to your data",
        "Somebody may have seen data that an organisation keeps about you or your animal. A letter"
        " in the portal says what happened and what you can do.",
        "incidents:my_letter", has_target=True,
    ),
    MessageTemplate(
        LOCKED, Category.SECURITY, "Your account is locked until you set a new password",
        "You said that somebody else uses your account. All browsers and programs were signed out."
        " A second letter has the link by which you set a new password.",
        "accounts:account",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """What an officer writes of it; the rest of the letter is known."""

    happened: str
    doing: str
    advice: str


@dataclass(frozen=True, slots=True)
class Part:
    heading: str
    text: str


def first_draft(kinds: Sequence[str]) -> Draft:
    """What to begin with. Officers say what happened themselves."""
    advice = ["Ask us if anything about your examinations or letters seems wrong to you."]
    if {"account", "credentials"} & set(kinds):
        advice.append("Set a new password, here and wherever you use the same one.")
    if {"identity", "billing"} & set(kinds):
        advice.append("Look through invoices and statements of your insurance for what you do not"
                      " know.")  # fmt: skip
    return Draft("", "", " ".join(advice))


def parts(
    draft: Draft, kinds: Sequence[str], *, discovered_on: date, between: tuple[date, date] | None,
    contact: str,
) -> tuple[Part, ...]:  # fmt: skip
    """The letter, part by part, in the order in which it is read."""
    when = f"We found out on {discovered_on:%-d %B %Y}."
    if between:
        first, last = (f"{day:%-d %B %Y}" for day in between)
        days = f"on {first}" if first == last else f"between {first} and {last}"
        when = f"It happened {days}. {when}"
    named = ", ".join(DATA_LABELS[one] for one in kinds if one in DATA_LABELS)
    return (
        Part("What happened", f"{draft.happened} {when}"),
        Part("Which data", f"{named[:1].upper()}{named[1:]}."),
        Part("What you can do", draft.advice),
        Part("What we do", draft.doing),
        Part("Whom you can ask", f"Write to {contact}. You can also complain to an authority for"
             " data protection or health privacy."),
    )  # fmt: skip
