"""Papers that are asked for, and sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from dsar.forms.asking import text_field
from dsar.forms.plain import NoForm
from dsar.rules.documents import DOCUMENT_KINDS, LARGEST, MEDIA_TYPES, DocumentKind

_HINT: Final = (
    f"A PDF, JPEG or PNG file of at most {LARGEST >> 20} MB. Of a picture, what the camera noted"
    " beside it is left out."
)


def kind_choices(kinds: Iterable[DocumentKind]) -> list[tuple[str, str]]:
    return [
        (one.value, f"{DOCUMENT_KINDS[one].label}. {DOCUMENT_KINDS[one].explanation}")
        for one in kinds
    ]


class DocumentForm(forms.Form):
    """A paper: what it is for, and the file."""

    kind = forms.ChoiceField(label="What it is", widget=forms.RadioSelect)
    file = forms.FileField(
        label="The file", help_text=_HINT, allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ",".join(MEDIA_TYPES.values())}),
        error_messages={"required": f"Choose a file of at most {LARGEST >> 20} MB."},
    )  # fmt: skip

    def __init__(self, *args: Any, kinds: Iterable[DocumentKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = kind_choices(kinds)
        self.fields["kind"].choices = choices
        if len(choices) == 1:
            self.initial.setdefault("kind", choices[0][0])


class AskDocumentForm(NoForm):
    kind = forms.ChoiceField(
        label="Which paper is needed?", widget=forms.RadioSelect, choices=kind_choices(DocumentKind)
    )
    text = text_field(
        "To the person", "Why it is needed, and what can be covered on it. They send it on their"
        " page; nobody has to send an identity document where another proof will do.", rows=6,
    )  # fmt: skip
