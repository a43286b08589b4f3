"""The controls of this room: what is handed out under law."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.controls.signing_in import gate_of
from accounts.rules import Capability
from governance.rules.legal_export import ExportRefused, check_citation, check_span
from policies.rules.controls import control, must_refuse, require


@control("governance.law-cited", "Nothing goes to an authority but under a cited duty")
def law_cited() -> str:
    gate = gate_of("governance:legal_export_new")
    require(gate == Capability.DISCLOSE_UNDER_LAW, "Others than the officer can hand it out.")
    for empty in ("", "   ", "the law", "none"):
        with must_refuse(ExportRefused, f"A disclosure that cites {empty!r}"):
            check_citation(empty)
    require(check_citation("45 CFR 164.512(d)"), "A citation is refused.")
    today = timezone.now().date()
    with must_refuse(ExportRefused, "A disclosure of all there ever was"):
        check_span(today - timedelta(days=36_600), today, today=today)
    return "Handing out records without citing what obliges to it was refused four times just now."
