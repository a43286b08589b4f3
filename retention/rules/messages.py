"""Messages about holds and disposal: a template and a number, never words about anybody. Pure."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate

TEMPLATES = [
    MessageTemplate(
        "hold-review-due", Category.CASE, "A hold is to be looked at again",
        "You look after a hold whose day of review has come. Say whether it is still needed.",
        "retention:hold", has_target=True,
    ),
    MessageTemplate(
        "hold-lift-asked", Category.CASE, "A hold is to be lifted",
        "Somebody asks for a hold to be lifted. It holds until a second person has agreed.",
        "retention:hold", has_target=True,
    ),
    MessageTemplate(
        "disposal-planned", Category.CASE, "Studies are due for disposal",
        "The time of studies is over. Look at what would go and why; two people have to approve.",
        "retention:run", has_target=True,
    ),
    MessageTemplate(
        "studies-archived", Category.CASE, "Studies went to the legal archive",
        "The policy's own time for studies is over, and law still asks for them. They are in no"
        " list any more; a request under an authorization opens them.",
        "retention:archive",
    ),
    MessageTemplate(
        "organisation-closing", Category.CASE, "Your organisation is to be closed",
        "An administrator asks for the organisation's account to be closed. Look at what that does;"
        " nothing happens before a second person has agreed.",
        "retention:closing",
    ),
    MessageTemplate(
        "erasure-planned", Category.CASE, "A person asks for erasure",
        "Look at what would go, what stays and why; two people have to approve.",
        "retention:run", has_target=True,
    ),
    MessageTemplate(
        "disposal-stopped", Category.CASE, "A disposal has stopped",
        "A disposal stopped by itself, and nothing goes on until somebody has looked.",
        "retention:run", has_target=True,
    ),
]  # fmt: skip
