"""After a restore, whatever opened the portal before opens it no more."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, EmailChange, Invitation, SignIn, SupportWindow, User
from backups.rules.links import ends_of_links
from retention.services.disposing import stop_after_restore


@transaction.atomic
def end_what_opens() -> dict[str, int]:
    """End sessions, tokens, links and approvals of before; returns how many. Safe to repeat.

    Who had one revoked since cannot be told from who had not, so all of them end.
    """
    now = timezone.now()
    # A link to set a password proves itself by what the account was when it was made, of the last
    # sign-in by its second: so none that was, and not the present one.
    User.objects.update(last_login=now + timedelta(seconds=1))
    return {
        "sessions": Session.objects.all().delete()[0],
        "sign_ins": SignIn.objects.filter(ended_at=None).update(ended_at=now),
        "programs": ApiToken.objects.filter(revoked_at=None).update(revoked_at=now),
        "invitations": Invitation.objects.filter(accepted_at=None, withdrawn_at=None).update(
            withdrawn_at=now
        ),
        "addresses": EmailChange.objects.filter(confirmed_at=None).delete()[0],
        "windows": SupportWindow.objects.filter(closed_at=None, ends_at__gt=now).update(
            closed_at=now
        ),
        "disposals": stop_after_restore(),
        "links": sum(end() for end in ends_of_links()),
    }
