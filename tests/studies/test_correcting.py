"""Corrections: what goes out says the new value and what it said before; what is stored stays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from accounts.models import Notification
from accounts.rules import Actor, Scope
from audit.models import Event
from consent.selectors import identities
from consent.services.subjects import link_account
from policies.rules.holdings import Whose
from studies.gateways.objects import ObjectReader
from studies.holdings import _files
from studies.models import Correction, Instance, Study
from studies.rules.coercing import CannotCoerce, corrected_length, edits_of, stretches
from studies.rules.correcting import ATTRIBUTES, Coercion, ValueRefused, checked_value
from studies.services.correcting import CorrectionRefused, correct_studies
from studies.services.indexing import index_whole_names
from studies.services.listing import worklist
from tests.consent.test_directives import shared
from tests.factories import Cast, actor_of, small_ct_object, take_in, token_client

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
TODAY = date(2026, 11, 26)
NAME = Coercion(AT, {"00100010": "Adler^Pauline"})
CASE = "ABCD-EFGH"


# The bytes, without a database -------------------------------------------------------------------
def applied(content: bytes, *coercions: Coercion) -> bytes:
    edits = edits_of(lambda start, length: content[start : start + length], len(content), coercions)
    parts = [
        part if isinstance(part, bytes) else content[part[0] : sum(part)]
        for part in stretches(len(content), edits)
    ]
    made = b"".join(parts)
    assert len(made) == corrected_length(len(content), edits)
    return made


def written_as(syntax: Any) -> bytes:
    dataset = dcmread(io.BytesIO(small_ct_object()))
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    implicit = syntax == ImplicitVRLittleEndian
    dataset.save_as(buffer, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    return buffer.getvalue()


def big_endian() -> bytes:
    return (Path(pydicom.__file__).parent / "data/test_files/MR_small_bigendian.dcm").read_bytes()


@pytest.mark.parametrize(
    "written", [small_ct_object, lambda: written_as(ImplicitVRLittleEndian), big_endian]
)
def test_an_object_says_the_new_value_and_what_it_said_before(
    written: Callable[[], bytes],
) -> None:
    """PS3.3 table C.12-1, read by another implementation."""
    content = written()
    made = dcmread(io.BytesIO(applied(content, NAME, Coercion(AT, {"00102292": "None"}))))
    assert str(made.PatientName) == "Adler^Pauline"
    assert made.PatientBreedDescription == "None"
    first, second = made.OriginalAttributesSequence
    before = dcmread(io.BytesIO(content))
    assert first.ModifiedAttributesSequence[0].PatientName == before.PatientName
    assert first.ReasonForTheAttributeModification == "CORRECT"
    assert first.ModifyingSystem == "COLLIMATE"
    assert first.SourceOfPreviousValues == ""
    assert str(first.AttributeModificationDateTime).startswith("20261126120000")
    assert len(second.ModifiedAttributesSequence[0]) == 0, "nothing stood there before"
    for element in before:
        if element.tag not in (0x00100010, 0x00102292) and element.tag.element:
            assert made[element.tag].value == element.value


def test_corrected_twice_it_says_both_values_of_before() -> None:
    made = dcmread(io.BytesIO(applied(
        small_ct_object(), NAME, Coercion(AT, {"00100010": "Adler^Petra"})
    )))  # fmt: skip
    assert str(made.PatientName) == "Adler^Petra"
    names = [
        str(one.ModifiedAttributesSequence[0].PatientName)
        for one in made.OriginalAttributesSequence
    ]
    assert names == ["Adler^Paula", "Adler^Pauline"]


@pytest.mark.parametrize("undefined", [False, True])
def test_what_an_object_said_of_itself_before_is_kept(undefined: bool) -> None:
    earlier = Dataset()
    earlier.ModifyingSystem, earlier.SourceOfPreviousValues = "ANOTHER", ""
    earlier.AttributeModificationDateTime = "20200101"
    earlier.ReasonForTheAttributeModification = "COERCE"
    changed = Dataset()
    changed.PatientID = "OLD-1"
    nested = Dataset()
    nested.PatientName = "Nested^Name"
    changed.OtherPatientIDsSequence = DicomSequence([nested])
    earlier.ModifiedAttributesSequence = DicomSequence([changed])
    dataset = dcmread(io.BytesIO(small_ct_object()))
    dataset.OriginalAttributesSequence = DicomSequence([earlier])
    dataset.ReferencedStudySequence = DicomSequence([nested])
    for tag in ("OriginalAttributesSequence", "ReferencedStudySequence"):
        dataset[tag].is_undefined_length = undefined
        for item in dataset[tag].value:
            item.is_undefined_length_sequence_item = undefined
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    made = dcmread(io.BytesIO(applied(buffer.getvalue(), NAME)))
    assert [one.ModifyingSystem for one in made.OriginalAttributesSequence] == [
        "ANOTHER", "COLLIMATE",
    ]  # fmt: skip
    assert made.OriginalAttributesSequence[0] == earlier
    assert made.pixel_array.shape == (16, 16)


def test_a_name_in_other_letters_takes_an_object_that_has_them() -> None:
    umlaut = Coercion(AT, {"00100010": "Müller^Jörg"})
    made = dcmread(io.BytesIO(applied(small_ct_object(), umlaut)))
    assert str(made.PatientName) == "Müller^Jörg"
    latin = small_ct_object(SpecificCharacterSet="ISO_IR 100")
    assert str(dcmread(io.BytesIO(applied(latin, umlaut))).PatientName) == "Müller^Jörg"
    with pytest.raises(CannotCoerce, match="ASCII"):
        applied(latin, Coercion(AT, {"00100010": "Мария"}))


def test_what_is_stored_deflated_is_refused() -> None:
    with pytest.raises(CannotCoerce, match="deflated"):
        applied(written_as(DeflatedExplicitVRLittleEndian), NAME)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_broken_bytes_are_refused_and_never_hang(noise: bytes, place: int) -> None:
    from studies.rules.reasons import Refused

    content = small_ct_object()
    place = 132 + place % (len(content) - 132)
    broken = content[:place] + noise
    try:
        applied(broken, NAME)
    except (CannotCoerce, Refused):
        return


@pytest.mark.parametrize(
    ("tag", "text", "says"),
    [
        ("00100010", "A^B^C^D^E^F", "At most five"), ("00100010", "a=b=c=d", "three ways"),
        ("00100010", "x" * 65, "At most 64"), ("00100010", "^^", "has letters"),
        ("00100010", "A\\B", "No backslash"), ("00100010", "A\u202eB", "cannot be seen"),
        ("00100030", "2026-11-27", "future"), ("00100030", "2026-02-30", "calendar"),
        ("00100030", "1066-10-14", "1850"), ("00100030", "٢٠٢٠٠١٠١", "calendar"),
        ("00100040", "X", "F, M or O"), ("00080050", "x" * 17, "At most 16"),
        ("00100020", "x" * 65, "At most 64"), ("00100020", "  ", "needs a value"),
        ("00080018", "1.2.3", "cannot be corrected here"), ("7FE00010", "x", "cannot be corrected"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_stand_there_is_refused(tag: str, text: str, says: str) -> None:
    with pytest.raises(ValueRefused, match=says):
        checked_value(tag, text, today=TODAY)


def test_every_attribute_takes_a_plain_value() -> None:
    for tag, attribute in ATTRIBUTES.items():
        text = {"DA": "1972-03-15", "CS": "f", "PN": "A^B"}.get(attribute.vr, "<b>A</b>")
        assert checked_value(tag, text, today=TODAY)


# In the portal -----------------------------------------------------------------------------------
portal = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def study(cast: Cast) -> Study:
    take_in(actor_of(cast.clinician), small_ct_object(), small_ct_object(number=2))
    study = Study.objects.get()
    link_account(user=cast.patient, subject=study.subject)
    return study


def correct(cast: Cast, study: Study, **values: str) -> list[Correction]:
    tags = {"name": "00100010", "born": "00100030", "number": "00100020", "what": "00081030",
            "accession": "00080050", "day": "00080020"}  # fmt: skip
    return correct_studies(
        actor=actor_of(cast.officer), subject=study.subject, study_uids=[study.uid],
        values={tags[key]: value for key, value in values.items()}, case_number=CASE,
    )  # fmt: skip


def found(actor: Actor, **wanted: str) -> int:
    return len(worklist(actor=actor, wanted=wanted, page=None).rows)


@portal
def test_every_way_out_says_the_new_value(cast: Cast, study: Study) -> None:
    """AVMI-8.2, MEDDIM-7.17: no way out forgets it."""
    stored = [one.content_token for one in Instance.objects.all()]
    correct(cast, study, name="Adler^Pauline", born="1972-03-15", what="MARKER-NEW")
    program = token_client(cast.clinician, Scope.READ)
    base = f"/dicom-web/studies/{study.uid}"
    headers = program.get(f"{base}/metadata", headers={"accept": "application/dicom+json"}).json()
    for header in headers:
        assert header["00100010"]["Value"] == [{"Alphabetic": "Adler^Pauline"}]
        before = header["04000561"]["Value"][0]["04000550"]["Value"][0]
        assert before["00100010"]["Value"] == [{"Alphabetic": "Adler^Paula"}]
    listed = program.get("/dicom-web/studies?PatientName=Adler^Pauline*").json()
    assert listed[0]["00100030"]["Value"] == ["19720315"]
    assert program.get("/dicom-web/studies?PatientName=Adler^Paula^*").status_code in {200, 204}
    whole = program.get(base, headers={"accept": 'multipart/related; type="application/dicom"'})
    body = b"".join(whole.streaming_content)
    assert len(body) == int(whole["Content-Length"])
    assert body.count(b"Adler^Pauline") == 2
    row = Instance.objects.first()
    assert row is not None
    one = program.get(
        f"{base}/series/{row.series.uid}/instances/{row.uid}",
        headers={"accept": "application/dicom"},
    )
    content = b"".join(one.streaming_content)
    assert len(content) == int(one["Content-Length"])
    assert str(dcmread(io.BytesIO(content)).PatientName) == "Adler^Pauline"
    whose = Whose(study.organisation_id, frozenset({study.subject_id}))
    copied = {one.path: one for one in _files(whose)}
    for path, file in copied.items():
        if path.endswith(".dcm"):
            made = b"".join(file.pieces())
            assert len(made) == file.size
            assert dcmread(io.BytesIO(made)).StudyDescription == "MARKER-NEW"
    assert identities([study.subject])[study.subject_id].name == "Adler^Paula", "the old row"
    study.subject.refresh_from_db()
    assert identities([study.subject])[study.subject_id].birth_date == "19720315"
    assert [one.content_token for one in Instance.objects.all()] == stored


@portal
def test_the_stored_bytes_stay_as_they_came(cast: Cast, study: Study) -> None:
    row = Instance.objects.select_related("blob").order_by("number")[0]
    correct(cast, study, name="Adler^Pauline")
    with ObjectReader([row]) as reader:
        assert b"".join(bytes(one) for one in reader.stream_as_received(row)) == small_ct_object()


@portal
def test_search_finds_the_new_value_and_not_the_old(cast: Cast, study: Study) -> None:
    own = actor_of(cast.clinician)
    assert found(own, name="adler^paula", accession="A-1") == 1
    correct(cast, study, name="Becker^Paula", accession="A-2", number="HVH-9", day="2026-09-02")
    assert found(own, name="becker") == found(own, accession="A-2") == 1
    assert found(own, identifier="HVH-9") == 1
    assert found(own, name="adler") == found(own, accession="A-1") == 0
    assert found(own, identifier="HVH-1") == 0
    assert found(own, since=date(2026, 9, 2), until=date(2026, 9, 2)) == 1  # type: ignore[arg-type]
    assert found(own, since=date(2026, 9, 1), until=date(2026, 9, 1)) == 0  # type: ignore[arg-type]


@portal
def test_hashes_made_again_are_those_of_the_new_name(cast: Cast, study: Study) -> None:
    correct(cast, study, name="Becker^Paula")
    assert index_whole_names() == 0
    assert found(actor_of(cast.clinician), name="adler") == 0


@portal
def test_what_comes_later_to_the_study_is_corrected_as_well(cast: Cast, study: Study) -> None:
    correct(cast, study, name="Adler^Pauline", number="HVH-9")
    (result,) = take_in(actor_of(cast.clinician), small_ct_object(number=3))
    assert result.status == "stored", result
    row = Instance.objects.select_related("blob").get(number=3)
    with ObjectReader([row]) as reader:
        made = b"".join(bytes(one) for one in reader.stream(row))
    assert dcmread(io.BytesIO(made)).PatientID == "HVH-9"


@portal
def test_recipients_are_told_and_their_share_stays(
    cast: Cast, study: Study, client_of: Callable[..., Client]
) -> None:
    """MEDDIM-7.6, GDPR Art. 19."""
    grant = shared(cast, study)
    correct(cast, study, what="MARKER-NEW")
    told = Notification.objects.get(user=cast.stranger, template="study-corrected")
    assert told.target_id == str(grant.pk)
    page = client_of(cast.stranger).get(f"/studies/{study.uid}/").content.decode()
    assert "MARKER-NEW" in page
    archive = client_of(cast.stranger).get(f"/studies/{study.uid}/download/")
    body = b"".join(archive.streaming_content)
    assert len(body) == int(archive["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert opened.testzip() is None
        names = [one for one in opened.namelist() if "IM" in one]
        assert dcmread(io.BytesIO(opened.read(names[0]))).StudyDescription == "MARKER-NEW"


@portal
def test_a_correction_of_the_person_reaches_all_their_studies(cast: Cast, study: Study) -> None:
    take_in(actor_of(cast.clinician), small_ct_object(study="two", series="s2"))
    rows = correct(cast, study, name="Adler^Pauline", what="Only this one")
    assert len(rows) == 2
    assert found(actor_of(cast.clinician), name="adler^pauline") == 2
    described = Event.objects.filter(action="study.corrected").values_list("details", flat=True)
    assert sorted(len(one["attributes"]) for one in described) == [1, 2]
    assert "Pauline" not in str(list(described))


@portal
@pytest.mark.parametrize("who", ["clinician", "administrator", "auditor", "stranger", "patient"])
def test_nobody_but_an_officer_corrects(cast: Cast, study: Study, who: str) -> None:
    with pytest.raises(CorrectionRefused):
        correct_studies(
            actor=actor_of(getattr(cast, who)), subject=study.subject, study_uids=[study.uid],
            values={"00100010": "A^B"}, case_number=CASE,
        )  # fmt: skip
    assert not Correction.objects.exists()


@portal
def test_another_patients_number_is_refused_and_nothing_is_half_done(
    cast: Cast, study: Study
) -> None:
    other = small_ct_object(study="two", series="s2", PatientID="HVH-2", PatientName="B^B")
    take_in(actor_of(cast.clinician), other)
    with pytest.raises(CorrectionRefused, match="Another patient"):
        correct(cast, study, number="HVH-2", what="MARKER-NEW")
    assert not Correction.objects.exists()
    assert found(actor_of(cast.clinician), identifier="HVH-1") == 1
    assert not Event.objects.filter(action="study.corrected").exists()


@portal
def test_an_object_that_cannot_carry_it_stops_all_of_it(cast: Cast, study: Study) -> None:
    take_in(actor_of(cast.clinician),
            small_ct_object(number=3, SpecificCharacterSet="ISO_IR 100"))  # fmt: skip
    with pytest.raises(CorrectionRefused, match="Nothing was changed"):
        correct(cast, study, name="Мария")
    assert not Correction.objects.exists()


@portal
def test_studies_of_somebody_else_are_not_corrected(cast: Cast, study: Study) -> None:
    with pytest.raises(CorrectionRefused, match="not of this person"):
        correct_studies(
            actor=actor_of(cast.officer), subject=study.subject, study_uids=["9.9.9"],
            values={"00081030": "X"}, case_number=CASE,
        )  # fmt: skip
    with pytest.raises(CorrectionRefused, match="nothing to correct"):
        correct(cast, study, name="Adler^Paula")


# One door ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("word", "only"),
    [
        # What opens a description as it came, or a whole object, and who may.
        ("stream_as_received", {"gateways/objects.py", "services/rendering.py"}),
        ("summaries_as_received", {"selectors.py", "services/indexing.py"}),
        ("opened_metadata", {"sealing.py", "selectors.py", "services/drafts.py"}),
        # Submitted archives before they are taken in are no objects yet.
        ("open_blob", {"gateways/objects.py", "services/submitting.py"}),
    ],
)
def test_nothing_goes_round_the_door(word: str, only: set[str]) -> None:
    root = Path(__file__).parents[2]
    rooms = ("studies", "releases", "retention", "dsar", "disclosures", "governance")
    users = {
        path.relative_to(root / "studies").as_posix() if room == "studies" else path.name
        for room in rooms
        for path in (root / room).rglob("*.py")
        if word in path.read_text() and "migrations" not in path.parts
    }
    assert users - only <= {"controls.py"} | _OF_OTHER_STORES, users - only


# They open blobs of their own, which hold no object as it came.
_OF_OTHER_STORES = {
    "documents.py", "packaging.py", "papers.py", "reviewing.py", "transferring.py",
}  # fmt: skip
