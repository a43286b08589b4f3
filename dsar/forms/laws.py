"""Which laws count for a request, and why others than it was taken in with."""

from __future__ import annotations

from typing import Any

from django import forms

from dsar.forms.asking import (
    ResidenceForm,
    country_field,
    residence_fields,
    state_field,
    text_field,
)
from dsar.models import Case
from dsar.rules.changing_laws import OF_PLACE, REASONS, Change, Reason
from dsar.rules.laws import LAW_LABELS, Law


class LawsForm(ResidenceForm):
    """`seen`: the mark of the picture that was looked at before it is done."""

    reason = forms.ChoiceField(
        label="Why do other laws count?", widget=forms.RadioSelect,
        choices=[(one.value, REASONS[one].label) for one in Reason],
        error_messages={"required": "Choose why."},
    )  # fmt: skip
    country = country_field("Country the person lives in", "Not known")
    state = state_field()
    laws = forms.MultipleChoiceField(
        label="Which laws is it about?", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Those that do not count, or that count as well. Where somebody lives decides by"
        " itself: then leave all unticked.",
    )  # fmt: skip
    text = text_field("Why, in words for the person", "They read it on their page.", rows=4)
    seen = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)
    field_order = ["reason", "country", "state", "laws", "text", "seen"]

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        kwargs["initial"] = residence_fields(case.residence)
        super().__init__(*args, **kwargs)
        self.lived_in = case.residence
        counting = set(case.laws)
        self.fields["country"].help_text = "Change it only if it was wrong, or if they moved."
        self.fields["laws"].choices = [
            (law.value, f"{LAW_LABELS[law]}{', counts now' if law in counting else ''}")
            for law in Law
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        reason = cleaned.get("reason")
        if reason and Reason(reason) not in OF_PLACE and self.residence != self.lived_in:
            self.add_error(
                "country",
                "Where they live changes only if it was wrong, or if they moved: choose that"
                " reason, or leave the place as it is.",
            )
        return cleaned

    def change(self) -> Change:
        """After `is_valid`."""
        given = self.cleaned_data
        reason = Reason(given["reason"])
        residence = self.residence if reason in OF_PLACE else ""
        return Change(reason, residence, frozenset(map(Law, given["laws"])))
