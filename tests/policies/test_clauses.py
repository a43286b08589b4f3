"""Every clause of the policies has its record, and every record its clause."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from policies.rules.clauses import CAPABILITIES, Kind, read_clauses
from policies.rules.controls import control_named, known_controls
from policies.rules.findings import PackInvalid
from policies.rules.schema import KEYS
from policies.selectors import clauses_of, shipped_packs

# Number, kind (its first letter) and capability of each clause of the five policies.
REGISTER = {
    number: (kind, capability)
    for number, kind, capability in (
        line.split() for line in Path(__file__).with_name("clauses.txt").read_text().splitlines()
    )
}
PREFIXES = {
    "veterinary-teleradiology": "AVMI",
    "radiology-information-system": "XENRAD",
    "surgical-planning": "MEDDIM",
    "image-exchange": "LIFEIMAGE",
    "image-share": "VIGILANT",
}
EVERY = {clause.id: clause for code in PREFIXES for clause in clauses_of(code)}


def test_the_packs_hold_each_clause_once_with_its_kind_and_capability() -> None:
    assert len(REGISTER) == 500
    found = {one.id: (one.kind.value[0], one.capability) for one in EVERY.values()}
    assert found == REGISTER
    assert sum(len(clauses_of(code)) for code in PREFIXES) == 500


def test_a_clause_lies_with_the_pack_of_its_policy() -> None:
    assert shipped_packs().keys() == PREFIXES.keys()
    for code, prefix in PREFIXES.items():
        assert {clause.id.partition("-")[0] for clause in clauses_of(code)} == {prefix}


def test_every_clause_that_a_key_serves_exists() -> None:
    named = {(key.path, number) for key in KEYS for number in key.clauses}
    assert [one for one in named if one[1] not in EVERY] == []


def test_every_control_that_a_clause_names_exists_and_the_other_way_round() -> None:
    named = {clause.control for clause in EVERY.values()} - {""}
    assert [one for one in sorted(named) if control_named(one) is None] == []
    assert {control.code for control in known_controls()} == named


def test_each_clause_says_something_of_its_own() -> None:
    # Two policies may promise the same; one does not promise it twice.
    for code in PREFIXES:
        said = Counter(clause.says for clause in clauses_of(code))
        assert [words for words, times in said.items() if times > 1] == []
    assert {clause.capability for clause in EVERY.values()} == CAPABILITIES.keys()


def test_clauses_are_in_the_order_of_their_numbers() -> None:
    ids = [clause.id for clause in clauses_of("surgical-planning")]
    assert ids.index("MEDDIM-2.9") + 1 == ids.index("MEDDIM-2.10")


RECORD = "AVMI-1.1: {says: Something., kind: enforceable, capability: C01}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "must be a mapping"),
        ("AVMI: {says: a, kind: enforceable, capability: C01}", "not the number of a clause"),
        (RECORD.replace("C01", "C99"), "C01 to C45"),
        (RECORD.replace("enforceable", "optional"), "kind must be one of"),
        (RECORD.replace("Something.", "''"), "says must be a sentence"),
        (RECORD.replace("Something.", "x" * 300), "says must be a sentence"),
        (RECORD.replace("says: Something., ", ""), "says is missing"),
        (RECORD.replace("}", ", owner: me}"), "owner is not part of a clause"),
        (
            RECORD.replace("enforceable", "attestable").replace(
                "}", ", control: vault.keys-apart}"
            ),
            "only an enforceable clause has a control",
        ),
        (f"{RECORD}\n{RECORD}", "given twice"),
        ("AVMI-1.1: &a {says: x}\nAVMI-1.2: *a", "aliases"),
        ("#" * 400_001, "larger than"),
    ],
)
def test_a_document_that_is_wrong_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(PackInvalid, match=said):
        read_clauses(text)


def test_a_record_is_read_as_it_stands() -> None:
    (clause,) = read_clauses(RECORD)
    assert (clause.says, clause.kind, clause.control) == ("Something.", Kind.ENFORCEABLE, "")


def test_a_pack_that_does_not_ship_has_no_clauses() -> None:
    with pytest.raises(LookupError):
        clauses_of("../../etc")
