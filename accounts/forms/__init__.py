"""The forms of this room."""

from accounts.forms.organisation import (
    AgreementForm,
    CampaignForm,
    ContactsForm,
    InviteForm,
    InvoiceForm,
    RolesForm,
    SettleForm,
    SupportForm,
)
from accounts.forms.people import (
    AcceptForm,
    AddressForm,
    AgeForm,
    CodeForm,
    ForgotForm,
    JoinForm,
    NewPasswordForm,
    PreferencesForm,
    ProfileForm,
    SignInForm,
    TokenForm,
)

__all__ = [
    "AcceptForm",
    "AddressForm",
    "AgeForm",
    "AgreementForm",
    "CampaignForm",
    "CodeForm",
    "ContactsForm",
    "ForgotForm",
    "InviteForm",
    "InvoiceForm",
    "JoinForm",
    "NewPasswordForm",
    "PreferencesForm",
    "ProfileForm",
    "RolesForm",
    "SettleForm",
    "SignInForm",
    "SupportForm",
    "TokenForm",
]
