from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from backups.rules.hardware import KIND_LABELS, METHOD_LABELS
from backups.rules.recovery import MOST_DRILL_DAYS, MOST_HOURS


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


class PlanForm(forms.Form):
    """What is promised for the day when the portal is lost."""

    point_hours = forms.IntegerField(
        label="Work that may be lost, in hours", min_value=1, max_value=MOST_HOURS,
        help_text="The recovery point (RPO). Backups are made each night, so that fewer than 24"
        " are not kept by them.",
    )  # fmt: skip
    time_hours = forms.IntegerField(
        label="How long the portal may be away, in hours",
        min_value=1,
        max_value=MOST_HOURS,
        help_text="The recovery time (RTO). Drills show how long a restore takes.",
    )
    drill_days = forms.IntegerField(
        label="A restore is practised every so many days", min_value=7, max_value=MOST_DRILL_DAYS
    )
    owner = forms.ChoiceField(label="Who leads", help_text="Decides, and speaks for it.")
    deputy = forms.ChoiceField(label="Who does in their place", help_text="Somebody else.")

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(one.pk): one for one in people}
        names = sorted(((str(one.pk), one.name) for one in people), key=lambda one: one[1])
        for field in ("owner", "deputy"):
            self.fields[field].choices = [("", "Choose"), *names]  # type: ignore[attr-defined]

    def clean_owner(self) -> User:
        return self._people[self.cleaned_data["owner"]]

    def clean_deputy(self) -> User:
        return self._people[self.cleaned_data["deputy"]]
