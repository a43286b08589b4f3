"""From what de-identified objects say to the vocabularies that people are counted by.

No label is ever taken from an object. What it says is read into a vocabulary, or stands under
"Other"; what identifies somebody is refused, for then de-identification has failed
(LIFEIMAGE-9.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from releases.rules.aggregates.scan import identifying
from releases.rules.aggregates.vocabulary import (
    DIMENSION_LABELS,
    NOT_STATED,
    OLDEST,
    OTHER,
    SEVERAL,
    YEARS,
    Dimension,
    Facts,
    LabelRefused,
)
from studies.rules.deidentification.profile import Option

# What one object says of its person and of itself, by name; what it does not say is left out.
Said = Mapping[str, str]


def countable(options: Collection[str]) -> list[Dimension]:
    """By what people can be counted where the Basic Profile and these options clean them."""
    needed = {
        Dimension.SEX: Option.PATIENT_CHARACTERISTICS,
        Dimension.AGE: Option.PATIENT_CHARACTERISTICS,
        Dimension.YEAR: Option.FULL_DATES,
    }
    return [one for one in Dimension if one not in needed or needed[one] in options]


def facts_of(objects: Iterable[Said], *, dates_are_true: bool) -> Facts:
    """Read all objects of one person. Raises `LabelRefused` for whatever identifies.

    Dates that were moved say nothing about a year, so they are not read.
    """
    said = list(objects)
    ages = _all(said, "age", age_of) - {NOT_STATED}
    images = [one for one in said if one.get("modality") not in COMPANIONS]
    years = _all(said, "study_date", year_of) if dates_are_true else set()
    return Facts(
        sex=_the_one(_all(said, "sex", sex_of), OTHER),
        age=min(ages, key=int, default=NOT_STATED),
        species=_the_one(_all(said, "species", species_of) or {"human"}, OTHER),
        modality=_the_one(_all(images, "modality", modality_of), SEVERAL),
        body_part=_the_one(_all(said, "body_part", body_part_of), SEVERAL),
        year=_the_one(years, SEVERAL),
    )


def _all(said: Iterable[Said], name: str, read: Callable[[str], str]) -> set[str]:
    return {read(raw) for raw in {one.get(name, "") for one in said}}


def _the_one(found: set[str], several: str) -> str:
    stated = found - {NOT_STATED}
    if len(stated) > 1:
        return several
    return stated.pop() if stated else NOT_STATED


# Value by value ----------------------------------------------------------------------------------
# Objects about a study, which are not another way of making images (PS3.3 C.7.3.1.1.1).
COMPANIONS: Final = frozenset({"SR", "PR", "KO", "SEG", "DOC", "REG", "AU", "RWV"})
# Code String (PS3.5 6.2): what is none holds a text that somebody typed.
_CODE_STRING: Final = re.compile(r"[A-Z0-9 _]{1,16}")
_AGE_STRING: Final = re.compile(r"(\d{3})([DWMY])")
_MODALITIES: Final = {
    **dict.fromkeys(("CR", "DX", "RG", "IO", "PX"), "XR"),
    **dict.fromkeys(("RF", "XA", "DSA"), "XA"),
    **dict.fromkeys(("US", "IVUS", "BDUS"), "US"),
    **dict.fromkeys(("OP", "OPT", "ES", "XC", "GM", "SM", "OCT", "OPV"), "OP"),
    **dict.fromkeys(("RTIMAGE", "RTDOSE", "RTSTRUCT", "RTPLAN", "RTRECORD"), "RT"),
    **{code: code for code in ("CT", "MR", "MG", "NM", "PT")},
}
# PS3.16 Annex L, Table L-1, and what devices write instead.
_BODY_PARTS: Final = {
    "head": "HEAD SKULL BRAIN FACE EYE ORBIT EAR IAC JAW MANDIBLE MAXILLA SINUS NOSE TMJ HEADNECK",
    "neck": "NECK THYROID LARYNX CAROTID PHARYNX",
    "chest": "CHEST THORAX LUNG RIB RIBS STERNUM CLAVICLE MEDIASTINUM",
    "heart": "HEART CARDIAC CORONARY AORTA CTA VESSEL",
    "breast": "BREAST",
    "abdomen": "ABDOMEN LIVER KIDNEY PANCREAS SPLEEN GALLBLADDER STOMACH COLON BOWEL ABDOMENPELVIS",
    "pelvis": "PELVIS BLADDER PROSTATE UTERUS OVARY HIP SIJOINT SACRUM COCCYX",
    "spine": "SPINE CSPINE TSPINE LSPINE TLSPINE LSSPINE SSPINE",
    "arm": "ARM SHOULDER SCAPULA HUMERUS ELBOW FOREARM WRIST HAND FINGER UPPERARM CLAVICULA",
    "leg": "LEG KNEE FEMUR THIGH TIBIA FIBULA ANKLE FOOT TOE CALCANEUS EXTREMITY LOWERLEG",
    "whole-body": "WHOLEBODY",
}
_PART_OF: Final = {raw: part for part, raws in _BODY_PARTS.items() for raw in raws.split()}
_SPECIES_OF: Final = {
    **dict.fromkeys(("human", "homo sapiens"), "human"),
    **dict.fromkeys(("dog", "canine", "canis lupus familiaris", "canis lupus", "canis"), "dog"),
    **dict.fromkeys(("cat", "feline", "felis catus", "felis silvestris catus", "felis"), "cat"),
    **dict.fromkeys(("horse", "equine", "equus caballus", "equus"), "horse"),
}


def sex_of(raw: str) -> str:
    known = {"": NOT_STATED, "F": "female", "M": "male", "O": OTHER}
    return known[_checked(raw, Dimension.SEX, known)]


def age_of(raw: str) -> str:
    """Decade of an Age String such as 045Y or 006M; 90 and older is one (45 CFR 164.514(b))."""
    if not raw.strip():
        return NOT_STATED
    said = _AGE_STRING.fullmatch(raw.strip())
    if said is None:
        raise LabelRefused(_no_such(Dimension.AGE, raw))
    years = (
        int(said[1]) if said[2] == "Y" else int(said[1]) // {"M": 12, "W": 52, "D": 365}[said[2]]
    )
    return str(min(OLDEST, years // 10 * 10))


def species_of(raw: str) -> str:
    """An object that names no species is about a human."""
    if not raw.strip():
        return "human"
    known = _SPECIES_OF.get(raw.strip().lower())
    if known is None and identifying(raw):
        raise LabelRefused(_no_such(Dimension.SPECIES, raw))
    return known or OTHER


def modality_of(raw: str) -> str:
    return _code(raw, Dimension.MODALITY, _MODALITIES)


def body_part_of(raw: str) -> str:
    return _code(raw, Dimension.BODY_PART, _PART_OF)


def year_of(raw: str) -> str:
    """Year of a DICOM date, such as 20241126."""
    if not raw.strip():
        return NOT_STATED
    if not re.fullmatch(r"\d{8}", raw.strip()):
        raise LabelRefused(_no_such(Dimension.YEAR, raw))
    year = int(raw[:4])
    if year in YEARS:
        return str(year)
    return "before" if year < YEARS[0] else "after"


def _code(raw: str, dimension: Dimension, known: Mapping[str, str]) -> str:
    """A code that nobody here knows is another one; a text that is no code is refused."""
    text = raw.strip()
    if not text:
        return NOT_STATED
    if found := known.get(text) or known.get(re.sub(r"[ _]", "", text)):
        return found
    if identifying(text) or not _CODE_STRING.fullmatch(text):
        raise LabelRefused(_no_such(dimension, text))
    return OTHER


def _checked(raw: str, dimension: Dimension, known: Mapping[str, str]) -> str:
    if raw.strip() not in known:
        raise LabelRefused(_no_such(dimension, raw))
    return raw.strip()


def _no_such(dimension: Dimension, raw: str) -> str:
    holds = ", ".join(identifying(raw)) or "a text that is no code of DICOM"
    return (
        f"“{DIMENSION_LABELS[dimension]}” of an object holds {holds}. Nothing is counted before "
        "the object is de-identified again."
    )
