"""Requests in somebody's name."""

from __future__ import annotations

from typing import Any

from django import forms

from dsar.forms.plain import NoForm
from dsar.models import Authority, CaseDocument
from dsar.rules.agents import FAULT_LABELS, RELATIONS, Fault, Relation
from dsar.rules.words import one_line
from dsar.sealing import Person
from dsar.services.intake import Acting

MYSELF = "Myself, or my animal"


class ActingFields(forms.Form):
    """For whom somebody asks; `acting` is None after `is_valid` where it is for themself."""

    relation = forms.ChoiceField(
        label="For whom do you ask?", required=False, widget=forms.RadioSelect,
        choices=[("", MYSELF), *((one.value, RELATIONS[one].label) for one in Relation)],
    )  # fmt: skip
    person_name = forms.CharField(
        label="Name of the person you ask for", max_length=120, required=False,
        help_text="Left empty if you ask for yourself.",
    )  # fmt: skip
    person_age = forms.IntegerField(
        label="Age of the child, in years", required=False, min_value=0, max_value=130,
        help_text="Only if you ask as a parent or guardian. From some age on the child is asked"
        " too.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        relation = cleaned.get("relation")
        if relation and not one_line(cleaned.get("person_name") or ""):
            self.add_error("person_name", "Give the name of the person you ask for.")
        if relation == Relation.GUARDIAN and cleaned.get("person_age") is None:
            self.add_error("person_age", "Give the age of the child.")
        return cleaned

    def acting(self) -> Acting | None:
        given = self.cleaned_data
        if not given.get("relation"):
            return None
        relation = Relation(given["relation"])
        age = given["person_age"] if relation is Relation.GUARDIAN else None
        return Acting(relation, Person(one_line(given["person_name"]), age=age))


class AuthorityForm(NoForm):
    """What an officer decides about an authority."""

    decision = forms.ChoiceField(
        label="Is it shown?", widget=forms.RadioSelect,
        choices=[("", "Yes, they may ask this for the person"),
                 *((one.value, f"No: {FAULT_LABELS[one]}") for one in Fault
                   if one is not Fault.DENIED)],
        required=False,
    )  # fmt: skip
    document = forms.ModelChoiceField(
        label="By which paper?", queryset=CaseDocument.objects.none(), required=False,
        widget=forms.RadioSelect, empty_label=None,
    )  # fmt: skip
    answer_to = forms.ChoiceField(
        label="To whom may the answer go?", widget=forms.RadioSelect, required=False,
        choices=[("person", "To the person alone"),
                 ("agent", "To whoever asks: the paper says so")], initial="person",
    )  # fmt: skip
    valid_until = forms.DateField(
        label="Until which day does it hold?", required=False,
        help_text="As the paper says; left empty if it names none.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip


class TellPersonForm(NoForm):
    email = forms.EmailField(
        label="E-mail address of the person, as the record has it", required=False, max_length=254,
        help_text="Never the one that whoever asks has given. Left empty, you send a letter to the"
        " address of the record, and this notes that it went out.",
    )  # fmt: skip


def labelled(authority: Authority, form: AuthorityForm) -> AuthorityForm:
    """Offer the papers of the request that could show it."""
    found = authority.case.documents.filter(kind="authority", destroyed_at=None)
    form.fields["document"].queryset = found
    form.fields["document"].label_from_instance = lambda one: (
        f"{one.label}, taken in {one.added_at:%d %B %Y}"
    )
    return form
