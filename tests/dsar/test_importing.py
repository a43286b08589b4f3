"""An archive that cannot be read to its end is refused in words, and takes nothing in."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from dsar.rules.portable import DATA, NotPortable
from dsar.services.copying import SUMS
from dsar.services.importing import import_copy
from studies.models import Upload
from tests.factories import Cast, actor_of

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def archive() -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as made:
        made.writestr(SUMS, "0" * 64 + f"  {DATA}\n" + "x" * 400)
        made.writestr(DATA, "{}")
    return buffer.getvalue()


def damaged(whole: bytes) -> bytes:
    """A block type that deflate does not have, in the first member's stream."""
    at = 30 + len(SUMS)
    return whole[:at] + b"\x07" + whole[at + 1 :]


def encrypted(whole: bytes) -> bytes:
    """Marked as encrypted, in each header and in the table of contents."""
    changed = bytearray(whole)
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = whole.find(mark)
        while at >= 0:
            changed[at + flags] |= 1
            at = whole.find(mark, at + 1)
    return bytes(changed)


@pytest.mark.parametrize(
    "spoil",
    [damaged, encrypted, lambda whole: whole[:60], lambda _: b"no archive at all"],
    ids=["damaged", "encrypted", "cut off", "something else"],
)
def test_it_is_refused_in_words(
    cast: Cast, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "copy.zip"
    path.write_bytes(spoil(archive()))
    with pytest.raises(NotPortable, match="can be read to its end"):
        import_copy(actor=actor_of(cast.clinician), path=path)
    assert not Upload.objects.exists()


def test_a_fault_of_ours_is_not_called_the_archives(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an error that `zipfile` raises too, for a kind of archive that it does not know."""

    def broken(*_: object) -> None:
        raise NotImplementedError

    path = tmp_path / "copy.zip"
    path.write_bytes(archive())
    monkeypatch.setattr("dsar.services.importing._checked_document", lambda _: {"studies": []})
    monkeypatch.setattr("dsar.services.importing._take", broken)
    with pytest.raises(NotImplementedError):
        import_copy(actor=actor_of(cast.clinician), path=path)
