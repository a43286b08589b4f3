"""What officers fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Organisation, User
from dsar.forms.agents import ActingFields
from dsar.forms.asking import ResidenceForm, country_field, state_field, text_field
from dsar.forms.directives import ScopeForm, ticks
from dsar.forms.plain import NoForm
from dsar.rules.kinds import KIND_CHOICES, Kind, refusal_of_residence
from dsar.rules.states import (
    DOOR_LABELS,
    OUTCOME_LABELS,
    RECORDED_BY_OFFICER,
    Outcome,
    denial_words,
    denials_for,
    outcomes_for,
)
from dsar.rules.words import LONGEST_TEXT, one_line
from dsar.selectors.identity import is_identified
from studies.rules.correcting import ATTRIBUTES, ValueRefused, checked_value, value_words


class RecordForm(ActingFields, ResidenceForm):
    """What came by post, telephone or e-mail, written down by an officer."""

    door = forms.ChoiceField(
        label="How did it come?", widget=forms.RadioSelect,
        choices=[(one.value, DOOR_LABELS[one].capitalize()) for one in RECORDED_BY_OFFICER],
    )  # fmt: skip
    received_on = forms.DateField(
        label="On which day did it come?",
        help_text="When it reached the organisation, not when it was opened. Its time began then.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    kind = forms.ChoiceField(label="What is asked for?", choices=KIND_CHOICES)
    name = forms.CharField(label="Name of whoever asks", max_length=120)
    email = forms.EmailField(
        label="E-mail address of whoever asks", max_length=254, required=False,
        help_text="The acknowledgement and the answer go there. Left empty, you print letters.",
    )  # fmt: skip
    text = text_field("What was written or said")
    country, state = country_field("Country the person lives in", "Not known"), state_field()
    field_order = ["door", "received_on", "kind", "name", "email", "relation", "person_name",
                   "person_age", "country", "state", "text"]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["relation"].label = "For whom do they ask?"
        self.fields["relation"].choices = [
            ("", "Themself, or their animal"), *self.fields["relation"].choices[1:]
        ]  # fmt: skip
        self.fields["person_name"].label = "Name of the person they ask for"
        self.fields["person_name"].help_text = "Left empty if they ask for themself."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind = cleaned.get("kind")
        refused = refusal_of_residence(Kind(kind), self.residence) if kind else ""
        if refused:
            self.add_error("state", refused)
        return cleaned

    def clean_name(self) -> str:
        if not (name := one_line(self.cleaned_data["name"])):
            raise forms.ValidationError("Give a name, or write: not given.")
        return name


class AssignForm(NoForm):
    officer = forms.ModelChoiceField(
        label="Who works on it", queryset=User.objects.none(), empty_label=None,
        widget=forms.RadioSelect,
    )  # fmt: skip


class AnswerForm(NoForm):
    outcome = forms.ChoiceField(label="How it ends", widget=forms.RadioSelect)
    denial = forms.ChoiceField(label="Why it is refused", required=False)
    text = text_field(
        "The answer", "To the person, in plain words. A refusal explains why; where to complain is"
        " added by the portal.", rows=14,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_known = is_identified(self.case)
        can = outcomes_for(Kind(self.case.kind))
        self.fields["outcome"].choices = [
            (one.value, OUTCOME_LABELS[one]) for one in can if self.is_bound or self._now(one)
        ]
        self.fields["denial"].choices = [
            ("", "It is not refused"),
            *((one.value, denial_words(one)) for one in denials_for(Kind(self.case.kind))),
        ]
        if len(can) == 1:
            self.initial.setdefault("outcome", can[0].value)
            del self.fields["denial"]
        if self.case.facts.needs_identity and not self.is_known:
            self.fields["outcome"].help_text = (
                "It is not noted yet how it is known who asks, so nothing can be handed out or"
                " changed. Note that first, or refuse."
            )

    def _now(self, outcome: Outcome) -> bool:
        """What is not possible before it is known who asks is not offered."""
        return self.is_known or not self.case.facts.needs_identity or outcome is Outcome.DENIED


class DirectiveAnswerForm(AnswerForm, ScopeForm):
    """The answer to a request that bars a use, with how far it reaches."""

    field_order = ["outcome", "directive", "purposes", "studies", "recipients", "denial", "text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["directive"].label = "What holds from now on, if it is granted"


HELP_OF_VR = {
    "PN": " Written as family^given^middle^prefix^suffix.",
    "DA": " Written as 1972-03-14.",
    "CS": " F, M or O.",
}


def _shown(tag: str, value: str) -> str:
    """As it is to be typed: a name with its carets, a day with its hyphens."""
    return value_words(tag, value) if ATTRIBUTES[tag].vr == "DA" else value


class CorrectionAnswerForm(AnswerForm):
    """The answer to a request for a correction: old values beside the new ones."""

    studies = ticks("In which studies", "None ticked: all. What is of the person goes into all.")
    elsewhere = forms.BooleanField(
        label="It was about something else than images, and was put right there", required=False
    )

    def __init__(
        self,
        *args: Any,
        before: dict[str, str],
        study_choices: list[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if study_choices:
            self.fields["studies"].choices = study_choices
        else:
            del self.fields["studies"]
        if not before:
            self.fields["elsewhere"].help_text = (
                "Of images, find first whose they are, under what is held; then what they say now"
                " stands here, to be corrected."
            )
        for tag, value in before.items():
            self.fields[tag] = forms.CharField(
                label=ATTRIBUTES[tag].label, required=False, max_length=200,
                help_text=f"Now: {_shown(tag, value) or 'nothing'}. Left empty, it stays so."
                f"{HELP_OF_VR.get(ATTRIBUTES[tag].vr, '')}",
            )  # fmt: skip
        self.order_fields(["outcome", *before, "studies", "elsewhere", "denial", "text"])

    def values(self) -> dict[str, str]:
        """After `is_valid`: the new values by tag."""
        return {tag: self.cleaned_data[tag] for tag in ATTRIBUTES if self.cleaned_data.get(tag)}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        today = timezone.now().date()
        for tag in ATTRIBUTES:
            if text := cleaned.get(tag):
                try:
                    cleaned[tag] = checked_value(tag, text, today=today)
                except ValueRefused as refusal:
                    self.add_error(tag, str(refusal))
        return cleaned


class ReaddressForm(NoForm):
    email = forms.EmailField(
        label="E-mail address of the person", max_length=254, required=False,
        help_text="Left empty, they are told by letters that you print.",
    )  # fmt: skip


class HandOverForm(NoForm):
    organisation = forms.ModelChoiceField(
        label="Which organisation sent the data?", queryset=Organisation.objects.none()
    )
    text = forms.CharField(
        label="To the person", max_length=LONGEST_TEXT,
        help_text="Why the request goes there, and whom they can turn to.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )  # fmt: skip


class FindForm(forms.Form):
    """Whom a request is about: found as in the worklist."""

    name = forms.CharField(label="Name begins with", max_length=64, required=False)
    identifier = forms.CharField(label="Patient or animal ID", max_length=64, required=False)
