"""Every row of Table E.1-1 under every option: what stands there afterwards (PS3.15 E.3)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from policies.rules.kinds import Codes
from policies.rules.schema import KEYS
from studies.rules.deidentification.assess import DOUBT_WORDS, Doubt
from studies.rules.deidentification.clean import Cleaner
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import Option, ProfileRefused, profile_of
from studies.rules.deidentification.table import edition, row_of, rows
from studies.rules.deidentification.values import moved_moment
from tests.studies.deidentification.objects import KEY

TABLE = Path(row_of.__code__.co_filename).with_name("table_e1_1.tsv")
# As it stands in the file, read by nothing of the program.
LINES = list(csv.reader(TABLE.read_text().splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE))
KEYED = Keyed(KEY)
PATIENT, NESTED_UID = "HVH-778812", "1.2.3.88"
ALL = tuple(Option)
# None, each by itself, and all that can be chosen together.
CHOICES: list[tuple[str, ...]] = [
    (), *((one,) for one in ALL), tuple(one for one in ALL if one != Option.FULL_DATES),
    tuple(one for one in ALL if one != Option.MODIFIED_DATES),
]  # fmt: skip
# Written out here once more: by VR, what stands for what was there.
DUMMIES: dict[str, Any] = {
    "AE": "REMOVED", "AS": "000D", "CS": "REMOVED", "DA": "19000101", "DS": 0,
    "DT": "19000101000000", "IS": 0, "LO": "REMOVED", "LT": "REMOVED", "OB": b"\0\0",
    "OW": b"\0\0", "PN": "Removed^", "SH": "REMOVED", "ST": "REMOVED", "TM": "000000",
    "UC": "REMOVED", "UR": "urn:removed", "US": 0, "UT": "REMOVED",
}  # fmt: skip
VALUES: dict[str, Any] = {
    "AE": "STATION7", "AS": "041Y", "CS": "SOMETHING", "DA": "20260611", "DS": "71.5",
    "DT": "20260611101112", "IS": "41", "LO": "Ward seven", "LT": "Seen on the ward",
    "OB": b"something", "OW": b"anything", "PN": "Somebody^Else", "SH": "W7",
    "ST": "Ward seven", "TM": "101112", "UC": "Ward seven", "UI": "1.2.3.77",
    "UN": b"unknown!", "UR": "https://ward.example/7", "US": 41, "UT": "Ward seven",
}  # fmt: skip


def vr_of(tag: int) -> str:
    # Rows newer than the dictionary are all removed under the profile; LO stands for their kind.
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "LO"


def element(tag: int) -> DataElement:
    vr = vr_of(tag)
    if vr != "SQ":
        return DataElement(tag, vr, VALUES[vr])
    item = Dataset()
    item.PersonName, item.ReferencedSOPInstanceUID = "Somebody^Else", NESTED_UID
    item.TextValue, item.Manufacturer = "Seen by Dr. Oberhuber, on the ward", "ACME"
    return DataElement(tag, "SQ", Sequence([item]))


def cleaned(tag: int, *options: str) -> Dataset:
    """The attribute at the top, and in an item three sequences down that no row speaks of."""
    dataset, inner, outer, deepest = Dataset(), Dataset(), Dataset(), Dataset()
    dataset.PatientID = PATIENT
    dataset.add(element(tag))
    deepest.add(element(tag))
    inner.ContentItemModifierSequence = Sequence([deepest])
    outer.ProtocolContextSequence = Sequence([inner])
    dataset.PerformedProtocolCodeSequence = Sequence([outer])
    Cleaner(profile_of(options), KEYED).clean(dataset)
    return dataset


def person(tag: int) -> str:
    """Whom the object is of: its Patient ID may be the attribute that is tried."""
    return f"id\0{VALUES['LO'] if tag == 0x00100020 else PATIENT}"


def deepest_of(after: Dataset) -> Dataset:
    inner = after.PerformedProtocolCodeSequence[0].ProtocolContextSequence[0]
    found: Dataset = inner.ContentItemModifierSequence[0]
    return found


# Type 3 wherever they stand, and not empty where they are (PS3.3 C.7.2.1).
NOT_EMPTY = {"00081110"}


def expected(tag: str, basic: str, actions: dict[str, str], options: tuple[str, ...]) -> str:
    """The action by the text of the standard: an option's, else the profile's; the safest type.

    What one option keeps and another cleans is kept.
    """
    if basic == "X/Z" and tag in NOT_EMPTY:
        basic = "X"
    said = {actions[one] for one in options if one in actions}
    action = "K" if "K" in said else "C" if "C" in said else basic
    if action == "C" and tag.startswith(("50", "60")):
        action = "X"  # drawings cannot be cleaned here, and words about none say nothing
    return {"X/Z": "Z", "X/D": "D", "Z/D": "D", "X/Z/D": "D", "X/Z/U*": "U"}.get(action, action)


def check(after: Dataset, tag: int, action: str, options: tuple[str, ...]) -> None:
    before, found = element(tag), after.get(tag)
    if tag in {0x00100010, 0x00100020}:
        # Named by the person's pseudonym, so that patients stay apart.
        assert found.value == KEYED.code("person", person(tag))
        return
    if before.VR == "UN":
        # What cannot be read cannot be known to be a dummy either.
        assert found is None
        return
    match action:
        case "X":
            assert found is None
        case "K":
            check_kept(found, before)
        case "Z":
            assert found is not None
            assert not found.value
        case "D":
            check_dummy(found, before, options)
        case "U":
            check_uid(found, before)
        case "C":
            check_clean(found, before)
        case _:
            pytest.fail(f"an action that nobody knows: {action}")


def check_kept(found: DataElement | None, before: DataElement) -> None:
    assert found is not None
    assert found.VR == before.VR
    if before.VR != "SQ":
        assert found.value == before.value
        return
    (item,) = found.value
    assert item.Manufacturer == "ACME"


def check_dummy(found: DataElement | None, before: DataElement, options: tuple[str, ...]) -> None:
    assert found is not None
    assert found.VR == before.VR
    if before.VR == "SQ":
        (item,) = found.value
        assert item.TextValue == "REMOVED"
        assert item.PersonName == "Removed^"
        uid = item.ReferencedSOPInstanceUID
        assert uid == (NESTED_UID if "uids" in options else KEYED.uid(NESTED_UID))
        return
    assert found.value == (KEYED.uid(before.value) if before.VR == "UI" else DUMMIES[before.VR])


def check_uid(found: DataElement | None, before: DataElement) -> None:
    assert found is not None
    if before.VR == "SQ":
        (item,) = found.value
        assert item.ReferencedSOPInstanceUID == KEYED.uid(NESTED_UID)
        return
    assert found.value == KEYED.uid(before.value)
    assert len(found.value) <= 64


def check_clean(found: DataElement | None, before: DataElement) -> None:
    if before.VR in {"OB", "OW"}:
        assert found is None  # pictures and graphics cannot be cleaned here
        return
    assert found is not None
    assert found.VR == before.VR
    if before.VR in {"DA", "DT", "TM"}:
        days = KEYED.days(person(int(before.tag)))
        assert found.value == moved_moment(before.VR, before.value, days)
    elif before.VR == "SQ":
        (item,) = found.value
        assert item.PersonName == "Removed^"
        assert item.TextValue in {"REMOVED", "Seen by REMOVED, on the ward"}
    elif before.VR in {"LO", "LT", "SH", "ST", "UC", "UT"}:
        assert found.value == before.value  # it names nobody: its words stay
    elif before.VR == "AS":
        assert found.value == before.value
    else:
        assert found.value == DUMMIES[before.VR]


@pytest.mark.parametrize(("tag", "basic", "options", "name"), LINES, ids=[one[0] for one in LINES])
def test_every_row_under_every_option(tag: str, basic: str, options: str, name: str) -> None:
    actions = dict(one.split("=") for one in options.split())
    for number in tags_of(tag):
        for chosen in CHOICES:
            after = cleaned(number, *chosen)
            for place in (after, deepest_of(after)):
                if tag == "private":
                    assert number not in place, chosen
                else:
                    check(place, number, expected(tag, basic, actions, chosen), chosen)


def tags_of(tag: str) -> list[int]:
    """Some tags that a row is of."""
    if tag == "private":
        return [0x00091001, 0x00E11021]
    if tag.startswith("50xx"):
        return [0x50003000, 0x50020022]
    if tag.startswith("60xx"):
        return [0x60000000 | int(tag[4:], 16), 0x60020000 | int(tag[4:], 16)]
    return [int(tag, 16)]


def test_the_table_is_the_standards_and_says_which_edition() -> None:
    assert edition() == "2026d"
    assert len(LINES) == 657 == len(list(rows()))
    counts: dict[str, int] = {}
    for _, basic, *_ in LINES:
        counts[basic] = counts.get(basic, 0) + 1
    assert counts == {
        "X": 417, "D": 93, "U": 55, "Z": 42, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6,
        "X/Z/U*": 2,
    }  # fmt: skip


@pytest.mark.parametrize("option", list(Option))
def test_what_was_done_stands_in_the_object(option: Option) -> None:
    """PS3.15 E.1.1, PS3.16 CID 7050."""
    after = cleaned(0x00080020, option)
    codes = [one.CodeValue for one in after.DeidentificationMethodCodeSequence]
    assert codes[0] == "113100"
    # Faces are refused and never taken out, and the standard has no code for documents.
    assert "113102" not in codes
    no_code = {Option.CLEAN_VISUAL_FEATURES, Option.CLEAN_DOCUMENTS}
    assert len(set(codes)) == len(codes) == (1 if option in no_code else 2)
    assert all(
        one.CodingSchemeDesignator == "DCM" for one in after.DeidentificationMethodCodeSequence
    )
    assert after.PatientIdentityRemoved == "YES"
    assert after.LongitudinalTemporalInformationModified == {
        Option.FULL_DATES: "UNMODIFIED", Option.MODIFIED_DATES: "MODIFIED",
    }.get(option, "REMOVED")  # fmt: skip
    json.dumps(after.to_json_dict())


@pytest.mark.parametrize(
    "wrong", [["full-dates", "modified-dates"], ["everything"], [""], ["UIDS"]]
)
def test_options_that_contradict_or_are_unknown_are_refused(wrong: list[str]) -> None:
    with pytest.raises(ProfileRefused):
        profile_of(wrong)


def test_whatever_a_policy_can_ask_for_can_be_done() -> None:
    """The codes of the pack's key `deid.options` are options of the engine."""
    (key,) = (one for one in KEYS if one.path == "deid.options")
    assert isinstance(key.kind, Codes)
    assert set(key.kind.options) <= set(ALL)


def test_each_doubt_has_its_sentence() -> None:
    assert set(DOUBT_WORDS) == set(Doubt)
    assert all(one.endswith(".") for one in DOUBT_WORDS.values())
