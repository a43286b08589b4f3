"""Copies of a choice, of kinds alone, and portable ones that another portal takes in."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.rules import Actor
from consent.models import DataSubject
from dsar.models import Case, Package
from dsar.rules.kinds import Kind
from dsar.rules.packages import Wanted, What, is_chosen
from dsar.rules.portable import LARGEST, NotPortable, checked
from dsar.rules.states import Outcome, Proof
from dsar.selectors import read_token
from dsar.services.choosing import choices_of
from dsar.services.collecting import collect, link_subjects, whose_of
from dsar.services.entries import CaseRefused
from dsar.services.handling import answer_case
from dsar.services.identifying import identify_person
from dsar.services.importing import import_copy
from dsar.services.packaging import prepare_package
from jobs.services import run_job
from policies.rules.categories import CARE_DATA
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from studies.gateways.objects import ObjectReader
from studies.models import Instance
from tests.dsar.asking import by_form
from tests.factories import Cast, actor_of, small_ct_object, take_in, text_of
from tests.studies.reports import structured_report

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.usefixtures("for_all_rights"),
]
Browsers = Callable[[User], Client]


@pytest.fixture
def adler(cast: Cast) -> DataSubject:
    take_in(
        actor_of(cast.clinician),
        small_ct_object(study="one", number=1), small_ct_object(study="one", number=2),
        structured_report(study="one", number=1, title="First Report"),
        structured_report(study="one", number=2, title="Second Report"),
        small_ct_object(study="two", AccessionNumber="A-2"),
        small_ct_object(
            study="cole", PatientName="Cole^Ann", PatientID="HVH-2", AccessionNumber="A-3"
        ),
    )  # fmt: skip
    return next(one for one in DataSubject.objects.all() if one.studies.count() == 2)


def known(officer: Actor, adler: DataSubject, kind: Kind = Kind.COPY, **more: Any) -> Case:
    case = by_form(kind=kind)
    link_subjects(actor=officer, case=case, subject_ids=[adler.pk])
    facts: dict[str, Any] = {"proof": Proof.KNOWN} | more
    identify_person(actor=officer, case=case, **facts)
    case.refresh_from_db()
    return case


def copied(officer: Actor, case: Case, wanted: Wanted) -> tuple[Package, dict[str, bytes]]:
    """Make the copy, answer, and fetch it as the person does."""
    package, code = prepare_package(actor=officer, case=case, wanted=wanted)
    assert package.job_id is not None
    run_job(job_id=package.job_id)
    answer_case(actor=officer, case=case, text="Here it is.", outcome=Outcome.GRANTED)
    answer = Client().post(f"/requests/read/{read_token(case)}/copy/", {"code": code})
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as found:
        files = {name: found.read(name) for name in found.namelist()}
    package.refresh_from_db()
    return package, files


def offered(case: Case) -> dict[str, str]:
    whose = whose_of(case)
    return {one.label: one.path for one in choices_of(collect(whose), whose)}


# A choice ----------------------------------------------------------------------------------------
def test_whoever_wants_one_report_gets_that_one_and_its_digest(
    officer: Actor, adler: DataSubject
) -> None:
    """XENRAD-8.5."""
    case = known(officer, adler)
    path = offered(case)["Report: First Report"]
    package, files = copied(officer, case, Wanted(What.CHOSEN, frozenset({path})))
    assert files.keys() == {path, "SHA256SUMS"}
    assert files["SHA256SUMS"].decode() == f"{sha256(files[path]).hexdigest()}  {path}\n"
    assert b"First Report" in files[path] and b"Second Report" not in files[path]
    assert (package.files, package.what, package.chosen) == (1, "chosen", [path])
    assert package.spent_at is not None


def test_a_whole_study_and_a_file_can_be_chosen_together(
    officer: Actor, adler: DataSubject
) -> None:
    case = known(officer, adler)
    labels = offered(case)
    study = next(path for label, path in labels.items() if "4 objects" in label)
    chosen = frozenset({study, labels["Who the patient is"]})
    _, files = copied(officer, case, Wanted(What.CHOSEN, chosen))
    of_study = {name.removeprefix(study) for name in files if name.startswith(study)}
    assert sum(name.endswith(".dcm") for name in of_study) == 4
    # Two of the four are reports, whose words are on the page.
    pictures = {"pictures/001-00001.jpg", "pictures/001-00002.jpg"}
    assert {name for name in of_study if not name.endswith(".dcm")} == {"LOOK.html", *pictures}
    assert len(files) == 4 + 3 + 2 and "consent/identity.json" in files


def test_nothing_but_what_is_held_can_be_chosen(officer: Actor, adler: DataSubject) -> None:
    case = known(officer, adler)
    cole = Instance.objects.exclude(study__subject=adler).get()
    foreign = f"studies/images/{cole.study.uid}/"
    for chosen, says in ((frozenset(), "Tick"), (frozenset({foreign}), "not held"),
                         (frozenset({"../", "/"}), "not held")):  # fmt: skip
        with pytest.raises(CaseRefused, match=says):
            prepare_package(actor=officer, case=case, wanted=Wanted(What.CHOSEN, chosen))
    assert not Package.objects.exists()


def test_a_folder_is_chosen_by_its_slash_alone() -> None:
    assert is_chosen("a/1/x.dcm", ["a/1/"])
    assert not is_chosen("a/11/x.dcm", ["a/1", "a/1/y"])
    assert is_chosen("a/1", ["a/1"])


def test_an_officer_chooses_by_the_page(
    cast: Cast, officer: Actor, adler: DataSubject, client_of: Browsers
) -> None:
    case, browser = known(officer, adler), client_of(cast.officer)
    page = f"/requests/{case.number}/held/choose/"
    said = text_of(browser.get(page))
    assert "Report: First Report" in said and "the whole study, 4 objects" in said
    assert "Tick what is to be copied" in text_of(browser.post(page, {}))
    wrong = browser.post(page, {"chosen": ["nonsense"]})
    assert wrong.status_code == 422 and not Package.objects.exists()
    path = offered(case)["Report: Second Report"]
    assert browser.post(page, {"chosen": [path]})["Location"].endswith("/held/")
    assert Package.objects.get().chosen == [path]
    assert client_of(cast.clinician).get(page).status_code == 403


def test_the_list_asks_as_often_however_many_reports_there_are(
    cast: Cast, officer: Actor, adler: DataSubject, client_of: Browsers
) -> None:
    case, browser = known(officer, adler), client_of(cast.officer)
    page = f"/requests/{case.number}/held/choose/"

    def queries() -> int:
        browser.get(page)
        with CaptureQueriesContext(connection) as caught:
            browser.get(page)
        return len(caught)

    before = queries()
    for number in (3, 4, 5):
        take_in(actor_of(cast.clinician), structured_report(study="one", number=number))
    assert queries() == before


# Kinds alone -------------------------------------------------------------------------------------
def test_a_report_of_kinds_holds_no_value_and_takes_less_proof(
    cast: Cast, officer: Actor, adler: DataSubject
) -> None:
    """MEDDIM-7.13."""
    from dsar.rules.identity import Fact

    two = frozenset({Fact.NUMBER, Fact.BIRTH})
    case = known(officer, adler, Kind.ACCESS, proof=Proof.MATCHED, facts=two, subject_id=adler.pk)
    with pytest.raises(CaseRefused, match="more proof"):
        prepare_package(actor=officer, case=case)
    _, files = copied(officer, case, Wanted(What.CATEGORIES))
    assert files.keys() == {"REPORT.html", "kinds.json", "SHA256SUMS"}
    text = (files["REPORT.html"] + files["kinds.json"]).decode()
    for value in ("Adler", "HVH-1", "A-1", "1972", "Small CT", "1.2.826", "2.25."):
        assert value not in text, value
    kinds = {one["category"] for one in json.loads(files["kinds.json"])["kinds"]}
    assert {"Images", "Identity of patients"} & kinds or len(kinds) >= 3


def test_even_kinds_are_told_to_nobody_unknown(officer: Actor, adler: DataSubject) -> None:
    case = by_form(kind=Kind.ACCESS)
    link_subjects(actor=officer, case=case, subject_ids=[adler.pk])
    with pytest.raises(CaseRefused, match="how it is known who asks"):
        prepare_package(actor=officer, case=case, wanted=Wanted(What.CATEGORIES))


# Taken elsewhere ---------------------------------------------------------------------------------
@pytest.fixture
def portable(officer: Actor, adler: DataSubject, tmp_path: Path) -> Path:
    """A portable copy, as its person has it on their disk."""
    _, files = copied(officer, known(officer, adler, Kind.PORTABILITY), Wanted())
    return packed(tmp_path / "copy.zip", files)


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def files_in(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_copy_fits_the_published_schema_and_its_images_are_the_originals(
    portable: Path, adler: DataSubject
) -> None:
    """MEDDIM-7.9."""
    import jsonschema

    files = files_in(portable)
    published = Client().get("/requests/portable-copy.schema.json")
    assert (
        published.status_code == 200
        and b"".join([published.content]) == files["portable/schema.json"]
    )
    jsonschema.Draft202012Validator.check_schema(json.loads(published.content))
    document = json.loads(files["portable/data.json"])
    jsonschema.validate(document, json.loads(published.content))
    rows = list(Instance.objects.filter(study__subject=adler).select_related("blob"))
    named = {one["uid"]: one["file"] for study in document["studies"] for one in study["objects"]}
    assert named.keys() == {row.uid for row in rows}
    with ObjectReader(rows) as reader:
        for row in rows:
            original = b"".join(bytes(piece) for piece in reader.stream(row))
            assert files[named[row.uid]] == original
    tables = {name: list(csv.DictReader(io.StringIO(files[f"portable/{name}.csv"].decode())))
              for name in ("people", "studies", "objects", "shares")}  # fmt: skip
    assert {one["uid"] for one in tables["objects"]} == named.keys()
    assert tables["people"][0]["name"] == "Adler^Paula" and len(tables["studies"]) == 2


def test_another_organisation_takes_it_in(cast: Cast, portable: Path, adler: DataSubject) -> None:
    """XENRAD-8.4: with every object, byte for byte."""
    cole = cast["clinician@imaging.example"]
    with using(Purpose.TREATMENT, *CARE_DATA):
        found = import_copy(actor=actor_of(cole), path=portable)
        again = import_copy(actor=actor_of(cole), path=portable)
    assert found.is_whole and (found.studies, found.named, found.here) == (2, 5, 5)
    assert again.is_whole
    mine = Instance.objects.filter(study__subject=adler).values_list("uid", flat=True)
    theirs = Instance.objects.exclude(organisation_id=adler.organisation_id)
    assert set(theirs.values_list("uid", flat=True)) == set(mine)


def _without(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.pop(name) and None


def _image(files: dict[str, bytes]) -> str:
    return next(name for name in files if name.endswith(".dcm"))


def _altered(files: dict[str, bytes]) -> None:
    files[_image(files)] += b"x"


def _unlisted(files: dict[str, bytes]) -> None:
    files["more.txt"] = b"more"


def _lost(files: dict[str, bytes]) -> None:
    files.pop(_image(files))


def _listed_anew(files: dict[str, bytes]) -> None:
    files["SHA256SUMS"] = "".join(
        f"{sha256(content).hexdigest()}  {name}\n" for name, content in files.items()
        if name != "SHA256SUMS"
    ).encode()  # fmt: skip


def _lost_and_listed(files: dict[str, bytes]) -> None:
    _lost(files)
    _listed_anew(files)


def _other_data(files: dict[str, bytes]) -> None:
    files["portable/data.json"] = b'{"format": "portable-copy", "version": 2}'
    _listed_anew(files)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_altered, "digest differs"), (_unlisted, "not what is there"),
        (_lost, "not what is there"),
        (_without("SHA256SUMS"), "no portable copy"),
        (_without("portable/data.json"), "no portable copy"),
        (_lost_and_listed, "1 of the objects"), (_other_data, "does not fit the schema"),
    ],
)  # fmt: skip
def test_of_a_copy_that_is_not_what_it_was_nothing_is_taken(
    cast: Cast, portable: Path, tmp_path: Path, spoil: Callable[[dict[str, bytes]], None], says: str
) -> None:
    files = files_in(portable)
    spoil(files)
    broken, before = packed(tmp_path / "broken.zip", files), Instance.objects.count()
    with using(Purpose.TREATMENT, *CARE_DATA), pytest.raises(NotPortable, match=says):
        import_copy(actor=actor_of(cast["clinician@imaging.example"]), path=broken)
    assert Instance.objects.count() == before


def test_what_is_no_archive_is_said_to_be_none(cast: Cast, portable: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(portable.read_bytes()[:-4000])
    for path in (cut, tmp_path / "none.zip"):
        path.touch()
        with pytest.raises(CommandError, match="no archive"):
            call_command("import_copy", str(path), "--user", "clinician@imaging.example")
    with pytest.raises(CommandError, match="no file"):
        call_command("import_copy", "nowhere.zip", "--user", "clinician@imaging.example")
    with pytest.raises(CommandError, match="Nobody"):
        call_command("import_copy", str(portable), "--user", "nobody@imaging.example")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_hostile_documents_are_refused_in_a_sentence(text: bytes) -> None:
    with pytest.raises(NotPortable):
        checked(text)
    with pytest.raises(NotPortable, match="larger"):
        checked(b" " * (LARGEST + 1))


@pytest.mark.slow
def test_a_fresh_portal_takes_it_in(portable: Path, tmp_path: Path) -> None:
    """XENRAD-8.4: a portal of its own, with databases and keys of its own."""
    from tests.running import running_portal

    with running_portal() as site:
        path = shutil.copy(portable, tmp_path / "carried.zip")
        said = site.command("import_copy", str(path), "--user", "clinician@imaging.example")
        assert "2 studies: of 5 objects 5 are here now." in said.stdout
