"""What this room writes into the trail: code, label, DICOM PS3.15 A.5 event name."""

_LOGIN = _LOGOUT = "User Authentication"
_SECURITY = "Security Alert"

ACTIONS = [
    ("session.started", "Signed in", _LOGIN),
    ("session.failed", "Sign-in refused", _LOGIN),
    ("session.stepped_up", "Proved again who they are", _LOGIN),
    ("session.ended", "Signed out", _LOGOUT),
    ("factor.enrolled", "Second factor set up", _SECURITY),
    ("factor.removed", "Second factor removed", _SECURITY),
    ("password.changed", "Password changed", _SECURITY),
    ("token.issued", "API token issued", _SECURITY),
    ("token.revoked", "API token revoked", _SECURITY),
    ("invitation.sent", "Invitation sent", _SECURITY),
    ("membership.started", "Joined the organisation", _SECURITY),
    ("membership.changed", "Roles changed", _SECURITY),
    ("purpose.refused", "Use of personal data refused by the privacy policy", ""),
    ("policy.accepted", "Privacy policy accepted", ""),
    ("policy.declined", "Privacy policy declined", ""),
    ("account.closed", "Account closed", _SECURITY),
    ("data.exported", "Own account data handed out", "Export"),
    ("policy.drafted", "Draft of the privacy policy saved", _SECURITY),
    ("policy.discarded", "Draft of the privacy policy thrown away", _SECURITY),
    ("policy.posted", "New version of the privacy policy posted", _SECURITY),
    ("policy.withdrawn", "Announced version of the privacy policy withdrawn", _SECURITY),
    ("policy.refused", "Change of the privacy policy refused", _SECURITY),
    ("membership.ended", "Membership ended", _SECURITY),
    ("profile.changed", "Account details changed", ""),
    ("notification.acknowledged", "Announcement acknowledged", ""),
    ("preferences.changed", "Choice of messages changed", ""),
    ("marketing.accepted", "Advertising agreed to", ""),
    ("marketing.objected", "Advertising objected to", ""),
    ("campaign.started", "Advertising sent", ""),
    ("records.forgotten", "Old technical records deleted", ""),
    ("signal.recorded", "Opt-out signal of the browser kept", ""),
]
