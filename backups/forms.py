from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from backups.rules.hardware import KIND_LABELS, METHOD_LABELS


class DeviceForm(forms.Form):
    kind = forms.ChoiceField(
        label="Kind of hardware", choices=[(one.value, text) for one, text in KIND_LABELS.items()]
    )
    serial = forms.CharField(label="Serial number", max_length=80)


class CertificateForm(forms.Form):
    """What shows that a device holds nothing any more."""

    method = forms.ChoiceField(
        label="How (NIST SP 800-88 Rev. 2)",
        widget=forms.RadioSelect,
        choices=[(one.value, text) for one, text in METHOD_LABELS.items()],
    )
    done_on = forms.DateField(
        label="When it was done", widget=forms.DateInput(attrs={"type": "date"})
    )
    witness = forms.ChoiceField(label="Who saw it", help_text="Somebody else than you.")
    certificate = forms.CharField(
        label="Number of the certificate", max_length=80,
        help_text="As it stands on the paper of whoever did it, or in your own file.",
    )  # fmt: skip

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(one.pk): one for one in people}
        names = sorted(((str(one.pk), one.name) for one in people), key=lambda one: one[1])
        self.fields["witness"].choices = [("", "Choose"), *names]  # type: ignore[attr-defined]

    def clean_witness(self) -> User:
        return self._people[self.cleaned_data["witness"]]
