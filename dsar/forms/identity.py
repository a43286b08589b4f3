"""Looks at who asks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from dsar.forms.plain import NoForm
from dsar.rules.identity import FACT_LABELS, REACHED_BY, Fact
from dsar.rules.states import PROOF_LABELS, Proof

_NOTED = [one for one in Proof if one not in {Proof.ACCOUNT, Proof.CODE}]


class RecordsForm(NoForm):
    """A look that is at one record, where the request is about several."""

    subject = forms.ChoiceField(label="Whose record?", required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, records: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(records) > 1:
            self.fields["subject"].choices = records
        else:
            del self.fields["subject"]

    def subject_id(self) -> UUID | None:
        chosen = self.cleaned_data.get("subject")
        return UUID(chosen) if chosen else None


class IdentifyForm(RecordsForm):
    passed = forms.ChoiceField(
        label="What came of it?", widget=forms.RadioSelect, initial="yes", required=False,
        choices=[("yes", "It agrees"), ("no", "It does not agree, or nothing is there")],
    )  # fmt: skip
    proof = forms.ChoiceField(
        label="How did you look?", widget=forms.RadioSelect,
        choices=[(one.value, PROOF_LABELS[one]) for one in _NOTED],
    )  # fmt: skip
    facts = forms.MultipleChoiceField(
        label="What agrees with the record", required=False,
        choices=[(one.value, FACT_LABELS[one]) for one in Fact],
        widget=forms.CheckboxSelectMultiple,
        help_text="Where facts match: two make it reasonably sure, three with a signed declaration"
        " as sure as for handing out the data itself (11 CCR 7062).",
    )  # fmt: skip
    declared = forms.BooleanField(
        label="They signed, under penalty of perjury, that they are the person", required=False
    )
    field_order = ["proof", "subject", "facts", "declared", "passed"]

    def facts_given(self) -> set[Fact]:
        return {Fact(one) for one in self.cleaned_data["facts"]}


class CodeForForm(RecordsForm):
    fact = forms.ChoiceField(
        label="Where does it go?", widget=forms.RadioSelect,
        choices=[(one.value, FACT_LABELS[one]) for one in REACHED_BY],
        help_text="As it stands in the record, never as it stands in the request.",
    )  # fmt: skip


class GivenCodeForm(forms.Form):
    """The code that went to an address of the record."""

    code = forms.CharField(
        label="Code", max_length=40, help_text="Three groups of four, as you were sent them.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )  # fmt: skip
