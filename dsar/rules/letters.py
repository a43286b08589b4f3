"""Messages about requests: a template and a number, never words about anybody. Pure (C45)."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate
from dsar.rules.kinds import LIGHT_SUBJECT, Kind


def _to_officer(code: str, title: str, sentence: str) -> MessageTemplate:
    return MessageTemplate(code, Category.CASE, title, sentence, "dsar:case", has_target=True)


def _to_person(code: str, title: str, sentence: str) -> MessageTemplate:
    return MessageTemplate(code, Category.CASE, title, sentence, "dsar:own_case", has_target=True)


CONFIRM = MessageTemplate(
    "request-confirm", Category.CASE,
    "Confirm your request",
    "Somebody, hopefully you, wrote a request and gave this address for the answer. Open this link"
    " and confirm it; until then nothing is sent. After a day it is deleted by itself. If it was"
    " not you, do nothing.",
    "dsar:new",
)  # fmt: skip
# To somebody in whose name another asked; they open by a link of their own.
IN_YOUR_NAME = MessageTemplate(
    "request-in-your-name", Category.CASE,
    "Somebody asked in your name",
    "Somebody sent a request about your data and says that they may act for you. Open this link,"
    " see who it is, and say whether that is so.",
    "dsar:new",
)  # fmt: skip
ANSWERED_TO_YOU = MessageTemplate(
    "request-answered-to-you", Category.CASE,
    "A request in your name is answered",
    "A request about your data that somebody made in your name is answered. The answer goes to"
    " you alone; open this link to read it.",
    "dsar:new",
)  # fmt: skip
TEMPLATES = [
    CONFIRM,
    IN_YOUR_NAME,
    ANSWERED_TO_YOU,
    _to_officer(
        "request-arrived", "A request came in",
        "A request or question came in. See who asks what, and by when the answer is due.",
    ),
    _to_officer(
        "request-assigned", "A request was assigned to you",
        "A request is yours to answer. See what is asked, and by when.",
    ),
    _to_officer(
        "request-detail-given", "Somebody gave more detail",
        "The person of a request that waited for them has written.",
    ),
    _to_officer(
        "request-erased", "An erasure was carried out",
        "What was approved is erased. Look at what went and what stays, and answer the request.",
    ),
    MessageTemplate(
        "release-to-approve", Category.CASE, "A release of archived records waits for you",
        "An officer has checked an authorization. Look at what was seen and what would leave the"
        " archive; a second person has to approve it.",
        "dsar:release_approve", has_target=True,
    ),
    _to_officer(
        "request-disagreed", "Somebody does not agree with a refusal",
        "The person of a correction that was refused has written a statement. It goes with their"
        " studies; you can reply to it once.",
    ),
    MessageTemplate(
        "request-transferred", Category.CASE, "Somebody had a copy sent to you",
        "A person had a copy of their data made elsewhere and named you as the provider that gets"
        " it. An officer can fetch it until it is deleted.",
        "dsar:transfers",
    ),
    _to_officer(
        "request-due", "A request is due soon",
        "The last day for an answer is less than a week away.",
    ),
    _to_officer(
        "request-late", "A request is late",
        "The last day for an answer has passed. Answer it now; the law's time is over.",
    ),
    _to_officer(
        "child-reported", "An account was reported as a child's",
        "It is closed. What goes with it is planned and waits for approval, and has to be gone"
        " within hours.",
    ),
    _to_officer(
        "child-late", "A child's account is not gone in time",
        "The policy promises that it is gone by now. Approve what is planned, or say on the case"
        " why not.",
    ),
    _to_person(
        "request-received", "Your request was received",
        "Your request has arrived. Its number, who works on it and by when it is answered are on"
        " its page.",
    ),
    _to_person(
        "request-received-light", LIGHT_SUBJECT,
        "Your request has arrived: who got data for their own advertising (Cal. Civ. Code 1798.83)."
        " Its number, and by when it is answered, are on its page.",
    ),
    _to_person(
        "request-detail-asked", "A question about your request",
        "To answer your request, something more is needed from you. It is on its page, where you"
        " can reply.",
    ),
    _to_person(
        "request-document-asked", "A paper is needed for your request",
        "To answer your request, a paper is needed from you. Which one, and what for, is on its"
        " page, where you can send it.",
    ),
    _to_person(
        "request-fee", "What you asked for has a cost",
        "A copy that you asked for would cost something. What for, and how much, is on its page;"
        " nothing is made before you accept.",
    ),
    _to_person(
        "request-extended", "Your request takes longer",
        "The time for your request was extended once, as the law allows. Why, and until when, is on"
        " its page.",
    ),
    _to_person(
        "request-laws-changed", "Another day for the answer to your request",
        "Other laws count for your request than it was taken in with, so the day by which it is"
        " answered has changed. Which day, and why, is on its page.",
    ),
    _to_person(
        "request-answered", "Your request is answered",
        "The answer to your request is on its page.",
    ),
    _to_person(
        "request-rebutted", "Your statement was replied to",
        "The organisation has replied to your statement of disagreement. Both go wherever the study"
        " goes. The reply is on the request's page.",
    ),
    _to_person(
        "request-handed-on", "Your request was handed on",
        "The organisation that you wrote to works on the instructions of another one, which has"
        " your request now. Which one, and that the time runs on unchanged, is on its page.",
    ),
]  # fmt: skip
# The step of a case, and what tells its person of it.
TEMPLATE_OF = {
    "received": "request-received",
    "acknowledge": "request-received",
    "ask-detail": "request-detail-asked",
    "ask-document": "request-document-asked",
    "quote-fee": "request-fee",
    "extend": "request-extended",
    "laws": "request-laws-changed",
    "answer": "request-answered",
    "hand-over": "request-handed-on",
    "rebut": "request-rebutted",
}


def template_of(act: str, kind: str) -> str:
    """What tells the person of a step; of one law the letter's subject is preset (MEDDIM-8.4)."""
    told = TEMPLATE_OF[act]
    is_light = kind == Kind.SHINE_THE_LIGHT and told == TEMPLATE_OF["received"]
    return "request-received-light" if is_light else told
