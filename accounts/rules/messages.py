"""Which messages there are, on which ways they go, and what they may say. Pure (C36).

A message is a template's code and an id: its words are written here and nowhere else, and
have no place for a name, a study or any other health data (LIFEIMAGE-5.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    PORTAL = "portal"
    EMAIL = "email"


CHANNEL_LABELS = {Channel.PORTAL: "In the portal", Channel.EMAIL: "By e-mail"}


class Category(StrEnum):
    SECURITY = "security"
    ACCOUNT = "account"
    CASE = "case"
    SERVICE_UPDATE = "service-update"
    POLICY_CHANGE = "policy-change"
    SURVEY = "survey"
    PROMOTION = "promotion"


PORTAL, EMAIL = frozenset({Channel.PORTAL}), frozenset({Channel.EMAIL})
BOTH = PORTAL | EMAIL


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """What a category is for, where it always arrives, and what a person can choose.

    What can be chosen and is not chosen otherwise goes by `usual`.
    """

    label: str
    explanation: str
    always: frozenset[Channel]
    choosable: frozenset[Channel]
    usual: frozenset[Channel]
    promotional: bool = False

    @property
    def can_be_muted(self) -> bool:
        """Can a person have no message of this category at all?"""
        return not self.always


CATEGORIES: dict[Category, CategoryRule] = {
    Category.SECURITY: CategoryRule(
        "Security of your account",
        "A new password, a new second factor, a sign-in from another browser. Always sent.",
        always=BOTH, choosable=frozenset(), usual=BOTH,
    ),
    Category.ACCOUNT: CategoryRule(
        "Your account and membership",
        "Changes of your roles and of what your account can do.",
        always=PORTAL, choosable=EMAIL, usual=BOTH,
    ),
    Category.CASE: CategoryRule(
        "Cases",
        "A study was shared with you, a share has ended, or there is news of a request.",
        always=PORTAL, choosable=EMAIL, usual=BOTH,
    ),
    Category.SERVICE_UPDATE: CategoryRule(
        "Updates of the service",
        "What you asked for is done; maintenance; changes of how the portal works.",
        always=PORTAL, choosable=EMAIL, usual=BOTH,
    ),
    Category.POLICY_CHANGE: CategoryRule(
        "Changes of the privacy policy",
        "Always delivered. The policy itself says in which ways.",
        always=PORTAL, choosable=frozenset(), usual=BOTH,
    ),
    Category.SURVEY: CategoryRule(
        "Questions about our service",
        "Now and then, how well the service worked for you.",
        always=frozenset(), choosable=BOTH, usual=BOTH,
    ),
    Category.PROMOTION: CategoryRule(
        "Offers and news",
        "Advertising for the service. Never needed, and ended by one click in each such mail.",
        always=frozenset(), choosable=EMAIL, usual=frozenset(), promotional=True,
    ),
}  # fmt: skip

# The one placeholder that a template may hold, and a promotional one must.
OPT_OUT_LINK = "{opt_out_link}"
_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")
_CODE = re.compile(r"[a-z][a-z0-9-]{2,49}")


class TemplateRefused(ValueError):
    """A template that may not be sent; the sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """The words of a message: a title, a sentence, and where in the portal to go on.

    `route` is the name of a URL; it takes the message's target id where `has_target` is true.
    """

    code: str
    category: Category
    title: str
    sentence: str
    route: str
    has_target: bool = False
    promotional: bool = False


# A row may outlive its template.
UNKNOWN = MessageTemplate(
    "unknown", Category.ACCOUNT, "A message", "Its words are no longer known here.",
    "accounts:notifications",
)  # fmt: skip
_templates: dict[str, MessageTemplate] = {}


def register_template(template: MessageTemplate) -> MessageTemplate:
    """Make a template known; a room above registers its own in `AppConfig.ready`.

    Raises `TemplateRefused`.
    """
    if fault := fault_of(template):
        raise TemplateRefused(f"{template.code}: {fault}")
    if _templates.setdefault(template.code, template) != template:
        raise TemplateRefused(f"{template.code}: another template has this code.")
    return template


def fault_of(template: MessageTemplate) -> str:
    """Say what forbids a template, or nothing (MEDDIM-3.2, LIFEIMAGE-16.3, VIGILANT-8.3)."""
    placeholders = _PLACEHOLDER.findall(template.title + template.sentence)
    if not _CODE.fullmatch(template.code):
        return "A code is lower-case words with hyphens."
    if template.promotional != CATEGORIES[template.category].promotional:
        return (
            "A promotional template cannot be sent as a service message, nor the other way round."
        )
    if set(placeholders) - {OPT_OUT_LINK}:
        return "A message has no place for names or data; say it without placeholders."
    if template.promotional and OPT_OUT_LINK not in template.sentence:
        return f"A promotional template must carry the opt-out link: write {OPT_OUT_LINK}."
    if not template.promotional and placeholders:
        return "Only promotional messages can be opted out of by a link."
    return ""


