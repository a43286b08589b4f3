"""The pages of a case: from the demand to the package, for officers alone; and the person's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, MembershipRole, Notification, User
from accounts.rules import Role
from audit.models import Event
from disclosures.models import Disclosure, Item, Release
from disclosures.rules.standing import Check
from disclosures.services.opening import withhold_document
from jobs.services import run_job
from studies.models import Study
from tests.disclosures.cases import (
    AUTHORITY,
    NECESSITY,
    RADIOLOGY,
    REFERENCE,
    SURGICAL,
    clause,
    given_out,
    mapped,
    narrowed,
    opened,
    prohibited,
    ready,
    released,
    scoped,
    signed,
    told,
    with_paper,
)
from tests.dsar.papers import pdf
from tests.factories import Cast, actor_of, signed_in_client, text_of
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def second_officer(cast: Cast) -> User:
    """The hospital's auditor is a privacy officer as well."""
    membership = Membership.objects.get(user=cast.auditor)
    MembershipRole.objects.get_or_create(membership=membership, role=Role.OFFICER.value)
    return cast.auditor


def filled(**more: Any) -> dict[str, Any]:
    today = timezone.now().date()
    facts = {
        "ground": "court-order", "authority": AUTHORITY, "reference": REFERENCE,
        "citation": "45 CFR 164.512(e)", "received_on": (today - timedelta(days=1)).isoformat(),
        "answer_on": (today + timedelta(days=20)).isoformat(), "rationale": "",
    }  # fmt: skip
    return facts | more


def test_the_pages_lead_from_the_demand_to_the_package(cast: Cast, five: list[Study]) -> None:
    officer, admin = signed_in_client(cast.officer), signed_in_client(cast.administrator)
    assert "Nothing is demanded" in text_of(officer.get("/disclosures/"))
    assert officer.post("/disclosures/new/", filled()).status_code == 302
    row = Disclosure.objects.get()
    page = f"/disclosures/{row.number}/"
    assert AUTHORITY in text_of(officer.get("/disclosures/"))
    assert "Attach the document first" in text_of(officer.get(page))
    file = SimpleUploadedFile("order.pdf", pdf(), "application/pdf")
    assert officer.post(f"{page}papers/", {"file": file}).status_code == 302
    refused = officer.post(f"{page}release/")
    assert refused.status_code == 409
    assert "validity is unchecked" in text_of(refused)
    sign = {"checks": ["issued"], "validity": "", "necessity": NECESSITY, "good_faith": "on"}
    assert officer.post(f"{page}sign/", sign).status_code == 409
    sign["checks"] = [one.value for one in Check]
    assert officer.post(f"{page}sign/", sign).status_code == 302
    officer.post(f"{page}scope/clauses/", {"text": "All images of the knee."})
    found = officer.get(f"{page}scope/", {"name": "Adler", "identifier": ""})
    assert found.content.decode().count("/scope/studies/") == 5
    add = f"{page}scope/studies/{five[0].uid}/"
    untouched = officer.get(add).content.decode()
    assert "checked" not in untouched
    given = {"series": "whole", "clause": "", "reason": "It shows the knee."}
    missing = officer.post(add, given)
    assert missing.status_code == 409
    assert "which clause" in text_of(missing)
    assert officer.post(add, given | {"clause": "1"}).status_code == 302
    assert "left out" in text_of(officer.get(page))
    officer.post(f"{page}scope/", {"item": "1"})
    assert "Do it" in text_of(officer.get(page))
    texts = {"asked": "Everything since 2010.", "objected": "The rest.", "counsel": "Agreed."}
    assert officer.post(f"{page}narrow/", texts | {"counsel": ""}).status_code == 422
    assert officer.post(f"{page}narrow/", texts).status_code == 302
    both = text_of(officer.get(page))
    assert "What was asked Everything since 2010." in both
    assert "Item 1: CT of 1 September 2026, 2 objects ticked" in both
    key = f"s{five[0].subject_id}"
    assert "Not told yet" in text_of(officer.get(f"{page}notices/"))
    notice = {"way": "portal", "days": "0", "reason": "Two days were given.", "citation": ""}
    assert officer.post(f"{page}notices/{key}/", notice).status_code == 302
    assert "Ask somebody else" in text_of(officer.get(page))
    officer.post(f"{page}ask/")
    asked = Notification.objects.filter(template="disclosure-to-approve")
    assert asked.get().user == cast.administrator
    assert officer.post(f"{page}approve/").status_code == 403
    shown = text_of(admin.get(f"{page}approve/"))
    assert "CT of 1 September 2026, 2 objects" in shown
    assert "Adler" not in shown
    assert admin.post(f"{page}approve/").status_code == 302
    assert admin.get(page).status_code == 404
    assert officer.post(f"{page}release/").status_code == 302
    release = Release.objects.get()
    assert release.job_id is not None
    run_job(job_id=release.job_id)
    package = officer.post(f"{page}package/")
    assert b"".join(package)[:2] == b"PK"
    assert "cannot be fetched again" in text_of(officer.get(page))
    assert officer.post(f"{page}package/").status_code == 302
    assert officer.post(f"{page}close/", {"text": "Given out."}).status_code == 302
    assert "How it ended" in text_of(officer.get(page))


