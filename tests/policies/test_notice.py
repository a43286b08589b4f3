"""The public notice says what runs, because it is made of what runs (C11, C43, C45)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from policies.models import PolicyVersion
from policies.rules.categories import CATEGORIES
from policies.rules.document import digest_of
from policies.rules.inventory import categories_kept
from policies.rules.notice import notice_of
from policies.rules.pack import Pack
from policies.rules.schema import KEYS
from policies.selectors import effective_pack, shipped_packs
from tests.factories import Cast

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
CODES = sorted(shipped_packs())


def pack_of(code: str, **changes: object) -> Pack:
    values = {**shipped_packs()[code], **{k.replace("__", "."): v for k, v in changes.items()}}
    return Pack(PolicyVersion().pk, code, 1, timezone.now(), values, "")


def text_of(pack: Pack) -> str:
    return "\n".join(repr(section) for section in notice_of(pack, kept=categories_kept()))


def page(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


def test_anybody_can_read_it_without_signing_in(cast: Cast) -> None:
    """AVMI-0.1, LIFEIMAGE-0.1, LIFEIMAGE-0.2, MEDDIM-0.1."""
    pack = effective_pack(Organisation.objects.get(slug="hospital").pk)
    found = page("/notice/hospital/")
    assert pack.title in found
    assert "version 1" in found
    head = found[: found.index("notice-body")]
    assert "Effective <time" in head
    assert f"{pack.effective_at:%-d %B %Y}" in head
    assert found.index(pack["opening"]) < found.index('id="whom"')
    assert pack.digest in found


@pytest.mark.parametrize("slug", ["hospital", "imaging", "practice"])
def test_contact_is_the_one_of_the_policy(cast: Cast, slug: str) -> None:
    """LIFEIMAGE-17.1, LIFEIMAGE-17.2, XENRAD-11.2, VIGILANT-9.1, AVMI-12.1."""
    pack = effective_pack(Organisation.objects.get(slug=slug).pk)
    found = page(f"/notice/{slug}/")
    for key in ("contact.officer", "contact.email", "contact.phone", "contact.address"):
        assert pack[key] in found


@pytest.mark.parametrize("code", CODES)
def test_every_purpose_stands_with_its_basis_and_data(code: str) -> None:
    """AVMI-3.7."""
    pack = pack_of(code)
    section = next(s for s in notice_of(pack, kept=categories_kept()) if s.id == "purposes")
    assert section.table
    rows = {row[0]: row for row in section.table.rows}
    for purpose in pack.purposes:
        _, data, basis, choice = rows[purpose.label]
        assert basis
        assert all(CATEGORIES[one].label in data for one in CATEGORIES if one in purpose.categories)
        assert ("object" in choice) is (purpose.basis == "legitimate-interests")


@pytest.mark.parametrize("code", CODES)
def test_every_category_that_is_kept_is_said_with_its_term(code: str) -> None:
    """AVMI-0.2, AVMI-7.1, MEDDIM-1.2."""
    sections = {s.id: s for s in notice_of(pack_of(code), kept=categories_kept())}
    kept = [CATEGORIES[one] for one in categories_kept() if CATEGORIES[one].is_personal]
    collected = [row[0] for row in sections["collected"].table.rows]
    terms = [row[0] for row in sections["kept"].table.rows]
    for facts in kept:
        assert facts.label in collected
        assert facts.label in terms


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("signals__dnt", True, "Do Not Track is honoured"),
        ("signals__dnt", False, "Do Not Track is not acted on"),
        ("signals__gpc", True, "Global Privacy Control is honoured"),
        ("consent__share_days_at_most", 91, "it lasts 91 days at the most"),
        ("notice__min_days", 33, "at least 33 days before it takes effect"),
        ("requests__answer_days", 21, "answered within 21 days"),
        ("account__post_inactivation", "erase-now", "deleted at once, but for what law asks"),
        ("fees__charged", "cost-based", "the cost of fetching, copying and sending"),
        ("legal__grounds", ("subpoena",), "on these grounds: a subpoena duly executed."),
        ("residency__regions", ("ch",), "stored in: Switzerland."),
        ("transfers__mechanisms", (), "it goes not at all."),
        ("breach__threshold", "legal-required", "told of a breach where law asks for it"),
        ("requests__patient_route", "via-provider", "its clock goes on"),
        ("deid__min_group_size", 17, "fewer than 17 people"),
        ("secondary__ai_training", "off", "Training of software that learns: not at all."),
        ("logs__keep_days", 44, "deleted after 44 days"),
        ("account__min_age", {"default": 18}, "elsewhere: 18 years"),
        ("record__readers_shown", "name", "organisation, role and name"),
    ],
)
def test_changing_a_key_changes_the_sentence(path: str, value: object, said: str) -> None:
    """MEDDIM-9.1: the notice cannot say other than what runs."""
    assert said in text_of(pack_of("surgical-planning", **{path: value}))


def test_what_is_said_of_california_is_said_where_its_law_applies() -> None:
    """MEDDIM-8.1, MEDDIM-8.3."""
    assert "Shine the Light" in text_of(pack_of("surgical-planning"))
    assert "Shine the Light" not in text_of(pack_of("image-share"))


def test_rights_follow_the_laws_it_is_under() -> None:
    assert "supervisory authority" in text_of(pack_of("surgical-planning"))
    assert "supervisory authority" not in text_of(pack_of("image-share"))
    assert "accounting of disclosures" in text_of(pack_of("image-share"))


@pytest.mark.parametrize("code", CODES)
def test_no_text_of_the_policy_is_lost_on_the_way(code: str) -> None:
    """Whatever an organisation wrote is in its notice (MEDDIM-1.8, LIFEIMAGE-6.23, AVMI-12.2)."""
    pack = pack_of(code)
    found = text_of(pack) + pack.title + pack["opening"]
    for key in KEYS:
        value = pack.get(key.path)
        if isinstance(value, str) and type(key.kind).__name__ == "Words":
            assert repr(value)[1:-1] in found or value in found, key.path
    for one in pack["definitions"].values():
        assert one["term"] in found


def test_a_posted_version_is_announced_to_anybody_until_it_holds(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """XENRAD-10.4, LIFEIMAGE-14.2, AVMI-11.2."""
    version = announced({"consent.share_days_at_most": 90})
    before = page("/notice/hospital/")
    assert "It takes effect on" in before
    assert "365 days at the most" in before
    changes = page("/notice/hospital/2/changes/")
    for said in ("Longest share", "365 days", "90 days", "stricter"):
        assert said in changes
    ahead = page("/notice/hospital/2/")
    assert "not the version in force" in ahead
    assert "90 days at the most" in ahead
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        after = page("/notice/hospital/")
        assert "It takes effect on" not in after
        assert "90 days at the most" in after
        assert "superseded" in page("/notice/hospital/1/")


def test_every_version_stays_readable_and_its_digest_verifies(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """AVMI-11.1, MEDDIM-14.1, XENRAD-10.1."""
    announced({"consent.share_days_at_most": 90})
    versions = page("/notice/hospital/versions/")
    for row in PolicyVersion.objects.filter(organisation_id=hospital_id()):
        assert f"Version {row.revision}" in versions
        assert digest_of(row.values) == row.digest
        assert row.digest in page(f"/notice/hospital/{row.revision}/")


def hospital_id() -> object:
    return Organisation.objects.get(slug="hospital").pk


@pytest.mark.parametrize(
    "path",
    [
        "/notice/nowhere/",
        "/notice/hospital/9/",
        "/notice/hospital/1/changes/",
        "/notice/hospital/9/changes/",
        "/notice/nowhere/versions/",
    ],
)
def test_what_is_not_there_is_404(cast: Cast, path: str) -> None:
    assert Client().get(path).status_code == 404


def test_a_draft_is_nobodys_to_read(cast: Cast) -> None:
    from accounts.services.policy import save_draft
    from tests.factories import actor_of

    save_draft(acting=actor_of(cast.administrator), changes={"title": "Secret plans"})
    assert "Secret plans" not in page("/notice/hospital/")
    assert "Secret plans" not in page("/notice/hospital/versions/")
    assert Client().get("/notice/hospital/2/").status_code == 404
