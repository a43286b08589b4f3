"""The forms of this room."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from accounts.rules.residence import COUNTRIES, US_STATES
from dsar.rules.words import LONGEST_TEXT
from incidents.rules.letters import Draft
from incidents.rules.states import DATA_LABELS, RISK_LABELS, Factors, Risk
from incidents.services.assessing import Assessment
from incidents.services.counting import MOST_UIDS

_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def words(label: str, *, hint: str = "", required: bool = True, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, max_length=LONGEST_TEXT, required=required,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


class _PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no generic at run time
    def label_from_instance(self, user: User) -> str:
        return str(user.name)


class OpenForm(forms.Form):
    title = forms.CharField(
        label="What happened", max_length=200,
        help_text="In a few words, without anybody's name.",
    )  # fmt: skip
    discovered_at = forms.DateTimeField(
        label="When it was discovered (UTC)", widget=_MOMENT,
        help_text="The first moment at which anybody here knew of it. All clocks run from it.",
    )  # fmt: skip
    kinds = forms.MultipleChoiceField(
        label="What somebody may have seen", choices=list(DATA_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    licensed_clinic = forms.BooleanField(
        label="It is a clinic or facility licensed in California", required=False,
        help_text="Health and Safety Code 1280.15 then asks for 15 business days.",
    )  # fmt: skip


class TextForm(forms.Form):
    text = words("In words")


class PersonForm(forms.Form):
    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"] = _PersonField(people, label="Who", empty_label="Choose somebody")


class CountAccountForm(forms.Form):
    since = forms.DateTimeField(label="From (UTC)", widget=_MOMENT)
    until = forms.DateTimeField(label="Until (UTC)", widget=_MOMENT)

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = _PersonField(people, label="By whose account", empty_label="Choose somebody")
        self.fields = {"user": user, **self.fields}

    def clean_until(self) -> datetime:
        """To the end of the minute: browsers know no seconds, and what came last counts."""
        until: datetime = self.cleaned_data["until"]
        return until.replace(second=59, microsecond=999_999)


class CountStudiesForm(forms.Form):
    uids = forms.CharField(
        label="Study Instance UIDs", widget=forms.Textarea(attrs={"rows": 4, "class": "uid"}),
        help_text="One in each line, of studies of your organisation.",
        max_length=MOST_UIDS * 66,
    )  # fmt: skip

    def clean_uids(self) -> list[str]:
        found: list[str] = self.cleaned_data["uids"].replace(",", " ").split()
        if wrong := next((one for one in found if not re.fullmatch(r"[0-9.]{1,64}", one)), None):
            raise forms.ValidationError(f"{wrong[:70]} is no UID: those are digits and dots.")
        return found


class ResidenceForm(forms.Form):
    country = forms.ChoiceField(
        label="Country", choices=[("", "Not known"), *COUNTRIES.items()], required=False
    )
    state = forms.ChoiceField(
        label="State (United States)", choices=[("", "Not known"), *US_STATES.items()],
        required=False,
    )  # fmt: skip


class AssessForm(forms.Form):
    is_breach = forms.TypedChoiceField(
        label="Was data exposed?", coerce=lambda one: one == "yes", widget=forms.RadioSelect,
        choices=[("yes", "Somebody may have seen it, or did"), ("no", "Nobody can have seen any")],
    )  # fmt: skip
    unreadable = forms.BooleanField(
        label="It was sealed, and its keys are safe",
        required=False,
        help_text="Nobody could read it: bytes were lost or copied, and no key with them.",
    )
    nature = words(
        "Which data, and how easily people are known by it",
        required=False,
        hint="45 CFR 164.402(2)(i)",
    )
    who = words("Who used it, or to whom it went", required=False, hint="45 CFR 164.402(2)(ii)")
    seen = words("Whether it was really seen or taken", required=False,
                 hint="45 CFR 164.402(2)(iii)")  # fmt: skip
    mitigated = words("How far the risk was made smaller", required=False,
                      hint="45 CFR 164.402(2)(iv)")  # fmt: skip
    low_probability = forms.BooleanField(
        label="By these four factors, the probability that data was compromised is low",
        required=False, help_text="Without this, HIPAA presumes a breach.",
    )  # fmt: skip
    risk = forms.ChoiceField(
        label="Risk to the rights of people", widget=forms.RadioSelect,
        choices=[(one.value, RISK_LABELS[one]) for one in reversed(Risk)],
        help_text="GDPR Art. 33(1) and 34(1)",
    )  # fmt: skip
    reasons = words(
        "Why",
        required=False,
        hint="Needed where something above takes a duty away. An authority may ask for it.",
    )

    def assessment(self) -> Assessment:
        given = self.cleaned_data
        factors = Factors(*(given[one] for one in ("nature", "who", "seen", "mitigated")))
        return Assessment(
            given["is_breach"], given["unreadable"], given["low_probability"], Risk(given["risk"]),
            factors, given["reasons"],
        )  # fmt: skip


class DelayForm(forms.Form):
    until = forms.DateField(label="Until", widget=_DAY)
    in_writing = forms.BooleanField(
        label="They asked in writing",
        required=False,
        help_text="Said by mouth, it holds for thirty days under HIPAA (45 CFR 164.412(b)).",
    )
    text = words("Who asked, and for what")


class DoneForm(forms.Form):
    done_on = forms.DateField(label="Told on", widget=_DAY)
    text = words("How", hint="Such as the number of the form, or who took it.")


class LetterForm(forms.Form):
    happened = words("What happened", rows=5, hint="In plain words, without anybody's name.")
    advice = words("What people can do", rows=4)
    doing = words(
        "What we do",
        rows=4,
        hint="To look into it, to make harm smaller, and so that it does not happen again.",
    )

    def draft(self) -> Draft:
        return Draft(*(self.cleaned_data[one] for one in ("happened", "doing", "advice")))