def test_a_second_officer_approves_and_the_first_is_refused(cast: Cast, five: list[Study]) -> None:
    """MEDDIM-4.13: 403 for one's own case."""
    row = ready(cast, five[0], ground="fraud", pack=SURGICAL)
    second = second_officer(cast)
    page = f"/disclosures/{row.number}/approve/"
    assert signed_in_client(cast.officer).post(page).status_code == 403
    answer = signed_in_client(second).post(page)
    assert answer.status_code == 302, text_of(answer)
    row.refresh_from_db()
    assert row.approved_by == second


def test_the_form_offers_the_grounds_of_the_policy_alone(cast: Cast) -> None:
    """MEDDIM-4.11, XENRAD-5.14: a ground that the pack has not is not there, and is refused."""
    officer = signed_in_client(cast.officer)
    under(cast, SURGICAL)
    assert "preventing fraud" in text_of(officer.get("/disclosures/new/")).lower()
    under(cast, SURGICAL, **{"legal.grounds": ["law", "court-order"]})
    assert "preventing fraud" not in text_of(officer.get("/disclosures/new/")).lower()
    refused = officer.post("/disclosures/new/", filled(ground="fraud", rationale="Forged."))
    assert refused.status_code == 422
    assert not Disclosure.objects.exists()


@pytest.mark.parametrize("who", ["clinician", "auditor", "stranger", "patient"])
def test_to_everybody_else_there_is_no_case(cast: Cast, five: list[Study], who: str) -> None:
    row = ready(cast, five[0])
    client = signed_in_client(getattr(cast, who))
    for page in ("", "scope/", "notices/", "approve/", "sign/"):
        assert client.get(f"/disclosures/{row.number}/{page}").status_code == 404
    for page in ("release/", "package/", "approve/", "close/"):
        assert client.post(f"/disclosures/{row.number}/{page}").status_code == 404
    assert client.get("/disclosures/").status_code == 404


@pytest.mark.parametrize(
    "more", [{"ground": "x"}, {"received_on": "soon"}, {"authority": ""}, {"citation": "\x00"}],
    ids=str,
)  # fmt: skip
def test_what_is_filled_in_wrongly_opens_nothing(cast: Cast, more: dict[str, str]) -> None:
    answer = signed_in_client(cast.officer).post("/disclosures/new/", filled(**more))
    assert answer.status_code in {409, 422}
    assert not Disclosure.objects.exists()


