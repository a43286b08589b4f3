"""Documents within objects: put aside, or their words cleaned and written anew, if asked for."""

from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydicom.dataset import Dataset
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from studies.gateways import cleaning_documents
from studies.gateways.pdf_documents import PdfUnreadable, pages_of, pdf_of
from studies.rules.deidentification import cda as rules_of_cda
from studies.rules.deidentification.documents import cleaned_line, is_spoken
from studies.rules.deidentification.identity import Known
from studies.rules.deidentification.keyed import Keyed
from studies.rules.deidentification.values import moved_moment
from tests.studies.deidentification.documents import (
    CDA,
    CDA_NAMES,
    CDA_OBJECT,
    REPORT,
    encapsulated,
    pdf,
)
from tests.studies.deidentification.objects import KEY, deidentifier, released

DOCUMENTS = "clean-documents"
HL7 = "{urn:hl7-org:v3}"


def at(root: ET.Element, path: str) -> ET.Element:
    found = root.find(path)
    assert found is not None, path
    return found


def doubts(content: bytes, *options: str) -> list[str]:
    outcome = deidentifier(*options).deidentify(content)
    assert outcome.content is None
    return [one.value for one in outcome.doubts]


def text(after: Dataset) -> str:
    pages = PdfReader(io.BytesIO(after.EncapsulatedDocument)).pages
    return "\n".join(page.extract_text() for page in pages)


@pytest.mark.parametrize("options", [[], ["clean-descriptors"], ["clean-structured-content"]])
def test_documents_are_put_aside_unless_asked_for(options: list[str]) -> None:
    assert doubts(encapsulated(pdf(REPORT)), *options) == ["document"]
    assert doubts(encapsulated(CDA.encode(), CDA_OBJECT), *options) == ["document"]


def test_other_kinds_of_documents_are_put_aside_always() -> None:
    model = encapsulated(b"solid", "1.2.840.10008.5.1.4.1.1.104.3")
    assert doubts(model, DOCUMENTS) == ["document"]


# PDF ----------------------------------------------------------------------------------------------
def test_words_of_a_pdf_stay_and_people_go() -> None:
    after = released(encapsulated(pdf(REPORT)), DOCUMENTS)
    assert text(after).splitlines() == [
        "Radiology report",
        "Patient: REMOVED",
        "Referring physician: REMOVED",
        "REMOVED",
        "The nodule measures 8 mm. No effusion, no enlarged lymph nodes.",
        "Seen on REMOVED and compared with an earlier study.",
    ]
    content = bytes(after.EncapsulatedDocument)
    for name in (b"Oberhuber", b"Brandtner", b"Quixada", b"5551234", b"2026"):
        assert name not in content
    assert after.EncapsulatedDocumentLength in {len(content), len(content) - 1}
    assert after.BurnedInAnnotation == "NO"
    assert after.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert after.DocumentTitle == "REMOVED"
    reader = PdfReader(io.BytesIO(content))
    assert not reader.attachments
    assert all(not page.images and "/Annots" not in page for page in reader.pages)


def test_a_clean_pdf_is_not_changed_by_cleaning_it_again() -> None:
    lines = [*REPORT, "word " * 60, *(f"line {number} of many" for number in range(48))]
    once = deidentifier(DOCUMENTS).deidentify(encapsulated(pdf(lines))).content
    assert once is not None
    assert deidentifier(DOCUMENTS).deidentify(once).content == once


