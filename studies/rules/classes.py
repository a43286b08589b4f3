"""What kind of data the attributes of an image are: the map behind the inventory (LIFEIMAGE-1.4).

Tags by the classes of `policies.rules.categories`; images themselves, and whatever no line names,
count as medical too. Pure.
"""

from __future__ import annotations

from typing import Final

from policies.rules.categories import Category

# Age, size, weight, sex, ethnic group, medical and social history (LIFEIMAGE-1.4).
MEDICAL: Final[dict[int, str]] = {
    0x00100040: "Patient's Sex",
    0x00101010: "Patient's Age",
    0x00101020: "Patient's Size",
    0x00101030: "Patient's Weight",
    0x00102000: "Medical Alerts",
    0x00102110: "Allergies",
    0x00102160: "Ethnic Group",
    0x00102161: "Ethnic Group Code Sequence",
    0x00102180: "Occupation",
    0x001021A0: "Smoking Status",
    0x001021B0: "Additional Patient History",
    0x001021C0: "Pregnancy Status",
    0x001021D0: "Last Menstrual Date",
    0x001021F0: "Patient's Religious Preference",
    0x00104000: "Patient Comments",
    0x00380050: "Special Needs",
    0x00380500: "Patient State",
}
IDENTITY: Final[dict[int, str]] = {
    0x00100010: "Patient's Name",
    0x00100020: "Patient ID",
    0x00100030: "Patient's Birth Date",
    0x00101000: "Other Patient IDs",
    0x00101001: "Other Patient Names",
    0x00101040: "Patient's Address",
    0x00102154: "Patient's Telephone Numbers",
    0x00102297: "Responsible Person",
}
ATTRIBUTES: Final[dict[Category, dict[int, str]]] = {
    Category.IDENTITY: IDENTITY,
    Category.MEDICAL: MEDICAL,
}


def category_of(tag: int) -> Category:
    """The class of an attribute; whatever is not named is medical, for it is about a patient."""
    for category, tags in ATTRIBUTES.items():
        if tag in tags:
            return category
    return Category.MEDICAL
