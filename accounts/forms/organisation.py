"""Forms about an organisation: its members, agreements, invoices, messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Membership, Organisation
from accounts.rules import ROLE_LABELS, Role
from accounts.rules.agreements import KIND_LABELS, SIGNED_MECHANISMS, AgreementKind
from accounts.rules.billing import CURRENCIES, MOST
from accounts.rules.contacts import CONTACT_BASES, MOST_CONTACTS
from accounts.rules.messages import MessageTemplate
from accounts.rules.support import SUPPORT_REASONS, WINDOW_HOURS, fault_of_ticket
from accounts.selectors.billing import Addresses
from accounts.selectors.names import by_name
from accounts.services.agreements import Terms
from accounts.services.billing import Bill
from policies.rules.schema.care_of_data import DEID_OPTIONS
from policies.rules.schema.uses import BASES, MECHANISMS

# A platform administrator is appointed on the command line, not by an organisation.
GIVEN_BY_ORGANISATIONS = [role for role in Role if role is not Role.PLATFORM]
ROLE_CHOICES = [(role.value, ROLE_LABELS[role]) for role in GIVEN_BY_ORGANISATIONS]


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address")
    roles = forms.MultipleChoiceField(choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple)


class ContactsForm(forms.Form):
    """Addresses that neither the people nor a colleague gave: with their source and basis."""

    addresses = forms.CharField(
        label="E-mail addresses",
        help_text=f"One in each line, {MOST_CONTACTS} at most.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    roles = forms.MultipleChoiceField(choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple)
    source = forms.CharField(
        label="Where the addresses come from",
        max_length=120,
        help_text="The partner, register or broker by name. The people read it.",
    )
    basis = forms.ChoiceField(
        label="On what basis they may be used",
        choices=[(one, BASES[one]) for one in CONTACT_BASES],
        widget=forms.RadioSelect,
    )


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple)


class SupportForm(forms.Form):
    """Whose technical records, under which ticket, why and for how long: all of it named."""

    member = forms.ModelChoiceField(
        label="Whose technical records",
        queryset=Membership.objects.none(),
        empty_label="Choose a member",
    )
    ticket = forms.CharField(
        label="Number of the ticket",
        max_length=40,
        help_text="Such as CASE-2026-17. Not a name: the member and the trail see it.",
    )
    reason = forms.ChoiceField(
        label="Why", choices=list(SUPPORT_REASONS.items()), widget=forms.RadioSelect
    )
    hours = forms.TypedChoiceField(
        label="For how long", choices=list(WINDOW_HOURS.items()), widget=forms.RadioSelect,
        coerce=int,
    )  # fmt: skip

    def __init__(self, *args: Any, members: QuerySet[Membership]) -> None:
        super().__init__(*args)
        field = self.fields["member"]
        field.queryset = members
        # Sorted here: the database cannot read the names.
        named = [(one.pk, f"{one.user.name} ({one.user.email})") for one in by_name(members)]
        field.choices = [("", "Choose a member"), *named]

    def clean_ticket(self) -> str:
        ticket: str = self.cleaned_data["ticket"].strip()
        if fault := fault_of_ticket(ticket):
            raise forms.ValidationError(fault)
        return ticket


class CampaignForm(forms.Form):
    template = forms.ChoiceField(label="What to send", widget=forms.RadioSelect)

    def __init__(self, *args: Any, templates: list[MessageTemplate]) -> None:
        super().__init__(*args)
        self.fields["template"].choices = [(one.code, one.title) for one in templates]


class AgreementForm(forms.Form):
    """An agreement that was signed on paper or elsewhere; here is only what the portal needs."""

    kind = forms.ChoiceField(
        label="What was agreed", choices=[(one.value, KIND_LABELS[one]) for one in AgreementKind]
    )
    party = forms.CharField(label="With whom", max_length=120, help_text="The organisation's name.")
    partner = forms.ModelChoiceField(
        label="Takes part in this portal as",
        queryset=Organisation.objects.none(),
        required=False,
        empty_label="Does not take part",
        help_text="Then its officers and administrators are told in the portal as well.",
    )
    contact = forms.EmailField(
        label="E-mail address for notices",
        help_text="Where changes of your privacy policy are announced to them. Kept encrypted.",
    )
    reference = forms.CharField(
        label="Where the signed document is filed",
        max_length=60,
        help_text="Its number in your files, such as C-2026-14.",
    )
    starts_on = forms.DateField(label="Holds from", widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(
        label="Holds until",
        required=False,
        help_text="The last day. Empty: until somebody ends it.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    deid_options = forms.MultipleChoiceField(
        label="What is cleaned from images, beyond the policy",
        required=False,
        choices=list(DEID_OPTIONS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="For data use agreements only.",
    )

    sale_or_share = forms.BooleanField(
        label="What goes to them counts as sale or sharing in California",
        required=False,
        help_text="Also where no money flows, but something else of value. Data of whoever has"
        " opted out no longer goes there, but for treatment.",
    )

    mechanism = forms.ChoiceField(
        label="Which clauses, for transfers abroad",
        required=False,
        choices=[("", "None: it is about something else"),
                 *((code, MECHANISMS[code][:1].upper() + MECHANISMS[code][1:])
                   for code in (*SIGNED_MECHANISMS, "privacy-shield"))],
        help_text="Shares with them rest on it where their country protects data less, and end"
        " with it.",
    )  # fmt: skip

    def __init__(self, *args: Any, partners: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partner"].queryset = partners

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", "An agreement cannot end before it starts.")
        return values

    @property
    def terms(self) -> Terms:
        values = self.cleaned_data
        return Terms(
            kind=AgreementKind(values["kind"]),
            party=values["party"],
            contact=values["contact"],
            reference=values["reference"],
            starts_on=values["starts_on"],
            ends_on=values["ends_on"],
            partner_id=values["partner"].pk if values["partner"] else None,
            sale_or_share=values["sale_or_share"],
            mechanism=values["mechanism"],
            deid_options=tuple(values["deid_options"]),
        )


class InvoiceForm(forms.Form):
    about = forms.CharField(label="For what", max_length=120)
    amount = forms.DecimalField(
        label="Amount", min_value=Decimal("0.01"), max_value=MOST, decimal_places=2
    )
    currency = forms.ChoiceField(choices=list(CURRENCIES.items()))
    billing = forms.CharField(
        label="Billing address", max_length=400, widget=forms.Textarea(attrs={"rows": 4})
    )
    shipping = forms.CharField(
        label="Delivery address", max_length=400, required=False,
        help_text="Where it is another one.", widget=forms.Textarea(attrs={"rows": 4}),
    )  # fmt: skip

    @property
    def bill(self) -> Bill:
        values = self.cleaned_data
        addresses = Addresses(billing=values["billing"], shipping=values["shipping"])
        return Bill(values["about"], values["amount"], values["currency"], addresses)


class SettleForm(forms.Form):
    reference = forms.CharField(
        label="The payment processor's reference",
        max_length=80,
        help_text="As the processor gave it, such as pi_3MtwBwLkdIwHu7ix. Never a card's number.",
    )
