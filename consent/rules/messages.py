"""Messages about what people said of their data: a template and a number, never words. Pure."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate

# The page is of the room above, which is known here only by the name of its address.
_PAGE = "dsar:directives"
TEMPLATES = [
    MessageTemplate(
        "directive-ends", Category.CASE,
        "A restriction is about to be lifted",
        "Something that you had locked is going to be used again, because the question that it was"
        " locked for is settled. See which, and whom to ask if you do not agree.",
        _PAGE, has_target=True,
    ),
    MessageTemplate(
        "directive-lifted", Category.CASE,
        "A bar on the use of your data was lifted",
        "A privacy officer lifted what you had said about the use of your data. See which, and"
        " when.",
        _PAGE, has_target=True,
    ),
    MessageTemplate(
        "share-restricted", Category.CASE,
        "Something that was shared with you is locked",
        "The person whom the images are about had their use restricted. They are not released to"
        " you for now; do not use what you downloaded either (GDPR Art. 18, 19).",
        "consent:share", has_target=True,
    ),
]  # fmt: skip
