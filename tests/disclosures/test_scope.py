"""Nothing but what a clause names, and somebody has justified and ticked, goes out."""

from __future__ import annotations

from hashlib import sha256

import pydicom
import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from disclosures.models import Item, Release
from disclosures.rules.parts import Part
from disclosures.selectors import standing_of
from disclosures.services.entries import DisclosureRefused
from disclosures.services.packaging import end_packages, fetch_package
from disclosures.services.scoping import Named, choose_items, explain_item, find_studies
from retention.models import Hold
from studies.models import Instance, Study
from studies.rules.demo_uids import uid_of
from tests.disclosures.cases import (
    RADIOLOGY,
    SURGICAL,
    approved,
    clause,
    fetched,
    files_in,
    given_out,
    lines_of,
    mapped,
    narrowed,
    opened,
    ready,
    released,
    scoped,
    signed,
    ticked,
    told,
    with_paper,
)
from tests.factories import Cast, actor_of, small_ct_object, take_in

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def objects(study: Study) -> set[str]:
    return set(Instance.objects.filter(study=study).values_list("uid", flat=True))


def given(names: set[str]) -> set[str]:
    return {name.rpartition("/")[2].removesuffix(".dcm") for name in names}


def test_two_of_five_studies_go_out_and_those_two_alone(cast: Cast, five: list[Study]) -> None:
    """XENRAD-5.13, LIFEIMAGE-7.3, VIGILANT-6.3: the manifest is the mapping, line by line."""
    row = given_out(cast, five[1], five[3])
    package = fetched(cast, row)
    names = files_in(package)
    assert given(names) == objects(five[1]) | objects(five[3])
    items = {one.study_uid: one for one in Item.objects.select_related("clause")}
    lines = lines_of(package)
    assert {line[0] for line in lines} == names
    for path, item, of_clause in lines:
        uid = path.split("/")[2]
        assert (int(item), int(of_clause)) == (items[uid].number, items[uid].clause.number)
    sums = dict(reversed(line.split("  ")) for line in
                package.read("SHA256SUMS").decode().splitlines())  # fmt: skip
    for name in names:
        assert sums[name] == sha256(package.read(name)).hexdigest()


def test_nothing_is_ticked_by_itself(cast: Cast, five: list[Study]) -> None:
    """LIFEIMAGE-2.5: the untouched default selects nothing."""
    row = opened(cast)
    clause(cast, row)
    mapped(cast, row, five[0])
    assert not Item.objects.filter(is_chosen=True).exists()
    with_paper(cast, row)
    signed(cast, row)
    narrowed(cast, row)
    with pytest.raises(DisclosureRefused, match="Nothing is ticked"):
        approved(cast, row)


def test_what_no_clause_names_cannot_be_added(cast: Cast, five: list[Study]) -> None:
    row = opened(cast)
    clause(cast, row)
    for number in (None, 7):
        with pytest.raises(DisclosureRefused, match="which clause"):
            mapped(cast, row, five[0], number=number)
    assert not Item.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.create(disclosure=row, number=1, study_uid="1.2", sealed_label=b"x")


def test_an_item_without_a_reason_is_left_out_and_the_others_go(
    cast: Cast, five: list[Study]
) -> None:
    """LIFEIMAGE-7.7, VIGILANT-6.6, MEDDIM-4.15."""
    row = opened(cast, "compliance-review")
    with_paper(cast, row)
    signed(cast, row)
    clause(cast, row)
    good, blank = mapped(cast, row, five[0]), mapped(cast, row, five[1], reason="  ")
    with pytest.raises(DisclosureRefused, match="has no reason, so it cannot be ticked"):
        ticked(cast, row, good.number, blank.number)
    assert not Item.objects.filter(is_chosen=True).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.filter(pk=blank.pk).update(is_chosen=True)
    ticked(cast, row, good.number)
    narrowed(cast, row)
    told(cast, row)
    approved(cast, row)
    released(cast, row)
    assert given(files_in(fetched(cast, row))) == objects(five[0])


def test_a_reason_that_comes_later_lets_an_item_be_ticked(cast: Cast, five: list[Study]) -> None:
    row = opened(cast, "rights", SURGICAL)
    clause(cast, row)
    item = mapped(cast, row, five[0], reason="")
    officer = actor_of(cast.officer)
    explain_item(actor=officer, disclosure=row, number=item.number, reason="It shows the implant.")
    assert choose_items(actor=officer, disclosure=row, numbers=[item.number]) == 1
    with pytest.raises(DisclosureRefused, match="not among the items"):
        choose_items(actor=officer, disclosure=row, numbers=[item.number, 99])


def test_to_enforce_the_terms_accounts_go_out_and_never_a_study(
    cast: Cast, five: list[Study]
) -> None:
    """XENRAD-5.15."""
    row = opened(cast, "terms", RADIOLOGY)
    signed(cast, row)
    clause(cast, row)
    with pytest.raises(DisclosureRefused, match="never a study"):
        mapped(cast, row, five[0])
    item = mapped(cast, row, Named(account=cast.clinician, part=Part.SIGN_INS))
    ticked(cast, row, item.number)
    told(cast, row)
    approved(cast, row)
    released(cast, row)
    package = fetched(cast, row)
    (name,) = files_in(package)
    assert name == f"items/{item.number}/sign-ins.json"
    assert b"clinician@hospital.example" not in package.read(name)
    event = Event.objects.get(action="disclosure.released")
    assert (event.target_kind, event.target_id) == ("account", str(cast.clinician.pk))


