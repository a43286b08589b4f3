"""Images of minors: held by the policy until a guardian is named, whichever way they come."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.rules import Scope
from audit.models import Event
from studies.models import GuardianAttestation, Instance, Study
from studies.rules.demo_uids import uid_of
from studies.rules.minors import Relation, age_on, guardian_is_asked, is_of_minor, waits
from studies.rules.results import Status
from studies.services.holding import release_held
from studies.services.minors import GuardianRefused, guardian_named_for, name_guardian
from tests.factories import (
    Cast,
    actor_of,
    signed_in_client,
    small_ct_object,
    take_in,
    text_of,
    token_client,
)
from tests.studies.objects import RELATED, as_parts

portal = pytest.mark.django_db(databases=["default", "keys"])
TODAY = date(2026, 11, 26)
GUARDIAN = {"name": "Karin Brandt", "relation": Relation.PARENT}


def child(years: int = 9) -> str:
    return f"{timezone.localdate().year - years}0101"


def sent(who: Any, *, name: str = "child", number: int = 2, **attributes: Any) -> Study:
    given = {"PatientBirthDate": child(), "PatientID": f"K-{name}", **attributes}
    take_in(
        actor_of(who),
        *(small_ct_object(study=name, series=name, number=n + 1, **given) for n in range(number)),
    )
    return Study.objects.get(uid=uid_of("test", name))


# The rule ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("texts", "is_one"),
    [
        ({"PatientBirthDate": "20171126"}, True),
        ({"PatientBirthDate": "2017.11.26"}, True),
        ({"PatientBirthDate": "20081127"}, True),
        ({"PatientBirthDate": "20081126"}, False),
        ({"PatientBirthDate": "19500101"}, False),
        # Not born yet, as the header says: certainly not of age.
        ({"PatientBirthDate": "20270101"}, True),
        # No date: the age at the examination.
        ({"PatientBirthDate": "", "PatientAge": "017Y"}, True),
        ({"PatientBirthDate": "", "PatientAge": "018Y"}, False),
        ({"PatientBirthDate": "", "PatientAge": "030M"}, True),
        ({"PatientBirthDate": "20010230", "PatientAge": "003W"}, True),
        # A date counts before an age.
        ({"PatientBirthDate": "19500101", "PatientAge": "005Y"}, False),
        # Nothing is known.
        ({}, False),
        ({"PatientAge": "about 5"}, False),
        # An animal, and nobody.
        ({"PatientBirthDate": "20200101", "PatientSpeciesDescription": "Dog"}, False),
        ({"PatientBirthDate": "20200101", "PatientIdentityRemoved": "YES"}, False),
    ],
)
def test_who_is_a_minor(texts: dict[str, str], is_one: bool) -> None:
    assert is_of_minor(texts, TODAY) is is_one
    assert waits({"minors.guardian_named": True}, texts, TODAY) is is_one
    assert not waits({"minors.guardian_named": False}, texts, TODAY)


def test_of_a_leap_day_one_is_older_in_march() -> None:
    born = date(2008, 2, 29)
    assert age_on(born, date(2026, 2, 28)) == 17
    assert age_on(born, date(2026, 3, 1)) == 18


def test_a_version_that_says_nothing_holds_nothing() -> None:
    assert not guardian_is_asked({})


# Sending -----------------------------------------------------------------------------------------
@portal
def test_a_childs_images_are_held_until_a_guardian_is_named(cast: Cast) -> None:
    """XENRAD-9.3, MEDDIM-10.4."""
    study = sent(cast.stranger)
    assert (study.instance_count, study.held_count) == (0, 2)
    shown = name_guardian(actor=actor_of(cast.stranger), study=study, **GUARDIAN)
    study.refresh_from_db()
    assert shown == 2
    assert (study.instance_count, study.held_count, study.series_count) == (2, 0, 1)
    named = guardian_named_for(study)
    assert named is not None
    assert (named[0], named[1].by_id) == ("Karin Brandt", cast.stranger.pk)
    event = Event.objects.get(action="study.guardian_named")
    assert (event.reason, event.details) == ("parent", {"instances": 2, "held": 0})
    assert "Brandt" not in str(event.__dict__)
    assert b"Brandt" not in bytes(GuardianAttestation.objects.get().sealed_name)


@portal
def test_what_comes_later_to_the_same_study_waits_no_more(cast: Cast) -> None:
    study = sent(cast.stranger)
    name_guardian(actor=actor_of(cast.stranger), study=study, **GUARDIAN)
    more = small_ct_object(
        study="child", series="child", number=9, PatientBirthDate=child(), PatientID="K-child"
    )
    (result,) = take_in(actor_of(cast.stranger), more)
    assert result.status is Status.STORED
    # Another examination of the same child was not agreed to by that.
    other = sent(cast.stranger, name="later", PatientID="K-child")
    assert other.held_count == 2


@portal
def test_neither_an_adult_nor_another_policy_holds_anything(cast: Cast) -> None:
    assert sent(cast.stranger, PatientBirthDate=child(40)).held_count == 0
    # The hospital's policy has its senders attest, and names nobody.
    assert sent(cast.clinician, name="here").held_count == 0


@portal
def test_a_program_is_told_and_nothing_is_served(cast: Cast) -> None:
    program = token_client(cast.stranger, Scope.READ, Scope.WRITE)
    body = as_parts(small_ct_object(study="child", PatientBirthDate=child()))
    answer = program.post("/dicom-web/studies", data=body, content_type=RELATED)
    assert answer.status_code == 202
    assert "no guardian who agreed" in text_of(answer)
    found = program.get(f"/dicom-web/studies/{uid_of('test', 'child')}/series")
    assert found.status_code == 204 or found.json() == []


# Naming ------------------------------------------------------------------------------------------
@portal
def test_a_look_is_not_enough(cast: Cast) -> None:
    study, actor = sent(cast.stranger), actor_of(cast.stranger)
    uids = list(Instance.objects.values_list("uid", flat=True))
    assert release_held(actor=actor, study=study, instance_uids=uids) == 0
    assert not Instance.objects.filter(held=False).exists()


@portal
def test_what_is_out_of_norm_as_well_waits_for_a_look(cast: Cast) -> None:
    study, actor = sent(cast.stranger), actor_of(cast.stranger)
    odd = Instance.objects.order_by("pk").first()
    assert odd is not None
    odd.reasons = ["trailing-zeros", *odd.reasons]
    odd.save(update_fields=["reasons"])
    assert name_guardian(actor=actor, study=study, **GUARDIAN) == 1
    assert release_held(actor=actor, study=study, instance_uids=[odd.uid]) == 1
    study.refresh_from_db()
    assert (study.instance_count, study.held_count) == (2, 0)


@portal
def test_only_clinicians_of_the_holder_name_one(cast: Cast) -> None:
    study = sent(cast.stranger)
    for who in (cast.clinician, cast.officer, cast.patient):
        with pytest.raises(PermissionDenied):
            name_guardian(actor=actor_of(who), study=study, **GUARDIAN)
        page = signed_in_client(who).post(f"/studies/{study.uid}/guardian/", GUARDIAN)
        assert page.status_code in {403, 404}
    assert not GuardianAttestation.objects.exists()


@portal
def test_the_page_says_what_is_missing_and_changes_nothing(cast: Cast) -> None:
    study, browser = sent(cast.stranger), signed_in_client(cast.stranger)
    page = text_of(browser.get(f"/studies/{study.uid}/"))
    assert "2 images are shown to nobody until" in page
    assert "Held for a look" not in page
    path, form = f"/studies/{study.uid}/guardian/", {"name": " ", "relation": "aunt"}
    answer = browser.post(path, form)
    assert answer.status_code == 422
    for said in ("Write the name of whoever agreed", "aunt is not one", "Confirm it"):
        assert said in text_of(answer), said
    assert not GuardianAttestation.objects.exists()
    form = {"name": "Karin  Brandt", "relation": "guardian", "confirmed": "on"}
    assert browser.post(path, form, follow=True).status_code == 200
    page = text_of(browser.get(f"/studies/{study.uid}/"))
    assert "Karin Brandt (legal guardian) agreed" in page
    assert browser.post(path, form).status_code == 422
    assert GuardianAttestation.objects.count() == 1


@portal
def test_a_second_naming_has_nothing_to_show(cast: Cast) -> None:
    study, actor = sent(cast.stranger), actor_of(cast.stranger)
    name_guardian(actor=actor, study=study, **GUARDIAN)
    with pytest.raises(GuardianRefused, match="No image"):
        name_guardian(actor=actor, study=study, **GUARDIAN)


@portal
def test_the_name_ends_with_the_study(cast: Cast) -> None:
    study = sent(cast.stranger)
    name_guardian(actor=actor_of(cast.stranger), study=study, **GUARDIAN)
    Instance.objects.all().delete()
    study.blobs.all().delete()
    study.delete()
    assert not GuardianAttestation.objects.exists()


def test_today_is_looked_at_and_not_the_day_of_the_examination() -> None:
    eighteen = TODAY.replace(year=TODAY.year - 18)
    texts = {"PatientBirthDate": f"{eighteen:%Y%m%d}"}
    assert not is_of_minor(texts, TODAY)
    assert is_of_minor(texts, TODAY - timedelta(days=1))
