"""De-identify the bytes of one DICOM file: read, clean, write, and look at what was written."""

from __future__ import annotations

import io
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_fragments
from pydicom.errors import InvalidDicomError

from studies.gateways.overlays_in_pixels import OverlayInDoubt, empty_overlays
from studies.gateways.writing_clean import syntax_of, written
from studies.rules.deidentification.assess import (
    Doubt,
    document_may_be_cleaned,
    doubts_of,
    has_wrong_length,
    is_cut_off,
    pixels_may_be_cleaned,
    words_in_codestream,
)
from studies.rules.deidentification.clean import Cleaner
from studies.rules.deidentification.faces import may_show_a_face
from studies.rules.deidentification.gather import TooDeep
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import Option, Profile
from studies.rules.deidentification.replacing import Cleaned
from studies.rules.deidentification.verify import has_swallowed, held_by, remains

if TYPE_CHECKING:
    from studies.gateways.pixels_cleaning import Blacked
    from studies.gateways.text_in_pixels import TextInPixels

_FRAGMENTS_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True)
class PixelReport:
    """Frames that were touched, boxes blacked in each, and the share of a frame that is black."""

    frames: int
    boxes: int
    blacked_share: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one object: its clean bytes, or why there are none."""

    content: bytes | None
    doubts: tuple[Doubt, ...] = ()
    # Attributes by what was done to them, and those that were still found.
    counts: dict[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    # Of the result: patient's pseudonym, study, series and object.
    patient: str = ""
    uids: tuple[str, str, str] = ("", "", "")
    pixels: PixelReport | None = None
    # Where it is broken: the kind of fault and the line of code, never its words.
    fault: str = ""


class Deidentifier:
    """De-identifies files of one project under one profile."""

    def __init__(self, profile: Profile, keyed: Keyed) -> None:
        self._profile, self._keyed = profile, keyed
        # The code of an option is for those objects that it was used on.
        self._cleaner = Cleaner(profile.without(Option.CLEAN_PIXEL_DATA), keyed)
        self._cleaner_with_pixels = Cleaner(profile, keyed)
        self._text: TextInPixels | None = None

    def deidentify(self, content: bytes, *, person: str = "") -> Outcome:
        """Give the clean bytes of a file, or the doubts for which it is put aside.

        `person` names whose it is where that is known better than the file says.
        """
        with warnings.catch_warnings():
            # pydicom warns of odd values, which are what this is for.
            warnings.simplefilter("ignore")
            return self._outcome(content, person)

    def _outcome(self, content: bytes, person: str) -> Outcome:
        try:
            dataset = _read(content)
            if is_cut_off(dataset):
                return Outcome(None, (Doubt.CUT_OFF,))
        except EOFError:
            says_dicom = content[128:132] == b"DICM"
            return Outcome(None, (Doubt.CUT_OFF if says_dicom else Doubt.NOT_DICOM,))
        except InvalidDicomError:
            return Outcome(None, (Doubt.NOT_DICOM,))
        except RecursionError:
            return Outcome(None, (Doubt.TOO_DEEP,))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a parser makes of a stranger's bytes
            return Outcome(None, (Doubt.BROKEN,), fault=_fault(error))
        try:
            return self._deidentified(dataset, person)
        except (TooDeep, RecursionError):
            return Outcome(None, (Doubt.TOO_DEEP,))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a value that cannot be read is in no result
            return Outcome(None, (Doubt.BROKEN,), fault=_fault(error))

    def _deidentified(self, dataset: FileDataset, person: str) -> Outcome:
        if not _syntax_is_known(dataset):
            return Outcome(None, (Doubt.UNKNOWN_SYNTAX,))
        doubts: Sequence[Doubt] = self._doubts_of(dataset)
        held = held_by(dataset)
        if has_swallowed(held) or has_wrong_length(dataset):
            return Outcome(None, (*doubts, Doubt.WRONG_LENGTH))
        blacked = document = None
        if self._profile.has(Option.CLEAN_PIXEL_DATA) and pixels_may_be_cleaned(doubts):
            blacked, doubts = self._pixels().blacked(dataset, doubts)
        elif self._profile.has(Option.CLEAN_DOCUMENTS) and document_may_be_cleaned(dataset, doubts):
            document, doubts = bytes(dataset.EncapsulatedDocument or b""), ()
        if doubts:
            return Outcome(None, tuple(doubts))
        done = (self._cleaner if blacked is None else self._cleaner_with_pixels).clean(
            dataset, person=person
        )
        if document is not None and (doubts := self._documented(dataset, document, done)):
            return Outcome(None, tuple(doubts), done.counts)
        result = written(dataset)
        left = remains(held, result.searched, self._profile, done.new_values)
        if left:
            return Outcome(None, (Doubt.STILL_THERE,), done.counts, tuple(left))
        if doubts := self._second_look(result.content, done, blacked, document):
            return Outcome(None, tuple(doubts), done.counts)
        return _released(dataset, result.content, done, blacked)

    def _second_look(
        self, content: bytes, done: Cleaned, blacked: Blacked | None, document: bytes | None
    ) -> Sequence[Doubt]:
        """Look again at what the written file shows and says."""
        if blacked:
            return self._pixels().doubts_of(content, done.known)
        if document is not None:
            from studies.gateways.cleaning_documents import somebody_is_left

            if somebody_is_left(dcmread(io.BytesIO(content)), done.known):
                return (Doubt.STILL_THERE,)
        return ()

    def _documented(self, dataset: FileDataset, original: bytes, done: Cleaned) -> Sequence[Doubt]:
        """Clean the document of an object, and put it in."""
        from studies.gateways.cleaning_documents import DocumentCleaner, DocumentInDoubt

        try:
            DocumentCleaner(self._profile, self._keyed).put(dataset, original, done)
        except DocumentInDoubt:
            return (Doubt.DOCUMENT_UNREADABLE,)
        return ()

    def _doubts_of(self, dataset: FileDataset) -> list[Doubt]:
        """What speaks against releasing it. Bits beside its pixels are empty afterwards."""
        doubts = [*doubts_of(dataset), *_codestream_doubts(dataset)]
        if self._profile.has(Option.CLEAN_VISUAL_FEATURES) and may_show_a_face(dataset):
            doubts.append(Doubt.FACE)
        try:
            empty_overlays(dataset)
        except OverlayInDoubt as reason:
            doubts.append(reason.doubt)
        return doubts

    def _pixels(self) -> TextInPixels:
        """Load the models when the first object needs them: nobody else does."""
        if self._text is None:
            from studies.gateways.text_in_pixels import TextInPixels

            self._text = TextInPixels()
        return self._text


def _released(
    dataset: FileDataset, content: bytes, done: Cleaned, blacked: Blacked | None
) -> Outcome:
    uids = (
        str(dataset.get("StudyInstanceUID", "")), str(dataset.get("SeriesInstanceUID", "")),
        str(dataset.get("SOPInstanceUID", "")),
    )  # fmt: skip
    pixels = None
    if blacked:
        pixels = PixelReport(blacked.frames, len(blacked.boxes), round(blacked.share, 4))
    return Outcome(content, (), done.counts, (), str(dataset.get("PatientID", "")), uids, pixels)


def _fault(error: Exception) -> str:
    """Kind and place of a fault, by which one of ours is told from one of the file.

    Never its words: they may quote what the file holds.
    """
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def _read(content: bytes) -> FileDataset:
    dataset = dcmread(io.BytesIO(content), force=True)
    # Bytes that are no DICOM at all are read as a few elements of nonsense, or none.
    if not len(dataset) and "TransferSyntaxUID" in dataset.file_meta:
        raise EOFError("what begins as an object ends within a value of no stated length")
    if "SOPClassUID" not in dataset or "SOPInstanceUID" not in dataset:
        raise InvalidDicomError("no identifier of a class and of an object")
    return dataset


def _syntax_is_known(dataset: FileDataset) -> bool:
    """A file without meta information is read as what its bytes look like."""
    syntax = syntax_of(dataset)
    return syntax is None or syntax.is_transfer_syntax


def _codestream_doubts(dataset: FileDataset) -> list[Doubt]:
    syntax = syntax_of(dataset)
    if syntax is None or not syntax.is_encapsulated or "PixelData" not in dataset:
        return []
    fragments = generate_fragments(dataset.PixelData)
    for number, fragment in enumerate(fragments):
        if number >= _FRAGMENTS_LOOKED_AT:
            break
        if words_in_codestream(fragment):
            return [Doubt.WORDS_IN_CODESTREAM]
    return []
