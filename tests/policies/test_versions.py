"""The life of a version: draft, posted, effective, superseded, withdrawn (C11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.rules import Actor
from accounts.services.policy import (
    PolicyRefused,
    adopt_pack,
    begin_draft,
    drop_draft,
    post_draft,
    save_draft,
    save_draft_text,
    withdraw_version,
)
from audit.models import Event
from policies import selectors
from policies.models import PolicyVersion
from policies.rules.document import digest_of
from policies.rules.findings import PackInvalid
from policies.rules.versions import Dates, NotAllowed, State, effective_among, state_of
from policies.selectors import (
    NoPolicy,
    draft_of,
    effective_pack,
    forget_policies,
    packs_of,
    upcoming_pack,
)
from tests.factories import Cast, actor_of

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
NOW = datetime(2030, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def admin(cast: Cast) -> Actor:
    return actor_of(cast.administrator, fresh=True)


def announce(admin: Actor, at: datetime | None = None, **changes: object) -> PolicyVersion:
    save_draft(acting=admin, changes={path.replace("__", "."): v for path, v in changes.items()})
    return post_draft(acting=admin, effective_at=at)


def events(action: str) -> list[Event]:
    return list(Event.objects.filter(action=action).order_by("occurred_at"))


def test_an_organisation_starts_with_a_policy_that_holds_at_once(admin: Actor) -> None:
    pack = effective_pack(admin.organisation_id)
    assert (pack.revision, pack.code) == (1, "image-exchange")
    assert pack["contact.email"] == "officer@hospital.example"


def test_an_organisation_without_a_policy_can_do_nothing_under_one() -> None:
    with pytest.raises(NoPolicy):
        effective_pack(Actor(user_id=0, name="").organisation_id or PolicyVersion().pk)


def test_a_new_version_holds_exactly_seven_days_after_posting(admin: Actor) -> None:
    """LIFEIMAGE-14.4: at day 7, and not a second before."""
    with time_machine.travel(NOW, tick=False) as clock:
        version = announce(actor_of_now(admin), consent__share_days_at_most=90)
        assert version.posted_at == NOW
        assert version.effective_at == NOW + timedelta(days=7)
        assert version.revision == 2
        clock.move_to(NOW + timedelta(days=7) - timedelta(seconds=1))
        assert effective_pack(admin.organisation_id)["consent.share_days_at_most"] == 365
        upcoming = upcoming_pack(admin.organisation_id)
        assert upcoming is not None
        assert upcoming.revision == 2
        clock.move_to(NOW + timedelta(days=7))
        assert effective_pack(admin.organisation_id)["consent.share_days_at_most"] == 90
        assert upcoming_pack(admin.organisation_id) is None


@pytest.mark.parametrize(
    ("days", "said"),
    [(6, "within the notice period of 7 days"), (-1, "lies in the past")],
)
def test_a_date_that_is_too_early_is_refused(admin: Actor, days: int, said: str) -> None:
    save_draft(acting=admin, changes={"consent.share_days_at_most": 90})
    before = effective_pack(admin.organisation_id)
    with pytest.raises(NotAllowed, match=said):
        post_draft(acting=admin, effective_at=timezone.now() + timedelta(days=days))
    assert effective_pack(admin.organisation_id) == before
    assert draft_of(admin.organisation_id) is not None
    (refusal,) = events("policy.refused")
    assert (refusal.outcome, refusal.reason) == ("refused", "date")


def test_a_draft_that_shortens_the_notice_still_keeps_the_old_one(admin: Actor) -> None:
    announce(admin, notice__min_days=30)
    with time_machine.travel(timezone.now() + timedelta(days=30, minutes=1)):
        save_draft(acting=admin, changes={"notice.min_days": 7})
        with pytest.raises(NotAllowed, match="30 days"):
            post_draft(acting=actor_of_now(admin), effective_at=timezone.now() + timedelta(days=8))


def actor_of_now(admin: Actor) -> Actor:
    """The same person, who has just proved again who they are."""
    return actor_of(User.objects.get(pk=admin.user_id), fresh=True)


def test_a_posted_version_cannot_be_changed_by_anybody(admin: Actor) -> None:
    """XENRAD-10.1, LIFEIMAGE-14.2: the text and the moment of first posting stay."""
    version = announce(admin, consent__share_days_at_most=90)
    for change in (
        {"posted_at": timezone.now()},
        {"effective_at": timezone.now() + timedelta(days=99)},
        {"values": {**version.values, "title": "Another"}},
        {"digest": "0" * 64},
        {"revision": 9},
    ):
        with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
            PolicyVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        PolicyVersion.objects.filter(pk=version.pk).delete()
    with (
        pytest.raises(DatabaseError, match="cannot be changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE policies_policyversion SET reason = 'x' WHERE revision = 2")
    version.refresh_from_db()
    assert digest_of(version.values) == version.digest


def test_a_draft_is_not_public_and_can_be_thrown_away(admin: Actor) -> None:
    save_draft(acting=admin, changes={"title": "Another title"}, reason="A better title")
    assert len(packs_of(admin.organisation_id)) == 1
    drop_draft(acting=admin)
    assert draft_of(admin.organisation_id) is None
    assert len(events("policy.discarded")) == 1
    drop_draft(acting=admin)
    assert len(events("policy.discarded")) == 1


def test_there_is_one_draft_and_it_is_gone_on_with(admin: Actor) -> None:
    first = save_draft(acting=admin, changes={"title": "First"})
    second = save_draft(acting=admin, changes={"contact.phone": "+1 212 555 0100"})
    assert first.pk == second.pk == begin_draft(acting=admin).pk
    assert (second.values["title"], second.values["contact.phone"]) == ("First", "+1 212 555 0100")
    assert len(events("policy.drafted")) == 2
    save_draft(acting=admin, changes={"title": "First"})
    assert len(events("policy.drafted")) == 2, "nothing changed, nothing is recorded"


def test_what_another_process_posted_is_announced_and_gone_on_with_at_once(
    cast: Cast, admin: Actor
) -> None:
    """Each process keeps what holds for some seconds; what is announced is never kept."""
    organisation_id = admin.organisation_id
    assert upcoming_pack(organisation_id) is None
    before = dict(selectors._kept)
    save_draft(acting=admin, changes={"consent.share_days_at_most": 90})
    post_draft(acting=admin, effective_at=None)
    # As in a process that knows nothing of it.
    selectors._kept.update(before)
    assert effective_pack(organisation_id).revision == 1
    selectors._kept.update(before)
    assert b"It takes effect on" in Client().get("/notice/hospital/").content
    selectors._kept.update(before)
    assert begin_draft(acting=admin).values["consent.share_days_at_most"] == 90


def test_an_announced_version_can_be_withdrawn_until_it_holds(admin: Actor) -> None:
    version = announce(admin, consent__share_days_at_most=90)
    withdraw_version(acting=admin, version=version)
    assert upcoming_pack(admin.organisation_id) is None
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        forget_policies()
        assert effective_pack(admin.organisation_id)["consent.share_days_at_most"] == 365
    with pytest.raises(NotAllowed):
        withdraw_version(acting=admin, version=version)
    assert len(events("policy.withdrawn")) == 1
    third = announce(admin, consent__share_days_at_most=80)
    assert third.revision == 3, "a number is never used twice"


def test_what_holds_cannot_be_withdrawn(admin: Actor) -> None:
    first = PolicyVersion.objects.get(organisation_id=admin.organisation_id)
    with pytest.raises(NotAllowed):
        withdraw_version(acting=admin, version=first)


def test_no_version_overtakes_one_that_was_announced_before(admin: Actor) -> None:
    announce(admin, timezone.now() + timedelta(days=20), consent__share_days_at_most=90)
    save_draft(acting=admin, changes={"consent.share_days_at_most": 60})
    with pytest.raises(NotAllowed, match="Withdraw it first, or choose a later date"):
        post_draft(acting=admin, effective_at=timezone.now() + timedelta(days=10))


def test_a_policy_below_a_floor_is_refused_and_recorded(admin: Actor) -> None:
    with pytest.raises(PackInvalid, match=r"notice\.min_days"):
        announce(admin, notice__min_days=2)
    assert upcoming_pack(admin.organisation_id) is None
    (refusal,) = events("policy.refused")
    assert refusal.details == {"keys": ["notice.min_days"], "findings": 1}


def test_selling_data_is_refused_and_recorded(admin: Actor) -> None:
    """AVMI-5.5, MEDDIM-4.1."""
    purposes = begin_draft(acting=admin).values["purposes"]
    with pytest.raises(PackInvalid, match="personal data is never sold"):
        save_draft(acting=admin, changes={"purposes": {**purposes, "sale": {}}})
    (refusal,) = events("policy.refused")
    assert refusal.details["keys"] == ["purposes"]


def test_what_a_stranger_wrote_never_enters_the_trail(admin: Actor) -> None:
    with pytest.raises(PackInvalid):
        save_draft_text(acting=admin, text="Paula Adler was here: 1")
    (refusal,) = events("policy.refused")
    assert refusal.details["keys"] == sorted(refusal.details["keys"])
    assert "Paula" not in str(refusal.details)


def test_posting_needs_a_fresh_second_factor(cast: Cast, admin: Actor) -> None:
    stale = actor_of(cast.administrator)
    save_draft(acting=stale, changes={"title": "Another"})
    with pytest.raises(PolicyRefused, match="Prove again"):
        post_draft(acting=stale, effective_at=None)


@pytest.mark.parametrize("who", ["clinician", "officer", "auditor", "patient"])
def test_only_administrators_change_a_policy(cast: Cast, who: str) -> None:
    person = actor_of(getattr(cast, who), fresh=True)
    for act in (
        lambda: begin_draft(acting=person),
        lambda: save_draft(acting=person, changes={}),
        lambda: save_draft_text(acting=person, text="title: a"),
        lambda: drop_draft(acting=person),
        lambda: post_draft(acting=person, effective_at=None),
    ):
        with pytest.raises(PolicyRefused, match="Only administrators"):
            act()


def test_the_policy_of_another_organisation_is_out_of_reach(cast: Cast, admin: Actor) -> None:
    announce(admin, consent__share_days_at_most=90)
    other = actor_of(cast.stranger).organisation_id
    assert other != admin.organisation_id
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert effective_pack(other).revision == 1


def test_a_second_policy_is_not_adopted_beside_the_first(cast: Cast) -> None:
    from accounts.models import Organisation

    with pytest.raises(PolicyRefused):
        adopt_pack(
            organisation=Organisation.objects.get(slug="hospital"), pack_code="image-share",
            changes={},
        )  # fmt: skip


# Pure --------------------------------------------------------------------------------------------
moments = st.integers(0, 1000).map(lambda hours: NOW + timedelta(hours=hours))
lives = st.lists(
    st.builds(
        lambda posted, wait, gone: (posted, posted + timedelta(hours=wait), gone),
        moments, st.integers(0, 200), st.booleans(),
    ),
    max_size=6,
).map(
    lambda rows: [
        Dates(number, posted, effective, posted if gone else None)
        for number, (posted, effective, gone) in enumerate(rows, 1)
    ]
)  # fmt: skip


@given(lives, moments)
def test_at_every_moment_at_most_one_version_is_in_force(
    versions: list[Dates], at: datetime
) -> None:
    states = [state_of(version, versions, at) for version in versions]
    due = [one for one in versions if one.withdrawn_at is None and one.effective_at <= at]  # type: ignore[operator]
    assert states.count(State.EFFECTIVE) == (1 if due else 0)
    chosen = effective_among(versions, at)
    assert (chosen is None) is (not due)
    if chosen is not None:
        assert all(chosen.effective_at >= one.effective_at for one in due)  # type: ignore[operator]


def test_the_history_of_a_draft_is_kept_beside_the_trail(admin: Actor) -> None:
    """Who changed it is in the trail; what it was and became is in the history."""
    from auditlog.models import LogEntry

    save_draft(acting=admin, changes={"title": "First"})
    draft = save_draft(acting=admin, changes={"title": "Second"})
    changes = [entry.changes for entry in LogEntry.objects.get_for_object(draft)]
    assert any("Second" in str(change.get("values")) for change in changes)
