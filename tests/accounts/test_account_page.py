"""One's own account page asks only what fits who one is."""

from __future__ import annotations

import pytest

from accounts.models import Profile
from tests.factories import Cast, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
OF_A_CLINICIAN = ("Specialty", "Licence number", "Licensed in", "NPI")


def test_a_patient_is_not_asked_for_a_licence(cast: Cast) -> None:
    client = signed_in_client(cast.patient)
    page = client.get("/account/").content.decode()
    assert not any(label in page for label in OF_A_CLINICIAN)
    form = {"name": "Paula Adler", "phone": "+1 845 555 0142", "country": "", "state": "",
            "specialty": "Radiology"}  # fmt: skip
    assert client.post("/account/", form).status_code == 302
    cast.patient.refresh_from_db()
    assert cast.patient.phone == "+1 845 555 0142"
    assert Profile.objects.get(user=cast.patient).specialty == ""


def test_a_clinician_is_and_whoever_gave_one_can_take_it_out(cast: Cast) -> None:
    page = signed_in_client(cast.clinician).get("/account/").content.decode()
    assert all(label in page for label in OF_A_CLINICIAN)
    Profile.objects.update_or_create(user=cast.patient, defaults={"specialty": "Radiology"})
    client = signed_in_client(cast.patient)
    page = client.get("/account/").content.decode()
    assert "Specialty" in page and "NPI" not in page
    client.post("/account/", {"name": "Paula Adler", "specialty": ""})
    assert Profile.objects.get(user=cast.patient).specialty == ""
