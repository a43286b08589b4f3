"""What this room keeps, and the libraries of signing in."""

from policies.rules.categories import Category
from policies.rules.inventory import (
    FieldFacts,
    Models,
    Protection,
    classify,
    hashed,
    keyed_hash,
    readable,
    sealed,
    secret,
)

DAY = "When it was made"
_DEVICE: dict[str, str | FieldFacts] = {
    "id": "Number", "user": "Whose", "name": "Name", "confirmed": "Whether it was confirmed",
    "throttling_failure_timestamp": "Last wrong try", "throttling_failure_count": "Wrong tries",
    "created_at": DAY, "last_used_at": "Last used",
}  # fmt: skip
_ATTEMPT: dict[str, str | FieldFacts] = {
    "id": "Number", "user_agent": "Browser", "ip_address": "Network address",
    "username": keyed_hash("E-mail address that was tried", Category.ACCOUNT),
    "http_accept": "Formats the browser takes", "path_info": "Page",
    "attempt_time": "When",
}  # fmt: skip

MODELS: Models = [
    ("accounts.User", Category.ACCOUNT, {
        "id": "Number of the account", "password": hashed("Password", Category.CREDENTIALS),
        "last_login": "Last sign-in", "seal_id": "Number for sealing",
        "email": sealed("E-mail address"), "email_token": keyed_hash("E-mail address"),
        "name": sealed("Name"), "phone": sealed("Telephone number"),
        "residence": "Country you live in",
        "is_active": "Whether the account is open", "created_at": "When the account was made",
        "closed_at": "When it was closed", "erased_at": "When what says who it was was erased",
    }),
    ("accounts.Profile", Category.PROFESSIONAL, {
        "id": "Number", "user": "Whose", "specialty": sealed("Specialty"),
        "licence_number": sealed("Licence number"), "licence_place": sealed("Where licensed"),
        "npi": sealed("NPI"),
    }),
    ("accounts.Organisation", Category.ORGANISATION, {
        "id": "Number", "slug": "Short name", "name": "Name", "kind": "Kind",
        "country": "Country", "state": "State", "residency_region": "Where its data must stay",
        "regimes": "Laws it is under", "privacy_email": "E-mail for privacy",
        "is_active": "Whether it takes part", "closed_at": "When its account was closed",
        "created_at": DAY,
    }),
    ("accounts.Membership", Category.PROFESSIONAL, {
        "id": "Number", "user": "Who", "organisation": "Organisation",
        "is_active": "Whether it holds", "accepted_version_id": "Policy accepted last",
        "objected_to": readable("Purposes objected to", Category.CONSENT),
        "created_at": "Since when", "ended_at": "Until when",
    }),
    ("accounts.MembershipRole", Category.PROFESSIONAL, {
        "id": "Number", "membership": "Membership", "role": "Role",
    }),
    ("accounts.Acceptance", Category.CONSENT, {
        "id": "Number", "user": "Who", "organisation": "Whose policy", "version_id": "Version",
        "revision": "Revision", "digest": "Digest of what was read",
        "is_accepted": "Accepted", "answered_at": "When",
        "network": readable("Network address (shortened)", Category.TECHNICAL),
    }),
    ("accounts.Invitation", Category.ACCOUNT, {
        "id": "Number", "organisation": "Organisation", "email": sealed("E-mail address invited"),
        "email_token": keyed_hash("E-mail address invited"),
        "roles": "Roles offered",
        "secret_digest": hashed("Secret of the link", Category.CREDENTIALS),
        "invited_by": "Who invited", "created_at": DAY, "expires_at": "Until when it is open",
        "accepted_at": "Accepted", "withdrawn_at": "Withdrawn",
        "source": "Where the address came from", "basis": "On what basis it was used",
    }),
    ("accounts.EmailChange", Category.ACCOUNT, {
        "id": "Number", "user": "Whose", "email": sealed("E-mail address asked for"),
        "old_email": sealed("E-mail address before"), "asked_at": "When",
        "expires_at": "Until when it can be confirmed", "confirmed_at": "Confirmed",
    }),
    ("accounts.ApiToken", Category.CREDENTIALS, {
        "id": "Number", "membership": "Whose", "name": "Name of the program",
        "agreement": "Under which agreement with a partner",
        "secret_digest": hashed("Secret"), "scopes": "What it may do", "created_at": DAY,
        "expires_at": "Until when it holds", "revoked_at": "Revoked", "last_used_on": "Last used",
    }),
    ("accounts.SignIn", Category.TECHNICAL, {
        "id": "Number", "user": "Whose", "session_digest": hashed("Session", Category.CREDENTIALS),
        "browser": "Browser and system", "factor": "Proved with",
        "public_computer": "Shared computer", "started_at": "Since when", "seen_at": "Last seen",
        "ended_at": "Ended",
    }),
    ("accounts.UsageEvent", Category.TECHNICAL, {
        "id": "Number", "organisation": "Organisation", "day": "Day",
        "pseudonym": keyed_hash("Account, under a pseudonym that changes every four weeks"),
        "feature": "Feature", "page": "Page, by its name", "from_page": "Page before",
        "browser": "Browser and system", "outcome": "How it ended",
        "took_ms": "How long it took, in milliseconds", "forget_on": "Deleted on",
    }),
    ("accounts.SupportWindow", Category.TRAIL, {
        "id": "Number", "organisation": "Organisation", "member": "Whose technical records",
        "opened_by": "Who may look", "ticket": "Ticket", "reason": "Why", "opened_at": "From",
        "ends_at": "Until", "closed_at": "Closed",
    }),
    ("accounts.WorkSettings", Category.ACCOUNT, {
        "id": "Number", "membership": "Whose", "modality": "Worklist: modality",
        "per_page": "Worklist: lines on a page", "colours": "Light or dark",
    }),
    ("accounts.Notification", Category.COMMUNICATIONS, {
        "id": "Number", "user": "To whom", "batch_id": "Sent together with",
        "category": "Kind of message", "template": "Which message", "target_id": "About what",
        "created_at": DAY, "in_portal": "Shown in the portal", "read_at": "Read",
        "needs_acknowledgement": "To be acknowledged", "acknowledged_at": "Acknowledged",
        "by_email": "By e-mail", "mailed_at": "Mailed", "mail_failure": "Why mail failed",
        "mail_given_up": "Whether mail was given up",
    }),
    ("accounts.ChannelChoice", Category.COMMUNICATIONS, {
        "id": "Number", "user": "Whose", "category": "Kind of message", "channel": "Way",
        "wanted": "Wanted",
    }),
    ("accounts.MarketingChoice", Category.COMMUNICATIONS, {
        "id": "Number", "user": "Whose", "wanted": "Advertising wanted", "source": "Said where",
        "decided_at": "When",
    }),
    ("accounts.SaleOptOut", Category.COMMUNICATIONS, {
        "id": "Number", "user": "Whose", "source": "By which signal", "recorded_at": "When",
    }),
    ("accounts.Campaign", Category.CONFIGURATION, {
        "id": "Number", "organisation": "Organisation", "template": "Which message",
        "started_by": readable("Who sent it", Category.PROFESSIONAL), "started_at": "When",
        "recipients": "To how many",
    }),
    ("accounts.Agreement", Category.ORGANISATION, {
        "id": "Number", "organisation": "Whose", "kind": "Kind", "party": "With whom",
        "partner": "Organisation in the portal", "key_id": "Its key",
        "sealed_contact": sealed("Address for notices", Category.PROFESSIONAL),
        "reference": "Where the signed document is filed", "starts_on": "From",
        "deid_options": "What is cleaned beyond the policy",
        "sale_or_share": "Whether it counts as sale or sharing",
        "mechanism": "On what data goes abroad by it",
        "ends_on": "Until", "ended_on": "Ended early on",
        "recorded_by": readable("Who recorded it", Category.PROFESSIONAL), "created_at": DAY,
    }),
    ("accounts.AgreementNotice", Category.ORGANISATION, {
        "id": "Number", "agreement": "Of which agreement", "version_id": "Version of the policy",
        "template": "Which message", "created_at": DAY, "mailed_at": "Mailed",
        "mail_failure": "Why mail failed", "mail_given_up": "Whether mail was given up",
    }),
    ("accounts.Invoice", Category.BILLING, {
        "id": "Number of the row", "organisation": "Whose", "number": "Number", "about": "For what",
        "amount": "Amount", "currency": "Currency", "state": "State", "key_id": "Its key",
        "sealed_addresses": sealed("Addresses"), "payment_reference": "Reference of the payment",
        "issued_at": DAY, "settled_at": "Paid or cancelled", "issued_by": "Who wrote it",
    }),
    ("sessions.Session", Category.TECHNICAL, {
        "session_key": secret("Key of the session", Category.CREDENTIALS),
        "session_data": secret("What the session remembers"), "expire_date": "Until when it holds",
    }),
    ("accounts.Authenticator", Category.CREDENTIALS, {
        **_DEVICE, "seal_id": "Number for sealing",
        "seed": FieldFacts("Seed of the authenticator", Protection.SEALED, exported=False),
        "drift": "How far its clock is off", "last_t": "Last code used",
    }),
    ("accounts.RecoveryCodes", Category.CREDENTIALS, _DEVICE),
    ("accounts.RecoveryCode", Category.CREDENTIALS, {
        "id": "Number", "codes": "Set of codes", "digest": keyed_hash("Recovery code"),
    }),
    ("django_otp_webauthn.WebAuthnCredential", Category.CREDENTIALS, {
        **{name: said for name, said in _DEVICE.items() if not name.startswith("throttling")},
        "credential_type": "Kind", "credential_id": "Its number at the device",
        "public_key": "Public key", "transports": "How it is reached", "sign_count": "Times used",
        "backup_eligible": "Can be copied", "backup_state": "Was copied", "aaguid": "Model",
        "credential_id_sha256": hashed("Its number at the device"),
        "discoverable": "Whether it names the account itself",
    }),
    ("django_otp_webauthn.WebAuthnAttestation", Category.CREDENTIALS, {
        "id": "Number", "fmt": "Format", "data": "Statement of the maker",
        "client_data_json": "What the browser signed", "credential": "Passkey",
    }),
    ("django_otp_webauthn.WebAuthnUserHandle", Category.CREDENTIALS, {
        "handle_hex": "Number for passkeys", "user": "Whose",
    }),
    ("axes.AccessAttempt", Category.TECHNICAL, {
        **_ATTEMPT, "get_data": "Address", "post_data": "Form (without secrets)",
        "failures_since_start": "Wrong tries",
    }),
    ("axes.AccessAttemptExpiration", Category.TECHNICAL, {
        "access_attempt": "Tries", "expires_at": "Forgotten at",
    }),
    ("axes.AccessFailureLog", Category.TECHNICAL, {**_ATTEMPT, "locked_out": "Locked out"}),
    ("axes.AccessLog", Category.TECHNICAL, {
        **_ATTEMPT, "logout_time": "Signed out", "session_hash": hashed("Session"),
    }),
]  # fmt: skip


def register() -> None:
    classify(MODELS)
