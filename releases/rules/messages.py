"""Messages about release projects: a template and a number, never words about anybody. Pure."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate


def _about(code: str, title: str, sentence: str, route: str = "project") -> MessageTemplate:
    return MessageTemplate(
        code, Category.CASE, title, sentence, f"releases:{route}", has_target=True
    )


TEMPLATES = [
    _about(
        "release-asked", "A release project waits for approval",
        "Somebody has put a release project together. Read what is to go out, for whom and by which"
        " rules, and approve it or not.",
    ),
    _about(
        "release-look", "Images wait for a look",
        "The images of a release project were de-identified, and text was blacked in some. Compare"
        " them with the originals; until then nothing goes out.",
    ),
    _about(
        "release-ready", "A release project is ready",
        "Its images were de-identified and looked at. It goes out when a privacy officer releases"
        " it.",
    ),
    _about(
        "release-out", "A release project was released",
        "What you worked on was released, with a signed report.",
    ),
    _about(
        "release-received", "Images were released to your organisation",
        "Images without people in them were released to your organisation. Their report says what"
        " they may be used for, and until when.",
        "report",
    ),
    _about(
        "release-ended", "A release project has ended",
        "Its linking table is destroyed, and its data was dealt with as the privacy policy says.",
    ),
]  # fmt: skip
