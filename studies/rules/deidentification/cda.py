"""Clean an HL7 CDA document (Release 2) as a tree: what it may keep is listed, the rest goes.

Header participants are masked where one has to be there (recordTarget, author, custodian), else
removed; identifiers are replaced; times follow the dates option; codes and words stay if nobody is
named in them. Names of the header are looked for in the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from .documents import cleaned_line
from .identity import Known
from .text import cleaned_text

HL7: Final = "urn:hl7-org:v3"
_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_HEADER: Final = frozenset(
    "realmCode typeId templateId id code title effectiveTime confidentialityCode languageCode "
    "setId versionNumber recordTarget author custodian component".split()
)
# Those that have to be there, with what has to be in them (CDA R2, 4.2.2).
_MASKS: Final[dict[str, tuple[str, ...]]] = {
    "recordTarget": ("patientRole", "id"),
    "author": ("assignedAuthor", "id"),
    "custodian": ("assignedCustodian", "representedCustodianOrganization", "id"),
}
_NARRATIVE: Final = frozenset(
    "content sub sup br footnote footnoteRef paragraph list item caption table col colgroup thead "
    "tbody tfoot tr th td".split()
)
_BODY: Final = _NARRATIVE | frozenset(
    "component structuredBody section entry entryRelationship templateId typeId id code title text "
    "confidentialityCode languageCode act observation observationRange referenceRange organizer "
    "procedure substanceAdministration supply encounter reference externalAct externalObservation "
    "externalDocument externalProcedure statusCode effectiveTime value interpretationCode "
    "methodCode targetSiteCode priorityCode repeatNumber routeCode approachSiteCode doseQuantity "
    "rateQuantity maxDoseQuantity administrationUnitCode quantity independentInd low high center "
    "width period translation qualifier originalText sequenceNumber precondition criterion "
    "consumable manufacturedProduct manufacturedMaterial numerator denominator".split()
)
# They hold a statement or nothing.
_AROUND: Final = frozenset("component entry entryRelationship reference precondition".split())
_IDENTIFIERS: Final = frozenset({"id", "setId"})
_OF_TEMPLATES: Final = frozenset({"templateId", "typeId"})
_TIMES: Final = frozenset({"effectiveTime", "time"})
_CODED: Final = frozenset(
    "classCode moodCode typeCode determinerCode nullFlavor negationInd inversionInd unit operator "
    "contextConductionInd contextControlCode inclusive codeSystem codeSystemVersion listType "
    "styleCode align valign border width cellpadding cellspacing colspan rowspan span rules frame "
    "scope".split()
) | {_XSI_TYPE}
_SAID: Final = frozenset("code displayName codeSystemName ID IDREF headers axis abbr".split())
_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?|true|false")
_SAFE: Final = re.compile(r"[\w .:/%\[\]{}*^+#-]*")


class CdaUnreadable(ValueError):
    """It is no CDA document that can be cleaned: no words, or another document within it."""


@dataclass(frozen=True, slots=True)
class About:
    """Of whom it is, and how identifiers and times of them are replaced.

    `moment` gives a time as it may stand, None if it may not.
    """

    known: Known
    pseudonym: str
    uid: Callable[[str], str]
    moment: Callable[[str], str | None]


def local(element: Element) -> str:
    """The name of an element of HL7; of others, which are extensions, none."""
    name = str(element.tag)
    return name.removeprefix(f"{{{HL7}}}") if name.startswith(f"{{{HL7}}}") else ""


def gather(root: Element, known: Known) -> None:
    """Add whom the header names: the document may know more people than the object around it."""
    for part in root:
        if local(part) != "component":
            for element in part.iter():
                _gather_one(element, known)


def _gather_one(element: Element, known: Known) -> None:
    name, words = local(element), " ".join(" ".join(element.itertext()).split())
    if name == "name":
        known.add_name(words)
    elif name in {"streetAddressLine", "postalCode", "city", "houseNumber", "streetName"}:
        known.add_code(words)
    elif name == "telecom":
        known.add_code(element.get("value", "").split(":")[-1])
    elif name == "id":
        known.add_code(element.get("extension", ""))
    elif name == "birthTime":
        known.add_birth_date(element.get("value", "")[:8])


def clean(root: Element, about: About) -> None:
    """Clean a document in place. Raises `CdaUnreadable`."""
    if local(root) != "ClinicalDocument" or root.find(f".//{{{HL7}}}structuredBody") is None:
        raise CdaUnreadable("no structured body")
    root.attrib = {name: value for name, value in root.attrib.items() if name in _CODED}
    root.text = None
    masked: set[str] = set()
    for part in list(root):
        name = local(part)
        if name not in _HEADER or name in masked:
            root.remove(part)
        elif name in _MASKS:
            masked.add(name)
            _mask(part, name, about)
        elif not _cleaned(part, name, about, in_time=False):
            root.remove(part)
        part.tail = None


def _mask(part: Element, name: str, about: About) -> None:
    part.clear()
    if name == "author":
        SubElement(part, f"{{{HL7}}}time", {"nullFlavor": "MSK"})
    inner = part
    for step in _MASKS[name]:
        inner = SubElement(inner, f"{{{HL7}}}{step}")
    if name == "recordTarget":
        inner.attrib.update(root=about.uid("recordTarget"), extension=about.pseudonym)
    else:
        inner.set("nullFlavor", "MSK")


def _cleaned(element: Element, name: str, about: About, *, in_time: bool) -> bool:
    """Clean an element and what is in it; False: it goes."""
    in_time = in_time or name in _TIMES or element.get(_XSI_TYPE, "").endswith("TS")
    is_text = element.get("representation") != "B64"
    _attributes(element, name, about, in_time=in_time)
    element.text = _words(element.text, about) if is_text else None
    for child in list(element):
        inner = local(child)
        kept = inner in _BODY or (inner == "name" and name == "qualifier")
        words = _words(child.tail, about)
        if kept and _cleaned(child, inner, about, in_time=in_time):
            child.tail = words
        else:
            _remove(element, child, words)
    # A reference of the narrative's says where, and has nothing in it.
    is_around = name in _AROUND and element.get("value") is None
    return not is_around or any(local(one) not in _OF_TEMPLATES for one in element)


def _remove(parent: Element, child: Element, words: str | None) -> None:
    """Take an element out, but not the words that stand behind it."""
    place = list(parent).index(child)
    if words and place:
        before = parent[place - 1]
        before.tail = (before.tail or "") + words
    elif words:
        parent.text = (parent.text or "") + words
    parent.remove(child)


def _words(text: str | None, about: About) -> str | None:
    if text is None or not text.strip():
        return text
    return "\n".join(cleaned_line(one, about.known) for one in text.split("\n"))


def _attributes(element: Element, name: str, about: About, *, in_time: bool) -> None:
    value = element.get("value")
    kept = dict(_kept_attributes(element, name, about))
    if value is not None:
        # A period is told in hours, and is no moment.
        is_time = in_time and element.get("unit") is None
        shown = _value(value, name, about, is_time=is_time)
        kept |= {"nullFlavor": "MSK"} if shown is None else {"value": shown}
    element.attrib = kept


def _kept_attributes(element: Element, name: str, about: About) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        if key in _CODED:
            if _SAFE.fullmatch(value) and not about.known.found_in(value):
                yield key, value
        elif key in _SAID:
            yield key, cleaned_text(value, about.known)
        elif key in {"root", "extension"} and name in _OF_TEMPLATES:
            yield key, value
    if name in _IDENTIFIERS and (element.get("root") or element.get("extension")):
        yield "root", about.uid("^".join(filter(None, map(element.get, ("root", "extension")))))


def _value(value: str, name: str, about: About, *, is_time: bool) -> str | None:
    """An attribute `value` as it may stand; None: not at all."""
    if is_time:
        return about.moment(value)
    if name == "reference":
        return value if value.startswith("#") and not about.known.found_in(value) else None
    if about.known.found_in(value):
        return None
    return value if _NUMBER.fullmatch(value) else cleaned_text(value, about.known)
