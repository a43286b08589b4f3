"""Text in an object's pixels: blacked, and looked for again by code of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import FileDataset

from studies.gateways.pixels_cleaning import Blacked, PixelCleaner, PixelsInDoubt
from studies.gateways.pixels_verifying import text_left
from studies.gateways.reading_text import TextEngine
from studies.rules.deidentification.assess import Doubt
from studies.rules.deidentification.identity import Known


class TextInPixels:
    """Both looks, with one engine that is loaded once."""

    def __init__(self) -> None:
        self._engine = TextEngine()
        self._cleaner = PixelCleaner(self._engine)

    def blacked(
        self, dataset: FileDataset, doubts: Sequence[Doubt]
    ) -> tuple[Blacked | None, Sequence[Doubt]]:
        """Black text; give what was done, and the doubts that stay."""
        try:
            done = self._cleaner.clean(dataset)
        except PixelsInDoubt as reason:
            return None, (reason.doubt,)
        if Doubt.BURNED_IN in doubts and not done.found:
            # The object says that there is some, and nobody has seen it.
            return None, (Doubt.BURNED_IN,)
        return done, ()

    def doubts_of(self, written: bytes, known: Known) -> Sequence[Doubt]:
        """Look at a result again."""
        try:
            left = text_left(written, known, self._engine)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - what cannot be decoded again is not right
            return (Doubt.PIXELS_UNREADABLE,)
        return (Doubt.TEXT_LEFT,) if left else ()
