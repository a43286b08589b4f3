"""QIDO-RS: each key finds what it should, nothing else, and nothing that one may not know of."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from studies.models import StudyNameToken
from studies.rules.qido import (
    SearchInvalid,
    TimeRange,
    in_times,
    is_name_start,
    literal_start,
    matches,
    parse_search,
    words_of,
)
from vault.rules.blind_index import prefix_query, prefix_tokens

from .conftest import Portal
from .objects import an_object, uid
from .test_intake import held_object

STUDIES = "/dicom-web/studies"
database = pytest.mark.django_db(databases=["default", "keys"])


def found(client: Client, query: str = "", path: str = STUDIES) -> list[str]:
    """The studies of an answer, by the suffix of their identifier, in order."""
    response = client.get(f"{path}?{query}")
    assert response.status_code == 200, response.content
    return sorted(one["0020000D"]["Value"][0].rsplit(".", 1)[1] for one in response.json())


@pytest.fixture
def five(portal: Portal) -> Client:
    """Five studies that differ in everything that can be searched for."""
    given = [
        ("1", "Adler^Paula", "P-1", "20200101", "080000", "A-1", "CT", "Head"),
        ("2", "Adler^Peter Paul", "P-2", "20200215", "1230", "A-2", "MR", "Knee [left]"),
        ("3", "Weiß^Jörg", "Q-3", "20201231", "235959.999999", "A-3", "CT", "Head and neck"),
        ("4", "山田^太郎=Yamada^Tarou", "Q-4", "20210704", "", "A-4", "US", ""),
        ("5", "van der Berg^Anna", "P-55", "", "", "", "OT", "50% off_"),
    ]  # fmt: skip
    objects = [
        an_object(
            study=number,
            name=name,
            patient=patient,
            modality=modality,
            changes={
                0x00080020: ("DA", day),
                0x00080030: ("TM", time),
                0x00080050: ("SH", accession),
                0x00080090: ("PN", "Refer^Dr"),
                0x00081030: ("LO", text),
                0x00100040: ("CS", "F" if number in "15" else "M"),
                0x00200010: ("SH", f"S{number}"),
            },
        )
        for number, name, patient, day, time, accession, modality, text in given
    ]
    assert all(result.status.is_kept for result in portal.take(*objects))
    return portal.client()


@database
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "12345"),
        ("PatientName=Adler*", "12"),
        ("PatientName=adler*", "12"),
        ("PatientName=Adler^P?ula", "1"),
        ("PatientName=Adler^Paula", "1"),
        ("PatientName=Adler", ""),
        ("PatientName=*Paula", "1"),
        ("PatientName=*", "12345"),
        ("PatientName=weiss*", "3"),
        ("PatientName=Wei%C3%9F*", "3"),
        ("PatientName=Weiß^jorg", "3"),
        ("PatientName=山田*", "4"),
        ("PatientName=Yamada*", "4"),
        ("00100010=Adler*", "12"),
        ("PatientName=paul&fuzzymatching=true", "12"),
        ("PatientName=paula%20adl&fuzzymatching=true", "1"),
        ("PatientName=berg&fuzzymatching=true", "5"),
        ("PatientName=berg^an&fuzzymatching=true", "5"),
        ("PatientName=adler&fuzzymatching=false", ""),
        ("PatientName=x*&fuzzymatching=true", ""),
        ("PatientID=P-1", "1"),
        ("PatientID=P-*", "125"),
        ("PatientID=P-?", "12"),
        ("PatientID=P", ""),
        ("AccessionNumber=A-2", "2"),
        ("StudyID=S3", "3"),
        ("StudyDescription=Head*", "13"),
        ("StudyDescription=*[left]", "2"),
        ("StudyDescription=50%25 off_", "5"),
        ("PatientSex=F", "15"),
        ("ReferringPhysicianName=Refer*", "12345"),
        ("ModalitiesInStudy=CT", "13"),
        ("ModalitiesInStudy=CT,MR", "123"),
        ("ModalitiesInStudy=MR%5CUS", "24"),
        ("ModalitiesInStudy=C", ""),
        ("StudyDate=20200101", "1"),
        ("StudyDate=20200101-20201231", "123"),
        ("StudyDate=20200102-", "234"),
        ("StudyDate=-20200215", "12"),
        ("StudyDate=20210101-20200101", ""),
        ("StudyDate=-", "1234"),
        ("StudyTime=0800", "1"),
        ("StudyTime=08", "1"),
        ("StudyTime=0700-1230", "12"),
        ("StudyTime=123001-", "3"),
        ("StudyTime=-1200", "1"),
        (f"StudyInstanceUID={uid('2')}", "2"),
        (f"StudyInstanceUID={uid('2')},{uid('3')}", "23"),
        (f"StudyInstanceUID={uid('2')}%5C{uid('5')}", "25"),
        ("PatientName=Adler*&StudyDate=2020-", None),
        ("PatientName=Adler*&StudyDate=20200201-&ModalitiesInStudy=MR&PatientID=P-2", "2"),
        ("PatientID=P-1&AccessionNumber=A-2", ""),
    ],
)
def test_each_key_finds_what_it_should(five: Client, query: str, wanted: str | None) -> None:
    if wanted is None:
        assert five.get(f"{STUDIES}?{query}").status_code == 400
    else:
        assert "".join(found(five, query)) == wanted


@database
@pytest.mark.parametrize(
    "query",
    [
        "Unknown=1", "foo", "00100011=1", "Modality=CT", "SOPInstanceUID=1.2", "limit=-1",
        "limit=NaN", "limit=0", "limit=1000000000000000000", "limit=1.5", "limit=", "offset=-1",
        "offset=9223372036854775808", "offset=x", "fuzzymatching=maybe", "StudyDate=99999999",
        "StudyDate=20200231", "StudyDate=2020", "StudyDate=20200101-20200102-20200103",
        "StudyTime=99", "StudyTime=1-2", "StudyInstanceUID=abc", "StudyInstanceUID=1.2'--",
        "PatientID=%00", f"PatientID={'x' * 300}", "PatientID=1&PatientID=2",
        "PatientID=1&00100020=1", "includefield=NoSuchAttribute",
        "&".join(f"k{n}=1" for n in range(100)), "&".join(f"k{n}=1" for n in range(5000)),
        "&".join("limit=1" for _ in range(61)),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_400_with_a_reason(portal: Portal, query: str) -> None:
    response = portal.client().get(f"{STUDIES}?{query}")
    assert response.status_code == 400
    if query.count("&") < 1000:  # of more, Django itself refuses to read the names
        assert response.json()["detail"]


@database
@pytest.mark.parametrize("text", ["' OR 1=1--", "%", "_", "\\", "\\\\", '"', "a%' ESCAPE '", "*'"])
@pytest.mark.parametrize(
    "key",
    ["PatientName", "PatientID", "AccessionNumber", "StudyID", "StudyDescription",
     "ModalitiesInStudy", "PatientSex"],
)  # fmt: skip
def test_the_marks_of_a_query_language_mean_nothing(five: Client, key: str, text: str) -> None:
    response = five.get(STUDIES, {key: text})
    assert response.status_code == 200
    assert response.json() == []


# Slices ------------------------------------------------------------------------------------------
@database
@pytest.mark.parametrize("extra", ["", "&PatientSex=*", "&StudyDescription=?*", "&PatientName=*a*"])
def test_slices_give_each_result_once_and_the_warning_counts_the_rest(
    five: Client, extra: str
) -> None:
    everything = five.get(f"{STUDIES}?{extra}").json()
    seen, offset = [], 0
    while True:
        response = five.get(f"{STUDIES}?limit=2&offset={offset}{extra}")
        page = response.json()
        seen += page
        left = len(everything) - offset - len(page)
        assert (f"There are {left} additional" in response.get("Warning", "")) == (left > 0)
        assert ("Warning" in response) == (left > 0)
        offset += 2
        if left <= 0:
            break
    assert seen == everything
    assert five.get(f"{STUDIES}?limit=2&offset=5000{extra}").json() == []


@database
def test_a_limit_above_the_most_is_cut_and_not_refused(five: Client) -> None:
    assert len(found(five, "limit=100000")) == 5


# What is answered --------------------------------------------------------------------------------
@database
def test_an_answer_holds_what_the_standard_asks_for(five: Client) -> None:
    (study,) = five.get(f"{STUDIES}?PatientID=P-1").json()
    for tag in (
        "00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00081190",
        "00100010", "00100020", "00100030", "00100040", "0020000D", "00200010", "00201206",
        "00201208",
    ):  # fmt: skip
        assert study[tag]["vr"]
    assert study["00080061"]["Value"] == ["CT"]
    assert study["00201208"]["Value"] == [1]
    assert study["00100010"]["Value"] == [{"Alphabetic": "Adler^Paula"}]
    (series,) = five.get(f"{STUDIES}/{uid('1')}/series").json()
    assert (series["00080060"]["Value"], series["00201209"]["Value"]) == (["CT"], [1])
    assert series["0020000E"]["Value"] == [uid("1.1")]
    (instance,) = five.get(f"{STUDIES}/{uid('1')}/instances").json()
    assert instance["00080018"]["Value"] == [uid("1.1.1")]
    assert (instance["00280010"]["Value"], instance["00280011"]["Value"]) == ([8], [8])
    assert "7FE00010" not in instance


@database
@pytest.mark.parametrize(
    ("path", "tag", "field"),
    [("series", "00100010", "PatientName"), ("series", "00080050", "00080050"),
     ("instances", "00100010", "PatientName"), ("instances", "00280002", "SamplesPerPixel"),
     ("instances", "00281052", "all")],
)  # fmt: skip
def test_a_field_that_is_asked_for_is_included(five: Client, path: str, tag: str, field) -> None:
    url = f"{STUDIES}/{uid('1')}/{path}"
    assert tag not in five.get(url).json()[0]
    (one,) = five.get(f"{url}?includefield={field}").json()
    assert (tag in one) or field == "all"
    if field == "all":
        assert {"00080020", "0020000E"} <= one.keys()
    (two,) = five.get(f"{url}?includefield=StudyDate&includefield={field}").json()
    assert "00080020" in two


@database
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200), ("*/*", 200), ("application/dicom+json", 200), ("application/json", 200),
        ("application/*", 200), ("text/html, application/dicom+json;q=0.1", 200),
        ("application/dicom+xml", 406), ("text/html", 406), ("application/dicom+json;q=0", 406),
        ('multipart/related; type="application/dicom+xml"', 406),
        ("application/dicom+json;q=0, application/json;q=0, */*", 406),
        ("application/dicom+json;q=nan", 406),
    ],
)  # fmt: skip
def test_a_search_is_answered_in_a_form_that_is_accepted(five: Client, accept, status) -> None:
    headers = {"accept": accept} if accept else {}
    for path in (STUDIES, f"{STUDIES}/{uid('1')}/series", f"{STUDIES}/{uid('1')}/metadata"):
        assert five.get(path, headers=headers).status_code == status


@database
def test_series_and_objects_are_searched_by_keys_of_all_levels(portal: Portal) -> None:
    portal.take(
        *(
            an_object(
                series=series,
                number=n,
                modality=modality,
                changes={
                    0x0008103E: ("LO", text),
                    0x00080021: ("DA", day),
                    0x00180015: ("CS", "KNEE"),
                },
            )
            for series, modality, text, day in (
                ("1", "CT", "Scout", "20200101"), ("2", "CT", "Axial", "20200102"),
                ("3", "SR", "Report", "20200103"),
            )
            for n in (1, 2)
        )
    )  # fmt: skip
    client, study = portal.client(), f"{STUDIES}/{uid('1')}"

    def numbers(path: str, query: str) -> list[str]:
        rows = client.get(f"{study}/{path}?{query}").json()
        return sorted({row["0020000E"]["Value"][0].rsplit(".", 1)[1] for row in rows})

    for path in ("series", "instances"):
        assert numbers(path, "") == ["1", "2", "3"]
        assert numbers(path, "Modality=CT") == ["1", "2"]
        assert numbers(path, "SeriesDescription=A*") == ["2"]
        assert numbers(path, "SeriesNumber=3") == ["3"]
        assert numbers(path, f"SeriesInstanceUID={uid('1.2')}") == ["2"]
        assert numbers(path, "SeriesDate=20200102-") == ["2", "3"]
        assert numbers(path, "BodyPartExamined=KNEE&Modality=SR") == ["3"]
        assert numbers(path, "PatientName=Test*") == ["1", "2", "3"]
        assert numbers(path, "PatientName=Other*") == []
        assert numbers(path, "ModalitiesInStudy=SR") == ["1", "2", "3"]
        assert numbers(path, "ModalitiesInStudy=US") == []
        assert numbers(path, f"StudyInstanceUID={uid('2')}") == []
        assert client.get(f"{study}/{path}?Foo=1").status_code == 400
    assert numbers("series/" + uid("1.2") + "/instances", "") == ["2"]
    assert numbers("series/" + uid("1.2") + "/instances", "Modality=SR") == []
    rows = client.get(f"{study}/instances?InstanceNumber=2").json()
    assert [row["00080018"]["Value"][0] for row in rows] == [
        uid(f"1.{series}.2") for series in (1, 2, 3)
    ]
    assert len(client.get(f"{study}/instances?SOPInstanceUID={uid('1.1.1')}").json()) == 1
    response = client.get(f"{study}/instances?limit=4")
    assert "There are 2 additional" in response["Warning"]
    response = client.get(f"{study}/series?limit=1&offset=1")
    assert "There are 1 additional" in response["Warning"]


@database
def test_held_objects_are_found_by_nobody(portal: Portal) -> None:
    portal.take(an_object(number=1), held_object(2))
    portal.take(an_object(study="2", changes={0x00100040: ("CS", "x" * 40)}))
    client = portal.client()
    assert found(client) == ["1"]
    (study,) = client.get(STUDIES).json()
    assert study["00201208"]["Value"] == [1]
    assert len(client.get(f"{STUDIES}/{uid('1')}/instances").json()) == 1
    assert client.get(f"{STUDIES}/{uid('2')}/series").json() == []


# Rules -------------------------------------------------------------------------------------------
@given(st.text(max_size=80))
def test_whatever_is_asked_is_read_or_refused(text: str) -> None:
    for name in ("PatientName", "StudyDate", "StudyTime", "limit", "StudyInstanceUID", text):
        try:
            parse_search("instance", [(name, text)])
        except SearchInvalid as invalid:
            assert str(invalid)


@given(st.text(alphabet="abc*?^[]", max_size=12), st.text(alphabet="abc^[]", max_size=12))
def test_a_pattern_matches_what_a_plain_reading_of_it_matches(pattern: str, value: str) -> None:
    def plain(p: str, v: str) -> bool:
        if not p:
            return not v
        if p[0] == "*":
            return plain(p[1:], v) or bool(v and plain(p, v[1:]))
        return bool(v) and p[0] in {"?", v[0]} and plain(p[1:], v[1:])

    attributes = {"00081030": {"vr": "LO", "Value": [value]}}
    assert matches(pattern, attributes, "00081030") == plain(pattern, value)


@given(st.times(), st.times(), st.times())
def test_a_time_lies_in_a_range_as_clocks_say(one, other, third) -> None:
    attributes = {"00080030": {"vr": "TM", "Value": [f"{third:%H%M%S.%f}"]}}
    wanted = TimeRange(f"{one:%H%M%S%f}", f"{other:%H%M%S%f}")
    assert in_times(wanted, attributes, "00080030") == (one <= third <= other)


@given(st.text(max_size=30))
def test_the_words_of_a_name_hold_no_separators(name: str) -> None:
    assert all(word and not set(word) & set("^=*?, ") for word in words_of(name))


# The beginning of a name, by hashes alone -------------------------------------------------------
LETTERS = st.text("aÄß^ .ﬁǰ山é\u0301", max_size=18)


@given(name=LETTERS, beginning=LETTERS)
@example(name=".", beginning=".^\u0301")
def test_hashes_say_of_the_beginning_of_a_name_what_comparing_says(
    name: str, beginning: str
) -> None:
    pattern, key = beginning + "*", bytes(32)
    if is_name_start(pattern):
        attributes = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]}}
        hashed = prefix_query(key, literal_start(pattern)) in prefix_tokens(key, name)
        assert hashed == matches(pattern, attributes, "00100010")


@pytest.mark.parametrize(
    "pattern", ["*", "A*B*", "A?*", "Adler", "Adler^*", "A *", "A^\u0301*", "A" * 17 + "*"]
)
def test_what_hashes_cannot_settle_is_not_left_to_them(pattern: str) -> None:
    assert not is_name_start(pattern)
    assert is_name_start("A" * 16 + "*")


@database
def test_a_study_filed_before_there_were_hashes_of_whole_names_is_found_once_indexed(
    five: Client,
) -> None:
    by_hashes = set(StudyNameToken.objects.values_list("study_id", "token"))
    assert found(five, "PatientName=adler^p*") == ["1", "2"]
    assert found(five, "PatientName=paula*") == [], "a part of a name is not its beginning"
    assert found(five, "PatientName=tarou*") == []
    StudyNameToken.objects.all().delete()
    assert found(five, "PatientName=adler^p*") == []
    call_command("index_names")
    assert found(five, "PatientName=adler^p*") == ["1", "2"]
    assert found(five, "PatientName=yamada*") == ["4"]
    call_command("index_names")
    again = list(StudyNameToken.objects.values_list("study_id", "token"))
    assert len(again) == len(set(again)) and set(again) < by_hashes
