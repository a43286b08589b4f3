"""Members see what their data is used for, and object where that is a right (GDPR Art. 21)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Membership, WorkSettings
from accounts.services.work_settings import (
    SettingsRefused,
    remember_worklist,
    switch_personal_settings,
    work_settings_of,
)
from audit.models import Event
from consent.models import Directive
from consent.services.purposes import ConsentRefused, object_to_purpose, withdraw_objection
from tests.factories import Cast, actor_of, small_ct_object, take_in
from tests.policies.packs import under

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ClientOf = Callable[..., Client]
PAGE = "/consent/account/purposes/"


def test_each_purpose_is_shown_and_legitimate_interests_have_a_button(
    cast: Cast, client_of: ClientOf
) -> None:
    """AVMI-4.3: with an assessment, members see an Object button; other bases have none."""
    page = client_of(cast["vet@practice.example"]).get(PAGE).content.decode()
    assert "Improving the service" in page
    assert "Assessment of 2026-02" in page
    assert page.count('value="object"') == 1
    assert "Diagnosis and teleradiology" in page
    page = client_of(cast.stranger).get(PAGE).content.decode()
    assert page.count('value="object"') == 6


def test_an_objection_is_kept_and_so_is_its_withdrawal(cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.clinician)
    address = f"{PAGE}analytics/"
    for _ in range(2):
        assert browser.post(address, {"act": "object"}).status_code == 302
    row = Directive.objects.get()
    assert (row.user, row.kind, row.purposes) == (cast.clinician, "objection", "|analytics|")
    assert (row.organisation.slug, row.lifted_at) == ("hospital", None)
    assert Membership.objects.get(user=cast.clinician).objected_to == ["analytics"]
    assert "Take back" in browser.get(PAGE).content.decode()
    for _ in range(2):
        browser.post(address, {"act": "withdraw"})
    row.refresh_from_db()
    assert row.lifted_at is not None
    assert row.lifted_by == cast.clinician
    assert Membership.objects.get(user=cast.clinician).objected_to == []
    actions = Event.objects.filter(purpose="analytics").order_by("occurred_at")
    assert [one.action for one in actions] == ["purpose.objected", "objection.withdrawn"]
    object_to_purpose(actor=actor_of(cast.clinician), purpose="analytics")
    assert Directive.objects.count() == 2, "each time it was said is evidence"


@pytest.mark.parametrize("purpose", ["treatment", "marketing", "no-such-purpose"])
def test_other_bases_cannot_be_objected_to_here(
    cast: Cast, client_of: ClientOf, purpose: str
) -> None:
    answer = client_of(cast.clinician).post(f"{PAGE}{purpose}/", {"act": "object"}, follow=True)
    assert "nothing to object to" in answer.content.decode()
    assert Directive.objects.count() == 0


def test_a_patient_has_no_policy_of_members_to_object_to(cast: Cast, client_of: ClientOf) -> None:
    assert "You work for no organisation" in client_of(cast.patient).get(PAGE).content.decode()
    with pytest.raises(ConsentRefused):
        object_to_purpose(actor=actor_of(cast.patient), purpose="analytics")
    with pytest.raises(ConsentRefused):
        withdraw_objection(actor=actor_of(cast.patient), purpose="analytics")


def test_one_objects_for_oneself_and_for_one_organisation(cast: Cast) -> None:
    object_to_purpose(actor=actor_of(cast.clinician), purpose="analytics")
    others = Membership.objects.exclude(user=cast.clinician)
    assert {tuple(one.objected_to) for one in others} == {()}


def test_an_objection_holds_once(cast: Cast) -> None:
    object_to_purpose(actor=actor_of(cast.clinician), purpose="analytics")
    again = Directive.objects.get()
    again.pk = uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)


# Personal settings -------------------------------------------------------------------------------
@pytest.fixture
def planning(cast: Cast) -> Cast:
    """The hospital under the one policy that lists personal settings, with a CT and an MR."""
    under(cast, "surgical-planning")
    take_in(actor_of(cast.clinician), small_ct_object())
    take_in(actor_of(cast.clinician), small_ct_object(study="two", series="s2", Modality="MR"))
    return cast


def modalities(browser: Client, query: str = "") -> str:
    page = browser.get(f"/{query}").content.decode()
    return "+".join(one for one in ("CT", "MR") if f'data-label="Modality">{one}<' in page)


def test_nothing_is_remembered_until_it_is_switched_on(planning: Cast, client_of: ClientOf) -> None:
    """MEDDIM-3.6."""
    doctor = client_of(planning.clinician)
    assert "from now on" not in doctor.get("/?modality=CT").content.decode()
    doctor.post("/worklist/remember/", {"modality": "CT", "per_page": "25"})
    assert WorkSettings.objects.count() == 0
    assert modalities(doctor) == "CT+MR"


def test_the_worklist_begins_as_it_was_left_and_off_means_forgotten(
    planning: Cast, client_of: ClientOf
) -> None:
    """MEDDIM-3.6: off, the list is as in the beginning, and no row remains."""
    doctor = client_of(planning.clinician)
    doctor.post(f"{PAGE}settings/", {"act": "on"})
    assert "from now on" not in doctor.get("/").content.decode(), "as it is already"
    assert "from now on" in doctor.get("/?modality=CT").content.decode()
    answer = doctor.post("/worklist/remember/", {"modality": "CT", "per_page": "25"})
    assert answer.status_code == 302
    assert modalities(doctor) == "CT"
    assert modalities(doctor, "?modality=") == "CT+MR", "one can look past it"
    assert modalities(client_of(planning.clinician)) == "CT", "in another browser too"
    assert work_settings_of(actor_of(planning.clinician)).per_page == 25
    assert "Remembered: CT, 25 lines" in doctor.get(PAGE).content.decode()
    doctor.post(f"{PAGE}settings/", {"act": "off"})
    assert WorkSettings.objects.count() == 0
    assert modalities(doctor) == "CT+MR"
    found = Event.objects.filter(action__startswith="settings.").order_by("occurred_at")
    assert [one.action for one in found] == ["settings.begun", "settings.forgotten"]


def test_an_objection_to_personalisation_forgets_it(planning: Cast, client_of: ClientOf) -> None:
    clinician = actor_of(planning.clinician)
    switch_personal_settings(actor=clinician, on=True)
    remember_worklist(actor=clinician, modality="CT", per_page=None)
    object_to_purpose(actor=clinician, purpose="personalisation")
    assert WorkSettings.objects.count() == 0
    assert modalities(client_of(planning.clinician)) == "CT+MR"
    with pytest.raises(SettingsRefused):
        switch_personal_settings(actor=actor_of(planning.clinician), on=True)


@pytest.mark.parametrize("sent", [{"modality": "Adler^Paula"}, {"modality": "CT", "per_page": "7"}])
def test_what_is_not_in_the_lists_is_not_remembered(
    planning: Cast, client_of: ClientOf, sent: dict[str, str]
) -> None:
    switch_personal_settings(actor=actor_of(planning.clinician), on=True)
    answer = client_of(planning.clinician).post("/worklist/remember/", sent, follow=True)
    assert "from the lists" in answer.content.decode()
    row = WorkSettings.objects.get()
    assert (row.modality, row.per_page) == ("", None)


def test_pages_are_as_light_as_was_remembered_and_only_for_that_person(
    planning: Cast, client_of: ClientOf
) -> None:
    """MEDDIM-3.6: it counts above the computer's setting, and is gone with the switch."""
    doctor, address = client_of(planning.clinician), f"{PAGE}settings/colours/"
    answer = doctor.post(address, {"colours": "dark"}, follow=True)
    assert "Personal settings are off" in answer.content.decode()
    doctor.post(f"{PAGE}settings/", {"act": "on"})
    assert "data-colours" not in doctor.get("/account/").content.decode()
    doctor.post(address, {"colours": "dark"})
    assert '<html lang="en" data-colours="dark">' in doctor.get("/account/").content.decode()
    assert "data-colours" not in client_of(planning.officer).get("/account/").content.decode()
    answer = doctor.post(address, {"colours": '"><script>'}, follow=True)
    assert "from the list" in answer.content.decode()
    assert work_settings_of(actor_of(planning.clinician)).colours == "dark"
    doctor.post(address, {"colours": ""})
    assert "data-colours" not in doctor.get("/account/").content.decode()
    doctor.post(address, {"colours": "light"})
    doctor.post(f"{PAGE}settings/", {"act": "off"})
    assert "data-colours" not in doctor.get("/account/").content.decode()


def test_a_policy_without_the_purpose_remembers_nothing(cast: Cast, client_of: ClientOf) -> None:
    doctor = client_of(cast.clinician)
    answer = doctor.post(f"{PAGE}settings/", {"act": "on"}, follow=True)
    assert "lists no personal settings" in answer.content.decode()
    assert doctor.post("/worklist/remember/", {"modality": "CT"}).status_code == 403
    assert WorkSettings.objects.count() == 0