def template_named(code: str) -> MessageTemplate:
    """Return a template; raises LookupError if nobody registered it."""
    try:
        return _templates[code]
    except KeyError:
        raise LookupError(f"nobody registered the message {code!r}") from None


def words_of(code: str) -> MessageTemplate:
    """Return a template to show; one that a newer or older release knows is said in general."""
    return _templates.get(code, UNKNOWN)


def promotional_templates() -> list[MessageTemplate]:
    return sorted((one for one in _templates.values() if one.promotional), key=lambda one: one.code)


def channels_for(category: Category, chosen: Mapping[Channel, bool]) -> frozenset[Channel]:
    """Where a message of this category goes for a person who chose so."""
    rule = CATEGORIES[category]
    wanted = {channel for channel in rule.choosable if chosen.get(channel, channel in rule.usual)}
    return rule.always | wanted


TEMPLATES = [
    MessageTemplate(
        "password-changed", Category.SECURITY,
        "Your password was changed",
        "The password of your account was changed, and every browser was signed out. If it was"
        " not you, set a new one at once and tell your administrator.",
        "accounts:account",
    ),
    MessageTemplate(
        "factor-enrolled", Category.SECURITY,
        "A second factor was added to your account",
        "Somebody signed in as you set up a second factor. If it was not you, tell your"
        " administrator at once.",
        "accounts:account",
    ),
    MessageTemplate(
        "recovery-codes-replaced", Category.SECURITY,
        "Your recovery codes were replaced",
        "Somebody signed in as you replaced your recovery codes; the old ones are of no use now."
        " If it was not you, tell your administrator at once.",
        "accounts:account",
    ),
    MessageTemplate(
        "new-browser", Category.SECURITY,
        "Your account was opened in another browser",
        "Your account was opened in a browser that it was not used in before. If it was not you,"
        " sign that browser out and change your password.",
        "accounts:account",
    ),
    MessageTemplate(
        "address-changed", Category.SECURITY,
        "Your account has another address now",
        "The e-mail address of your account was confirmed and changed, and every other browser was"
        " signed out. If it was not you, tell your administrator at once.",
        "accounts:account",
    ),
    MessageTemplate(
        "roles-changed", Category.ACCOUNT,
        "Your roles were changed",
        "An administrator of your organisation changed what your account can do.",
        "accounts:account",
    ),
    MessageTemplate(
        "policy-changed", Category.POLICY_CHANGE,
        "The privacy policy of your organisation will change",
        "A new version of the privacy policy is posted. See what changes and from when on; when it"
        " takes effect, you are asked to accept it.",
        "accounts:policy_news",
    ),
    MessageTemplate(
        "policy-withdrawn", Category.POLICY_CHANGE,
        "A change of the privacy policy was withdrawn",
        "The new version of the privacy policy that was announced will not take effect.",
        "accounts:policy_news",
    ),
    MessageTemplate(
        "partner-policy-changed", Category.POLICY_CHANGE,
        "The privacy policy of a partner will change",
        "An organisation that you have an agreement with has posted a new version of its privacy"
        " policy. See what changes, and from when on.",
        "accounts:notice_versions", has_target=True,
    ),
    MessageTemplate(
        "partner-policy-withdrawn", Category.POLICY_CHANGE,
        "A partner's change of its privacy policy was withdrawn",
        "The new version of the privacy policy that an organisation you have an agreement with had"
        " announced will not take effect.",
        "accounts:notice_versions", has_target=True,
    ),
    MessageTemplate(
        "records-joined", Category.SECURITY,
        "Your technical records are being looked at",
        "To solve a problem under a ticket, a privacy officer or an administrator of your"
        " organisation joined the technical records of your visits with your account, for a limited"
        " time. You see who, why and until when.",
        "consent:my_purposes",
    ),
    # Their pages are of the room above, which is known here only by the name of its address.
    MessageTemplate(
        "share-given", Category.CASE,
        "A study was shared with you",
        "A study was shared with you under express consent. Sign in to see it.",
        "consent:share", has_target=True,
    ),
    MessageTemplate(
        "share-revoked", Category.CASE,
        "A share was revoked",
        "A study that was shared with you is no longer released to you.",
        "consent:share", has_target=True,
    ),
    MessageTemplate(
        "share-erased", Category.CASE,
        "A study that was shared with you was erased",
        "Whose study it is asked for it to be erased, and it was. Erase what you have of it too,"
        " unless the law asks you to keep it.",
        "consent:share", has_target=True,
    ),
    MessageTemplate(
        "service-news", Category.PROMOTION,
        "What is new in Collimate",
        "We have written up what Collimate can do for you now. You get this because offers and"
        f" news are on for your account. No more of them, by one click: {OPT_OUT_LINK}",
        "accounts:account", promotional=True,
    ),
]  # fmt: skip
