"""What was released is handed out to its recipient, whole, and to nobody else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pydicom import dcmread

from accounts.models import MembershipRole, Organisation, User
from accounts.rules import Actor, Role
from accounts.rules.agreements import AgreementKind
from accounts.services.agreements import AgreementRefused, Terms, end_agreement, record_agreement
from audit.models import Event
from audit.rules.notes import open_note
from audit.services.keys import trusted_keys
from releases.models import Project
from releases.services.exporting import NoLongerReleased, open_archive
from releases.services.links import LinkReason, open_link
from releases.services.projects import (
    ReleaseRefused,
    add_study,
    approve_project,
    begin_project,
    reopen_project,
)
from releases.services.releasing import release_project
from studies.models import Study
from tests.factories import Cast, actor_of
from tests.policies.packs import under
from tests.releases.conftest import wanted, work

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Browsers = Callable[[User], Client]


@pytest.fixture
def released(made: Project, officer: Actor) -> Project:
    return release_project(actor=officer, project=made)


@pytest.fixture
def at_imaging(cast: Cast, client_of: Browsers) -> Client:
    return client_of(cast.people["clinician@imaging.example"])


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


# One's own ---------------------------------------------------------------------------------------
def test_the_archive_is_what_the_report_says(released: Project, at_imaging: Client) -> None:
    answer = at_imaging.get(f"/releases/{released.pk}/download/")
    archive = zipfile.ZipFile(io.BytesIO(content := body(answer)))
    assert len(content) == int(answer["Content-Length"])
    report = archive.read("REPORT.json")
    assert sha256(report).hexdigest() in open_note(
        archive.read("REPORT.note").decode(), trusted_keys()
    )
    said = {one["uid"]: one["sha256"] for one in json.loads(report)["objects"]}
    found = {
        str(dcmread(io.BytesIO(archive.read(name))).SOPInstanceUID):
            sha256(archive.read(name)).hexdigest()
        for name in archive.namelist() if name.endswith(".dcm")
    }  # fmt: skip
    assert found == said
    assert not any(word in name for name in archive.namelist() for word in ("Adler", "HVH"))
    assert Event.objects.get(action="release.downloaded").details["objects"] == 4


def test_a_transfer_breaks_off_when_the_project_is_opened_again(
    released: Project, clinician: Actor
) -> None:
    pieces = open_archive(actor=clinician, project=released).pieces()
    for _ in range(3):
        next(pieces)
    reopen_project(actor=clinician, project=released)
    with pytest.raises(NoLongerReleased):
        list(pieces)


def test_nobody_downloads_what_is_not_released(made: Project, at_imaging: Client) -> None:
    answer = at_imaging.get(f"/releases/{made.pk}/download/")
    assert answer.status_code == 403
    assert "not released" in answer.content.decode()


def test_a_folder_holds_what_the_archive_holds(released: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call_command("export_release", "imaging", "1", str(out), stdout=io.StringIO())
    files = sorted(out.rglob("*.dcm"))
    assert len(files) == 4
    assert (out / "REPORT.json").read_text() == released.report
    assert not list(out.rglob(".part-*"))
    with pytest.raises(CommandError, match="not an empty folder"):
        call_command("export_release", "imaging", "1", str(out))
    with pytest.raises(CommandError, match="no project 7"):
        call_command("export_release", "imaging", "7", str(tmp_path / "other"))


# Another organisation's --------------------------------------------------------------------------
def agreement(administrator: Actor, partner: Organisation, **more: Any) -> Any:
    facts: dict[str, Any] = {
        "kind": AgreementKind.DATA_USE, "party": partner.name, "contact": "dua@x.example",
        "reference": "DUA-1", "starts_on": timezone.localdate() - timedelta(days=1),
        "partner_id": partner.pk,
    }  # fmt: skip
    return record_agreement(acting=administrator, terms=Terms(**(facts | more)))


@pytest.fixture
def partner(cast: Cast) -> Organisation:
    """The hospital, whose policy lets it train software too."""
    under(cast, "radiology-information-system")
    return cast.clinician.memberships.get().organisation


@pytest.fixture
def imaging_administrator(cast: Cast) -> Actor:
    user = cast.people["officer@imaging.example"]
    MembershipRole.objects.create(membership=user.memberships.get(), role=Role.ADMINISTRATOR)
    return actor_of(user, fresh=True)


@pytest.fixture
def abroad(
    clinician: Actor, officer: Actor, studies: list[Study], partner: Organisation,
    imaging_administrator: Actor,
) -> Project:  # fmt: skip
    """A project that was released to the hospital."""
    agreement(imaging_administrator, partner)
    project = begin_project(actor=clinician, wanted=wanted(partner))
    for study in studies:
        add_study(actor=clinician, project=project, study=study)
    approve_project(actor=officer, project=project)
    return release_project(actor=officer, project=work(project))


def test_without_a_data_use_agreement_nothing_is_begun_for_others(
    clinician: Actor, partner: Organisation
) -> None:
    with pytest.raises(ReleaseRefused, match="no data use agreement in force"):
        begin_project(actor=clinician, wanted=wanted(partner))


def test_the_agreement_says_what_is_cleaned_as_well(
    clinician: Actor, imaging_administrator: Actor, partner: Organisation
) -> None:
    """MEDDIM-2.25: another agreement, and the next project cleans as that says."""
    agreement(imaging_administrator, partner)
    first = begin_project(actor=clinician, wanted=wanted(partner))
    assert "clean-recognizable-visual-features" not in first.options
    agreement(imaging_administrator, partner, deid_options=("clean-recognizable-visual-features",))
    second = begin_project(actor=clinician, wanted=wanted(partner))
    assert "clean-recognizable-visual-features" in second.options


def test_only_a_data_use_agreement_says_what_is_cleaned(
    imaging_administrator: Actor, partner: Organisation
) -> None:
    with pytest.raises(AgreementRefused, match="Only a data use agreement"):
        agreement(
            imaging_administrator, partner, kind=AgreementKind.SERVICE,
            deid_options=("clean-graphics",),
        )  # fmt: skip


def test_the_recipient_downloads_while_the_agreement_holds(
    cast: Cast, client_of: Browsers, abroad: Project, imaging_administrator: Actor
) -> None:
    """MEDDIM-4.7."""
    doctor = client_of(cast.clinician)
    listed = doctor.get("/releases/").content.decode()
    assert "Nodules of the lung" in listed
    assert doctor.get(f"/releases/{abroad.pk}/report/").status_code == 200
    # Whose they are, and the originals, are none of the recipient's business.
    for path in ("", "review/", "studies/", "links/"):
        assert doctor.get(f"/releases/{abroad.pk}/{path}").status_code in {403, 404}
    answer = doctor.get(f"/releases/{abroad.pk}/download/")
    assert len(zipfile.ZipFile(io.BytesIO(body(answer))).namelist()) == 6
    event = Event.objects.get(action="release.downloaded")
    assert str(event.organisation_id) == str(abroad.organisation_id)
    assert abroad.agreement is not None
    end_agreement(acting=imaging_administrator, agreement=abroad.agreement)
    refused = doctor.get(f"/releases/{abroad.pk}/download/")
    assert refused.status_code == 403
    assert "no data use agreement in force" in refused.content.decode()
    agreement(imaging_administrator, abroad.recipient, reference="DUA-2")
    assert doctor.get(f"/releases/{abroad.pk}/download/").status_code == 200
    asks_for_more = ("clean-recognizable-visual-features",)
    agreement(imaging_administrator, abroad.recipient, deid_options=asks_for_more)
    assert "more cleaning" in doctor.get(f"/releases/{abroad.pk}/download/").content.decode()


def test_who_made_it_does_not_download_what_is_anothers(abroad: Project, clinician: Actor) -> None:
    with pytest.raises(ReleaseRefused, match="organisation that receives it"):
        open_archive(actor=clinician, project=abroad)


def test_a_stranger_finds_nothing(abroad: Project, cast: Cast, client_of: Browsers) -> None:
    vet = client_of(cast.people["vet@practice.example"])
    for path in ("", "report/", "report.json", "download/", "review/"):
        assert vet.get(f"/releases/{abroad.pk}/{path}").status_code in {403, 404}


# The way back ------------------------------------------------------------------------------------
def test_an_officer_looks_up_one_pseudonym_with_a_reason(
    released: Project, officer: Actor, clinician: Actor
) -> None:
    code = released.outputs.all()[0].patient
    with pytest.raises(ReleaseRefused, match="Only a privacy officer"):
        open_link(actor=clinician, project=released, code=code, reason=LinkReason.FINDING)
    with pytest.raises(ReleaseRefused, match="no such pseudonym"):
        open_link(actor=officer, project=released, code="A" * 24, reason=LinkReason.FINDING)
    subject = open_link(actor=officer, project=released, code=code, reason=LinkReason.FINDING)
    event = Event.objects.get(action="release.link_opened")
    assert (str(event.subject_id), event.reason) == (str(subject.pk), "finding")
    with pytest.raises(ReleaseRefused, match="Prove again"):
        open_link(
            actor=actor_of(User.objects.get(pk=officer.user_id)), project=released, code=code,
            reason=LinkReason.FINDING,
        )  # fmt: skip
