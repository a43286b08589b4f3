"""Words, spellings, notes and tiles: each as its specification says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules import identifiers, notes, tiles, vocabulary
from audit.rules.canonical import NotCanonical, canonical_json, canonical_time
from audit.rules.merkle import leaf_hash, over, root_of

KEY = notes.SigningKey("example.com/log", bytes(range(32)))


# Vocabulary --------------------------------------------------------------------------------------


def test_outcomes_have_the_codes_of_dicom_and_fhir() -> None:
    assert [one.code for one in vocabulary.Outcome] == [0, 4, 8, 12]
    assert vocabulary.OUTCOME_OF_CODE[4] is vocabulary.Outcome.REFUSED


def test_an_action_knows_its_dicom_event() -> None:
    action = vocabulary.register_action(
        "rules.viewed", "Viewed", verb="R", dicom="DICOM Instances Accessed"
    )
    assert action.dicom_code == "110103"
    assert vocabulary.action_named("rules.viewed") in vocabulary.known_actions()
    assert vocabulary.label_of("rules.viewed") == "Viewed"
    assert vocabulary.label_of("rules.forgotten") == "rules.forgotten"


@pytest.mark.parametrize(
    ("name", "label", "options"),
    [
        ("viewed", "Viewed", {}),
        ("Rules.viewed", "Viewed", {}),
        ("rules.seen", "", {}),
        ("rules.seen", "Seen", {"dicom": "Instances Pondered"}),
        ("rules.seen", "Seen", {"verb": "X"}),
        ("rules." + "x" * 60, "Seen", {}),
    ],
)
def test_an_action_without_form_label_or_known_event_is_refused(name, label, options) -> None:
    with pytest.raises(ValueError):
        vocabulary.register_action(name, label, **options)


def test_one_action_has_one_meaning() -> None:
    vocabulary.register_action("rules.shared", "Shared")
    vocabulary.register_action("rules.shared", "Shared")
    with pytest.raises(ValueError, match="another meaning"):
        vocabulary.register_action("rules.shared", "Shared differently")


# Canonical JSON (RFC 8785) -----------------------------------------------------------------------


def test_keys_are_sorted_by_utf16_units_as_the_rfc_shows() -> None:
    # RFC 8785, 3.2.3: the example whose order differs between code points and UTF-16 units.
    example = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    ordered = [key for key, _ in json.loads(canonical_json(example), object_pairs_hook=list)]
    assert ordered == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_strings_are_escaped_as_the_rfc_shows() -> None:
    # RFC 8785, 3.2.2.2 and the example of 3.2.4.
    text = "\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"/"
    assert canonical_json(text) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


def test_literals_and_spacing_are_minimal() -> None:
    assert canonical_json({"b": [None, True, False], "a": -7}) == b'{"a":-7,"b":[null,true,false]}'


@pytest.mark.parametrize("value", [1.0, 2**53, b"bytes", {1: 2}, {1, 2}, "\ud800", object()])
def test_a_value_without_one_spelling_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(_json)
def test_the_canonical_form_reads_back_and_is_its_own_canonical_form(value: object) -> None:
    data = canonical_json(value)
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


def test_a_moment_has_one_spelling_whatever_its_zone() -> None:
    at = datetime(2026, 3, 5, 12, 0, 0, 7, tzinfo=UTC)
    assert canonical_time(at) == "2026-03-05T12:00:00.000007Z"
    assert canonical_time(at.astimezone(timezone(timedelta(hours=5)))) == canonical_time(at)
    with pytest.raises(NotCanonical):
        canonical_time(at.replace(tzinfo=None))


# Signed notes (c2sp.org/signed-note) and checkpoints (c2sp.org/tlog-checkpoint) ------------------


def test_a_note_made_by_the_reference_implementation_verifies() -> None:
    # The example of the documentation of golang.org/x/mod/sumdb/note.
    key = notes.VerifierKey.parse(
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
        "KE6RyyBwJnAM="
    )
    assert notes.open_note(f"{text}\n— PeterNeumann {signature}\n", [key]) == text


def test_a_note_opens_only_with_the_key_that_signed_it() -> None:
    note = notes.sign_note("hello\n", KEY)
    assert notes.open_note(note, [KEY.verifier]) == "hello\n"
    stranger = notes.SigningKey("example.com/log", bytes(32)).verifier
    with pytest.raises(notes.NoteRefused, match="no trusted key"):
        notes.open_note(note, [stranger])


def test_unknown_signatures_are_ignored_and_false_ones_of_known_keys_are_not() -> None:
    other = notes.SigningKey("example.com/witness", bytes(32))
    both = notes.sign_note("hello\n", KEY) + notes.sign_note("hello\n", other).split("\n\n")[1]
    assert notes.open_note(both, [KEY.verifier]) == "hello\n"
    false = notes.sign_note("hello\n", KEY) + notes.sign_note("other\n", other).split("\n\n")[1]
    with pytest.raises(notes.NoteRefused, match="false"):
        notes.open_note(false, [KEY.verifier, other.verifier])


@given(st.integers(0, 400), st.integers(1, 255))
def test_no_change_of_a_byte_of_a_note_goes_unseen(place: int, change: int) -> None:
    raw = bytearray(
        notes.sign_checkpoint(notes.CheckpointBody(KEY.name, 7, b"r" * 32), KEY).encode()
    )
    raw[place % len(raw)] ^= change
    try:
        changed = raw.decode()
    except UnicodeDecodeError:
        return
    try:
        body = notes.open_checkpoint(changed, [KEY.verifier])
    except notes.NoteRefused:
        return
    raise AssertionError(f"a changed note was taken for {body}")


@pytest.mark.parametrize(
    "note",
    ["", "hello", "hello\n", "hello\n\n", "hello\n\nnot a signature\n", "a\x00b\n\n— k AAAA\n"],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(notes.NoteRefused):
        notes.open_note(note, [KEY.verifier])


def test_a_verifier_key_survives_being_written_down() -> None:
    assert notes.VerifierKey.parse(str(KEY.verifier)) == KEY.verifier
    name, _, rest = str(KEY.verifier).partition("+")
    with pytest.raises(notes.NoteRefused, match="id"):
        notes.VerifierKey.parse(f"{name}x+{rest}")


def test_a_seed_never_shows_in_a_log() -> None:
    assert KEY.seed.hex() not in repr(KEY) and "\\x" not in repr(KEY)


def test_a_checkpoint_is_written_as_the_specification_shows() -> None:
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    body = notes.CheckpointBody("example.com/behind-the-sofa", 20852163, root)
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert body.text() == text
    assert notes.parse_checkpoint(text) == body
    assert notes.parse_checkpoint(text + "extension\n") == body


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n1\nc2hvcnQ=\n",
        "origin\n1\n???\n",
        "origin\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
    ],
)
def test_a_checkpoint_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(notes.NoteRefused):
        notes.parse_checkpoint(text)


# Tiles (c2sp.org/tlog-tiles) ---------------------------------------------------------------------


def test_tile_paths_are_those_of_the_specification() -> None:
    assert tiles.index_path(1234067) == "x001/x234/067"
    assert tiles.index_path(0) == "000"
    assert tiles.Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert tiles.Tile(1, 5, 17).path == "tile/1/005.p/17"
    assert tiles.Tile(0, 5, 17).entries_path == "tile/entries/005.p/17"


def test_the_example_tree_of_the_specification_has_its_tiles() -> None:
    found = list(tiles.tiles_of(70_000))
    assert sum(one.level == 0 and one.width == 256 for one in found) == 273
    assert [(one.level, one.width) for one in found if one.width < 256] == [
        (0, 112),
        (1, 17),
        (2, 1),
    ]
    assert sum(one.level == 1 and one.width == 256 for one in found) == 1
    assert [(one.level, one.index, one.width) for one in tiles.tiles_of(256)] == [
        (0, 0, 256),
        (1, 0, 1),
    ]


def test_a_tile_holds_the_hashes_of_its_subtrees() -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(600)]
    by_level = {one.level: one for one in tiles.tiles_of(600) if one.level}
    assert tiles.split_tile(by_level[1].content(over(leaves))) == [
        root_of(leaves[:256]),
        root_of(leaves[256:512]),
    ]
    last = [one for one in tiles.tiles_of(600) if one.level == 0][-1]
    assert tiles.split_tile(last.content(over(leaves))) == leaves[512:]


@given(st.integers(0, 200_000), st.integers(0, 2_000))
def test_a_growing_tree_writes_exactly_the_tiles_it_lacked(old: int, more: int) -> None:
    before = set(tiles.tiles_of(old))
    assert set(tiles.new_tiles(old, old + more)) == set(tiles.tiles_of(old + more)) - before


def test_entries_stand_behind_their_length() -> None:
    assert tiles.entry_bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    with pytest.raises(ValueError, match="longer"):
        tiles.entry_bundle([b"x" * 65536])
    with pytest.raises(ValueError, match="32 bytes"):
        tiles.split_tile(b"x" * 33)


# What an event keeps of a request ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("unknown", ""),
    ],
)
def test_an_event_keeps_the_network_and_not_the_address(address: str, network: str) -> None:
    assert identifiers.truncated_network(address) == network


def test_a_session_is_linked_and_not_opened_by_its_digest() -> None:
    digest = identifiers.session_digest("session-key", "secret")
    assert len(digest) == 32 and digest == identifiers.session_digest("session-key", "secret")
    assert digest != identifiers.session_digest("session-key", "other secret")
    assert identifiers.session_digest("", "secret") == ""


def test_identifiers_sort_by_time_and_are_of_version_7() -> None:
    ids = [identifiers.time_ordered_uuid() for _ in range(500)]
    assert {one.version for one in ids} == {7} and {one.variant for one in ids} == {ids[0].variant}
    assert len(set(ids)) == 500
    moments = [one.int >> 80 for one in ids]
    assert moments == sorted(moments)