def test_items_that_are_none_are_refused_in_words(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    officer = signed_in_client(cast.officer)
    page = f"/disclosures/{row.number}/scope/"
    for item in ("99", "x"):
        answer = officer.post(page, {"item": item}, follow=True)
        assert "item" in text_of(answer).lower()
        assert Item.objects.get().is_chosen
    assert officer.get(f"{page}studies/1.2.3/").status_code == 404
    assert officer.get(f"{page}items/99/").status_code == 404
    form = {"email": "nobody@post.example", "part": "sign-ins", "clause": "1", "reason": "x"}
    refused = officer.post(f"{page}accounts/", form)
    assert refused.status_code == 409
    stranger = officer.post(f"{page}accounts/", form | {"email": "clinician@imaging.example"})
    assert stranger.status_code == 409
    mine = officer.post(f"{page}accounts/", form | {"email": "clinician@hospital.example"})
    assert mine.status_code == 302


def test_an_item_without_a_reason_is_shown_with_why_it_stays(cast: Cast, five: list[Study]) -> None:
    """VIGILANT-6.6."""
    row = ready(cast, five[0])
    item = mapped(cast, row, five[1], reason="")
    officer = signed_in_client(cast.officer)
    assert "cannot be given out" in text_of(officer.get(f"/disclosures/{row.number}/"))
    scope = officer.get(f"/disclosures/{row.number}/scope/").content.decode()
    (box,) = [one for one in scope.split("<input") if f'id="i{item.number}"' in one]
    assert " disabled" in box.split(">")[0]
    page = f"/disclosures/{row.number}/scope/items/{item.number}/"
    assert officer.post(page, {"text": ""}).status_code == 422
    assert officer.post(page, {"text": "It shows the other knee."}).status_code == 302
    assert "cannot be given out" not in text_of(officer.get(f"/disclosures/{row.number}/"))


def test_the_person_reads_the_order_and_each_item(cast: Cast, five: list[Study]) -> None:
    """LIFEIMAGE-7.4, 7.5, VIGILANT-6.4."""
    patient = signed_in_client(cast.patient)
    assert "Nothing that you were told of" in text_of(patient.get("/disclosures/mine/"))
    row = given_out(cast, five[0])
    shown = text_of(patient.get("/disclosures/mine/"))
    for said in (AUTHORITY, REFERENCE, "45 CFR 164.512(e)", "CT of 1 September 2026, 2 objects",
                 "Given out on", "Save document 1"):  # fmt: skip
        assert said in shown
    paper = row.papers.get()
    saved = patient.get(f"/disclosures/mine/{paper.pk}/")
    assert saved.content.startswith(b"%PDF")
    assert signed_in_client(cast.owner).get(f"/disclosures/mine/{paper.pk}/").status_code == 404
    withhold_document(actor=actor_of(cast.officer), disclosure=row, reason="It names a child.")
    shown = text_of(patient.get("/disclosures/mine/"))
    assert "It is withheld: It names a child." in shown
    assert patient.get(f"/disclosures/mine/{paper.pk}/").status_code == 302
    assert Event.objects.filter(action="disclosure.seen").count() == 2


def test_under_a_prohibition_the_person_sees_nothing_and_no_letter_is_printed(
    cast: Cast, five: list[Study]
) -> None:
    row = ready(cast, five[0])
    prohibited(cast, row)
    assert AUTHORITY not in text_of(signed_in_client(cast.patient).get("/disclosures/mine/"))
    letter = f"/disclosures/{row.number}/letter/s{five[0].subject_id}/"
    assert signed_in_client(cast.officer).get(letter).status_code == 404


def test_a_letter_says_what_the_page_says(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    letter = f"/disclosures/{row.number}/letter/s{five[0].subject_id}/"
    officer = signed_in_client(cast.officer)
    shown = text_of(officer.get(letter))
    for said in (AUTHORITY, REFERENCE, "What would be given out", "A copy of the document"):
        assert said in shown
    assert officer.get(f"/disclosures/{row.number}/letter/x/").status_code == 404


def test_an_emergency_is_reviewed_on_its_page(cast: Cast, five: list[Study]) -> None:
    row = opened(cast, "safety", RADIOLOGY)
    signed(cast, row)
    clause(cast, row)
    scoped(cast, row, five[0])
    released(cast, row)
    page = f"/disclosures/{row.number}/review/"
    assert "Review due" in text_of(signed_in_client(cast.officer).get("/disclosures/"))
    assert signed_in_client(cast.officer).post(page, {"text": "Fine."}).status_code == 403
    admin = signed_in_client(cast.administrator)
    assert admin.post(page, {"text": ""}).status_code == 422
    assert admin.post(page, {"text": "It was needed."}).status_code == 302
    assert "It was reviewed" in text_of(admin.get(page))


def queries_of(client: Client, page: str) -> int:
    client.get(page)
    with CaptureQueriesContext(connection) as found:
        assert client.get(page).status_code == 200
    return len(found)


def test_pages_ask_the_same_however_much_there_is(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    told(cast, row)
    officer, patient = signed_in_client(cast.officer), signed_in_client(cast.patient)
    pages: list[tuple[Client, str]] = [
        (officer, "/disclosures/"), (patient, "/disclosures/mine/"),
        *((officer, f"/disclosures/{row.number}/{one}")
          for one in ("", "scope/", "notices/", "approve/")),
    ]  # fmt: skip
    few = [queries_of(client, page) for client, page in pages]
    for one in five[1:]:
        mapped(cast, row, one, number=clause(cast, row, f"About {one.uid}"))
    with_paper(cast, row)
    narrowed(cast, row)
    other = ready(cast, five[1])
    told(cast, other)
    assert [queries_of(client, page) for client, page in pages] == few


def test_a_case_that_ended_long_ago_goes_with_all_that_belongs_to_it(
    cast: Cast, five: list[Study], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    from disclosures.records import KINDS
    from vault.services.blobs import stored_names

    row = given_out(cast, five[0])
    row.closed_at = timezone.now()
    row.save()
    names = {row.papers.get().blob_name, row.release.blob_name}
    soon = timezone.now() + timedelta(days=1)
    assert names <= set(stored_names(before=soon))
    term = KINDS[0].term
    assert term is not None
    assert list(term.rows(row.organisation_id)) == [row]
    with django_capture_on_commit_callbacks(execute=True):
        term.purge([row])
    assert not Disclosure.objects.exists()
    assert not Item.objects.exists()
    assert not names & set(stored_names(before=soon))
