"""Reporting an account as a child's."""

from __future__ import annotations

from django import forms

from dsar.rules.children import LONGEST, refusal_of_report
from dsar.rules.states import DOOR_LABELS, RECORDED_BY_OFFICER


class ChildForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address of the account",
        help_text="As it signs in.",
        error_messages={"required": "Write the address of the account."},
    )
    door = forms.ChoiceField(
        label="How it came to be known",
        widget=forms.RadioSelect,
        choices=[(one.value, DOOR_LABELS[one].capitalize()) for one in RECORDED_BY_OFFICER],
        error_messages={"required": "Choose how it came."},
    )
    how = forms.CharField(
        label="How it is known that it is a child's",
        required=False,
        help_text="Such as: the mother called and gave the birth date.",
        widget=forms.Textarea(attrs={"rows": 4, "maxlength": LONGEST}),
    )

    def clean_how(self) -> str:
        how = str(self.cleaned_data["how"])
        if refusal := refusal_of_report(how):
            raise forms.ValidationError(refusal)
        return how
