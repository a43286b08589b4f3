"""Messages about corrected studies: a template and a number, never words about anybody. Pure."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate

CORRECTED = MessageTemplate(
    "study-corrected", Category.CASE,
    "Something that was shared with you was corrected",
    "What images that were shared with you say of the patient or the examination was corrected."
    " They show it now; what you downloaded before does not. Correct it there as well.",
    "consent:share", has_target=True,
)  # fmt: skip
DISPUTED = MessageTemplate(
    "study-disputed", Category.CASE,
    "A statement was added to something that was shared with you",
    "The patient or owner disagrees with something that images which were shared with you say."
    " Their statement stands with the study.",
    "consent:share", has_target=True,
)  # fmt: skip
REJECTED = MessageTemplate(
    "study-rejected", Category.CASE,
    "Something that was shared with you was taken back as wrong",
    "Images that were shared with you should not have been sent, or must not be relied on. They"
    " are hidden now. Do not use what you downloaded, and delete it; ask whoever shared them.",
    "consent:share", has_target=True,
)  # fmt: skip
TEMPLATES = [CORRECTED, DISPUTED, REJECTED]
