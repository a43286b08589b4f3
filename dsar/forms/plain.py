"""What needs a yes, or a text, and nothing else."""

from __future__ import annotations

from typing import Any

from django import forms

from dsar.forms.asking import text_field
from dsar.models import Case


class NoForm(forms.Form):
    """For what needs a yes and nothing else."""

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case = case


class TextForm(NoForm):
    text = text_field("In writing")
