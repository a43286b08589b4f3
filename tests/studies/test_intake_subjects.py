"""Whom a study is about, and what a clinician has to look at before others see it."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from consent.models import DataSubject
from consent.rules.decision import Item
from consent.selectors import identities
from studies.models import Instance, Series, Study
from studies.rules.reasons import HELD
from studies.rules.results import Status
from studies.services.holding import release_held, settle_doubts

from .conftest import COLLEAGUE, OFFICER, VET, Portal
from .objects import an_object, uid
from .test_intake import held_object

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


# Whom it is about --------------------------------------------------------------------------------
def test_the_same_identifier_of_another_issuer_is_another_subject(portal: Portal) -> None:
    portal.take(
        an_object(study="1", issuer="NORTH"),
        an_object(study="2", issuer="SOUTH"),
        an_object(study="3", issuer="NORTH"),
    )
    one, two, three = Study.objects.order_by("uid")
    assert one.subject_id == three.subject_id != two.subject_id


def test_a_name_that_does_not_fit_is_flagged_and_never_merged(portal: Portal) -> None:
    portal.take(an_object(study="1", name="Test^Invented"))
    portal.take(an_object(study="2", name="Other^Person"))
    first, second = Study.objects.order_by("uid")
    assert (first.doubts, second.doubts) == ([], ["name"])
    (subject,) = DataSubject.objects.all()
    assert identities([subject])[subject.pk].name == "Test^Invented"
    assert portal.events("study.received")[-1].details["doubts"] == ["name"]


def test_two_studies_without_an_identifier_are_two_subjects(portal: Portal) -> None:
    portal.take(an_object(study="1", patient=""), an_object(study="2", patient=""))
    assert DataSubject.objects.count() == 2


def test_an_animal_is_kept_with_its_owner(portal: Portal) -> None:
    animal = an_object(
        name="Rex",
        changes={
            0x00102201: ("LO", "Canine"),
            0x00102292: ("LO", "Beagle"),
            0x00102297: ("PN", "Lund^Oscar"),
            0x00102298: ("CS", "OWNER"),
        },
    )
    portal.take(animal, email=VET)
    subject = DataSubject.objects.get()
    assert subject.kind == DataSubject.Kind.ANIMAL
    identity = identities([subject])[subject.pk]
    assert (identity.species, identity.breed) == ("Canine", "Beagle")
    assert identity.responsible_person == "Lund^Oscar"


def test_a_name_in_three_scripts_is_kept_whole(portal: Portal) -> None:
    portal.take(an_object(name="Yamada^Tarou=山田^太郎=やまだ^たろう"))
    subject = DataSubject.objects.get()
    identity = identities([subject])[subject.pk]
    assert identity.name_ideographic == "山田^太郎"
    assert identity.name_phonetic == "やまだ^たろう"


# Held and doubted --------------------------------------------------------------------------------
def test_what_is_out_of_norm_is_stored_apart_with_its_reasons(portal: Portal) -> None:
    shown, held = portal.take(an_object(number=1), held_object(2))
    assert (shown.status, held.status) == (Status.STORED, Status.HELD)
    assert held.held_for
    assert {reason.code for reason in held.held_for} <= set(HELD)
    study = Study.objects.get()
    assert (study.instance_count, study.held_count, study.series_count) == (1, 1, 1)
    assert Instance.objects.get(held=True).reasons


def test_a_clinician_releases_what_was_held_and_nobody_else_does(portal: Portal) -> None:
    portal.take(an_object(number=1), held_object(2))
    study, wanted = Study.objects.get(), [uid("1.1.2")]
    for email in (OFFICER, COLLEAGUE):
        with pytest.raises(PermissionDenied):
            release_held(actor=portal.actor(email), study=study, instance_uids=wanted)
    assert release_held(actor=portal.actor(), study=study, instance_uids=wanted) == 1
    assert release_held(actor=portal.actor(), study=study, instance_uids=wanted) == 0
    study.refresh_from_db()
    assert (study.instance_count, study.held_count) == (2, 0)
    assert Series.objects.get().instance_count == 2
    assert len(portal.events("object.released")) == 1
    client = portal.client()
    assert len(client.get(f"/dicom-web/studies/{uid('1')}/instances").json()) == 2


def test_what_is_released_later_was_not_part_of_an_earlier_share(portal: Portal) -> None:
    portal.take(an_object(number=1), held_object(2))
    portal.share(Item(uid("1")))
    release_held(actor=portal.actor(), study=Study.objects.get(), instance_uids=[uid("1.1.2")])
    rows = portal.client(COLLEAGUE).get(f"/dicom-web/studies/{uid('1')}/instances").json()
    assert [row["00080018"]["Value"] for row in rows] == [[uid("1.1.1")]]


def test_a_doubt_is_settled_once_by_a_clinician(portal: Portal) -> None:
    portal.take(an_object(study="1"))
    portal.take(an_object(study="2", name="Other^Person"))
    study = Study.objects.get(uid=uid("2"))
    with pytest.raises(PermissionDenied):
        settle_doubts(actor=portal.actor(OFFICER), study=study)
    for _ in range(2):
        settle_doubts(actor=portal.actor(), study=study)
    study.refresh_from_db()
    assert study.doubts == []
    assert len(portal.events("study.doubt_settled")) == 1
