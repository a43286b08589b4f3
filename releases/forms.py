from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms

from policies.rules.purposes import PURPOSE_LABELS, Purpose
from releases.rules.aggregates.vocabulary import DIMENSION_LABELS, Dimension
from releases.rules.terms import METHOD_LABELS, NEEDS_EXPERT, Method
from releases.services.links import LINK_REASONS
from releases.services.projects import Wanted
from studies.rules.deidentification.profile import Option

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
# What an option does, as somebody who chooses it would say it.
OPTION_WORDS: dict[Option, str] = {
    Option.CLEAN_PIXEL_DATA: "Text that is burned into images is blacked",
    Option.CLEAN_DESCRIPTORS: "Descriptions stay, cleaned of what names somebody",
    Option.CLEAN_STRUCTURED_CONTENT: "Structured reports stay, cleaned",
    Option.CLEAN_GRAPHICS: "Annotations stay, cleaned",
    Option.CLEAN_VISUAL_FEATURES: "Heads are put aside, for they show faces",
    Option.CLEAN_DOCUMENTS: "Documents (PDF, CDA) are written anew from their cleaned words",
    Option.PATIENT_CHARACTERISTICS: "Sex, age, size and weight stay",
    Option.MODIFIED_DATES: "The distances between dates stay, all dates are moved",
    Option.FULL_DATES: "Dates stay as they are",
    Option.DEVICE: "It stays which device made an image",
    Option.INSTITUTION: "It stays where an image was made",
    Option.UIDS: "The original DICOM numbers stay",
    Option.SAFE_PRIVATE: "Makers' attributes that are known to be safe stay",
}


def in_order(options: Collection[Option]) -> list[Option]:
    return [one for one in Option if one in options]


def words_of_option(option: Option) -> str:
    words = OPTION_WORDS.get(option, option.value.replace("-", " "))
    return f"{words} (not under Safe Harbor)" if option in NEEDS_EXPERT else words


class ProjectForm(forms.Form):
    """A release project as somebody begins it; what the policy asks for is no choice here."""

    title = forms.CharField(
        label="Title", max_length=120,
        help_text="What it is about. Name no patient: the recipient reads it too.",
    )  # fmt: skip
    purpose = forms.ChoiceField(label="What for", widget=forms.RadioSelect)
    recipient = forms.ChoiceField(
        label="Who receives it",
        help_text="Another organisation needs a data use agreement, recorded under Agreements.",
    )
    ethics_reference = forms.CharField(
        label="Ethics review", max_length=60, help_text="The number under which it is filed."
    )
    method = forms.ChoiceField(
        label="By what it is known that nobody can be told from it",
        widget=forms.RadioSelect,
        choices=[(one.value, label) for one, label in METHOD_LABELS.items()],
        initial=Method.SAFE_HARBOR.value,
    )
    method_reference = forms.CharField(
        label="The expert's determination", max_length=60, required=False,
        help_text="For expert determination only: the number under which it is filed.",
    )  # fmt: skip
    options = forms.MultipleChoiceField(
        label="Beyond what is always done",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="The less is kept, the safer. Leave everything that the work does not need.",
    )
    ends_on = forms.DateField(
        label="Last day", widget=DAY,
        help_text="Then the way back to the people is destroyed, and the data as the policy says.",
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        purposes: Collection[Purpose],
        recipients: list[tuple[str, str]],
        needed: Collection[Option],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [(one.value, PURPOSE_LABELS[one]) for one in purposes]
        self.fields["recipient"].choices = recipients
        self.fields["options"].choices = [
            (one.value, words_of_option(one)) for one in Option if one not in needed
        ]

    @property
    def wanted(self) -> Wanted:
        values = self.cleaned_data
        return Wanted(
            title=values["title"],
            purpose=Purpose(values["purpose"]),
            recipient_id=UUID(values["recipient"]),
            ethics_reference=values["ethics_reference"],
            method=Method(values["method"]),
            method_reference=values["method_reference"],
            options=tuple(values["options"]),
            ends_on=values["ends_on"],
        )


class LinkForm(forms.Form):
    """A pseudonym, and why somebody has to know whose it is."""

    code = forms.CharField(
        label="Pseudonym", max_length=64, help_text="24 letters and figures, as in the file.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    reason = forms.ChoiceField(
        label="Why", widget=forms.RadioSelect,
        choices=[(one.value, label) for one, label in LINK_REASONS.items()],
    )  # fmt: skip


class CountForm(forms.Form):
    """By what the people of a project are counted, for good."""

    dimensions = forms.MultipleChoiceField(
        label="Count people by",
        widget=forms.CheckboxSelectMultiple,
        help_text="The fewer, the finer the tables.",
    )

    def __init__(self, *args: Any, possible: Collection[Dimension], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dimensions"].choices = [(one.value, DIMENSION_LABELS[one]) for one in possible]


class QuestionForm(forms.Form):
    """What somebody wants to know of the people of a project."""

    by = forms.ChoiceField(label="Rows by")
    across = forms.ChoiceField(label="Columns by", required=False)

    def __init__(self, *args: Any, dimensions: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(one, DIMENSION_LABELS[Dimension(one)]) for one in dimensions]
        self.fields["by"].choices = known
        self.fields["across"].choices = [("", "nothing else"), *known]
