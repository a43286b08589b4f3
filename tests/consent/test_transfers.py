"""Images cross a border only on what the policy lists and what is signed (C39)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Agreement, Organisation
from accounts.rules.agreements import SIGNED_MECHANISMS, AgreementKind
from accounts.rules.residence import COUNTRIES
from accounts.services.agreements import (
    AgreementRefused,
    Terms,
    end_agreement,
    record_agreement,
)
from audit.models import Event
from consent.models import Grant
from consent.rules.agreement import Agreement as Words
from consent.rules.agreement import OfferedItem, digest_of_text
from consent.rules.decision import Action, Item, Reason
from consent.rules.transfers import EEA, Clauses, Ground, ground_of
from consent.services.decisions import decide
from consent.services.grants import GrantRefused, compose_agreement, create_grant
from studies.models import Study
from studies.selectors import resource_of, studies_listed_for
from tests.factories import Cast, actor_of, small_ct_object, take_in

EVERYTHING = ("adequacy", *SIGNED_MECHANISMS, "explicit-consent")
IDS = {one: uuid4() for one in SIGNED_MECHANISMS}


def clauses(*mechanisms: str) -> list[Clauses]:
    return [Clauses(IDS[one], one, None) for one in mechanisms]


# The rule ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("origin", "destination", "listed", "signed", "found"),
    [
        # Within a country, and within the EEA, there is no border.
        ("US", "US", (), (), ""),
        ("DE", "FR", (), (), ""),
        ("NO", "IS", (), (), ""),
        # To where the Commission has decided, if the policy goes by that.
        ("DE", "GB", ("adequacy",), (), "adequacy"),
        ("DE", "JP", ("adequacy", "scc"), ("scc",), "adequacy"),
        ("DE", "JP", ("scc",), ("scc",), "scc"),
        ("DE", "JP", ("scc",), (), None),
        # Some organisations only: of the United States, with its certificate; of Canada, never.
        ("DE", "US", ("adequacy",), (), None),
        ("DE", "US", ("dpf",), ("dpf",), "dpf"),
        ("DE", "CA", ("adequacy", "dpf"), ("dpf",), None),
        ("DE", "US", ("scc",), ("scc",), "scc"),
        ("DE", "US", ("scc",), ("dpf",), None),
        ("DE", "US", ("dpf",), ("scc",), None),
        # MEDDIM-12.2: of the UK the clauses of the EU are not enough, nor in Switzerland.
        ("GB", "US", ("scc", "uk-addendum"), ("scc",), None),
        ("GB", "US", ("scc", "uk-addendum"), ("uk-addendum",), "uk-addendum"),
        ("GB", "DE", ("adequacy",), (), "adequacy"),
        ("GB", "MC", ("adequacy",), (), None),
        ("CH", "US", ("scc", "swiss-addendum"), ("scc",), None),
        ("CH", "US", ("swiss-addendum",), ("swiss-addendum",), "swiss-addendum"),
        ("CH", "MC", ("adequacy",), (), "adequacy"),
        ("CH", "JP", ("adequacy",), (), None),
        # From where no law lists countries: to better protection freely, elsewhere as any.
        ("US", "DE", (), (), ""),
        ("US", "DE", ("adequacy",), (), ""),
        ("US", "IN", (), (), None),
        ("US", "IN", ("scc",), ("scc",), "scc"),
        ("US", "IN", ("explicit-consent",), (), "explicit-consent"),
        # Consent is the last resort: what is signed comes before it.
        ("DE", "US", ("scc", "explicit-consent"), ("scc",), "scc"),
        ("DE", "US", ("scc", "explicit-consent"), (), "explicit-consent"),
        ("DE", "US", ("privacy-shield",), (), None),
    ],
)
def test_what_bridges_a_border(
    origin: str, destination: str, listed: tuple[str, ...], signed: tuple[str, ...],
    found: str | None,
) -> None:  # fmt: skip
    ground = ground_of(origin, destination, listed=listed, signed=clauses(*signed))
    assert (None if ground is None else ground.mechanism) == found
    if ground is not None and found in SIGNED_MECHANISMS:
        assert ground.agreement_id == IDS[found]


def test_the_clauses_that_hold_longest_are_taken() -> None:
    ids = [UUID(int=one) for one in range(3)]
    ends = [date(2027, 1, 1), date(2028, 2, 29), date(2027, 6, 1)]
    some = [Clauses(one, "scc", end) for one, end in zip(ids, ends, strict=True)]
    assert ground_of("DE", "US", listed=["scc"], signed=some) == Ground("scc", ids[1], ends[1])
    open_ended = Clauses(UUID(int=9), "scc", None)
    found = ground_of("DE", "US", listed=["scc"], signed=[*some, open_ended])
    assert found == Ground("scc", open_ended.id, None)


@given(
    st.sampled_from(sorted(COUNTRIES)), st.sampled_from(sorted(COUNTRIES)),
    st.sets(st.sampled_from(EVERYTHING)), st.sets(st.sampled_from(SIGNED_MECHANISMS)),
)  # fmt: skip
def test_nothing_is_used_that_is_not_listed_and_more_never_closes_a_border(
    origin: str, destination: str, listed: set[str], signed: set[str]
) -> None:
    ground = ground_of(origin, destination, listed=listed, signed=clauses(*signed))
    assert ground is None or ground.mechanism in {"", *listed}
    if ground is not None and ground.agreement_id is not None:
        assert ground.mechanism in signed
    for more in (listed | {"scc"}, listed | {"explicit-consent"}):
        if ground is not None:
            assert ground_of(origin, destination, listed=more, signed=clauses(*signed)) is not None
    if origin in EEA and destination not in EEA:
        assert ground is None or ground.mechanism, "out of the EEA nothing goes on nothing"


# Sharing -----------------------------------------------------------------------------------------
portal = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def study(cast: Cast) -> Study:
    """One of Munich's: it goes to New York on clauses that the cast has signed."""
    take_in(actor_of(cast[MUNICH]), small_ct_object())
    return Study.objects.select_related("organisation").get()


