"""Forms about one's own account, and about signing in."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Agreement, Profile, User
from accounts.rules import Scope, is_valid_npi
from accounts.rules.ages import fault_of_birth
from accounts.rules.messages import CATEGORIES, Category, Channel
from accounts.rules.residence import (
    COUNTRIES,
    US_STATES,
    ResidenceInvalid,
    parts_of,
    residence_of,
)

SCOPE_LABELS = {
    Scope.READ: "Search, look at and download studies",
    Scope.WRITE: "Send studies",
    Scope.SHARE: "Share studies and revoke shares",
    Scope.AUDIT: "Read the trail",
}


class SignInForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    public_computer = forms.BooleanField(
        required=False,
        label="Other people use this computer too",
        help_text="You are signed out after five minutes without use, and when the browser closes.",
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}
        ),
    )


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(
        self, *args: Any, user: User | None = None, at_least: int = 12, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.at_least = user, at_least
        self.fields[
            "password"
        ].help_text = (
            f"At least {at_least} characters. A sentence is easy to remember and hard to guess."
        )

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        validate_password(password, self.user)
        if len(password) < self.at_least:
            raise forms.ValidationError(
                f"The privacy policy asks for at least {self.at_least} characters."
            )
        return password


class AgeForm(forms.Form):
    """Asked before anything else about a person, and kept nowhere (MEDDIM-10.2)."""

    born = forms.DateField(
        label="When were you born?",
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}),
    )
    country = forms.ChoiceField(
        label="Where do you live?",
        choices=[("", "Choose a country"), *COUNTRIES.items()],
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={"required": "Choose the country you live in."},
    )

    def clean_born(self) -> date:
        born: date = self.cleaned_data["born"]
        if fault := fault_of_birth(born, timezone.localdate()):
            raise forms.ValidationError(fault)
        return born


class JoinForm(NewPasswordForm):
    """Joining takes reading the policy, and being old enough: `age` shows it (C10, C38)."""

    name = forms.CharField(
        label="Your name",
        max_length=120,
        help_text="As colleagues and patients are to read it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    accepts = forms.BooleanField(
        label="I have read the privacy policy and accept it for using the service",
        help_text="This is no consent to show anything to anybody: each share asks for its own.",
        error_messages={"required": "Read the privacy policy, and tick this to accept it."},
    )
    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    age = forms.CharField(max_length=200, widget=forms.HiddenInput)
    field_order = ["name", "password"]


class ForgotForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class AddressForm(forms.Form):
    email = forms.EmailField(
        label="New e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class ProfileForm(forms.ModelForm):
    name = forms.CharField(label="Name", max_length=120)
    phone = forms.CharField(
        label="Telephone number",
        max_length=40,
        required=False,
        validators=[
            RegexValidator(
                r"^\+?[0-9][0-9 ()/.-]{3,}$",
                "Write digits, with spaces if you like, such as +1 845 555 0100.",
            )
        ],
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    country = forms.ChoiceField(
        label="Country you live in",
        required=False,
        choices=[("", "Not given"), *COUNTRIES.items()],
        help_text="It decides which rules protect you. Not given, you have the strictest.",
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    state = forms.ChoiceField(
        label="State, in the United States",
        required=False,
        choices=[("", "None"), *US_STATES.items()],
        widget=forms.Select(attrs={"autocomplete": "address-level1"}),
    )

    class Meta:
        model = Profile
        fields = ["specialty", "licence_number", "licence_place", "npi"]
        help_texts = {"npi": "Ten digits; leave empty outside the United States."}

    field_order = ["name", "phone", "country", "state"]

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        country, state = parts_of(user.residence)
        initial = {"name": user.name, "phone": user.phone, "country": country, "state": state}
        super().__init__(*args, **kwargs)
        self.initial.update(initial)
        # A patient has no licence; whoever once gave one can still take it out.
        if not user.memberships.exists():
            for field in self.Meta.fields:
                if not self.initial.get(field):
                    del self.fields[field]

    def clean(self) -> dict[str, Any]:
        super().clean()
        values = self.cleaned_data
        try:
            self.residence = residence_of(values.get("country", ""), values.get("state", ""))
        except ResidenceInvalid as fault:
            self.add_error("state", str(fault))
        return values

    def clean_npi(self) -> str:
        npi = self.cleaned_data["npi"].strip()
        if npi and not is_valid_npi(npi):
            raise forms.ValidationError(
                "This is not a valid NPI: its last digit does not fit the other nine."
            )
        return npi


class TokenForm(forms.Form):
    name = forms.CharField(
        label="What will use it", max_length=80, help_text="For example: the CT's gateway."
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope.value, label) for scope, label in SCOPE_LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label="Ends after, in days", min_value=1, max_value=365, initial=90)
    agreement = forms.ModelChoiceField(
        label="Whose program it is",
        queryset=Agreement.objects.none(),
        required=False,
        empty_label="Ours",
        help_text="A partner's program can only send. What it sends names the partner as its"
        " source, and it stops when the agreement ends.",
    )
    field_order = ["name", "agreement", "scopes", "days"]

    def __init__(self, *args: Any, agreements: QuerySet[Agreement], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[Agreement]", self.fields["agreement"])
        field.queryset = agreements
        named = [(one.pk, f"{one.party} ({one.get_kind_display()})") for one in agreements]
        field.choices = [("", "Ours"), *named]


class PreferencesForm(forms.Form):
    """A tick box for each category on each way that can be chosen; the others are said in words."""

    def __init__(
        self, *args: Any, chosen: dict[Category, frozenset[Channel]], advertising: bool | None
    ) -> None:
        super().__init__(*args)
        for category, channel in self.places():
            on = (
                bool(advertising)
                if CATEGORIES[category].promotional
                else channel in chosen[category]
            )
            if CATEGORIES[category].promotional and advertising is None:
                continue
            self.fields[f"{category}.{channel}"] = forms.BooleanField(required=False, initial=on)

    @staticmethod
    def places() -> list[tuple[Category, Channel]]:
        return [
            (category, channel)
            for category, rule in CATEGORIES.items()
            for channel in Channel
            if channel in rule.choosable
        ]

    def wanted(self) -> dict[tuple[Category, Channel], bool]:
        return {
            place: self.cleaned_data[f"{place[0]}.{place[1]}"]
            for place in self.places()
            if f"{place[0]}.{place[1]}" in self.fields
        }


class AcceptForm(forms.Form):
    """The question at the end of a policy. Nothing is ticked beforehand."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    read = forms.BooleanField(
        label="I have read this policy and accept it for using the service",
        help_text="This is no consent to show anything to anybody: each share asks for its own.",
        required=False,
    )

    @property
    def declines(self) -> bool:
        return self.data.get("answer") == "decline"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.declines and not values.get("read"):
            self.add_error("read", "Tick this to accept, or decline.")
        return values
