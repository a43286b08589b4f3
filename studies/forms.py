from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Membership, Organisation
from studies.rules.minors import LONGEST_NAME, RELATIONS, Relation, refusal_of_guardian
from studies.rules.qido import EARLIEST, LATEST
from studies.rules.rejecting import LONGEST_NOTE, REASONS, Why, refusal_of_note

MODALITIES = ["CR", "CT", "DX", "MG", "MR", "NM", "OT", "PT", "RF", "SC", "SR", "US", "XA"]
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class WorklistForm(forms.Form):
    """What the worklist is narrowed by; it lives in the address, so that a view can be kept."""

    name = forms.CharField(label="Name begins with", max_length=64, required=False)
    identifier = forms.CharField(label="Patient or animal ID", max_length=64, required=False)
    accession = forms.CharField(label="Accession number", max_length=64, required=False)
    since = forms.DateField(label="Examined from", required=False, widget=DAY)
    until = forms.DateField(label="to", required=False, widget=DAY)
    modality = forms.ChoiceField(
        label="Modality",
        required=False,
        choices=[("", "All"), *((one, one) for one in MODALITIES)],
    )
    per_page = forms.TypedChoiceField(
        label="Lines on a page",
        required=False,
        choices=[("", "50"), ("25", "25"), ("100", "100")],
        coerce=int,
        empty_value=None,
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        since, until = values.get("since"), values.get("until")
        for day in (since, until):
            if day and not EARLIEST <= day <= LATEST:
                raise forms.ValidationError("A date must lie between 1850 and 2199.")
        if since and until and since > until:
            raise forms.ValidationError("The first day comes after the last.")
        return values


class RememberForm(forms.Form):
    """Of the worklist, what a member can have remembered: nothing about any patient."""

    modality = WorklistForm.base_fields["modality"]
    per_page = WorklistForm.base_fields["per_page"]


class ShareForm(forms.Form):
    """Whom, what, for which purpose, until when: all of it named (C08).

    Only the last day is proposed. What is released, and for what, nobody ticks but the person who
    agrees to it (LIFEIMAGE-1.8, LIFEIMAGE-4.8).
    """

    recipient = forms.ChoiceField(label="With whom", widget=forms.Select)
    purpose = forms.ChoiceField(label="For which purpose", widget=forms.RadioSelect)
    items = forms.MultipleChoiceField(label="Exactly what", widget=forms.CheckboxSelectMultiple)
    may_download = forms.BooleanField(
        label="They may also download",
        help_text="Else they can only look. What is downloaded cannot be called back.",
        required=False,
    )
    until = forms.DateField(label="Until", widget=DAY, help_text="The end of that day, UTC.")

    def __init__(
        self,
        *args: Any,
        recipients: list[tuple[str, str]],
        purposes: list[tuple[str, str]],
        items: list[tuple[str, str]],
        lasts_at_most: timedelta,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].choices = [("", "Choose"), *recipients]
        self.fields["purpose"].choices = purposes
        self.fields["items"].choices = items
        self.lasts_at_most = lasts_at_most
        month = min(timedelta(days=30), lasts_at_most - timedelta(days=1))
        self.fields["until"].initial = (timezone.now() + month).date()

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        today = timezone.now().date()
        # The end of the last day would be past the policy's term, by up to a day.
        if not today <= until < today + self.lasts_at_most:
            raise forms.ValidationError(
                f"The policy in force lets a share last {self.lasts_at_most.days} days at most; "
                f"choose a day from today to {today + self.lasts_at_most - timedelta(days=1)}."
            )
        return until

    def expires_at(self) -> datetime:
        return datetime.combine(self.cleaned_data["until"], time(23, 59, 59), tzinfo=UTC)


def recipient_choices(memberships: list[Membership]) -> list[tuple[str, str]]:
    """People by name, and each organisation as a whole."""
    people = [
        (f"person:{row.pk}", f"{row.user.name}, {row.organisation.name}") for row in memberships
    ]
    organisations: dict[str, str] = {
        f"organisation:{row.organisation_id}": f"All clinicians of {row.organisation.name}"
        for row in memberships
    }
    return people + list(organisations.items())


def chosen_recipient(
    value: str, memberships: list[Membership]
) -> tuple[Organisation, Membership | None]:
    """Turn a choice back into rows; the form has checked that it is one of them."""
    kind, _, pk = value.partition(":")
    for row in memberships:
        if kind == "person" and str(row.pk) == pk:
            return row.organisation, row
        if kind == "organisation" and str(row.organisation_id) == pk:
            return row.organisation, None
    raise LookupError(value)


class RejectForm(forms.Form):
    """Why a study should not have been sent; the code of DICOM follows from the reason."""

    why = forms.ChoiceField(
        label="What is wrong with it",
        widget=forms.RadioSelect,
        choices=[(one.value, reason.label) for one, reason in REASONS.items()],
        error_messages={"required": "Choose what is wrong with it."},
    )
    note = forms.CharField(
        label="Note",
        required=False,
        help_text="For whoever looks at it later, such as where the images belong.",
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_NOTE}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "why" in values and "note" in values:
            values["why"] = Why(values["why"])
            if refusal := refusal_of_note(values["why"], values["note"]):
                self.add_error("note", refusal)
        return values


class GuardianForm(forms.Form):
    """Who agreed for a minor, and in which right."""

    name = forms.CharField(
        label="Who agreed",
        required=False,
        help_text="Their name as they sign it.",
        widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME, "autocomplete": "off"}),
    )
    relation = forms.ChoiceField(
        label="In which right",
        widget=forms.RadioSelect,
        choices=[(one.value, words) for one, words in RELATIONS.items()],
        error_messages={"required": "Choose in which right they agreed."},
    )
    confirmed = forms.BooleanField(
        label="They agreed that these images are kept and used here, and I have seen what shows"
        " that they may.",
        error_messages={"required": "Confirm it, or leave the images held."},
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if refusal := refusal_of_guardian(str(values.get("name", ""))):
            self.add_error("name", refusal)
        if "relation" in values:
            values["relation"] = Relation(values["relation"])
        values.pop("confirmed", None)
        return values


class RejectedStudyForm(forms.Form):
    """Which study an administrator means, who sees no worklist."""

    study = forms.RegexField(
        label="Number of the study",
        regex=r"^\s*[0-9]+(\.[0-9]+)*\s*$",
        max_length=66,
        help_text="Its DICOM number (Study Instance UID), as whoever found the mistake gives it.",
        error_messages={
            "invalid": "A DICOM number has only digits and dots, such as 1.2.840.113619.2.55."
        },
    )
