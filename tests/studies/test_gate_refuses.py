"""What is dangerous is refused, with a reason, in bounded time and memory."""

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studies.rules.gate import Gate, Verdict, inspect, named_by_itself
from studies.rules.preamble import neutralise_preamble
from studies.rules.reasons import HELD, REFUSED, REMARKED, Refused

from . import hostile
from .hostile import HOSTILE, part10


def in_pieces(data: bytes, size: int) -> Verdict:
    gate = Gate()
    for start in range(0, len(data), size):
        gate.feed(data[start : start + size])
    return gate.finish()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_object_is_refused_with_its_reason(name):
    build, codes = HOSTILE[name]
    data, started = build(), time.monotonic()
    with pytest.raises(Refused) as refused:
        in_pieces(data, 4096)
    assert refused.value.code in codes.split()
    assert refused.value.sentence == REFUSED[refused.value.code]
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_object_is_refused_as_a_whole_too(name):
    with pytest.raises(Refused):
        inspect(HOSTILE[name][0]())


@pytest.mark.parametrize("name", [n for n in HOSTILE if "000" not in n and "bomb" not in n])
def test_byte_by_byte_gives_the_same_refusal_as_in_blocks(name):
    data, codes = HOSTILE[name][0](), []
    for size in (1, 4096):
        with pytest.raises(Refused) as refused:
            in_pieces(data[:70_000], size)
        codes.append((refused.value.code, refused.value.tag))
    assert codes[0] == codes[1]


def test_a_false_length_is_refused_before_the_end_where_the_size_is_known():
    data = part10(t7FE00010=hostile.element(0x7FE00010, "OW", bytes(16), length=0xFFFFFFFE))
    gate = Gate(size=len(data))
    with pytest.raises(Refused) as refused:
        gate.feed(data[:-4])
    assert refused.value.code == "length-past-end"
    assert refused.value.tag == "7FE00010"


def test_the_refusal_names_the_path_to_the_attribute():
    bad = hostile.element(0x00091001, "ZZ", b"\1\2\3\4")
    data = part10(
        t00081140=hostile.element(0x00081140, "SQ", hostile.item(b"") + hostile.item(bad))
    )
    with pytest.raises(Refused) as refused:
        inspect(data)
    assert refused.value.tag == "00081140/2/00091001"


def test_a_harmless_preamble_is_neutralised_and_changes_nothing_else():
    data = part10(preamble=b"II*\0\x08\0\0\0")
    verdict = inspect(data)
    stored = neutralise_preamble(data)
    assert not verdict.quarantined and verdict.preamble_changes
    assert stored[:128] == bytes(128) and stored[128:] == data[128:]
    assert inspect(stored).header == verdict.header


def test_two_identifiers_are_held_only_where_an_operator_asks_for_it():
    gate = Gate(hold_differing_identifier=True)
    gate.feed(part10(opening=hostile.meta(instance=hostile.ROOT + "666")))
    assert [reason.code for reason in gate.finish().reasons] == ["meta-identifier-differs"]


@pytest.mark.parametrize(
    ("syntax", "body"),
    [
        (hostile.EXPLICIT, hostile.dataset()),
        (hostile.IMPLICIT, hostile.dataset(syntax=hostile.IMPLICIT)),
        (hostile.DEFLATED, hostile.deflate(hostile.dataset())),
    ],
)
def test_an_object_is_named_by_itself_and_nothing_else_of_it_changes(syntax: str, body: bytes):
    wrong = part10(body, opening=hostile.meta(syntax, instance=hostile.ROOT + "66666"))
    right = part10(body, opening=hostile.meta(syntax))
    assert named_by_itself(wrong) == right
    assert named_by_itself(right) is right
    assert not inspect(right).quarantined


@pytest.mark.parametrize("name", HOSTILE)
def test_naming_an_object_by_itself_lets_nothing_through(name: str):
    build, codes = HOSTILE[name]
    if codes == "identifier-differs":
        return
    with pytest.raises(Refused):
        inspect(named_by_itself(build()))


def test_gigabytes_of_pixels_cost_the_gate_almost_nothing():
    rows, columns, frames = 2048, 2048, 500
    pixels = rows * columns * frames
    head = part10(
        t00280008=("IS", str(frames)),
        t7FE00010=hostile.element(0x7FE00010, "OB", length=pixels),
        **hostile.size_of(rows, columns),
    )
    block = bytes(MB)
    tracemalloc.start()
    gate = Gate()
    gate.feed(head)
    for _ in range(pixels // MB):
        gate.feed(block)
    verdict = gate.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert verdict.length == len(head) + pixels
    assert peak < 3 * MB


MB = 1 << 20


def test_every_code_has_one_weight_and_a_sentence():
    assert not (REFUSED.keys() & HELD.keys()) and not (HELD.keys() & REMARKED.keys())
    assert all(text.endswith(".") for text in (REFUSED | HELD | REMARKED).values())


SEEDS = [
    part10(),
    part10(hostile.dataset(syntax=hostile.IMPLICIT), syntax=hostile.IMPLICIT),
    part10(hostile.dataset(syntax=hostile.BIG), syntax=hostile.BIG),
    part10(hostile.deflate(hostile.dataset()), syntax=hostile.DEFLATED),
    part10(t0040A730=hostile.nested(5), t00100010=("PN", "Yamada^Tarou=山田^太郎=やまだ")),
    part10(syntax=hostile.JPEG, t7FE00010=hostile.fragments(hostile.jpeg(8, 8))),
]
edit = st.tuples(
    st.integers(0, 4000), st.sampled_from("replace insert delete".split()), st.binary(max_size=6)
)


@settings(max_examples=1500, deadline=1000, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.lists(edit, min_size=1, max_size=6), st.integers(1, 300))
def test_any_mutation_is_refused_or_gets_a_verdict_and_nothing_else(seed, edits, size):
    data = bytearray(seed)
    for at, kind, piece in edits:
        place = at % len(data)
        end = place + (0 if kind == "insert" else max(1, len(piece)))
        data[place:end] = b"" if kind == "delete" else piece
        data = data or bytearray(b"\0")
    outcomes = []
    for run in (lambda: inspect(bytes(data)), lambda: in_pieces(bytes(data), size)):
        try:
            outcomes.append(run().header)
        except Refused:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]
