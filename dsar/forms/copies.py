"""What is to be copied for a request."""

from __future__ import annotations

from typing import Any

from django import forms

from dsar.services.choosing import Choice


class ChooseForm(forms.Form):
    """Studies, reports and the rest, of which what is ticked is copied and nothing else."""

    chosen = forms.MultipleChoiceField(
        label="What is to be copied", widget=forms.CheckboxSelectMultiple,
        help_text="Nothing else is in the copy, but for the digest of each file.",
        error_messages={"required": "Tick what is to be copied."},
    )  # fmt: skip

    def __init__(self, *args: Any, offered: list[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chosen"].choices = [
            (one.path, f"↳ {one.label}" if one.is_part else one.label) for one in offered
        ]
