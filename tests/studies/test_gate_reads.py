"""What is let in is read as pydicom reads it; where not, this page says why."""

import json
import math
import subprocess
import sys
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.valuerep import PersonName

from studies.rules import dictionary_build
from studies.rules.charsets import character_set
from studies.rules.dictionary import vr_of
from studies.rules.gate import inspect
from studies.rules.reasons import Refused

from . import hostile
from .hostile import part10

FILES = sorted((Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))
# Files of pydicom's that are broken on purpose, and why they stay outside.
OUTSIDE = {
    "not-dicom": "the preamble or the whole opening is missing",
    "identifier-missing": "test data cut down to a few attributes, without a study or class",
    "identifier-differs": "rtplan, rtdose: opening and data set name different instances",
    "syntax-missing": "meta_missing_tsyntax",
    "length-past-end": "MR_truncated, rtplan_truncated: cut off",
    "codestream-size": "JPEG2000-embedded-sequence-delimiter: claims 3.7 billion columns",
    "number-invalid": "badVR: the number of frames is no number",
    "forbidden-group": "nested_priv_SQ: attributes of group 0001",
}
# VRs that may differ, ours first, and why.
OTHER_VR = {
    ("OW", "OB"): "SC_rgb_jpeg: explicit syntax, implicit data; we keep the dictionary's OW",
}


def read(path: Path):
    try:
        return inspect(path.read_bytes())
    except Refused as refused:
        return refused


def plain(element: dict) -> list | None:
    """Values without what DICOM JSON calls empty, whichever way it is written."""
    values = [
        ({k: v for k, v in value.items() if v} or None)
        if isinstance(value, dict) and element["vr"] == "PN"
        else (value.rstrip(" \0") or None if isinstance(value, str) else value)
        for value in element.get("Value", [])
    ]
    return None if values in ([], [None]) else values


def same(a, b) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        return float(a) == float(b) or (math.isnan(float(a)) and math.isnan(float(b)))
    return a == b


def differences(ours: dict, theirs: dict, path: str = "") -> list[str]:
    found = []
    # PS3.18 F.2.2 leaves group lengths out; pydicom writes them.
    theirs = {tag: element for tag, element in theirs.items() if not tag.endswith("0000")}
    found += [f"{path}{tag} only on one side" for tag in ours.keys() ^ theirs.keys()]
    for tag in ours.keys() & theirs.keys():
        a, b = ours[tag], theirs[tag]
        private = int(tag[3], 16) & 1
        if private and a["vr"] == "UN":
            continue  # pydicom looks up a dictionary of makers' attributes; we keep what was sent
        if a["vr"] != b["vr"]:
            if (a["vr"], str(b["vr"])) not in OTHER_VR:
                found.append(f"{path}{tag} {a['vr']} {b['vr']}")
        elif a["vr"] == "SQ":
            pairs = zip(a.get("Value", []), b.get("Value", []), strict=True)
            for number, (x, y) in enumerate(pairs, start=1):
                found += differences(x, y, f"{path}{tag}/{number}/")
        elif "BulkDataURI" in a or "BulkDataURI" in b:
            continue  # thresholds differ; the bytes are compared below
        elif a.get("InlineBinary") != b.get("InlineBinary"):
            found.append(f"{path}{tag} bytes")
        else:
            x, y = plain(a), plain(b)
            if (x is None) != (y is None) or not all(map(same, x or [], y or [])):
                found.append(f"{path}{tag} {str(x)[:60]} {str(y)[:60]}")
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_description_equals_pydicoms(path):
    verdict = read(path)
    if isinstance(verdict, Refused):
        assert verdict.code in OUTSIDE
        return
    theirs = pydicom.dcmread(path).to_json_dict(1024, lambda element: "elsewhere")
    assert differences(json.loads(verdict.header), theirs) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_frame_lies_where_the_layout_says(path):
    verdict = read(path)
    if isinstance(verdict, Refused) or verdict.pixels is None:
        return
    data, ds, layout = path.read_bytes(), pydicom.dcmread(path), verdict.pixels
    if ds.file_meta.TransferSyntaxUID.is_deflated:
        assert layout.length == len(ds.PixelData)
        return
    frames = int(ds.get("NumberOfFrames") or 1)
    ours = [b"".join(data[o : o + n] for o, n in layout.frame(k + 1)) for k in range(frames)]
    if layout.encapsulated:
        assert ours == list(generate_frames(ds.PixelData, number_of_frames=frames))
    elif layout.shape.frame_bits % 8 == 0:
        size = layout.shape.frame_bits // 8
        assert ours == [ds.PixelData[k * size : (k + 1) * size] for k in range(frames)]


def test_most_real_objects_are_let_in():
    verdicts = [read(path) for path in FILES]
    assert sum(not isinstance(verdict, Refused) for verdict in verdicts) >= len(FILES) * 0.7


def test_bulk_values_lie_where_the_list_says():
    value = bytes(range(256)) * 20
    data = part10(t00420011=hostile.element(0x00420011, "OB", value))
    (bulk,) = inspect(data, bulk_prefix="b/").bulk
    assert data[bulk.offset : bulk.offset + bulk.length] == value
    assert (
        json.loads(inspect(data, bulk_prefix="b/").header)["00420011"]["BulkDataURI"]
        == "b/00420011"
    )