def signed(study: Study) -> Agreement:
    return Agreement.objects.get(organisation=study.organisation, kind=AgreementKind.TRANSFER)


MUNICH = "clinician@imaging.example"


def words_for(
    cast: Cast, study: Study, *, to: str = "hospital", days: int = 30, by: str = MUNICH
) -> Words:
    return compose_agreement(
        actor=actor_of(cast[by], fresh=True),
        owner=study.organisation, recipient_organisation=Organisation.objects.get(slug=to),
        recipient=None, subject_name="Adler, Paula", purpose_code="treatment",
        may_download=False, expires_at=timezone.now() + timedelta(days=days),
        items=(OfferedItem(Item(study.uid), "all of it", 1, "0" * 64),),
        subject_id=study.subject_id, collected_at=study.created_at,
    )  # fmt: skip


def shared(cast: Cast, study: Study) -> Grant:
    words = words_for(cast, study)
    return create_grant(
        actor=actor_of(cast[MUNICH], fresh=True),
        owner=study.organisation,
        recipient_organisation=Organisation.objects.get(slug="hospital"), recipient=None,
        subject_id=study.subject_id, purpose_code="treatment", agreement=words,
        shown_digest=digest_of_text(words.text()),
    )  # fmt: skip


@portal
def test_a_share_abroad_says_on_what_it_rests_and_the_trail_says_so(
    cast: Cast, study: Study
) -> None:
    grant = shared(cast, study)
    assert (grant.transfer_mechanism, grant.transfer_agreement) == ("scc", signed(study))
    text = words_for(cast, study).text()
    assert "The images go from Germany to the United States" in text
    assert "standard contractual clauses" in text
    details = Event.objects.get(action="grant.given").details
    assert (details["transfer"], details["countries"]) == ("scc", "de-us")
    assert details["key"] == str(grant.key_id)


@portal
def test_without_clauses_nothing_goes_and_it_is_said_what_to_sign(cast: Cast, study: Study) -> None:
    Agreement.objects.filter(pk=signed(study).pk).update(ended_on=timezone.localdate())
    with pytest.raises(GrantRefused) as refused:
        words_for(cast, study)
    said = str(refused.value)
    assert "Hudson Valley Hospital is in the United States" in said
    assert "records first what was signed with them: standard contractual clauses" in said


@portal
def test_clauses_with_somebody_else_are_no_clauses(cast: Cast, study: Study) -> None:
    practice = Organisation.objects.get(slug="practice")
    with pytest.raises(GrantRefused, match="Millbrook Veterinary Practice is in"):
        words_for(cast, study, to=practice.slug)


