"""A ZIP archive gives its files or a refusal, and never a byte more than it promised."""

import io

import pytest

from studies.rules.archive import ArchiveLimits, display_name, members
from studies.rules.reasons import Refused

from .archives import FILE, HOSTILE_ARCHIVES, packed


def read_all(data: bytes, limits: ArchiveLimits | None = None) -> dict[str, bytes]:
    return {m.name: b"".join(m.chunks()) for m in members(io.BytesIO(data), limits=limits)}


@pytest.mark.parametrize("name", HOSTILE_ARCHIVES)
def test_a_hostile_archive_is_refused_with_its_reason(name):
    data, codes = HOSTILE_ARCHIVES[name]
    with pytest.raises(Refused) as refused:
        read_all(data)
    assert refused.value.code in codes.split()


def test_a_good_archive_gives_its_files_unchanged():
    assert read_all(packed(("a/1.dcm", FILE), ("a/2.dcm", FILE * 3))) == {
        "1.dcm": FILE,
        "2.dcm": FILE * 3,
    }


def test_the_whole_archive_is_bounded_before_anything_is_unpacked():
    limits = ArchiveLimits(total_bytes=2 * len(FILE) - 1)
    with pytest.raises(Refused) as refused:
        next(members(io.BytesIO(packed(("1", FILE), ("2", FILE))), limits=limits))
    assert refused.value.code == "archive-too-large"


def test_a_shown_name_is_visible_text_without_a_path():
    assert display_name("a/b/na\u202eme\u200b.dcm") == "na\ufffdme\ufffd.dcm"