def test_frames_are_found_without_an_offset_table_by_their_start():
    whole = hostile.jpeg(8, 8).ljust(30, b"\0")
    pieces = [whole[:16], whole[16:], whole[:18], whole[18:]]
    pixels = hostile.fragments(*pieces)
    data = part10(syntax=hostile.JPEG, t00280008=("IS", "2"), t7FE00010=pixels)
    layout = inspect(data).pixels
    for number in (1, 2):
        assert b"".join(data[o : o + n] for o, n in layout.frame(number)) == whole
    with pytest.raises(IndexError):
        layout.frame(3)


def test_a_wrong_offset_table_is_worked_out_anew_and_held():
    pixels = hostile.fragments(hostile.jpeg(8, 8), hostile.jpeg(8, 8), table=bytes(8))
    data = part10(syntax=hostile.JPEG, t00280008=("IS", "2"), t7FE00010=pixels)
    verdict = inspect(data)
    assert [reason.code for reason in verdict.reasons] == ["offset-table-wrong"]
    assert len(verdict.pixels.frame(2)) == 1


def test_the_table_of_types_equals_pydicoms_dictionary():
    for vr, tags in dictionary_build.by_vr().items():
        for tag in tags:
            assert vr_of(int(tag.replace("x", "0"), 16)) == vr or "x" in tag
    written = Path(dictionary_build.__file__).with_name("dictionary.txt").read_text("ascii")
    assert written == dictionary_build.source()


# From PS3.5 annexes H, I, J and K, and PS3.5 6.1.2.5: charset, bytes.
NAMES = [
    (b"ISO_IR 100", b"Buc^J\xe9r\xf4me"),
    (b"ISO_IR 101", b"W\xb3^\xa3\xf3d\xbc"),
    (b"ISO_IR 109", b"\xa1\xe6^\xf5"),
    (b"ISO_IR 110", b"\xe0\xf0^\xb9"),
    (b"ISO_IR 144", b"\xbb\xee\xda\x63\xd1\xeb"),
    (b"ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1"),
    (b"ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2"),
    (b"ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4"),
    (b"ISO_IR 148", b"\xd0\xdd\xde^\xf0\xfd\xfe"),
    (b"ISO_IR 166", b"\xa1\xd2\xc3^\xca\xc1\xc3"),
    (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),
    (b"ISO_IR 192", "Wang^XiaoDong=王^小東".encode()),
    (b"GB18030", "Wang^XiaoDong=王^小东".encode("gb18030")),
    (b"GBK", "Wang^XiaoDong=王^小东".encode("gbk")),
    (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B"),
    (
        b"ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
    ),
    (b"\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"),
    (b"\\ISO 2022 IR 87\\ISO 2022 IR 159", b"a=\x1b$(D0!\x1b(B^\x1b$B;3\x1b(B"),
]


@pytest.mark.parametrize(("charset", "raw"), NAMES, ids=lambda value: value[:24].decode("latin-1"))
def test_names_of_every_character_set_are_read_as_pydicom_reads_them(charset, raw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = charset.decode().split("\\")
        codecs = pydicom.charset.convert_encodings(names if len(names) > 1 else names[0])
        expected = str(PersonName(raw).decode(codecs))
    text, finding = character_set(charset).decode(raw)
    assert text.rstrip("=") == expected.rstrip("=")
    assert not finding and "\ufffd" not in text


def test_simplified_chinese_loses_its_escape_sequences():
    # pydicom 3.0.2 leaves the escape's last characters in the text where it follows other text.
    raw = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"
    assert character_set(b"\\ISO 2022 IR 58").decode(raw) == ("Zhang^XiaoDong=张^小东", "")


def test_the_summary_names_the_patient_in_every_script():
    verdict = inspect(part10(t00100010=("PN", "Yamada^Tarou=山田^太郎=やまだ^たろう")))
    assert verdict.summary.names["PatientName"] == {
        "Alphabetic": "Yamada^Tarou",
        "Ideographic": "山田^太郎",
        "Phonetic": "やまだ^たろう",
    }
    assert verdict.summary.study == hostile.ROOT + "1"
    assert not verdict.quarantined


ODD = {
    "charset-undeclared": {"t00080005": None, "t00100010": ("PN", b"M\xfcller")},
    "charset-misspelt": {"t00080005": ("CS", "ISO-IR 100")},
    "charset-escape": {"t00100010": ("PN", b"a\x1b$)Cb")},
    "text-undecodable": {"t00100010": ("PN", b"M\xfcller")},
    "text-nul": {"t00104000": ("LT", b"a\0b ")},
    "text-too-long": {"t00081030": ("LO", "x" * 70)},
    "uid-unusual": {"t0020000E": ("UI", "1.02.3")},
    "number-unreadable": {"t00180050": ("DS", "1,5 ")},
    "number-length": {"t00280106": hostile.element(0x00280106, "US", b"\1\0\2", length=3)},
    "date-unusual": {"t00100030": ("DA", "00000000")},
    "vr-unexpected": {"t00081030": ("ST", "text")},
    "pixel-data-long": {"t7FE00010": ("OB", bytes(80))},
}


@pytest.mark.parametrize("code", ODD)
def test_what_is_odd_is_held_with_its_reason_and_still_read(code):
    verdict = inspect(part10(**ODD[code]))
    assert [reason.code for reason in verdict.reasons] == [code]
    assert json.loads(verdict.header)


def test_the_rules_load_neither_django_nor_pydicom_nor_numpy():
    names = "django pydicom numpy PIL"
    code = (
        "import sys, studies.rules.gate, studies.rules.archive, studies.gateways.decoder;"
        f"sys.exit(any(name in sys.modules for name in {names.split()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0
