"""Messages: what they may hold, who chooses them, and advertising."""

from __future__ import annotations

from uuid import UUID

from accounts.controls.signing_in import gate_of
from accounts.models import User
from accounts.rules import Actor
from accounts.rules.marketing import MarketingBasis, basis_at, may_be_sent
from accounts.rules.messages import (
    BOTH,
    CATEGORIES,
    EMAIL,
    OPT_OUT_LINK,
    PORTAL,
    Category,
    Channel,
    MessageTemplate,
    channels_for,
    fault_of,
)
from accounts.services.campaigns import CampaignRefused, send_campaign
from accounts.services.notifications import opt_out_link
from accounts.services.preferences import user_of_unsubscribe_token
from policies.controls.trying import undone
from policies.rules.controls import Values, control, require


def _template(
    sentence: str, category: Category = Category.CASE, *, promotional: bool = False
) -> MessageTemplate:
    return MessageTemplate(
        "control-message", category, "A title", sentence, "accounts:account",
        promotional=promotional,
    )  # fmt: skip


@control("accounts.messages-without-data", "No message has a place for data about anybody")
def messages_without_data() -> str:
    require(not fault_of(_template("A study was shared with you.")), "No message can be sent.")
    for sentence in ("{name} has a new study.", "About {0}.", "{patient.name}"):
        require(fault_of(_template(sentence)), f"A message may say: {sentence}")
    return "Three messages with a place for a name were refused."


@control("accounts.promotion-apart", "Advertising cannot go out as a service message")
def promotion_apart() -> str:
    sentence = f"Buy more. {OPT_OUT_LINK}"
    for category in Category:
        if not CATEGORIES[category].promotional:
            fault = fault_of(_template(sentence, category, promotional=True))
            require(fault, f"Advertising can go out as {category.value}.")
    require(
        fault_of(_template("News.", Category.PROMOTION)), "A service message can be advertising."
    )
    return "Advertising was refused in each of the other categories."


@control("accounts.promotion-opt-out", "No advertising without a link out of it")
def promotion_opt_out() -> str:
    bare = _template("Buy more.", Category.PROMOTION, promotional=True)
    require("opt-out link" in fault_of(bare), "Advertising may go out without a way out.")
    linked = _template(f"Buy more. {OPT_OUT_LINK}", Category.PROMOTION, promotional=True)
    require(not fault_of(linked), "Advertising with a way out is refused.")
    return "A promotional text without the link was refused."


@control("accounts.marketing-basis", "Where one lives decides on advertising", of_policy=True)
def marketing_basis(values: Values) -> str:
    table = values["marketing.basis"]
    for country in ("FR", "DE", "GB", "CH"):
        basis = basis_at(table, country)
        require(basis is not MarketingBasis.OPT_OUT, f"People in {country} get it unasked.")
        require(not may_be_sent(basis, None), f"Silence counts as a yes in {country}.")
    nowhere = basis_at(table, "")
    require(
        not may_be_sent(nowhere, None) or set(table.values()) == {"opt-out"}, "Unknown residence."
    )
    if set(table.values()) == {"none"}:
        require(not may_be_sent(basis_at(table, "US"), True), "Advertising goes out all the same.")
        return "This policy has no advertising at all; it was tried for five countries."
    return "Silence in the EU, the UK and Switzerland was not taken for a yes."


@control("accounts.objection-final", "A no to advertising needs nobody's decision")
def objection_final() -> str:
    for basis in MarketingBasis:
        require(not may_be_sent(basis, False), f"Who objected gets it where it is {basis.value}.")
    require(may_be_sent(MarketingBasis.OPT_IN, True), "Who agreed gets none.")
    return "A no was absolute on each of the bases there are."


@control("accounts.unsubscribe-signed", "The link out works by one click, and cannot be forged")
def unsubscribe_signed() -> str:
    require(gate_of("accounts:unsubscribe") == "public", "The link asks to sign in.")
    with undone():
        somebody = User.objects.create(email="control@control.invalid", name="Nobody")
        token = opt_out_link(somebody).rstrip("/").rsplit("/", 1)[-1]
        require(user_of_unsubscribe_token(token) == somebody, "A link of ours does not work.")
        middle = len(token) // 2
        other = "A" if token[middle] != "A" else "B"
        for forged in (token[:middle] + other + token[middle + 1 :], "forged", ""):
            require(user_of_unsubscribe_token(forged) is None, "A forged link is taken.")
    return "The link opens without signing in; one altered letter and it was refused."


@control("accounts.own-addresses", "Advertising goes to accounts' own addresses")
def own_addresses() -> str:
    somebody = Actor(user_id=0, name="Nobody", organisation_id=UUID(int=1))
    try:
        with undone():
            send_campaign(
                acting=somebody, organisation_id=UUID(int=1), template="service-news",
                recipients=["bought@list.invalid"],
            )  # fmt: skip
    except CampaignRefused as refusal:
        require(refusal.code == "recipients-given", "It was refused for another reason.")
    else:
        require(False, "A list of addresses was taken.")
    return "A campaign with a list of addresses was refused just now."


@control("accounts.security-always", "Messages about security cannot be switched off")
def security_always() -> str:
    off = dict.fromkeys(Channel, False)
    require(channels_for(Category.SECURITY, off) == BOTH, "Alerts of security can be muted.")
    require(not channels_for(Category.PROMOTION, off), "Advertising goes on after a no.")
    require(
        channels_for(Category.ACCOUNT, off) == PORTAL, "Messages about the account can be lost."
    )
    return "With everything switched off, alerts of security still went out in both ways."


@control("accounts.ways-chosen", "Each person chooses by which way messages come")
def ways_chosen() -> str:
    for category in (Category.CASE, Category.SERVICE_UPDATE):
        without = channels_for(category, {Channel.EMAIL: False})
        require(without == PORTAL, f"{category.value} is mailed to those who do not want it.")
        require(channels_for(category, {}) >= EMAIL, f"{category.value} is never mailed.")
    require(channels_for(Category.SECURITY, {Channel.EMAIL: False}) == BOTH, "Alerts are muted.")
    return "Without e-mail, cases and updates came in the portal alone; alerts of security did not."


@control("accounts.surveys-muted", "Questions about the service can be muted; its news cannot")
def surveys_muted() -> str:
    off = dict.fromkeys(Channel, False)
    require(not channels_for(Category.SURVEY, off), "Who muted surveys gets them.")
    require(channels_for(Category.SURVEY, {}), "Nobody ever gets a survey.")
    require(channels_for(Category.SERVICE_UPDATE, off) == PORTAL, "Updates can be lost.")
    return "With both muted, no survey went out and the service's update still did."
