"""How the controls of requests are broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

from accounts.rules import ROLE_CAPABILITIES, Role
from dsar.models import Case
from dsar.rules.clocks import RULES, Duration, Unit
from dsar.rules.documents import Term
from dsar.rules.identity import Level
from dsar.rules.kinds import KINDS, Kind
from dsar.rules.laws import Law
from dsar.rules.states import Door
from dsar.services.explaining import UNKNOWN
from tests.governance.tools import (
    Breaking,
    accepts_anything,
    gives,
    item,
    pack,
    patched,
    rule,
    without,
)

REQUESTS: list[tuple[str, Breaking]] = [
    ("dsar.contact-tracked", gives("dsar.controls.gate_of", "signed-in")),
    ("dsar.contact-tracked", item(ROLE_CAPABILITIES, Role.OFFICER, frozenset())),
    ("dsar.contact-tracked", accepts_anything(Case)),
    ("dsar.doors", patched("dsar.controls.RECORDED_BY_OFFICER", (Door.POST,))),
    ("dsar.doors", pack("contact.email", "")),
    ("dsar.doors", accepts_anything(Case)),
    ("dsar.erasure-explained", gives("dsar.controls.why_not_erased", None)),
    ("dsar.erasure-explained", gives("dsar.controls.refusal_to_call_erased", "")),
    ("dsar.erasure-explained", gives("dsar.controls.erasers", [])),
    ("dsar.erasure-explained", gives("dsar.controls.letter_text", "Done.")),
    ("dsar.post-taken", pack("contact.address", "")),
    ("dsar.post-taken", gives("dsar.controls.refusal_of_receipt", "")),
    ("dsar.replied-before-closed", gives("dsar.controls.refusal_of", "")),
    ("dsar.replied-before-closed", accepts_anything(Case)),
    ("dsar.safeguards-told", gives("dsar.controls.safeguards_text", "We do our best.")),
    ("dsar.safeguards-told", without(KINDS, Kind.TRANSFER_SAFEGUARDS)),
    ("dsar.law-of-residence", gives("dsar.controls.laws_for", (Law.HIPAA,))),
    ("dsar.law-of-residence", without(RULES, "gdpr.dsar.erasure")),
    ("dsar.law-of-residence", rule("gdpr.dsar.access", within=Duration(2, Unit.MONTH))),
    ("dsar.in-time", rule("ccpa.respond", within=Duration(60, Unit.DAY))),
    ("dsar.in-time", rule("hipaa.access", law=Law.LGPD)),
    ("dsar.in-time", gives("dsar.controls.schedules", [])),
    ("dsar.in-time", gives("dsar.controls.refusal_of", "")),
    (
        "dsar.right-named",
        patched(
            "dsar.controls.WordsForm", lambda *_, **__: SimpleNamespace(is_valid=bool, errors=())
        ),
    ),
    ("dsar.right-named", gives("dsar.controls.refusal_of", "No.")),
    ("dsar.handed-on", pack("requests.patient_route", "direct")),
    ("dsar.handed-on", gives("dsar.controls.refusal_of", "")),
    ("dsar.identity-first", gives("dsar.controls.refusal_to_answer", "")),
    (
        "dsar.identity-first",
        item(KINDS, Kind.OPT_OUT, replace(KINDS[Kind.OPT_OUT], needs_identity=True)),
    ),
    ("dsar.denial-explained", gives("dsar.controls.refusal_to_answer", "")),
    ("dsar.denial-explained", gives("dsar.controls.complaint_routes", [])),
    ("dsar.copy-complete", gives("dsar.controls.holders", [])),
    ("dsar.copy-complete", gives("dsar.controls.schedules", [])),
    ("dsar.copy-complete", patched("dsar.controls.LASTS", timedelta(days=365))),
    ("dsar.copy-explained", gives("dsar.controls.purposes_of", ())),
    ("dsar.copy-explained", gives("dsar.controls.kept_words", UNKNOWN)),
    ("dsar.identity-by-record", gives("dsar.controls.rights.level_for", Level.STANDARD)),
    ("dsar.identity-by-record", gives("dsar.controls.rights.level_of", Level.HIGH)),
    ("dsar.identity-by-record", gives("dsar.controls.rights.refusal_to_check", "")),
    ("dsar.identity-by-record", patched("dsar.controls.rights.CODE_TRIES", 10_000)),
    ("dsar.papers-destroyed", gives("dsar.controls.rights.examined", None)),
    ("dsar.papers-destroyed", gives("dsar.controls.rights.schedules", [])),
    ("dsar.papers-destroyed", gives("dsar.controls.rights.refusal_of", "No.")),
    (
        "dsar.papers-destroyed",
        gives("dsar.controls.rights.term_of", Term(date(2036, 1, 1), "for later")),
    ),
    ("dsar.fees-by-law", gives("dsar.controls.rights.refusal_to_charge", "")),
    ("dsar.fees-by-law", gives("dsar.controls.rights.refusal_of_items", "")),
    ("dsar.fees-by-law", gives("dsar.controls.rights.refusal_to_answer", "")),
    ("dsar.nobody-worse", gives("dsar.controls.rights.names_in", {"SaleOptOut"})),
    ("dsar.nobody-worse", gives("dsar.controls.rights.names_in", set())),
    ("dsar.once-a-year", gives("dsar.controls.rights.next_on", None)),
    ("dsar.once-a-year", gives("dsar.controls.rights.refusal_to_answer", "No.")),
    ("dsar.laws-by-person", gives("dsar.controls.laws.laws_for", (Law.GDPR,))),
    ("dsar.laws-by-person", gives("dsar.controls.laws.gate_of", "signed-in")),
    ("dsar.laws-by-person", gives("dsar.controls.laws.refusal_to_change", "")),
    ("dsar.laws-by-person", gives("dsar.controls.laws.cites_of", {})),
    ("dsar.laws-by-person", gives("dsar.controls.laws.day_of", date(2027, 5, 1))),
    ("dsar.laws-by-person", patched("dsar.controls.laws.ACTIONS", [])),
    ("dsar.copy-sent-on", gives("dsar.controls.rights.gate_of", "public")),
    ("dsar.copy-sent-on", gives("dsar.controls.rights.gate_of", "signed-in")),
    ("dsar.copy-sent-on", gives("dsar.controls.rights.level_for", Level.STANDARD)),
    ("dsar.copy-sent-on", patched("dsar.controls.rights.WITH_COPY", frozenset())),
]
