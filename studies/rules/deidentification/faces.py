"""Which objects may show a face: PS3.15 E.3.2, Clean Recognizable Visual Features.

Of the slices of a head a face can be drawn and its person found again. Taking the face away needs
all slices of a volume; an object is cleaned by itself here, so it is put aside instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from pydicom.dataset import Dataset

from .identity import folded

_SLICES: Final = frozenset({"CT", "MR", "PT"})
# Photographs: where they do not say what they are of, it may be a face.
_PHOTOGRAPHS: Final = frozenset({"XC"})
# Of fewer slices nobody makes a face. It is known of objects only that hold all their frames.
_ENOUGH: Final = 10
_WHOLE_VOLUMES: Final = frozenset({
    "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.4", "1.2.840.10008.5.1.4.1.1.128.1", "1.2.840.10008.5.1.4.1.1.130",
})  # fmt: skip
_SAYS_WHERE: Final = (
    "BodyPartExamined", "ProtocolName", "SeriesDescription", "StudyDescription",
    "RequestedProcedureDescription", "PerformedProcedureStepDescription", "ImageComments",
)  # fmt: skip
_CODES_WHERE: Final = (
    "AnatomicRegionSequence", "ProcedureCodeSequence", "RequestedProcedureCodeSequence",
    "PerformedProtocolCodeSequence",
)  # fmt: skip
# Beginnings of words, in languages that scanners are set to, for a head, a neck or a whole body.
_HEAD: Final = re.compile(
    r"\b(?:head|brain|skull|crani|cerebr|cerebel|cervic|cerviq|fac(?:e|ial)|orbit|sinus|neuro|neck|mprage"
    r"|vertex|carot|willis|stroke|dement|alzheimer|pituit|hypophys|sella|petro(?:us|sa)|mastoid"
    r"|temporal|dental|tooth|teeth|jaw|mandib|maxill|nas(?:al|e|o)|nose|ears?\b|eyes?\b|iac\b|tmj"
    r"|tongue|larynx|pharynx|parotid|intracran|encephal|encefal|whole|wholebody|wb\b|cspine|ctspine|hws\b"
    r"|c.spine|kopf|schadel|hirn|gesicht|hals|kiefer|zahn|auge|ganzkorper|tete|crane|cerveau"
    r"|visage|cou\b|corps|cabeza|craneo|cara\b|cuello|cuerpo|testa|cervello|encefalo|volto|collo"
    r"|hoofd|hersen|gelaat)"
)
# For a part of the body that is far from a face.
_ELSEWHERE: Final = re.compile(
    r"\b(?:chest|thora|lung|heart|cardia|coronary|breast|mamma|abdom|liver|hepat|pancrea|kidney|renal"
    r"|spleen|bowel|colon|pelvi|prostat|bladder|uter|ovar|rectum|lspine|tspine|lumbar|sacr|hip\b"
    r"|knee|ankle|foot|feet|hand\b|wrist|elbow|shoulder|arm\b|leg\b|femur|tibia|extremit|aorta"
    r"|becken|leber|lunge|herz|knie|schulter|niere|bauch|fuss)"
)


def may_show_a_face(dataset: Dataset) -> bool:
    """Could a face be seen in it, or made of its slices? Where it does not say so: perhaps."""
    said = str(dataset.get("RecognizableVisualFeatures", "")).strip().upper()
    if said in {"YES", "NO"}:
        return said == "YES"
    modality = str(dataset.get("Modality", "")).strip().upper()
    if modality not in _SLICES | _PHOTOGRAPHS or not _has_enough_slices(dataset):
        return False
    regions = set(_regions(dataset))
    if regions & _regions_with_a_face():
        return True
    words = " ".join(_words(dataset))
    if _HEAD.search(words):
        return True
    return not (_ELSEWHERE.search(words) or _names_a_part(dataset, regions))


def _has_enough_slices(dataset: Dataset) -> bool:
    if str(dataset.get("SOPClassUID", "")) not in _WHOLE_VOLUMES:
        return True
    try:
        return int(dataset.get("NumberOfFrames", None) or 1) >= _ENOUGH
    except (TypeError, ValueError):
        return True


def _names_a_part(dataset: Dataset, regions: set[str]) -> bool:
    """Does it name a part of the body, which is none with a face?"""
    return bool(regions) or bool(str(dataset.get("BodyPartExamined", "")).strip())


def _words(dataset: Dataset) -> Iterator[str]:
    """What it says about where it was taken, without accents and marks between words."""
    for keyword in _SAYS_WHERE:
        yield re.sub(r"[\W_]+", " ", folded(str(dataset.get(keyword, "") or "")))
    for keyword in _CODES_WHERE:
        for item in dataset.get(keyword, None) or ():
            yield re.sub(r"[\W_]+", " ", folded(str(item.get("CodeMeaning", "") or "")))


def _regions(dataset: Dataset) -> Iterator[str]:
    """Codes of the regions, those of frames among them (PS3.3 C.7.6.16.2.8)."""
    shared = dataset.get("SharedFunctionalGroupsSequence", None) or ()
    frames = dataset.get("PerFrameFunctionalGroupsSequence", None) or ()
    for place in (dataset, *shared, *frames):
        for anatomy in (place, *(place.get("FrameAnatomySequence", None) or ())):
            for code in anatomy.get("AnatomicRegionSequence", None) or ():
                yield str(code.get("CodeValue", "")).strip()


@cache
def _regions_with_a_face() -> frozenset[str]:
    text = (files(__package__) / "regions_with_a_face.tsv").read_text(encoding="utf-8")
    return frozenset(code for line in text.splitlines()[1:] for code in line.split("\t")[:2])
