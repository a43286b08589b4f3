"""The tables of this room."""

from accounts.models.agreements import Agreement, AgreementNotice
from accounts.models.billing import Invoice
from accounts.models.factors import Authenticator, RecoveryCode, RecoveryCodes
from accounts.models.messages import (
    CATEGORY_CHOICES,
    Campaign,
    ChannelChoice,
    MarketingChoice,
    Notification,
    SaleOptOut,
)
from accounts.models.people import (
    Acceptance,
    ApiToken,
    EmailChange,
    Invitation,
    Membership,
    MembershipRole,
    Organisation,
    Profile,
    SignIn,
    User,
    UserManager,
)
from accounts.models.use import SupportWindow, UsageEvent, WorkSettings

__all__ = [
    "CATEGORY_CHOICES",
    "Acceptance",
    "Agreement",
    "AgreementNotice",
    "ApiToken",
    "Authenticator",
    "Campaign",
    "ChannelChoice",
    "EmailChange",
    "Invitation",
    "Invoice",
    "MarketingChoice",
    "Membership",
    "MembershipRole",
    "Notification",
    "Organisation",
    "Profile",
    "RecoveryCode",
    "RecoveryCodes",
    "SaleOptOut",
    "SignIn",
    "SupportWindow",
    "UsageEvent",
    "User",
    "UserManager",
    "WorkSettings",
]
