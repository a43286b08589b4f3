"""Controls of what Californian law alone gives: the link, and the question of once a year."""

from __future__ import annotations

import secrets
from datetime import date

from django.conf import settings

from accounts.controls.signing_in import gate_of
from accounts.models import Membership, Organisation, SaleOptOut, User
from accounts.rules import Actor
from accounts.rules.messages import template_named
from accounts.rules.tracking import SignalFlags, signals_of
from consent.models import Directive
from consent.rules.directives import DirectiveKind, Source
from dsar.forms import WordsForm
from dsar.rules.clocks import Request
from dsar.rules.kinds import CALIFORNIA, KINDS, LIGHT_SUBJECT, Kind, refusal_of_residence
from dsar.rules.laws import Law
from dsar.rules.letters import template_of
from dsar.rules.offers import offers
from dsar.services.directing import opt_out_by_link
from policies.controls.trying import undone
from policies.rules.categories import Category
from policies.rules.controls import Values, control, require
from policies.rules.gate import using
from policies.rules.purposes import Purpose


class _Silent:
    headers: dict[str, str] = {}


def _foot() -> str:
    page = (settings.BASE_DIR / "templates" / "base.html").read_text(encoding="utf-8")
    return page.partition("<footer")[2]


@control("dsar.do-not-sell", "One press opts out of sale and sharing, with or without an account",
         of_policy=True)  # fmt: skip
def do_not_sell(values: Values) -> str:
    require(values["sale_share.allowed"], "Under this policy there is no link: nothing is sold.")
    require("{% url 'dsar:opt_out' %}" in _foot(), "The link is not at the foot of each page.")
    require(gate_of("dsar:opt_out") == "public", "Visitors without an account do not come to it.")
    require(not KINDS[Kind.OPT_OUT].needs_identity, "It asks for proof.")
    pressed = signals_of(_Silent(), SignalFlags(gpc=False, dnt=False), pressed=True)
    require(pressed.opts_out, "A visitor's press does not count.")
    with undone(), using(Purpose.RIGHTS, Category.ACCOUNT, Category.CONSENT, Category.REQUESTS):
        name = f"control-{secrets.token_hex(4)}"
        office = Organisation.objects.create(slug=name, name="Nowhere", country="US")
        user = User.objects.create(email=f"{name}@control.invalid", name="Nobody")
        Membership.objects.create(user=user, organisation=office)
        made = opt_out_by_link(actor=Actor(user.pk, "Nobody", organisation_id=office.pk))
        kept = SaleOptOut.objects.filter(user=user, source=Source.LINK.value).exists()
        held = Directive.objects.filter(user=user, kind=DirectiveKind.OPT_OUT.value).exists()
        require(made and kept and held, "A press is not kept with the account.")
    return "Somebody without a proof pressed the link just now, and had opted out."


@control("dsar.light-asked", "Who got data for advertising is asked as a resident of California")
def light_asked() -> str:
    like = Request(Kind.QUESTION, (Law.SHINE_THE_LIGHT,), date(2026, 9, 1), "US", 30, 5)
    offered = offers(like)
    given = {
        "kind": Kind.SHINE_THE_LIGHT.value, "name": "Nobody", "email": "a@b.example",
        "text": "Who got my data for their own advertising?",
    }  # fmt: skip
    without = WordsForm(given, offered=offered, signed_in=False)
    require(not without.is_valid(), "It is asked without saying where one lives.")
    nameless = WordsForm(given | {"name": "", "californian": "on"}, offered=offered,
                         signed_in=False)  # fmt: skip
    require("name" in nameless.errors, "It is asked without a name.")
    ticked = WordsForm(given | {"californian": "on"}, offered=offered, signed_in=False)
    require(ticked.is_valid() and ticked.residence == CALIFORNIA, "Nobody can ask it.")
    require(not refusal_of_residence(Kind.SHINE_THE_LIGHT, CALIFORNIA), "Nobody can ask by post.")
    subject = template_named(template_of("received", Kind.SHINE_THE_LIGHT)).title
    require(subject == LIGHT_SUBJECT, "The acknowledgement has another subject.")
    return f"Unticked and without a name it was refused; the letter's subject is “{subject}”."
