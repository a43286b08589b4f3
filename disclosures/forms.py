"""Forms of a case of disclosure. Nothing in them is ticked before somebody ticks it."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from disclosures.models import Notice
from disclosures.rules.grounds import GROUND_FACTS
from disclosures.rules.parts import PART_LABELS
from disclosures.rules.standing import CHECKS, NARROWING, SAID_LABELS, WAITING_DAYS, Check, Said
from disclosures.services.noticing import Prohibition, Telling
from disclosures.services.opening import Demand
from dsar.rules.documents import LARGEST, MEDIA_TYPES
from dsar.rules.words import LONGEST_TEXT


def _text(label: str, help_text: str = "", *, required: bool = True, rows: int = 4) -> Any:
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


def _day(label: str, help_text: str = "", *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=help_text, widget=widget, required=required)


class DemandForm(forms.Form):
    """A demand, or a need, as it came in."""

    ground = forms.ChoiceField(
        label="On which ground", widget=forms.RadioSelect,
        help_text="Those that the privacy policy in force has.",
    )  # fmt: skip
    authority = forms.CharField(
        label="Who demands it, or would get it", max_length=200,
        help_text="The court, the authority or whoever else, by name.",
    )  # fmt: skip
    reference = forms.CharField(
        label="Their reference", max_length=120, required=False, help_text="As it stands on it."
    )
    citation = forms.CharField(
        label="Law, order or file", max_length=120,
        help_text="With its number: 45 CFR 164.512(e), or the number of the order.",
    )  # fmt: skip
    received_on = _day("Received on")
    answer_on = _day("Answer due on")
    rationale = _text(
        "Why it is needed", "Only where nobody demands it: fraud, terms, rights, safety.",
        required=False,
    )  # fmt: skip

    def __init__(self, *args: Any, grounds: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = [
            (code, f"{GROUND_FACTS[code].label} ({GROUND_FACTS[code].cites})") for code in grounds
        ]

    def demand(self) -> Demand:
        """Call it of a valid form."""
        return Demand(**self.cleaned_data)


class PaperForm(forms.Form):
    file = forms.FileField(
        label="The file", allow_empty_file=True,
        help_text=f"A PDF, JPEG or PNG file of at most {LARGEST >> 20} MB.",
        widget=forms.FileInput(attrs={"accept": ",".join(MEDIA_TYPES.values())}),
        error_messages={"required": f"Choose a file of at most {LARGEST >> 20} MB."},
    )  # fmt: skip


class SignForm(forms.Form):
    """An officer's word on the demand, and on the need."""

    checks = forms.MultipleChoiceField(
        label="What I have seen in the document", widget=forms.CheckboxSelectMultiple,
        choices=[(one.value, words) for one, words in CHECKS.items()], required=False,
    )  # fmt: skip
    validity = _text(
        "How it was verified", "Whom you asked, and by which way.", required=False, rows=3
    )
    necessity = _text(
        "I believe in good faith that it is necessary, because",
        "It stands in the case with your name and the time.",
    )
    good_faith = forms.BooleanField(label="This is my belief, and I sign it")

    def __init__(self, *args: Any, is_compelled: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_compelled:
            del self.fields["checks"], self.fields["validity"]

    def given(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "checks": [Check(one) for one in data.get("checks", ())],
            "validity": data.get("validity", ""), "necessity": data["necessity"],
        }  # fmt: skip


_NARROW_HINTS: Final = {
    Said.ASKED: "The whole of what the demand asks for, in its words.",
    Said.OBJECTED: "What was objected to or negotiated, and with what result; or that there was"
    " nothing to object to, and why.",
    Said.COUNSEL: "Who looked at it as counsel, and what they said; or that nobody did, and why.",
}


class NarrowForm(forms.Form):
    """What was done to give out less."""

    asked = _text(SAID_LABELS[Said.ASKED], _NARROW_HINTS[Said.ASKED])
    objected = _text(SAID_LABELS[Said.OBJECTED], _NARROW_HINTS[Said.OBJECTED])
    counsel = _text(SAID_LABELS[Said.COUNSEL], _NARROW_HINTS[Said.COUNSEL])
    assert tuple(one.value for one in NARROWING) == ("asked", "objected", "counsel")


class WordsForm(forms.Form):
    """One text: a clause, a reason, a finding."""

    text = _text("In words")

    def __init__(
        self, *args: Any, label: str, help_text: str = "", required: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["text"]
        field.label, field.help_text, field.required = label, help_text, required


class FindForm(forms.Form):
    name = forms.CharField(label="Name begins with", max_length=64, required=False)
    identifier = forms.CharField(label="Patient or animal ID", max_length=64, required=False)


class _Mapped(forms.Form):
    clause = forms.ChoiceField(
        label="Which clause names it", widget=forms.RadioSelect, required=False
    )
    reason = _text(
        "Why it is needed for what the clause demands",
        "Without a reason it is listed, and cannot be ticked.", required=False,
    )  # fmt: skip

    def __init__(self, *args: Any, clauses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clause"].choices = clauses

    @property
    def clause_number(self) -> int | None:
        chosen = self.cleaned_data["clause"]
        return int(chosen) if chosen else None


class StudyItemForm(_Mapped):
    series = forms.ChoiceField(label="How much of it", widget=forms.RadioSelect)
    without_person = forms.BooleanField(
        label="Without the person: names, numbers and birth date are taken out", required=False,
        help_text="Where the demand does not ask for names. Days and numbers of studies stay.",
    )  # fmt: skip
    field_order = ("series", "without_person", "clause", "reason")

    def __init__(self, *args: Any, series: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["series"].choices = [*series, ("whole", "The whole study")]


class AccountItemForm(_Mapped):
    email = forms.EmailField(label="Address of the account", max_length=254)
    part = forms.ChoiceField(
        label="Which of its data", widget=forms.RadioSelect,
        choices=[(one.value, words) for one, words in PART_LABELS.items()],
    )  # fmt: skip
    field_order = ("email", "part", "clause", "reason")


class NoticeForm(forms.Form):
    """How one person is told, or what prohibits that."""

    way = forms.ChoiceField(
        label="What is done", widget=forms.RadioSelect,
        choices=[
            (Notice.Way.PORTAL, "Told in the portal now, and by mail as they chose"),
            (Notice.Way.POST, "A letter was sent by post"),
            (Notice.Way.PROHIBITED, "Telling them is prohibited for now"),
        ],
    )  # fmt: skip
    days = forms.IntegerField(
        label="Days to object", min_value=0, max_value=60, initial=WAITING_DAYS, required=False
    )
    reason = _text(
        "Why so few days", f"Only for fewer than {WAITING_DAYS}.", required=False, rows=2
    )
    citation = forms.CharField(
        label="What prohibits it", max_length=120, required=False,
        help_text="With its number. Only where it is prohibited.",
    )  # fmt: skip
    ends_on = _day("Prohibited until", "The last day. Then they are told.", required=False)

    @property
    def telling(self) -> Telling:
        data = self.cleaned_data
        days = WAITING_DAYS if data["days"] is None else data["days"]
        return Telling(data["way"], days, data["reason"])

    @property
    def prohibition(self) -> Prohibition:
        return Prohibition(self.cleaned_data["citation"], self.cleaned_data["ends_on"])
