"""What can be promised of backups, and what is read back from beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.rules.file_list import Listed, read_list
from backups.rules.keeping import (
    Ends,
    ends_of,
    expiry,
    gone_by,
    is_drill_due,
    words_of,
)
from backups.rules.ledgers import (
    DISPOSAL_TITLE,
    REVOCATION_TITLE,
    Ledger,
    Revocation,
    What,
    read_ledger,
    read_revocations,
)
from backups.rules.manifest import Manifest, Part, read_manifest
from backups.rules.names import Kind, blob_path, folder_of, name_of
from backups.rules.refusals import CopyDamaged

NOW = datetime(2026, 11, 26, 3, 0, 0, 5, tzinfo=UTC)
NUMBER = UUID(int=7)


@dataclass
class One:
    kind: str
    begun_at: datetime
    expires_at: datetime


def copies(begun_at: datetime) -> list[One]:
    return [
        One(kind, begun_at, expiry(begun_at, kind, keep_data=30, keep_keys=14)) for kind in Kind
    ]


def test_keys_never_outlive_data() -> None:
    assert expiry(NOW, Kind.KEYS, keep_data=7, keep_keys=14) == NOW + timedelta(days=7)
    assert expiry(NOW, Kind.FILES, keep_data=30, keep_keys=14) == NOW + timedelta(days=30)


def test_the_day_that_is_named_leaves_the_nightly_job_its_time() -> None:
    assert gone_by(datetime(2026, 12, 10, 3, tzinfo=UTC)) == date(2026, 12, 11)


def test_what_was_begun_before_counts_and_what_came_after_does_not() -> None:
    there = [one for days in (3, 1) for one in copies(NOW - timedelta(days=days))]
    there += copies(NOW + timedelta(seconds=1))
    ends = ends_of(there, NOW)
    assert ends == Ends(keys_on=date(2026, 12, 10), data_on=date(2026, 12, 26))
    assert ends.last_on == date(2026, 12, 26)
    assert ends_of(copies(NOW), NOW - timedelta(seconds=1)).last_on is None


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 60))
def test_no_copy_made_before_outlasts_the_day_that_is_named(
    begun: list[int], destroyed: int
) -> None:
    at = NOW + timedelta(days=destroyed)
    there = [one for days in begun for one in copies(NOW + timedelta(days=days))]
    last = ends_of(there, at).last_on
    for one in there:
        if one.begun_at <= at:
            assert last is not None
            assert one.expires_at + timedelta(days=1) < datetime.combine(
                last, datetime.min.time(), UTC
            ) + timedelta(days=1)


def test_words_promise_nothing_of_what_others_copy() -> None:
    for ends in (Ends(None, None), Ends(None, date(2026, 12, 1)), Ends(date(2026, 1, 1), None)):
        assert "in other ways are not known here" in words_of(ends)
        assert "\n" not in words_of(ends)


def test_a_drill_is_due_after_its_interval_or_if_there_was_none() -> None:
    assert is_drill_due(None, NOW, every_days=90)
    assert is_drill_due(NOW - timedelta(days=90, seconds=1), NOW, every_days=90)
    assert not is_drill_due(NOW - timedelta(days=90), NOW, every_days=90)


# Read back ----------------------------------------------------------------------------------------
MANIFEST = Manifest(
    generation=name_of(NOW, NUMBER), begun_at=NOW, finished_at=NOW + timedelta(minutes=1),
    engine="sqlite", release="0.1.0", migrations=("audit.0001_initial", "vault.0001_initial"),
    trail_size=12, trail_root="ab" * 32,
    parts={kind: Part(5, "0" * 64, NOW + timedelta(days=30)) for kind in Kind},
    files=3, bytes=99,
)  # fmt: skip


def test_a_manifest_reads_as_it_was_written() -> None:
    assert read_manifest(MANIFEST.to_text()) == MANIFEST


@pytest.mark.parametrize("line", range(len(MANIFEST.to_text().splitlines())))
def test_a_manifest_without_any_one_of_its_lines_is_none(line: int) -> None:
    lines = MANIFEST.to_text().splitlines()
    with pytest.raises(CopyDamaged):
        read_manifest("\n".join(lines[:line] + lines[line + 1 :]) + "\n")


@given(st.text(max_size=60))
def test_no_text_is_taken_for_a_manifest(text: str) -> None:
    with pytest.raises(CopyDamaged):
        read_manifest(text)
    with pytest.raises(CopyDamaged):
        read_ledger(text, title=DISPOSAL_TITLE)


REVOCATIONS = [
    Revocation(What.KEY, NUMBER),
    Revocation(What.GRANT, NUMBER, {"at": NOW.isoformat(), "by": 3, "reason": "withdrawn"}),
    Revocation(What.ARCHIVED, NUMBER, {"at": NOW.isoformat()}),
    Revocation(What.MEMBERSHIP, NUMBER, {"active": False, "roles": ["officer"]}),
    Revocation(What.PASSWORD, 4, {"at": NOW.isoformat()}),
]


def test_a_ledger_reads_as_it_was_written_and_half_of_it_does_not() -> None:
    lines = tuple(one.to_line() for one in REVOCATIONS)
    ledger = Ledger(REVOCATION_TITLE, NOW, 12, lines)
    assert read_ledger(ledger.to_text(), title=REVOCATION_TITLE) == ledger
    assert list(read_revocations(lines)) == REVOCATIONS
    half = "\n".join(ledger.to_text().splitlines()[:-1]) + "\n"
    for text, title in ((half, REVOCATION_TITLE), (ledger.to_text(), DISPOSAL_TITLE)):
        with pytest.raises(CopyDamaged):
            read_ledger(text, title=title)


@pytest.mark.parametrize(
    "line",
    [
        "", "[]", "null", '{"what": "key"}', '{"what": "all", "id": "1"}',
        '{"what": "key", "id": "../x"}', '{"what": "account", "id": "x"}',
        f'{{"what": "key", "id": "{NUMBER}", "more": 1}}',
        f'{{"what": "consent", "id": "{NUMBER}", "at": "yesterday"}}',
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_by_its_number(line: str) -> None:
    with pytest.raises(CopyDamaged, match="Line 2"):
        list(read_revocations([REVOCATIONS[0].to_line(), line]))


def test_what_becomes_a_path_is_checked() -> None:
    for name in ("", "..", "20261126t030000z-0000000", "x/../y", "20261126t030000z-00000000/.."):
        with pytest.raises(ValueError, match="not the name"):
            folder_of(name)
    for name in ("../../etc/passwd", str(uuid4()).upper()):
        with pytest.raises(ValueError, match=r"not the name|badly formed"):
            blob_path(name)
    listed = Listed(str(NUMBER), 3, "0" * 64)
    assert list(read_list([listed.line])) == [listed]
    for line in ("", "../x 3 " + "0" * 64, f"{NUMBER} x " + "0" * 64, f"{NUMBER} 3 00"):
        with pytest.raises(CopyDamaged):
            list(read_list([line]))
