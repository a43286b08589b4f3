"""Who is told of a new version, and in which ways (C11; contradiction 15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from accounts.models import Notification
from accounts.services.policy import withdraw_version
from policies.models import PolicyVersion
from policies.rules.categories import Category
from policies.rules.gate import using
from policies.rules.purposes import Purpose
from tests.factories import Cast, actor_of, deliver, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
ALL = ["website", "email", "announcement", "dashboard"]


def told(template: str = "policy-changed") -> dict[str, Notification]:
    rows = Notification.objects.filter(template=template).select_related("user")
    # A request before this one has ended what the test itself was for.
    with using(Purpose.COMMUNICATION, Category.ACCOUNT):
        return {row.user.email: row for row in rows}


def test_every_member_is_told_and_nobody_else(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """AVMI-11.3, XENRAD-10.2: one e-mail each, with a record of its delivery."""
    announced({"consent.share_days_at_most": 90})
    members = {"clinician", "officer", "admin", "auditor"}
    assert set(told()) == {f"{one}@hospital.example" for one in members}
    letters = deliver()
    assert sorted(letter.to[0] for letter in letters) == sorted(told())
    assert all(row.mailed_at for row in told().values())
    assert "/policy/news/" in letters[0].body


def test_an_alert_stands_on_the_first_page_until_it_is_acknowledged(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """XENRAD-10.3, XENRAD-10.5."""
    announced({"consent.share_days_at_most": 90, "notice.channels": ALL})
    client = signed_in_client(cast.clinician)
    words = b"The privacy policy of your organisation will change"
    assert words in client.get("/").content
    row = told()["clinician@hospital.example"]
    client.post(f"/notifications/{row.pk}/acknowledge/")
    row.refresh_from_db()
    assert row.acknowledged_at
    assert words not in client.get("/").content
    assert words in signed_in_client(cast.officer).get("/").content


def test_where_the_policy_says_the_website_only_no_mail_is_sent(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    """MEDDIM-14.3: the ways are the policy's, once that version holds."""
    version = announced({"notice.channels": ["website"]})
    # What was promised until now still counts for this change.
    assert all(row.by_email for row in told().values())
    with time_machine.travel(version.effective_at + timedelta(minutes=1)):
        Notification.objects.all().delete()
        announced({"consent.share_days_at_most": 80})
        rows = told().values()
        assert rows
        assert not any(row.by_email or row.needs_acknowledgement for row in rows)
        assert deliver() == []


def test_a_change_of_wording_alone_is_not_announced(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    version = announced({"closing": "Write to us."})
    assert not version.is_material
    assert told() == {}


def test_what_was_announced_and_is_withdrawn_is_told_as_well(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    version = announced({"consent.share_days_at_most": 90})
    withdraw_version(acting=actor_of(cast.administrator), version=version)
    assert set(told("policy-withdrawn")) == set(told())


def test_the_message_leads_to_what_changes(
    cast: Cast, announced: Callable[..., PolicyVersion]
) -> None:
    client = signed_in_client(cast.clinician)
    assert client.get("/policy/news/")["Location"] == "/notice/hospital/"
    announced({"consent.share_days_at_most": 90})
    assert client.get("/policy/news/")["Location"] == "/notice/hospital/2/changes/"
