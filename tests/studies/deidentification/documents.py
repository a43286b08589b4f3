"""Documents with people in them, for objects."""

from __future__ import annotations

import io

from pydicom.dataset import Dataset
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.studies.deidentification.objects import ct, part10

PDF_OBJECT, CDA_OBJECT = (f"1.2.840.10008.5.1.4.1.1.104.{one}" for one in (1, 2))
REPORT = [
    "Radiology report",
    "Patient: Oberhuber, Kreszenz",
    "Referring physician: Dr. Sepp Brandtner, tel. +49 89 5551234",
    "Findings: Marlene Quixada has a nodule in the left lower lobe.",
    "The nodule measures 8 mm. No effusion, no enlarged lymph nodes.",
    "Seen on 11.06.2026 and compared with an earlier study.",
]
CDA = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet href="quixada.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xmlns:sdtc="urn:hl7-org:sdtc" xsi:schemaLocation="urn:hl7-org:v3 file:///home/quixada/CDA.xsd">
  <!-- dictated for Marlene -->
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="1.2.276.0.76.10.1" extension="2015-08-01"/>
  <id root="1.2.3.4.5" extension="DOC-4711"/>
  <code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Imaging study"/>
  <title>Report on Marlene Quixada</title>
  <effectiveTime value="20260611101112+0200"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <recordTarget><patientRole><id root="1.2.3" extension="KH-90817"/>
    <addr><streetAddressLine>Hauptstrasse 7</streetAddressLine><city>Kolbermoor</city></addr>
    <telecom value="tel:+4989777123"/>
    <patient><name><given>Kreszenz</given><family>Oberhuber</family></name>
      <birthTime value="19420317"/></patient></patientRole></recordTarget>
  <author><time value="20260611"/><assignedAuthor><id root="1.2.9" extension="A-5512"/>
    <assignedPerson><name>Dr. Sepp Brandtner</name></assignedPerson></assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.8"/>
    <name>Isarklinikum</name></representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator><time value="20260611"/><signatureCode code="S"/>
    <assignedEntity><id extension="L-3344"/></assignedEntity></legalAuthenticator>
  <componentOf><encompassingEncounter><id extension="E-7781"/></encompassingEncounter></componentOf>
  <component><structuredBody><component><section>
    <code code="59776-5" codeSystem="2.16.840.1.113883.6.1" displayName="Procedure findings"/>
    <title>Findings</title>
    <text><paragraph ID="f1">A nodule of 8 mm in the left lower lobe.</paragraph>
      <paragraph>Frau Oberhuber of Kolbermoor was told on 11.06.2026.</paragraph>
      <table><tbody><tr><th>Referred by:</th><td>Brandtner</td></tr></tbody></table>
      <linkHtml href="https://isarklinikum.example/KH-90817">open</linkHtml> No effusion.</text>
    <entry><observation classCode="OBS" moodCode="EVN"><id root="1.2.3.7" extension="O-1"/>
      <code code="246120007" codeSystem="2.16.840.1.113883.6.96" displayName="Nodule size"/>
      <text><reference value="#f1"/></text><statusCode code="completed"/>
      <effectiveTime><low value="20260610"/><high value="20260611"/></effectiveTime>
      <value xsi:type="PQ" value="8" unit="mm"/>
      <performer><assignedEntity><id extension="P-9"/></assignedEntity></performer>
      <sdtc:signatureText>Brandtner</sdtc:signatureText></observation></entry>
    <entry><observationMedia classCode="OBS" moodCode="EVN"><value mediaType="image/png"
      representation="B64">UXVpeGFkYQ==</value></observationMedia></entry>
  </section></component></structuredBody></component>
</ClinicalDocument>
"""
CDA_NAMES = (
    "Oberhuber", "Kreszenz", "Brandtner", "Quixada", "Marlene", "Kolbermoor", "Hauptstrasse",
    "KH-90817", "DOC-4711", "A-5512", "L-3344", "E-7781", "89777123", "Isarklinikum", "UXVpeGFkYQ",
    "19420317", "20260611", "11.06.2026", "1.2.3.4.5", "quixada.xsl", "isarklinikum",
)  # fmt: skip


def pdf(lines: list[str], **canvas: object) -> bytes:
    """A PDF whose words lie compressed in its pages, with data about its author."""
    buffer = io.BytesIO()
    made = Canvas(buffer, pagesize=A4, pageCompression=1, **canvas)
    made.setAuthor("Dr. Sepp Brandtner")
    made.setTitle("Quixada, Marlene")
    for number, line in enumerate(lines):
        made.drawString(50, 800 - 14 * number, line)
    made.showPage()
    made.save()
    return buffer.getvalue()


def encapsulated(content: bytes, kind: str = PDF_OBJECT) -> bytes:
    made: Dataset = ct(SOPClassUID=kind, Modality="DOC")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(made, keyword)
    made.DocumentTitle, made.BurnedInAnnotation = "Report on Marlene", "YES"
    made.MIMETypeOfEncapsulatedDocument = "application/pdf" if kind == PDF_OBJECT else "text/XML"
    if kind == CDA_OBJECT:
        made.HL7InstanceIdentifier = "1.2.3.4.5^DOC-4711"
    made.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    made.EncapsulatedDocumentLength = len(content)
    return part10(made)
