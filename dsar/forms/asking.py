"""What people fill in who ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from accounts.rules.residence import COUNTRIES, US_STATES, ResidenceInvalid, parts_of, residence_of
from dsar.rules.kinds import CALIFORNIA, Kind, refusal_of_residence
from dsar.rules.offers import Offer
from dsar.rules.words import LONGEST_TEXT, SHORTEST_TEXT, one_line, readable

NAME, EMAIL = "Your name", "Your e-mail address"


def country_field(
    label: str = "Country you live in", unsaid: str = "I would rather not say"
) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, required=False,
        choices=[("", unsaid), *COUNTRIES.items()],
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )  # fmt: skip


def state_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="State, in the United States only", required=False,
        choices=[("", "None"), *US_STATES.items()],
    )  # fmt: skip


def text_field(label: str, help_text: str = "", *, rows: int = 8) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


class ResidenceForm(forms.Form):
    """Where somebody lives; `residence` is its code after `is_valid`."""

    country, state = country_field(), state_field()
    residence = ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            self.residence = residence_of(cleaned.get("country", ""), cleaned.get("state", ""))
        except ResidenceInvalid as invalid:
            self.add_error("state", str(invalid))
        return cleaned


class WordsForm(ResidenceForm):
    """A request in its person's own words. Hidden, the residence that the page was made for."""

    kind = forms.ChoiceField(
        label="What do you want to ask for?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you want to ask for."},
    )
    name = forms.CharField(
        label=NAME, max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=EMAIL,
        max_length=254,
        help_text="You confirm it by a link that we send there. The answer is read there as well.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    californian = forms.BooleanField(
        label="I live in California", required=False,
        help_text="Needed for the one question that this law alone gives: who got data for their"
        " own advertising (Cal. Civ. Code 1798.83).",
    )  # fmt: skip
    text = text_field(
        "In your own words",
        "What it is about, and enough for us to find it: which examination, about when. Leave out"
        " what is not needed.",
    )
    field_order = ["kind", "californian", "text", "name", "email"]

    def __init__(self, *args: Any, offered: list[Offer], signed_in: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered
        self.fields["kind"].choices = [(one.kind.value, one.facts.label) for one in offered]
        self.fields["country"].widget = forms.HiddenInput()
        self.fields["state"].widget = forms.HiddenInput()
        if signed_in:
            del self.fields["email"]
        if Kind.SHINE_THE_LIGHT not in {one.kind for one in offered}:
            del self.fields["californian"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("kind") != Kind.SHINE_THE_LIGHT:
            return cleaned
        if cleaned.get("californian"):
            self.residence = CALIFORNIA
        elif refused := refusal_of_residence(Kind.SHINE_THE_LIGHT, ""):
            self.add_error("californian", refused)
        return cleaned

    def options(self) -> Iterator[tuple[Any, Offer]]:
        """Each choice beside what it takes."""
        return zip(self["kind"], self.offered, strict=True)

    def clean_name(self) -> str:
        if not (name := one_line(self.cleaned_data["name"])):
            raise forms.ValidationError("Give the name by which the organisation knows you.")
        return name

    def clean_text(self) -> str:
        text = readable(self.cleaned_data["text"])
        if len(text) < SHORTEST_TEXT:
            raise forms.ValidationError("Say a little more, so that we know what to look for.")
        return text


class DetailForm(forms.Form):
    text = text_field("Your reply", rows=6)


class DisagreeForm(forms.Form):
    text = text_field(
        "Your statement", "What you say is wrong, and why. It is kept as you write it, and goes"
        " wherever these studies go.", rows=8,
    )  # fmt: skip


def residence_fields(residence: str) -> dict[str, str]:
    country, state = parts_of(residence)
    return {"country": country, "state": state}


class CodeForm(forms.Form):
    """The code of a copy, told another way than the link that leads here."""

    code = forms.CharField(
        label="Code", max_length=40,
        help_text="Three groups of four, as you were told them on the telephone or by letter.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
