"""A case: on a ground of the policy, with its document, signed by an officer by name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from disclosures.models import Disclosure, Statement
from disclosures.rules.grounds import GROUND_FACTS
from disclosures.rules.standing import Check, Said
from disclosures.selectors import cases_of, standing_of, statements_of, today_of
from disclosures.services.entries import DisclosureRefused, NotYours
from disclosures.services.opening import close_case, open_case, sign_case
from disclosures.services.papers import add_paper, open_paper
from disclosures.services.releasing import release_case
from tests.disclosures.cases import (
    AUTHORITY,
    NECESSITY,
    REFERENCE,
    SURGICAL,
    approved,
    demand,
    narrowed,
    opened,
    ready,
    scoped,
    signed,
    told,
    with_paper,
)
from tests.dsar.papers import archive, pdf
from tests.factories import Cast, actor_of
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
INSTRUMENTS = "court-order subpoena government-request investigation compliance-review".split()


@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "patient", "stranger"])
def test_only_an_officer_opens_a_case(cast: Cast, who: str) -> None:
    with pytest.raises(NotYours):
        open_case(actor=actor_of(getattr(cast, who), fresh=True), demand=demand())
    row = opened(cast)
    assert not cases_of(actor_of(getattr(cast, who))).filter(pk=row.pk).exists()
    assert cases_of(actor_of(cast.officer)).get() == row


def test_an_officer_of_another_organisation_sees_no_case(cast: Cast) -> None:
    row = opened(cast)
    other = actor_of(cast["officer@imaging.example"], fresh=True)
    assert not cases_of(other).exists()
    with pytest.raises(NotYours):
        add_paper(actor=other, disclosure=row, content=pdf())


def test_a_ground_that_the_policy_has_not_is_refused(cast: Cast) -> None:
    """MEDDIM-4.11, XENRAD-5.14."""
    assert opened(cast, "fraud", SURGICAL)
    under(cast, SURGICAL, **{"legal.grounds": ["law", "court-order"]})
    with pytest.raises(DisclosureRefused, match="does not have this ground"):
        opened(cast, "fraud")
    assert Disclosure.objects.count() == 1


def test_a_ground_that_left_the_policy_releases_nothing(cast: Cast, five: list) -> None:
    row = ready(cast, five[0])
    told(cast, row)
    under(cast, SURGICAL, **{"legal.grounds": ["law"]})
    with pytest.raises(DisclosureRefused, match="does not have this ground any more"):
        approved(cast, row)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"citation": "the law"}, "with its number"),
        ({"reference": " "}, "reference of the demand"),
        ({"authority": ""}, "Say who demands it"),
        ({"received_on": timezone.now().date() + timedelta(days=3)}, "in the future"),
        ({"answer_on": timezone.now().date() - timedelta(days=9)}, "before the demand"),
    ],
)
def test_what_is_no_demand_opens_nothing(cast: Cast, more: dict, said: str) -> None:
    """XENRAD-5.13: the citation is mandatory."""
    with pytest.raises(DisclosureRefused, match=said):
        opened(cast, **more)
    assert not Disclosure.objects.exists()


def test_defending_rights_needs_a_written_reason_and_somebody_else(cast: Cast, five: list) -> None:
    """MEDDIM-4.12."""
    with pytest.raises(DisclosureRefused, match="Write down why"):
        opened(cast, "rights", SURGICAL, rationale="  ")
    row = opened(cast, "rights")
    signed(cast, row)
    scoped(cast, row, five[0])
    told(cast, row)
    with pytest.raises(DisclosureRefused, match="A second person"):
        release_case(actor=actor_of(cast.officer, fresh=True), disclosure=row)


@pytest.mark.parametrize("ground", INSTRUMENTS)
def test_each_type_demands_its_own_document(cast: Cast, five: list, ground: str) -> None:
    """LIFEIMAGE-4.5, VIGILANT-6.1, AVMI-5.4: none can be skipped."""
    row = opened(cast, ground)
    document = GROUND_FACTS[ground].document
    assert document not in {GROUND_FACTS[one].document for one in INSTRUMENTS if one != ground}
    with pytest.raises(DisclosureRefused, match="Attach the document first"):
        signed(cast, row)
    scoped(cast, row, five[0])
    narrowed(cast, row)
    told(cast, row)
    with pytest.raises(DisclosureRefused, match="Attach the document first"):
        release_case(actor=actor_of(cast.officer, fresh=True), disclosure=row)
    with_paper(cast, row)
    assert row.papers.get().kind == ground


def test_a_document_of_another_type_does_not_count(cast: Cast) -> None:
    row = opened(cast, "subpoena")
    with_paper(cast, row)
    row.papers.update(kind="court-order")
    assert not standing_of(row).has_document


@pytest.mark.parametrize("content", [archive(), pdf(script="app.alert(1)"), b"", b"GIF89a"])
def test_a_file_that_is_no_document_is_refused_and_that_is_written_down(
    cast: Cast, content: bytes
) -> None:
    row = opened(cast)
    with pytest.raises(DisclosureRefused):
        add_paper(actor=actor_of(cast.officer), disclosure=row, content=content)
    assert not row.papers.exists()
    assert Event.objects.filter(action="disclosure.paper_refused").count() == 1


def test_a_document_is_opened_by_an_officer_who_proved_it_alone(cast: Cast) -> None:
    row = opened(cast)
    with_paper(cast, row)
    paper = row.papers.get()
    with pytest.raises(DisclosureRefused, match="Prove again"):
        open_paper(actor=actor_of(cast.officer), paper=paper)
    with pytest.raises(NotYours):
        open_paper(actor=actor_of(cast.administrator, fresh=True), paper=paper)
    assert open_paper(actor=actor_of(cast.officer, fresh=True), paper=paper).startswith(b"%PDF")


@pytest.mark.parametrize("missing", list(Check))
def test_a_demand_that_is_not_valid_in_each_line_is_not_signed(cast: Cast, missing: Check) -> None:
    row = opened(cast)
    with_paper(cast, row)
    with pytest.raises(DisclosureRefused, match="no valid demand"):
        sign_case(
            actor=actor_of(cast.officer, fresh=True), disclosure=row, validity="",
            checks=[one for one in Check if one is not missing], necessity=NECESSITY,
        )  # fmt: skip
    assert not Statement.objects.exists()


def test_a_case_that_nobody_checked_releases_nothing(cast: Cast, five: list) -> None:
    """XENRAD-5.12, MEDDIM-4.18: without the signed check and statement it is refused."""
    row = opened(cast, "subpoena")
    with_paper(cast, row)
    scoped(cast, row, five[0])
    narrowed(cast, row)
    told(cast, row)
    with pytest.raises(DisclosureRefused, match="validity is unchecked"):
        release_case(actor=actor_of(cast.officer, fresh=True), disclosure=row)
    assert Event.objects.filter(action="disclosure.refused").count() == 1
    signed(cast, row)
    said = statements_of(row)
    assert said[Said.NECESSITY].by == cast.officer
    assert said[Said.NECESSITY].at is not None
    Statement.objects.filter(kind=Said.NECESSITY.value).delete()
    with pytest.raises(DisclosureRefused, match="necessary, in good faith"):
        approved(cast, row)


def test_a_signature_needs_a_fresh_proof_and_counts_for_what_was_there(cast: Cast) -> None:
    row = opened(cast)
    with_paper(cast, row)
    with pytest.raises(DisclosureRefused, match="Prove again"):
        sign_case(
            actor=actor_of(cast.officer), disclosure=row, checks=list(Check), validity="",
            necessity=NECESSITY,
        )  # fmt: skip
    signed(cast, row)
    with_paper(cast, row)
    assert Said.VALIDITY not in standing_of(row).said


def test_nothing_changes_in_a_closed_case(cast: Cast) -> None:
    row = opened(cast)
    officer = actor_of(cast.officer)
    with pytest.raises(DisclosureRefused, match="is empty"):
        close_case(actor=officer, disclosure=row, text=" ")
    close_case(actor=officer, disclosure=row, text="Withdrawn by the court.")
    with pytest.raises(DisclosureRefused, match="is closed"):
        with_paper(cast, row)
    with pytest.raises(DisclosureRefused, match="closed already"):
        close_case(actor=officer, disclosure=row, text="Again.")


def test_the_trail_names_nobody_of_a_case(cast: Cast, five: list) -> None:
    row = ready(cast, five[0])
    assert today_of(row) >= row.received_on
    events = Event.objects.filter(action__startswith="disclosure.")
    assert {one.subject_id for one in events} == {""}
    told_of = str([one.details for one in events])
    assert AUTHORITY not in told_of
    assert REFERENCE not in told_of
