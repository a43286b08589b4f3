"""An administrator changes the policy: as a draft, with meaning and effect beside each key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.services.policy import draft_text, save_draft
from audit.models import Event
from consent.models import Grant
from policies.models import PolicyVersion
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.impact import impacts_of
from policies.rules.purposes import Purpose
from policies.rules.schema import KEYS, PARTS
from policies.selectors import draft_of, effective_pack, upcoming_pack
from studies.models import Study
from tests.consent.test_sharing import share
from tests.dsar.asking import by_form
from tests.factories import Cast, actor_of, signed_in_client, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
POLICY = "/governance/policy/"


@pytest.fixture
def admin(cast: Cast) -> Client:
    return signed_in_client(cast.administrator)


@pytest.fixture
def hospital(cast: Cast) -> object:
    return actor_of(cast.administrator).organisation_id


def fields_of(page: object) -> dict[str, object]:
    """What a browser would send back from the form on a page, untouched."""
    form = page.context["form"]  # type: ignore[attr-defined]
    found = {}
    for name in form.fields:
        value = form[name].value()
        if value is not None:
            found[name] = value
    return found


def text(page: object) -> str:
    return unescape(page.content.decode())  # type: ignore[attr-defined]


def test_every_key_has_its_place(admin: Client) -> None:
    assert sorted(path for part in PARTS for path in part.paths) == sorted(k.path for k in KEYS)
    page = text(admin.get(POLICY))
    for part in PARTS:
        assert part.title in page
        for key in part.keys:
            assert key.label in page


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.slug)
def test_each_key_stands_with_meaning_effect_floor_and_clauses(admin: Client, part: object) -> None:
    page = text(admin.get(f"{POLICY}parts/{part.slug}/"))  # type: ignore[attr-defined]
    for key in part.keys:  # type: ignore[attr-defined]
        assert key.meaning in page
        assert key.effect in page
        if key.floor:
            assert key.floor.words in page


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.slug)
def test_saving_without_a_change_changes_nothing(
    admin: Client, hospital: object, part: object
) -> None:
    path = f"{POLICY}parts/{part.slug}/"  # type: ignore[attr-defined]
    page = admin.get(path)
    if not page.context["form"].fields:
        return
    answer = admin.post(path, fields_of(page))
    assert answer.status_code == 302, text(answer)
    draft = draft_of(hospital)  # type: ignore[arg-type]
    assert draft is not None
    assert draft.digest == effective_pack(hospital).digest  # type: ignore[arg-type]


def test_a_change_is_a_draft_and_does_nothing_yet(admin: Client, hospital: object) -> None:
    path = f"{POLICY}parts/sharing/"
    data = fields_of(admin.get(path)) | {"consent.share_days_at_most": "90"}
    assert admin.post(path, data)["Location"] == POLICY
    assert effective_pack(hospital)["consent.share_days_at_most"] == 365  # type: ignore[arg-type]
    page = text(admin.get(POLICY))
    assert "1 change so far" in page
    assert "Longest share" in page


@pytest.mark.parametrize(
    ("slug", "path", "value", "said"),
    [
        ("sharing", "consent.share_days_at_most", "0", "greater than or equal to 1"),
        ("sharing", "consent.share_days_at_most", "many", "whole number"),
        ("contact", "contact.email", "nowhere", "has not the form of"),
        ("accounts", "account.min_age", "default: old", "whole number of years"),
        ("accounts", "account.min_age", "US: 13", "one named default"),
        ("accounts", "account.min_age", "nonsense", "place"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_key_and_nothing_is_saved(
    admin: Client, hospital: object, slug: str, path: str, value: str, said: str
) -> None:
    address = f"{POLICY}parts/{slug}/"
    answer = admin.post(address, fields_of(admin.get(address)) | {path: value})
    assert answer.status_code == 422
    assert said in text(answer)
    assert draft_of(hospital) is None  # type: ignore[arg-type]


def test_a_purpose_is_added_changed_and_taken_out(admin: Client, hospital: object) -> None:
    added = f"{POLICY}records/purposes/"
    data = {
        "code": "quality-assurance", "categories": ["images", "reports"], "basis": "health-care",
        "share": "true", "words": "", "cites": "", "assessment": "",
    }  # fmt: skip
    assert admin.post(added, data)["Location"] == f"{POLICY}parts/purposes/"
    purposes = draft_of(hospital).values["purposes"]  # type: ignore[arg-type, union-attr]
    assert purposes["quality-assurance"] == {
        "categories": ["images", "reports"], "basis": "health-care", "share": True,
    }  # fmt: skip
    one = f"{POLICY}records/purposes/quality-assurance/"
    admin.post(one, fields_of(admin.get(one)) | {"words": "Audits of our readings"})
    assert "Audits of our readings" in text(admin.get(f"{POLICY}parts/purposes/"))
    admin.post(f"{one}remove/")
    purposes = draft_of(hospital).values["purposes"]  # type: ignore[arg-type, union-attr]
    assert "quality-assurance" not in purposes
    assert admin.get(one).status_code == 404
    assert admin.post(f"{one}remove/").status_code == 404


def test_a_rule_of_retention_is_changed(admin: Client, hospital: object) -> None:
    one = f"{POLICY}records/retention/images/"
    page = admin.get(one)
    assert admin.post(one, fields_of(page) | {"keep": "for ages"}).status_code == 422
    admin.post(one, fields_of(page) | {"keep": "12 years", "and_until": "diagnosis-complete"})
    rule = draft_of(hospital).values["retention"]["images"]  # type: ignore[arg-type, union-attr]
    assert (rule["keep"], rule["and_until"]) == ("12 years", "diagnosis-complete")


@pytest.mark.parametrize("path", ["records/title/", "records/nonsense/", "parts/nonsense/"])
def test_what_is_no_part_of_a_policy_is_404(admin: Client, path: str) -> None:
    assert admin.get(POLICY + path).status_code == 404


# Review ----------------------------------------------------------------------
def changed(cast: Cast, **changes: object) -> None:
    save_draft(
        acting=actor_of(cast.administrator),
        changes={path.replace("__", "."): value for path, value in changes.items()},
    )


def test_review_shows_changes_impacts_and_what_is_wrong(
    cast: Cast, admin: Client, small_ct: Callable[..., bytes]
) -> None:
    clinician = actor_of(cast.clinician, fresh=True)
    take_in(clinician, small_ct())
    share(Study.objects.select_related("organisation").get(), clinician, cast.people)
    pack = effective_pack(clinician.organisation_id)
    purposes = {**pack.values["purposes"]}
    purposes["treatment"] = {**purposes["treatment"], "share": False}
    changed(cast, purposes=purposes, notice__min_days=3, session__idle_minutes=10)
    page = text(admin.get(f"{POLICY}review/"))
    assert "Purposes: Treatment" in page
    assert "notice.min_days" in page
    assert "floor is 7 days" in page
    assert "shares in force would release nothing any more" in page
    assert "open sessions will end sooner" in page
    assert "Post this version" not in page


def test_impacts_count_what_is_there(cast: Cast, small_ct: Callable[..., bytes]) -> None:
    clinician = actor_of(cast.clinician, fresh=True)
    take_in(clinician, small_ct())
    study = Study.objects.select_related("organisation").get()
    for _ in range(2):
        share(study, clinician, cast.people)
    before = effective_pack(study.organisation_id).values
    added = {**before["purposes"], "care-coordination": before["purposes"]["second-opinion"]}
    found = {
        impact.sentence.split(",")[0].split(":")[0].split(";")[0]: impact.count
        for impact in impacts_of(
            study.organisation_id,
            before,
            {**before, "purposes": added, "consent.share_days_at_most": 10},
        )
    }
    assert found["shares in force last longer than the new limit"] == 2
    assert found["members will be asked to read and accept the new version."] == 4
    anew = (
        "patients or owners would have to consent anew before their earlier images are shared for"
    )
    assert found[anew] == 1
    assert impacts_of(study.organisation_id, before, before)[0].count == 4
    Grant.objects.update(revoked_at=timezone.now())
    assert all(
        "shares" not in one.sentence
        for one in impacts_of(study.organisation_id, before, {**before, "purposes": {}})
    )


def test_posting_takes_a_reason_and_tells_the_date(
    cast: Cast, admin: Client, hospital: object
) -> None:
    changed(cast, consent__share_days_at_most=90)
    review = f"{POLICY}review/"
    assert admin.post(review, {"reason": ""}).status_code == 422
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    early = admin.post(review, {"reason": "Shorter shares", "effective_on": tomorrow})
    assert early.status_code == 422
    assert "within the notice period of 7 days" in text(early)
    assert upcoming_pack(hospital) is None  # type: ignore[arg-type]
    day = (timezone.now() + timedelta(days=9)).date().isoformat()
    assert admin.post(review, {"reason": "Shorter shares", "effective_on": day}).status_code == 302
    upcoming = upcoming_pack(hospital)  # type: ignore[arg-type]
    assert upcoming is not None
    assert upcoming.effective_at.date().isoformat() == day
    assert "Shorter shares" in text(Client().get("/notice/hospital/2/changes/"))
    page = text(admin.get(POLICY))
    assert "not in force yet" in page
    assert admin.post(f"{POLICY}2/withdraw/").status_code == 302
    assert upcoming_pack(hospital) is None  # type: ignore[arg-type]
    assert admin.post(f"{POLICY}1/withdraw/").status_code == 302
    assert PolicyVersion.objects.get(revision=1, organisation_id=hospital).withdrawn_at is None


def test_posting_needs_a_fresh_second_factor(cast: Cast, admin: Client) -> None:
    changed(cast, consent__share_days_at_most=90)
    session = admin.session
    session["stepped_up_at"] = (timezone.now() - timedelta(minutes=6)).isoformat()
    session.save()
    assert admin.get(f"{POLICY}review/")["Location"].startswith("/sign-in/again/")


def test_the_draft_can_be_thrown_away(cast: Cast, admin: Client, hospital: object) -> None:
    changed(cast, consent__share_days_at_most=90)
    admin.post(f"{POLICY}discard/")
    assert draft_of(hospital) is None  # type: ignore[arg-type]
    assert "None. What you change" in text(admin.get(POLICY))


# As a document ----------------------------------------------------------------------
def test_the_document_can_be_kept_and_given_back(
    cast: Cast, admin: Client, hospital: object
) -> None:
    kept = admin.get(f"{POLICY}text/?download=1")
    assert kept["Content-Disposition"] == 'attachment; filename="policy.yaml"'
    document = kept.content.replace(b"share_days_at_most: 365", b"share_days_at_most: 77")
    answer = admin.post(f"{POLICY}text/", {"file": SimpleUploadedFile("policy.yaml", document)})
    assert answer.status_code == 302, text(answer)
    draft = draft_of(hospital)  # type: ignore[arg-type]
    assert draft is not None
    assert draft.values["consent.share_days_at_most"] == 77
    assert draft_text(draft).encode() == document


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"title: [", "line"),
        (b"a: &a [x]\nb: *a", "aliases"),
        (b"frobnicate: 1", "is no key of a policy"),
        (b"x" * 300_000, "larger than 200 kB"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"", "Paste a policy"),
    ],
    ids=["broken", "bomb", "unknown", "large", "binary", "empty"],
)
def test_a_bad_document_is_refused_with_its_reason_and_the_rest_stays(
    admin: Client, hospital: object, document: bytes, said: str
) -> None:
    answer = admin.post(f"{POLICY}text/", {"file": SimpleUploadedFile("p.yaml", document)})
    assert answer.status_code == 422
    assert said in text(answer)
    assert draft_of(hospital) is None  # type: ignore[arg-type]
    if document:
        assert Event.objects.filter(action="policy.refused").count() == 1


# Inventory ----------------------------------------------------------------------
def test_the_inventory_shows_every_field_by_whom_it_is_about(admin: Client) -> None:
    """MEDDIM-0.2, AVMI-0.2."""
    page = text(admin.get("/governance/inventory/"))
    for said in ("accounts.User.email", "studies.Instance.sealed_metadata", "audit.Event.network"):
        assert said in page
    visitors = text(admin.get("/governance/inventory/?about=visitor"))
    assert "accounts.SignIn.browser" in visitors
    assert "studies.Instance" not in visitors


def test_a_page_has_a_fixed_number_of_queries(
    cast: Cast, admin: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for path in (POLICY, f"{POLICY}parts/purposes/", "/governance/inventory/"):
        with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
            admin.get(path)


def test_open_requests_keep_their_term_and_the_review_counts_them(cast: Cast) -> None:
    with using(Purpose.RIGHTS, Category.REQUESTS):
        case = by_form()
    before = effective_pack(case.organisation_id).values

    def told(**changes: object) -> list[str]:
        after = {**before, **{path.replace("__", "."): value for path, value in changes.items()}}
        found = impacts_of(case.organisation_id, before, after)
        return [f"{one.count} {one.sentence}" for one in found if "requests" in one.sentence]

    assert told() == []
    (line,) = told(requests__answer_days=14)
    assert line.startswith("1 open requests keep the term they came in under; new ones get 14 days")
    (line,) = told(requests__patient_route="via-provider")
    assert "stay where they are" in line
