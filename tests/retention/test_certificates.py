"""A certificate says what was destroyed, by whose word, and can be checked by anybody."""

from __future__ import annotations

import re

import pytest

from accounts.models import Organisation
from audit.rules.notes import NoteRefused, open_note
from audit.services.keys import signing_key, trusted_keys
from retention.models import Certificate
from retention.rules.holds import Scope
from retention.services.certificates import check_certificate, issue_certificate
from tests.factories import Cast
from tests.retention.cases import approved, carried_out, held, take_in_old

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def certificate(cast: Cast) -> Certificate:
    """Of one study that went and one that was held."""
    take_in_old(cast, "one")
    stays = take_in_old(cast, "two")
    run = approved(cast)
    held(cast, Scope.STUDY, study_uid=stays.uid)
    carried_out(run)
    return Certificate.objects.get()


def test_a_certificate_says_what_how_who_and_when(cast: Cast, certificate: Certificate) -> None:
    text = open_note(certificate.note, [signing_key().verifier])
    hospital = Organisation.objects.get(slug="hospital")
    assert text.startswith("Collimate certificate of destruction\ncertificate: 1\n")
    for line in (
        f"organisation: {hospital.pk}", "studies: 1", "objects: 2", "keys destroyed: 2",
        "files deleted: 1", "kept: 1, a hold is on it",
    ):  # fmt: skip
        assert f"\n{line}\n" in text
    assert "NIST SP 800-88 Rev. 2" in text
    approvals = re.findall(r"approved: account (\d+) at \d{4}-\d\d-\d\dT", text)
    assert approvals == [str(cast.officer.pk), str(cast.administrator.pk)]


def test_it_does_not_claim_more_of_backups_than_is_known(certificate: Certificate) -> None:
    text = open_note(certificate.note, trusted_keys())
    assert "backups: This portal makes no backups itself." in text
    assert "it is not known here" in text


def test_it_names_nobody_and_no_study(certificate: Certificate) -> None:
    gone = certificate.run.items.exclude(gone_at=None).get()
    for secret in ("Adler", "Owen", "Ada", gone.study_uid, "1972"):
        assert secret not in certificate.note


def test_a_changed_text_or_signature_is_found(certificate: Certificate) -> None:
    checked = check_certificate(certificate)
    assert (checked.is_signed, checked.agrees) == (True, True)
    assert ("studies", "1") in checked.facts
    certificate.note = certificate.note.replace("studies: 1", "studies: 2")
    assert not check_certificate(certificate).is_signed
    with pytest.raises(NoteRefused):
        open_note(certificate.note, trusted_keys())


def test_a_study_added_to_or_taken_from_the_record_is_found(certificate: Certificate) -> None:
    item = certificate.run.items.exclude(gone_at=None).get()
    item.digest = "0" * 64
    item.save()
    checked = check_certificate(certificate)
    assert (checked.is_signed, checked.agrees) == (True, False)


def test_none_is_issued_before_all_is_finished(cast: Cast) -> None:
    take_in_old(cast)
    with pytest.raises(ValueError, match="not finished"):
        issue_certificate(run=approved(cast))


def test_certificates_are_numbered_through(cast: Cast, certificate: Certificate) -> None:
    take_in_old(cast, "three")
    carried_out(approved(cast))
    assert sorted(Certificate.objects.values_list("number", flat=True)) == [1, 2]
