"""What somebody says against a use, and how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from consent.rules.directives import DIRECTIVES, LONGEST_REASON, DirectiveKind, Wanted
from dsar.rules.numbers import as_typed
from dsar.rules.words import readable


@dataclass(frozen=True, slots=True)
class ScopeChoices:
    """What a directive can be about, as pairs of a value and its words."""

    kinds: tuple[DirectiveKind, ...]
    purposes: list[tuple[str, str]]
    studies: list[tuple[str, str]]
    recipients: list[tuple[str, str]]


def ticks(label: str, help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, help_text=help_text, required=False, widget=forms.CheckboxSelectMultiple
    )


class ScopeForm(forms.Form):
    """What holds from now on, and how far it reaches."""

    directive = forms.ChoiceField(label="What holds from now on", widget=forms.RadioSelect)
    purposes = ticks(
        "For which uses", "None ticked: every use that it can bar, but for treatment here."
    )
    studies = ticks("For which studies", "None ticked: all, also those that come later.")
    recipients = ticks("Towards whom", "Only where it is about somebody who receives nothing.")

    def __init__(self, *args: Any, scope: ScopeChoices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["directive"].choices = [
            (kind.value, f"{DIRECTIVES[kind].label}. {DIRECTIVES[kind].explanation}")
            for kind in scope.kinds
        ]
        self.initial.setdefault("directive", scope.kinds[0].value)
        for name in ("purposes", "studies", "recipients"):
            if choices := getattr(scope, name):
                self.fields[name].choices = choices
            else:
                del self.fields[name]

    def wanted(self) -> Wanted:
        """After `is_valid`."""
        given = self.cleaned_data
        return Wanted(
            DirectiveKind(given["directive"]),
            purposes=frozenset(given.get("purposes", ())),
            studies=frozenset(given.get("studies", ())),
            recipients=frozenset(UUID(one) for one in given.get("recipients", ())),
            reason=readable(given.get("reason", "")),
        )


class OwnDirectiveForm(ScopeForm):
    """What somebody says of their own data, while signed in. Nothing is chosen for them."""

    reason = forms.CharField(
        label="Why, if you like to say", required=False, max_length=LONGEST_REASON,
        help_text="Kept sealed. Nobody asks you for it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.initial["directive"]


class LiftForm(forms.Form):
    """Lifting for somebody who asked for it; without a number, after they were told."""

    case_number = forms.CharField(
        label="Number of the request by which the person asks for it", max_length=12,
        required=False,
    )  # fmt: skip

    def clean_case_number(self) -> str:
        return (
            as_typed(self.cleaned_data["case_number"]) if self.cleaned_data["case_number"] else ""
        )
