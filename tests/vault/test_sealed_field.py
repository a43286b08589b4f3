"""A sealed field opens where it was sealed for, and nowhere else."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.rules.contexts import bind
from vault.rules.errors import SealError, Tampered, Truncated, UnknownVersion
from vault.rules.key_wrap import (
    data_key_context,
    master_key_id,
    new_key,
    organisation_key_context,
    unwrap_key,
    wrap_key,
)
from vault.rules.sealed_field import OVERHEAD, FieldSealer

KEY = bytes(range(32))
CONTEXT = bind("subject.name", 7, 12)
# Made with another HKDF and GCM (hmac, and the block cipher interface), nonce 0 to 11.
GOLDEN = bytes.fromhex(
    "01000102030405060708090a0bb2be1e1f143df06698d29d16fb59e5adb9d2317d91a07103f9"
)


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_a_field_opens_to_what_was_sealed(value: bytes, context: bytes) -> None:
    sealed = FieldSealer(KEY).seal(value, context)
    assert FieldSealer(KEY).open(sealed, context) == value
    assert len(sealed) == len(value) + OVERHEAD == len(value) + 29


def test_fields_of_every_release_open_for_ever() -> None:
    assert FieldSealer(KEY).open(GOLDEN, b"subject.name") == "Doe^Jané".encode()


def test_no_flipped_byte_and_no_cut_goes_unnoticed() -> None:
    sealer = FieldSealer(KEY)
    sealed = sealer.seal(b"Doe^Jane", CONTEXT)
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(Tampered if at else UnknownVersion):
            sealer.open(bytes(altered), CONTEXT)
        with pytest.raises(SealError):
            sealer.open(sealed[:at], CONTEXT)
    with pytest.raises(Truncated):
        sealer.open(sealed[:20], CONTEXT)


def test_a_field_copied_to_another_place_does_not_open() -> None:
    sealer = FieldSealer(KEY)
    sealed = sealer.seal(b"Doe^Jane", bind("subject.name", 7, 12))
    for elsewhere in (
        bind("subject.name", 7, 13),
        bind("subject.name", 71, 2),
        bind("subject.identifier", 7, 12),
    ):
        with pytest.raises(Tampered):
            sealer.open(sealed, elsewhere)
    with pytest.raises(Tampered):
        FieldSealer(bytes(32)).open(sealed, bind("subject.name", 7, 12))


def test_many_fields_open_in_order() -> None:
    sealer = FieldSealer(KEY)
    fields = [(sealer.seal(b"%d" % n, b"%d" % n), b"%d" % n) for n in range(200)]
    assert sealer.open_all(fields) == [b"%d" % n for n in range(200)]
    assert sealer.open_all([(memoryview(fields[3][0]), b"3")]) == [b"3"]


def test_equal_values_do_not_look_alike() -> None:
    sealer = FieldSealer(KEY)
    assert len({sealer.seal(b"M", CONTEXT) for _ in range(200)}) == 200


parts = st.lists(st.one_of(st.text(max_size=6), st.integers(0, 99)), max_size=4)


@given(parts, parts)
def test_contexts_of_different_parts_differ(one: list[str | int], other: list[str | int]) -> None:
    same = [str(part) for part in one] == [str(part) for part in other]
    assert (bind("x", *one) == bind("x", *other)) == same


def test_a_uuid_and_its_text_are_the_same_part() -> None:
    name = uuid.uuid4()
    assert bind("x", name) == bind("x", str(name)) == bind("x", str(name).encode())


def test_a_wrapped_key_opens_only_as_the_key_it_is() -> None:
    under, key, name = new_key(), new_key(), uuid.uuid4()
    wrapped = wrap_key(key, under=under, context=data_key_context("7", name, "study", 3))
    assert len(wrapped) == 61
    assert unwrap_key(wrapped, under=under, context=data_key_context("7", name, "study", 3)) == key
    for context in (
        data_key_context("8", name, "study", 3),
        data_key_context("7", uuid.uuid4(), "study", 3),
        data_key_context("7", name, "subject", 3),
        data_key_context("7", name, "study", 4),
        organisation_key_context("7", 3),
    ):
        with pytest.raises(Tampered):
            unwrap_key(wrapped, under=under, context=context)
    with pytest.raises(Tampered):
        unwrap_key(wrapped, under=new_key(), context=data_key_context("7", name, "study", 3))


def test_an_altered_wrap_never_opens() -> None:
    under = new_key()
    wrapped = wrap_key(new_key(), under=under, context=b"")
    for at in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[at] ^= 0x10
        with pytest.raises(SealError):
            unwrap_key(bytes(altered), under=under, context=b"")
        with pytest.raises(SealError):
            unwrap_key(wrapped[:at], under=under, context=b"")


def test_only_whole_keys_are_wrapped() -> None:
    with pytest.raises(ValueError, match="32"):
        wrap_key(os.urandom(16), under=new_key(), context=b"")


def test_a_master_key_is_named_without_being_shown() -> None:
    one, other = new_key(), new_key()
    assert master_key_id(one) == master_key_id(one) != master_key_id(other)
    assert master_key_id(one) not in one.hex()


def test_a_field_opens_from_whatever_view_a_driver_gives() -> None:
    sealer = FieldSealer(bytes(32))
    sealed = sealer.seal(b"value", b"here")
    for view in (memoryview(sealed), memoryview(sealed).cast("c"), bytearray(sealed)):
        assert sealer.open(view, b"here") == b"value"
