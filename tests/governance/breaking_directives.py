"""How the controls of what people say against a use are broken."""

from __future__ import annotations

from dataclasses import replace

from consent.models import Directive
from consent.rules.decision import Decision, Outcome, Reason
from consent.rules.directives import DIRECTIVES, DirectiveKind
from consent.rules.transfers import Ground
from dsar.rules.kinds import KINDS, Kind
from policies.rules.purposes import ALWAYS, Purpose
from studies.gateways.objects import ObjectReader
from studies.rules.messages import DISPUTED
from tests.governance.tools import Breaking, accepts_anything, gives, item, pack, patched, without

_BUYERS = "consent.controls.directives.with_buyers"

_BARRED = "consent.rules.directives.Bar.bars"
_PERMIT = Decision(Outcome.PERMIT, Reason.OWN_ORGANISATION, "treatment", None)


def _reaching(kind: DirectiveKind, reach: frozenset[Purpose]) -> Breaking:
    return item(DIRECTIVES, kind, replace(DIRECTIVES[kind], reach=reach))


_EVERYTHING = frozenset(Purpose) - ALWAYS

DISPUTED_ELSEWHERE = replace(DISPUTED, route="accounts:account")


def _uncorrected(studies: list[object]) -> list[object]:
    return studies


_GROUND = "consent.controls.transfers.ground_of"
DIRECTED: list[tuple[str, Breaking]] = [
    ("consent.sale-barred", patched(_BUYERS, lambda bars, _: list(bars))),
    ("consent.sale-barred", gives("consent.controls.directives.gate_of", "signed-in")),
    (
        "consent.sale-barred",
        patched("consent.rules.directives.BARRED_TO_BUYERS", frozenset(Purpose)),
    ),
    ("dsar.do-not-sell", gives("dsar.controls.california.gate_of", "signed-in")),
    ("dsar.do-not-sell", pack("sale_share.allowed", False)),
    ("dsar.do-not-sell", gives("dsar.controls.california.opt_out_by_link", False)),
    ("dsar.do-not-sell", gives("dsar.controls.california._foot", "")),
    ("dsar.light-asked", gives("dsar.forms.asking.refusal_of_residence", "")),
    ("dsar.light-asked", gives("dsar.controls.california.template_of", "request-received")),
    ("dsar.light-asked", gives("dsar.controls.california.refusal_of_residence", "No.")),
    ("consent.restriction-holds", gives(_BARRED, False)),
    ("consent.restriction-holds", gives("consent.controls.directives.decide", _PERMIT)),
    ("consent.restriction-holds", _reaching(DirectiveKind.RESTRICTION, _EVERYTHING)),
    ("consent.restriction-holds", gives("consent.controls.directives.refusal_to_lift", "")),
    ("consent.restriction-holds", gives("consent.controls.directives.refusal_to_lift", "No.")),
    (
        "consent.restriction-holds",
        gives(
            "consent.controls.directives.directives_of", Directive.objects.filter(lifted_at=None)
        ),
    ),
    ("consent.restriction-holds", accepts_anything(Directive)),
    ("consent.objection-barred", gives(_BARRED, False)),
    ("consent.objection-barred", gives(_BARRED, True)),
    ("consent.sensitive-limited", gives(_BARRED, False)),
    ("consent.sensitive-limited", _reaching(DirectiveKind.LIMIT_SENSITIVE, _EVERYTHING)),
    (
        "consent.limit-reaches-all",
        _reaching(DirectiveKind.LIMIT_SENSITIVE, frozenset({Purpose.ADVERTISING})),
    ),
    ("consent.limit-reaches-all", gives("consent.controls.directives.gate_of", "public")),
    ("consent.opt-out-covers", gives(_BARRED, False)),
    ("consent.opt-out-covers", _reaching(DirectiveKind.OPT_OUT, _EVERYTHING)),
    ("studies.corrected-everywhere", gives("studies.controls.edits_of", [])),
    (
        "studies.corrected-everywhere",
        gives("studies.controls.corrected", {"00100010": {"Value": 1}}),
    ),
    ("studies.corrected-everywhere", patched("studies.controls.study_summaries", _uncorrected)),
    (
        "studies.corrected-everywhere",
        patched("studies.controls.ObjectReader.stream", ObjectReader.stream_as_received),
    ),
    ("studies.correction-told", gives("studies.controls.template_named", DISPUTED_ELSEWHERE)),
    ("studies.correction-told", patched("studies.controls.correct_studies", _uncorrected)),
    ("studies.correction-told", patched("studies.controls.tell_recipients", _uncorrected)),
    ("dsar.corrections-answered", without(KINDS, Kind.CORRECTION)),
    ("dsar.corrections-answered", gives("dsar.controls.corrects", False)),
    ("dsar.corrections-answered", gives("dsar.controls.refusal_of", "No.")),
    ("dsar.corrections-answered", gives("dsar.controls.refusal_of", "")),
    ("dsar.corrections-answered", gives("dsar.controls.refusal_to_answer", "")),
    ("dsar.corrections-answered", gives("dsar.controls.denials_for", [])),
    ("consent.border-bridged", gives(_GROUND, Ground("scc"))),
    ("consent.border-bridged", gives(_GROUND, Ground())),
    ("consent.border-bridged", gives(_GROUND, None)),
    ("consent.border-written", gives("consent.controls.transfers.transfer_details", {})),
    (
        "consent.border-written",
        gives("consent.controls.transfers.what_ends_with", ["1 share ends with it."]),
    ),
]