def test_a_series_goes_out_without_the_person(cast: Cast, five: list[Study]) -> None:
    """LIFEIMAGE-2.5: the chosen series with demographics removed, and nothing else."""
    row = opened(cast)
    with_paper(cast, row)
    signed(cast, row)
    clause(cast, row)
    series = uid_of("s2", "r2")
    named = Named(study_uid=five[2].uid, series_uid=series, without_person=True)
    ticked(cast, row, mapped(cast, row, named).number)
    narrowed(cast, row)
    told(cast, row)
    approved(cast, row)
    assert released(cast, row).state == Release.State.READY
    package = fetched(cast, row)
    (name,) = files_in(package)
    assert series in name
    with package.open(name) as held:
        found = pydicom.dcmread(held)
    assert "Adler" not in str(found)
    assert "HVH-1" not in str(found)
    assert found.PatientIdentityRemoved == "YES"
    assert found.SeriesInstanceUID == series
    assert found.StudyDate == "20260901"


def test_from_what_the_person_cannot_be_taken_out_nothing_goes(
    cast: Cast, five: list[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    from studies.gateways.deidentifying_apart import Deidentified

    row = opened(cast)
    with_paper(cast, row)
    signed(cast, row)
    clause(cast, row)
    item = mapped(cast, row, Named(study_uid=five[0].uid, without_person=True))
    ticked(cast, row, item.number)
    narrowed(cast, row)
    told(cast, row)
    approved(cast, row)
    monkeypatch.setattr(
        "disclosures.services.packaging.deidentify_stored",
        lambda *_, **__: Deidentified(None, ("pixels",)),
    )
    failed = released(cast, row)
    assert (failed.state, failed.fault) == (Release.State.FAILED, "person-not-taken-out")
    assert failed.blob_name == ""
    assert not Event.objects.filter(action="disclosure.released").exists()
    monkeypatch.undo()
    assert released(cast, row).state == Release.State.READY


def test_what_came_after_it_was_ticked_does_not_go(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    told(cast, row)
    approved(cast, row)
    take_in(actor_of(cast.clinician), small_ct_object(study="s0", series="r1", number=9))
    assert released(cast, row).fault == "items-changed"


def test_what_nobody_has_looked_at_is_not_ticked(cast: Cast, five: list[Study]) -> None:
    row = opened(cast)
    clause(cast, row)
    item = mapped(cast, row, five[0])
    Instance.objects.filter(study=five[0]).update(held=True)
    with pytest.raises(DisclosureRefused, match="held back"):
        ticked(cast, row, item.number)


def test_a_change_after_the_approval_needs_another(cast: Cast, five: list[Study]) -> None:
    row = ready(cast, five[0])
    told(cast, row)
    approved(cast, row)
    mapped(cast, row, five[1])
    assert not standing_of(row.__class__.objects.get(pk=row.pk)).is_approved
    approved(cast, row)
    ticked(cast, row, 1, 2)
    with pytest.raises(DisclosureRefused, match="A second person"):
        released(cast, row)


def test_the_same_is_not_mapped_twice_nor_what_is_not_held(cast: Cast, five: list[Study]) -> None:
    row = opened(cast)
    clause(cast, row)
    mapped(cast, row, five[0])
    with pytest.raises(DisclosureRefused, match="in the case already"):
        mapped(cast, row, five[0])
    with pytest.raises(DisclosureRefused, match="no such study"):
        mapped(cast, row, Named(study_uid="1.2.3"))
    with pytest.raises(DisclosureRefused, match="no such series"):
        mapped(cast, row, Named(study_uid=five[1].uid, series_uid="1.2.3"))


def test_studies_of_others_are_not_found(cast: Cast, five: list[Study]) -> None:
    take_in(actor_of(cast.stranger), small_ct_object(study="theirs"))
    row = opened(cast)
    found = find_studies(actor=actor_of(cast.officer), disclosure=row, name="adl", identifier="")
    assert {one.uid for one in found} == {one.uid for one in five}
    clause(cast, row)
    with pytest.raises(DisclosureRefused, match="no such study"):
        mapped(cast, row, Named(study_uid=uid_of("test", "theirs")))
    assert Event.objects.get(action="disclosure.searched").details["found"] == 5


def test_a_package_is_fetched_once_and_is_gone_after_its_term(
    cast: Cast, five: list[Study]
) -> None:
    row = given_out(cast, five[0])
    with pytest.raises(DisclosureRefused, match="Prove again"):
        fetch_package(actor=actor_of(cast.officer), disclosure=row)
    fetched(cast, row)
    with pytest.raises(DisclosureRefused, match="fetched already"):
        fetched(cast, row)
    Release.objects.update(expires_at=row.opened_at)
    assert end_packages() == 1
    assert end_packages() == 0
    assert Release.objects.get().blob_name == ""
    with pytest.raises(DisclosureRefused, match="no package"):
        fetched(cast, row)


def test_what_goes_out_is_held_and_nothing_can_be_added_then(cast: Cast, five: list[Study]) -> None:
    row = given_out(cast, five[0], five[1])
    assert set(Hold.objects.values_list("study_uid", flat=True)) == {five[0].uid, five[1].uid}
    with pytest.raises(DisclosureRefused, match="released already"):
        mapped(cast, row, five[2])
    with pytest.raises(DisclosureRefused, match="released already"):
        scoped(cast, row)