def test_pictures_attachments_forms_and_links_do_not_come_along() -> None:
    from PIL import Image

    buffer = io.BytesIO()
    made = Canvas(buffer, pagesize=A4)
    for number, line in enumerate(REPORT):
        made.drawString(50, 800 - 14 * number, line)
    made.drawImage(ImageReader(Image.new("RGB", (40, 40), "red")), 50, 200)
    made.linkURL("https://quixada.example/", (50, 50, 90, 90))
    made.acroForm.textfield(name="Quixada", value="Quixada", x=50, y=300)
    made.save()
    writer = PdfWriter(clone_from=io.BytesIO(buffer.getvalue()))
    writer.add_attachment("quixada.txt", b"Quixada")
    out = io.BytesIO()
    writer.write(out)
    content = bytes(released(encapsulated(out.getvalue()), DOCUMENTS).EncapsulatedDocument)
    assert b"uixada" not in content
    assert b"/Subtype /Image" not in content
    assert not PdfReader(io.BytesIO(content)).attachments


def picture_only() -> bytes:
    buffer = io.BytesIO()
    made = Canvas(buffer, pagesize=A4)
    made.rect(50, 50, 90, 90)
    made.showPage()
    made.save()
    return buffer.getvalue()


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(pdf(REPORT)))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


CIPHER = [line.translate({code: code + 1 for code in range(97, 122)}) for line in REPORT]


@pytest.mark.parametrize(
    "content",
    [
        picture_only, encrypted, lambda: b"", lambda: b"%PDF-1.4\nnonsense", lambda: b"Quixada",
        lambda: pdf(REPORT)[:400], lambda: pdf(CIPHER), lambda: pdf([*REPORT, "Quixa-", "da"]),
        lambda: pdf([*REPORT, "Quix", "ada came"]),
    ],
)  # fmt: skip
def test_a_pdf_whose_words_cannot_be_known_is_put_aside(content: Any) -> None:
    assert doubts(encapsulated(content()), DOCUMENTS) == ["document-unreadable"]


def test_letters_that_cannot_be_written_put_it_aside() -> None:
    with pytest.raises(PdfUnreadable):
        pdf_of([["Παπαδοπούλου"]])
    assert pages_of(pdf_of([["Größe 8 mm"], ["fin"]])) == [["Größe 8 mm"], ["fin"]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Patient's name: Kreszenz O.", "Patient's name: REMOVED"),
        ("DOB = 17 March 1942", "DOB: REMOVED"),
        ("Geburtsdatum: 17.3.42", "Geburtsdatum: REMOVED"),
        ("Case no. # 7", "Case no.: REMOVED"),
        ("Impression: no nodule", "Impression: no nodule"),
        ("Told Dr. Brandtner, by telephone", "Told REMOVED, by telephone"),
        ("Marlene came", "REMOVED"),
    ],
)
def test_what_a_label_announces_goes(line: str, expected: str) -> None:
    known = Known(words={"marlene"})
    assert cleaned_line(line, known) == expected
    assert cleaned_line(expected, known) == expected


def test_a_font_that_does_not_tell_its_letters_puts_it_aside() -> None:
    """What is read then is a cipher of what stands there."""
    whole = pdf(REPORT)
    assert b"/WinAnsiEncoding" in whole
    for encoding in (b"/QuixadaEncoding", b"<</Differences[65/g1/g2/g3]>>"):
        assert doubts(encapsulated(whole.replace(b"/WinAnsiEncoding", encoding)), DOCUMENTS) == [
            "document-unreadable"
        ]


def test_a_cipher_is_not_taken_for_words() -> None:
    assert is_spoken(" ".join(REPORT))
    assert not is_spoken(" ".join(CIPHER))
    assert not is_spoken("Quixada \x01\x02")
    assert is_spoken("")


# CDA ----------------------------------------------------------------------------------------------
def cda(*options: str, content: str = CDA) -> ET.Element:
    after = released(encapsulated(content.encode(), CDA_OBJECT), DOCUMENTS, *options)
    return ET.fromstring(bytes(after.EncapsulatedDocument).rstrip(b"\0"))


