"""The document within an object: its words cleaned, and written as a document of its own again.

For processes with limits, never for the web process: strangers' PDF and XML are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydicom.dataset import Dataset

from studies.gateways.pdf_documents import PdfUnreadable, pages_of, pdf_of
from studies.rules.deidentification import cda
from studies.rules.deidentification.assess import PDF_OBJECT
from studies.rules.deidentification.documents import cleaned_line, is_spoken, names_over_ends
from studies.rules.deidentification.identity import Known
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.profile import Option, Profile
from studies.rules.deidentification.replacing import Cleaned
from studies.rules.deidentification.values import moved_moment

_TIME: Final = re.compile(r"\d{4,14}(?:\.\d{1,6})?(?:[+-]\d{4})?")
for _prefix, _space in (("", cda.HL7), ("xsi", "http://www.w3.org/2001/XMLSchema-instance")):
    ET.register_namespace(_prefix, _space)


class DocumentInDoubt(Exception):
    """Raised when a document cannot be cleaned: the object is put aside."""


class DocumentCleaner:
    """Cleans the documents of one project's objects under one profile."""

    def __init__(self, profile: Profile, keyed: Keyed) -> None:
        self._profile, self._keyed = profile, keyed

    def put(self, dataset: Dataset, original: bytes, done: Cleaned) -> None:
        """Put the clean document into an object that is clean already. Raises `DocumentInDoubt`.

        Whom the document names itself is known afterwards too.
        """
        try:
            done.known.forget(done.pseudonym)
            if dataset.SOPClassUID == PDF_OBJECT:
                content = self._pdf(original, done.known)
            else:
                content = self._cda(dataset, original, done)
        except (PdfUnreadable, cda.CdaUnreadable, ET.ParseError) as error:
            raise DocumentInDoubt from error
        except (DefusedXmlException, UnicodeError, LookupError) as error:
            raise DocumentInDoubt from error
        dataset.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
        dataset.EncapsulatedDocumentLength = len(content)
        dataset.BurnedInAnnotation = "NO"

    def _pdf(self, original: bytes, known: Known) -> bytes:
        pages = pages_of(original)
        if not is_spoken("\n".join(line for page in pages for line in page)):
            raise DocumentInDoubt
        cleaned = [[cleaned_line(line, known) for line in page] for page in pages]
        if names_over_ends((line for page in cleaned for line in page), known):
            raise DocumentInDoubt
        return pdf_of(cleaned)

    def _cda(self, dataset: Dataset, original: bytes, done: Cleaned) -> bytes:
        root = fromstring(original.rstrip(b"\0 \r\n"), forbid_dtd=True)
        cda.gather(root, done.known)
        done.known.forget(done.pseudonym)
        cda.clean(root, cda.About(done.known, done.pseudonym, self._uid, self._moment(done)))
        if names_over_ends(root.itertext(), done.known):
            raise DocumentInDoubt
        identifier = root.find(f"{{{cda.HL7}}}id")
        dataset.pop("HL7InstanceIdentifier", None)
        if identifier is not None and identifier.get("root"):
            dataset.HL7InstanceIdentifier = identifier.get("root")
        content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return content

    def _uid(self, value: str) -> str:
        return value if self._keyed.is_own_uid(value) else self._keyed.uid(value)

    def _moment(self, done: Cleaned) -> Any:
        def shown(value: str) -> str | None:
            if self._profile.has(Option.FULL_DATES):
                stays = _TIME.fullmatch(value) and not done.known.found_in(value)
                return value if stays else None
            if self._profile.has(Option.MODIFIED_DATES):
                return moved_moment("DT", value, done.days)
            return None

        return shown


# The second look ----------------------------------------------------------------------------------
def somebody_is_left(written: Dataset, known: Known) -> bool:
    """Is somebody named in the document of a result? It is read anew from what was written."""
    content = written.EncapsulatedDocument
    if written.SOPClassUID == PDF_OBJECT:
        words: Iterator[str] = (line for page in pages_of(content) for line in page)
    else:
        words = _everything_in(content)
    return any(known.found_in(one) for one in words)


def _everything_in(content: bytes) -> Iterator[str]:
    for element in fromstring(content.rstrip(b"\0"), forbid_dtd=True).iter():
        yield from filter(None, (element.text, element.tail))
        yield from element.attrib.values()
