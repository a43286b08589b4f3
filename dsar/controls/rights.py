"""Controls of who asks, of papers and of fees."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from uuid import UUID

from accounts.controls.signing_in import gate_of
from accounts.rules import Capability
from accounts.rules.messages import template_named
from accounts.services import billing
from dsar.gateways.examining import examined
from dsar.models import CaseDocument
from dsar.rules.documents import DOCUMENT_KINDS, DocumentKind, term_of
from dsar.rules.fees import Asked, Cost, Item, refusal_of_items, refusal_to_charge
from dsar.rules.files import FileRefused
from dsar.rules.identity import (
    CODE_TRIES,
    MOST_FAILED,
    Check,
    Fact,
    Level,
    level_for,
    level_of,
    refusal_to_check,
)
from dsar.rules.kinds import Kind
from dsar.rules.laws import Law
from dsar.rules.packages import WITH_COPY
from dsar.rules.repeats import Earlier, next_on
from dsar.rules.states import Act, Outcome, Proof, Standing, State, refusal_of, refusal_to_answer
from dsar.tasks import END_DOCUMENTS
from jobs.rules.kinds import schedules
from policies.rules.controls import Values, control, must_refuse, require

DAY = date(2026, 9, 1)
_MINE, _THEIRS = UUID(int=1), UUID(int=2)
_FACTS = frozenset({Fact.NUMBER, Fact.BIRTH, Fact.EXAMINATION})
# A web page that begins as a picture does.
_HOSTILE = b"\xff\xd8\xff\xe0<html><script>", b"%PDF-1.7\n/JavaScript\n%%EOF", b"PK\x03\x04"
# What prices would have to read to know of rights.
_OF_RIGHTS = frozenset({"dsar", "consent", "SaleOptOut", "MarketingChoice", "objected_to"})


@control("dsar.identity-by-record", "It is shown of each record by itself that it is theirs")
def identity_by_record() -> str:
    require(level_for(Kind.COPY) is Level.HIGH, "A copy needs no more proof than a question.")
    for kind in (Kind.OPT_OUT, Kind.LIMIT_SENSITIVE):
        require(level_for(kind) is Level.NONE, "An opt-out asks for proof.")
    shown = Check(Proof.MATCHED, _FACTS, _MINE, declared=True)
    require(level_of([shown], _MINE, ()) is Level.HIGH, "Nobody can show who they are.")
    require(not level_of([shown], _THEIRS, {_MINE}), "What shows one record shows another.")
    by_account = level_of([Check(Proof.ACCOUNT)], _THEIRS, {_MINE})
    require(not by_account, "An account shows records that are not its own.")
    often = refusal_to_check(
        Proof.DOCUMENT, (), failed_before=MOST_FAILED, passed=True, knows_which=True
    )
    require(often, "Who asks can be guessed at without an end.")
    require(CODE_TRIES <= 10, "A code can be guessed.")
    return "Proof of one record was of no use for another; guessing ends after five tries."


@control("dsar.papers-destroyed", "What is asked for to verify is destroyed with the answer")
def papers_destroyed() -> str:
    asked = Standing(Kind.COPY, State.OPEN)
    require(not refusal_of(Act.ASK_DOCUMENT, asked, DAY), "Nothing more can be asked for.")
    for laws in ([], [Law.HIPAA, Law.CCPA]):
        term = term_of(DocumentKind.IDENTITY, DAY, laws, None)
        require(term.until == DAY, "Identity documents outlive the answer.")
    require(DOCUMENT_KINDS[DocumentKind.IDENTITY].at_decision, "They are kept for later.")
    require(END_DOCUMENTS in {one.name for one in schedules()}, "Nobody destroys papers in time.")
    for content in _HOSTILE:
        with must_refuse(FileRefused, "A hostile file"):
            examined(content)
    names = {one.name for one in CaseDocument._meta.get_fields()}
    require(not names & {"name", "file_name", "content"}, "Names or words of papers are kept.")
    return f"{len(_HOSTILE)} hostile files were refused; identity documents go with the answer."


@control("dsar.fees-by-law", "A fee is what it costs, where law allows it, accepted first",
         of_policy=True)  # fmt: skip
def fees_by_law(values: Values) -> str:
    charged = values["fees.charged"]
    patient = Asked(Kind.COPY, (Law.HIPAA,), DAY, charged)
    for kind in (Kind.OPT_OUT, Kind.CORRECTION, Kind.ERASURE, Kind.QUESTION):
        refused = refusal_to_charge(Asked(kind, (Law.HIPAA,), DAY, charged))
        require(refused, "A right costs something.")
    for law in (Law.GDPR, Law.UK_GDPR, Law.CCPA):
        refused = refusal_to_charge(Asked(Kind.COPY, (law, Law.HIPAA), DAY, charged))
        require(refused, f"A copy costs something under {law.value}.")
    allowed = not refusal_to_charge(patient)
    require(allowed is (charged != "none"), "What is charged is not what the policy says.")
    searching = [Item(Cost.ADMINISTRATIVE, "Searching", 100)]
    require(refusal_of_items(searching, Kind.COPY, [Law.HIPAA]), "Searching is charged for.")
    waiting = Standing(Kind.COPY, State.OPEN, is_identified=True, fee_open=True)
    require(refusal_to_answer(Outcome.GRANTED, "", waiting), "Work begins before it is accepted.")
    return "A copy under GDPR and CCPA was free; nothing is made before a fee is accepted."


@control("dsar.nobody-worse", "Prices know nothing of who used a right")
def nobody_worse() -> str:
    known = names_in(Path(billing.__file__))
    require(bool(known), "Nothing is looked at.")
    require(not known & _OF_RIGHTS, "Prices read who used a right.")
    return f"{len(known)} names that prices use were looked at; none is of requests or opt-outs."


def names_in(path: Path) -> set[str]:
    """Every name that a file reads or imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.alias(name=name):
                found |= {name, name.partition(".")[0]}
            case ast.Attribute(attr=name) | ast.ImportFrom(module=str(name)):
                found |= {name, name.partition(".")[0]}
    return found


@control("dsar.once-a-year", "Who got data for their own advertising can be asked once a year")
def once_a_year() -> str:
    done = Earlier("0000-0000", date(2026, 1, 2), is_open=False, is_done=True, same_asker=True)
    kind, laws = Kind.SHINE_THE_LIGHT, [Law.SHINE_THE_LIGHT]
    require(next_on(kind, laws, DAY, []) is None, "Nobody can ask at all.")
    again = next_on(kind, laws, DAY, [done])
    require(again == date(2027, 1, 1), "A second time in the year is not told from when on.")
    require(next_on(kind, laws, date(2027, 1, 1), [done]) is None, "It is once, and never again.")
    free = refusal_to_answer(Outcome.GRANTED, "", Standing(kind, State.OPEN))
    require(not free, "Who asks for it has to prove who they are.")
    return "A second request of a year was told that it can be asked again from 1 January on."


@control("dsar.copy-sent-on", "A portable copy goes to the provider that its person names")
def copy_sent_on() -> str:
    require(gate_of("dsar:own_transfer") == "signed-in", "Others than its person send it on.")
    fetched_by = gate_of("dsar:transfer_fetch")
    require(fetched_by == Capability.ANSWER_REQUESTS, "Others than the provider's officers get it.")
    require(Kind.PORTABILITY in WITH_COPY, "No copy is made for taking data elsewhere.")
    require(level_for(Kind.PORTABILITY) is Level.HIGH, "It goes to whoever asks.")
    template_named("request-transferred")
    return "Its person names the provider after a fresh proof; officers there fetch it."
