"""Forms about closed accounts and archived records."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from dsar.rules.releasing import BASIS_LABELS, CHECKS, Authorization, Basis, Check, checks_for
from dsar.rules.words import one_line


class AccountForm(forms.Form):
    """Which account a request means, where it came from another address."""

    email = forms.EmailField(
        label="Address of the account", max_length=254, required=False,
        help_text="Only if the account has another address than this request came from.",
    )  # fmt: skip


class FindArchivedForm(forms.Form):
    """Whose archived records are meant: the words of the files are looked for, as keyed hashes."""

    name = forms.CharField(label="Name begins with", max_length=64, required=False)
    identifier = forms.CharField(label="Patient or animal ID", max_length=64, required=False)


def _day(label: str, help_text: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=help_text, widget=widget)


def _words(check: Check) -> str:
    facts = CHECKS[check]
    beginning = "" if Basis.AUTHORIZATION in facts.of else "Of an order: "
    return f"{beginning}{facts.label} ({facts.cites})"


class AuthorizationForm(forms.Form):
    """What an officer reads in an authorization or an order; each line is their word."""

    document = forms.ChoiceField(label="Which paper is it?", widget=forms.RadioSelect)
    basis = forms.ChoiceField(
        label="What is it?", widget=forms.RadioSelect, initial=Basis.AUTHORIZATION.value,
        choices=[(one.value, BASIS_LABELS[one]) for one in Basis],
    )  # fmt: skip
    reference = forms.CharField(
        label="Number of the order, and who gave it", max_length=120, required=False,
        help_text="Only for an order.",
    )  # fmt: skip
    signed_on = _day("Signed on", "The day that stands on it.")
    ends_on = _day(
        "Holds until", "Its last day. Where it names an event, the day on which that is to happen."
    )
    checks = forms.MultipleChoiceField(
        label="What I have seen", widget=forms.CheckboxSelectMultiple, required=False,
        choices=[(one.value, _words(one)) for one in Check],
    )  # fmt: skip
    studies = forms.MultipleChoiceField(
        label="What it covers",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick the studies that it covers."},
    )

    def __init__(
        self,
        *args: Any,
        papers: list[tuple[str, str]],
        archived: list[tuple[str, str]],
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.fields["document"].choices = papers
        self.fields["studies"].choices = archived

    def given(self) -> Authorization:
        """Call it of a valid form."""
        data = self.cleaned_data
        basis = Basis(data["basis"])
        signed_on, ends_on = data["signed_on"], data["ends_on"]
        assert isinstance(signed_on, date)
        assert isinstance(ends_on, date)
        wanted = set(checks_for(basis))
        return Authorization(
            basis=basis, signed_on=signed_on, ends_on=ends_on,
            checks=frozenset(Check(one) for one in data["checks"]) & wanted,
            reference=one_line(data["reference"]),
        )  # fmt: skip