@portal
def test_a_share_lasts_no_longer_than_its_clauses(cast: Cast, study: Study) -> None:
    last = timezone.localdate() + timedelta(days=10)
    Agreement.objects.filter(pk=signed(study).pk).update(ends_on=last)
    with pytest.raises(GrantRefused, match="Choose an earlier end"):
        words_for(cast, study, days=30)
    assert words_for(cast, study, days=9).abroad


@portal
def test_with_the_clauses_end_the_shares_that_rest_on_them(cast: Cast, study: Study) -> None:
    grant, reader = shared(cast, study), actor_of(cast.clinician)
    view = {"actor": reader, "action": Action.VIEW, "resource": resource_of(study)}
    assert decide(**view).is_permit
    officer_or_administrator = manager_of(cast)
    end_agreement(acting=officer_or_administrator, agreement=signed(study))
    grant.refresh_from_db()
    assert grant.revoke_reason == "transfer-ended"
    assert decide(**view).reason is Reason.REVOKED
    assert not studies_listed_for(reader).filter(pk=study.pk).exists()
    assert Event.objects.filter(action="grant.revoked", reason="transfer-ended").exists()


@portal
def test_what_was_agreed_to_is_checked_again_when_it_is_given(cast: Cast, study: Study) -> None:
    words = words_for(cast, study)
    end_agreement(acting=manager_of(cast), agreement=signed(study))
    with pytest.raises(GrantRefused, match="records first what was signed"):
        create_grant(
            actor=actor_of(cast[MUNICH], fresh=True),
            owner=study.organisation,
            recipient_organisation=Organisation.objects.get(slug="hospital"), recipient=None,
            subject_id=study.subject_id, purpose_code="treatment", agreement=words,
            shown_digest=digest_of_text(words.text()),
        )  # fmt: skip
    assert not Grant.objects.exists()


@portal
def test_explicit_consent_says_what_it_covers(cast: Cast) -> None:
    """The hospital's policy lists it, and nothing else."""
    take_in(actor_of(cast.clinician), small_ct_object())
    study = Study.objects.select_related("organisation").get()
    Organisation.objects.filter(slug="imaging").update(country="IN")
    words = words_for(cast, study, to="imaging", by="clinician@hospital.example")
    assert words.abroad.startswith("The images go to India, where the law may protect them less")
    assert "explicit consent (GDPR Art. 49(1)(a))" in words.text()


def manager_of(cast: Cast) -> Any:
    """Somebody in Munich who may end agreements."""
    from accounts.models import Membership, MembershipRole
    from accounts.rules import Role

    membership = Membership.objects.get(user=cast["officer@imaging.example"])
    MembershipRole.objects.get_or_create(membership=membership, role=Role.ADMINISTRATOR)
    return actor_of(cast["officer@imaging.example"])


# Recording what was signed -----------------------------------------------------------------------
@portal
@pytest.mark.parametrize(
    ("kind", "mechanism", "says"),
    [
        (AgreementKind.TRANSFER, "", "Say which clauses were signed"),
        (AgreementKind.TRANSFER, "adequacy", "Say which clauses were signed"),
        (AgreementKind.TRANSFER, "privacy-shield", "declared it invalid on 16 July 2020"),
        (AgreementKind.SERVICE, "scc", "Only clauses for transfers abroad"),
    ],
)
def test_what_does_not_fit_is_refused(
    cast: Cast, kind: AgreementKind, mechanism: str, says: str
) -> None:
    terms = Terms(
        kind=kind, party="Somebody", contact="a@b.example", reference="X-1", mechanism=mechanism,
        starts_on=timezone.localdate(),
    )  # fmt: skip
    with pytest.raises(AgreementRefused, match=says):
        record_agreement(acting=manager_of(cast), terms=terms)


@portal
def test_the_pages_say_what_bridges_and_what_ends(cast: Cast, study: Study, client_of: Any) -> None:
    shared(cast, study)
    manager_of(cast)
    browser = client_of(cast["officer@imaging.example"])
    abroad = browser.get("/consent/?direction=abroad").content.decode()
    assert "United States: standard contractual clauses" in abroad and "SCC-2026-1" in abroad
    ending = browser.get(f"/agreements/{signed(study).pk}/end/").content.decode()
    assert "1 share with Hudson Valley Hospital ends with it." in ending
    assert "Which clauses, for transfers abroad" in browser.get("/agreements/new/").content.decode()
