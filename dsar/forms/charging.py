"""Fees, and requests that were made before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Organisation
from dsar.forms.asking import text_field
from dsar.forms.plain import NoForm
from dsar.rules.fees import COST_LABELS, MOST_CENTS, Cost, Item
from dsar.services.repeating import joinable


class JoinForm(NoForm):
    earlier = forms.ChoiceField(label="Which earlier request?", widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = {one.number: one for one in joinable(self.case)}
        self.fields["earlier"].choices = [
            (number, f"{number}, received {one.received_on:%d %B %Y}")
            for number, one in self.found.items()
        ]
        if len(self.found) == 1:
            self.initial.setdefault("earlier", next(iter(self.found)))


class QuoteForm(NoForm):
    """Each kind of cost with its amount and how it was reckoned."""

    currency = forms.RegexField(
        label="Currency", regex=r"^[A-Z]{3}$", initial="USD", max_length=3,
        error_messages={"invalid": "Three capital letters, such as USD or EUR."},
    )  # fmt: skip
    excessive = forms.BooleanField(
        label="It is manifestly unfounded or excessive, and I show below why", required=False
    )
    text = text_field(
        "To the person", "What it is for, and that nothing is made before they accept. They can"
        " also ask for less.", rows=6,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for cost in Cost:
            self.fields[f"{cost}_amount"] = forms.DecimalField(
                label=f"{COST_LABELS[cost]}: amount", required=False, min_value=0,
                max_value=Decimal(MOST_CENTS) / 100, decimal_places=2,
            )  # fmt: skip
            self.fields[f"{cost}_what"] = forms.CharField(
                label=f"{COST_LABELS[cost]}: what, and how it was reckoned", required=False,
                max_length=200,
            )  # fmt: skip
        lines = [f"{cost}_{part}" for cost in Cost for part in ("amount", "what")]
        self.order_fields([*lines, "currency", "excessive", "text"])

    def items(self) -> list[Item]:
        """After `is_valid`."""
        given = self.cleaned_data
        return [
            Item(cost, given[f"{cost}_what"], int((given[f"{cost}_amount"] or 0) * 100))
            for cost in Cost
        ]


class ReceiverForm(forms.Form):
    """The provider that may fetch a copy."""

    to = forms.ModelChoiceField(
        label="Which provider?",
        queryset=Organisation.objects.none(),
        empty_label="Choose a provider",
    )

    def __init__(self, *args: Any, receivers: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = receivers.order_by("name")