def test_a_cda_document_says_the_same_about_nobody() -> None:
    after = released(encapsulated(CDA.encode(), CDA_OBJECT), DOCUMENTS)
    content = bytes(after.EncapsulatedDocument).rstrip(b"\0")
    for name in CDA_NAMES:
        assert name.encode() not in content, name
    root = ET.fromstring(content)
    said = " ".join("".join(root.itertext()).split())
    assert "A nodule of 8 mm in the left lower lobe." in said
    assert "No effusion." in said
    for path in ("typeId", "templateId", "id", "code", "effectiveTime", "recordTarget", "author",
                 "custodian", "component"):  # fmt: skip
        assert root.find(f"{HL7}{path}") is not None, path
    names = {element.tag.removeprefix(HL7) for element in root.iter()}
    assert not names & {"name", "addr", "telecom", "birthTime", "performer", "observationMedia"}
    assert at(root, f"{HL7}id").attrib == {"root": after.HL7InstanceIdentifier}
    assert Keyed(KEY).is_own_uid(after.HL7InstanceIdentifier)
    assert at(root, f".//{HL7}patientRole/{HL7}id").get("extension") == after.PatientID
    value = at(root, f".//{HL7}observation/{HL7}value")
    assert (value.get("value"), value.get("unit")) == ("8", "mm")
    assert at(root, f".//{HL7}reference").get("value") == "#f1"
    assert len(root.findall(f".//{HL7}entry")) == 1  # the picture's is gone
    assert at(root, f"{HL7}effectiveTime").attrib == {"nullFlavor": "MSK"}


@pytest.mark.parametrize("option", ["full-dates", "modified-dates"])
def test_times_of_a_cda_follow_the_dates_option(option: str) -> None:
    root = cda(option)
    shown = [at(root, f".//{HL7}{one}").get("value") for one in ("effectiveTime", "low")]
    before = ["20260611101112+0200", "20260610"]
    if option == "modified-dates":
        days = Keyed(KEY).days("id\0HVH-778812")
        before = [str(moved_moment("DT", one, days)) for one in before]
    assert shown == before
    assert b"19420317" not in ET.tostring(root)


def test_a_clean_cda_is_not_changed_by_cleaning_it_again() -> None:
    for options in ([], ["modified-dates"]):
        content = encapsulated(CDA.encode(), CDA_OBJECT)
        once = deidentifier(DOCUMENTS, *options).deidentify(content).content
        assert once is not None
        assert deidentifier(DOCUMENTS, *options).deidentify(once).content == once


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize(
    "content",
    [
        CDA.replace("<ClinicalDocument ", f"{BOMB}<ClinicalDocument ", 1),
        CDA.replace("<ClinicalDocument ", f"{OUTSIDE}<ClinicalDocument ", 1),
        CDA.replace("structuredBody", "nonXMLBody"),
        CDA.replace("urn:hl7-org:v3", "urn:somebody"),
        CDA[:2000],
        "",
        CDA.replace("A nodule of", "<content>Ober</content><content>huber</content> has"),
    ],
)
def test_a_cda_that_cannot_be_read_safely_is_put_aside(content: str) -> None:
    assert doubts(encapsulated(content.encode(), CDA_OBJECT), DOCUMENTS) == ["document-unreadable"]


def test_a_cda_too_deep_is_put_aside() -> None:
    deep = "<content>" * 5000 + "x" + "</content>" * 5000
    content = CDA.replace("A nodule of", deep).encode()
    assert doubts(encapsulated(content, CDA_OBJECT), DOCUMENTS) in (
        ["too-deep"], ["document-unreadable"],
    )  # fmt: skip


# The second look ----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["pdf", "cda"])
def test_the_second_look_finds_whom_the_first_left(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried on a document in which nobody was looked for."""
    for place in (cleaning_documents, rules_of_cda):
        monkeypatch.setattr(place, "cleaned_line", lambda line, _: line)
    monkeypatch.setattr(cleaning_documents, "names_over_ends", lambda *_: False)
    content = encapsulated(pdf(["Seen by Marl" + "ene today."]))
    if kind == "cda":
        content = encapsulated(CDA.encode(), CDA_OBJECT)
    assert doubts(content, DOCUMENTS) == ["still-there"]
