from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from accounts.models import User
from retention.rules.facts import MILESTONE_LABELS, Milestone
from retention.rules.holds import LONGEST_TEXT, SCOPE_LABELS, HoldFacts, Scope, Search

# A code string of DICOM (CS): at most 16 upper-case letters and digits.
_MODALITIES = forms.CharField(
    label="Kinds of images", required=False, max_length=100,
    help_text="As DICOM names them, with commas between, such as CT, MG.",
)  # fmt: skip
NOTHING = UUID(int=0)


def _day(label: str, help_text: str = "", *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=required,
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip


def _words(label: str, help_text: str = "", *, rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


class HoldForm(forms.Form):
    """A hold; `facts_for` gives what it covers."""

    matter = forms.CharField(
        label="Matter", max_length=200, help_text="Such as a file number and whom it is against."
    )
    reason = _words("Why these records have to stay")
    scope = forms.ChoiceField(
        label="What it covers",
        widget=forms.RadioSelect,
        choices=[(one.value, label) for one, label in SCOPE_LABELS.items()],
    )
    study = forms.CharField(
        label="Number of the study", required=False, max_length=64,
        help_text="Its DICOM number. Needed for one study, and for all studies of its patient.",
    )  # fmt: skip
    modalities = _MODALITIES
    received_from = _day("Received from", "Of a search.", required=False)
    received_to = _day("Received until", "Of a search.", required=False)
    custodian = forms.ChoiceField(
        label="Who looks after it", help_text="They are reminded on the day of review."
    )
    review_on = _day("To be looked at again", "On a day within two years.")

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(((one.pk, one.name) for one in people), key=lambda one: one[1])
        self.fields["custodian"].choices = names  # type: ignore[attr-defined]
        self.people = {str(one.pk): one for one in people}

    def clean_custodian(self) -> User:
        return self.people[self.cleaned_data["custodian"]]

    def clean_modalities(self) -> frozenset[str]:
        named = {one.strip().upper() for one in self.cleaned_data["modalities"].split(",")}
        if any(not one.isalnum() or not one.isascii() or len(one) > 16 for one in named - {""}):
            raise forms.ValidationError("Name kinds as DICOM does, such as CT, MG.")
        return frozenset(named - {""})

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        begins, ends = given.get("received_from"), given.get("received_to")
        if begins and ends and begins > ends:
            self.add_error("received_to", "That is before it begins.")
        if given.get("scope") in {Scope.STUDY, Scope.SUBJECT} and not given.get("study"):
            self.add_error("study", "Say which study.")
        return given

    def facts_for(self, subject_id: UUID | None) -> HoldFacts:
        given = self.cleaned_data
        scope = Scope(given["scope"])
        search = Search(given["modalities"], given["received_from"], given["received_to"])
        return HoldFacts(
            NOTHING, scope,
            subject_id=subject_id if scope is Scope.SUBJECT else None,
            study_uid=given["study"].strip() if scope is Scope.STUDY else "",
            search=search if scope is Scope.SEARCH else Search(),
        )  # fmt: skip


class ReviewForm(forms.Form):
    review_on = _day("To be looked at again", "On a day within two years.")


class LiftForm(forms.Form):
    reason = _words("Why it can be lifted")


class NoForm(forms.Form):
    pass


class MilestoneForm(forms.Form):
    milestone = forms.ChoiceField(
        label="What has come to an end",
        choices=[(one.value, MILESTONE_LABELS[one].capitalize()) for one in Milestone],
    )
    happened_on = _day("When")


class ClosingForm(forms.Form):
    """Closing an organisation's account takes its name, typed: nobody does that by mistake."""

    act = forms.ChoiceField(choices=[(one, one) for one in ("ask", "agree", "take-back")])
    name = forms.CharField(
        label="Name of the organisation",
        max_length=120,
        required=False,
        help_text="Type it as it stands above, so that nobody closes one by mistake.",
    )

    def __init__(self, *args: Any, name: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._name = name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        typed = " ".join(str(data.get("name", "")).split())
        if data.get("act") != "take-back" and typed.lower() != self._name.lower():
            self.add_error("name", "Type the name of the organisation as it stands above.")
        return data
