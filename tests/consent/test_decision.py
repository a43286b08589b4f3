"""The decision, without a database: who may, who may not, and that doubt never releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import Actor, Role, Scope, capabilities_of
from consent.rules.decision import (
    Action,
    Decision,
    GrantFacts,
    Item,
    Outcome,
    Reason,
    Resource,
    decide,
)
from policies.rules.purposes import Purpose

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOSPITAL, IMAGING, ELSEWHERE = UUID(int=1), UUID(int=2), UUID(int=3)
STUDY, OTHER_STUDY = "1.2.3", "1.2.4"
SERIES = "1.2.3.1"


def actor(
    organisation: UUID | None = IMAGING,
    *roles: Role,
    scopes: frozenset[Scope] | None = None,
) -> Actor:
    held = frozenset(roles or {Role.CLINICIAN})
    return Actor(
        user_id=1,
        name="A",
        organisation_id=organisation,
        roles=held,
        capabilities=capabilities_of(held),
        scopes=scopes,
    )


def grant(
    *items: Item,
    granted_at: datetime = NOW - timedelta(days=1),
    expires_at: datetime = NOW + timedelta(days=1),
    revoked_at: datetime | None = None,
    may_download: bool = False,
    purpose: str = "treatment",
) -> GrantFacts:
    return GrantFacts(
        uuid4(), purpose, may_download, granted_at, expires_at, revoked_at, items or (Item(STUDY),)
    )


def ask(
    *grants: GrantFacts,
    who: Actor | None = None,
    action: Action = Action.VIEW,
    resource: Resource | None = None,
    purpose: str = "",
    at: datetime = NOW,
    listed: frozenset[str] = frozenset(Purpose),
) -> Decision:
    return decide(
        actor=who or actor(),
        action=action,
        resource=resource or Resource(HOSPITAL, STUDY),
        grants=grants,
        at=at,
        purpose=purpose,
        lists=listed.__contains__,
    )


def test_a_purpose_that_the_policy_no_longer_lists_releases_nothing() -> None:
    """C12: also what was shared for it, and also at home."""
    shared = grant(purpose="second-opinion")
    only = frozenset({"treatment"})
    decision = ask(shared, listed=only)
    assert (decision.outcome, decision.reason) == (Outcome.DENY, Reason.NOT_LISTED)
    assert ask(shared, listed=only | {"second-opinion"}).is_permit
    assert ask(who=actor(HOSPITAL), listed=frozenset()).reason is Reason.NOT_LISTED
    assert ask(who=actor(HOSPITAL), listed=only).is_permit
    assert ask(who=actor(HOSPITAL), purpose="research", listed=only).reason is Reason.NOT_LISTED


def test_a_share_for_a_listed_purpose_stands_beside_one_that_is_not() -> None:
    old, new = grant(purpose="second-opinion"), grant(purpose="treatment")
    decision = ask(old, new, listed=frozenset({"treatment"}))
    assert decision.is_permit
    assert decision.grant_ids == (new.id,)


def test_a_clinician_of_the_holding_organisation_sees_all_of_it() -> None:
    decision = ask(who=actor(HOSPITAL))
    assert decision.is_permit
    assert decision.scope is None


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR, Role.OFFICER, Role.PLATFORM])
def test_no_other_role_looks_at_images_even_at_home(role: Role) -> None:
    assert ask(who=actor(HOSPITAL, role)).reason is Reason.ROLE


def test_an_officer_may_know_that_a_study_exists() -> None:
    assert ask(who=actor(HOSPITAL, Role.OFFICER), action=Action.SEARCH).is_permit


def test_a_stranger_is_not_told_that_the_study_exists() -> None:
    decision = ask()
    assert decision.reason is Reason.UNKNOWN
    assert not decision.is_known


def test_a_share_in_force_releases_what_it_names_and_when_it_was_agreed() -> None:
    given_ = grant(Item(STUDY, SERIES))
    decision = ask(given_)
    assert decision.is_permit
    before, after = given_.granted_at, given_.granted_at + timedelta(seconds=1)
    assert decision.releases(series_uid=SERIES, instance_uid="9", received_at=before)
    assert not decision.releases(series_uid=SERIES, instance_uid="9", received_at=after)
    assert not decision.releases(series_uid="1.2.3.2", instance_uid="9", received_at=before)


def test_another_series_is_named_as_not_among_the_items() -> None:
    other = Resource(HOSPITAL, STUDY, "1.2.3.2")
    assert ask(grant(Item(STUDY, SERIES)), resource=other).reason is Reason.NOT_ITEM


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (grant(revoked_at=NOW - timedelta(minutes=1)), Reason.REVOKED),
        (grant(expires_at=NOW), Reason.EXPIRED),
        (grant(expires_at=NOW - timedelta(days=1)), Reason.EXPIRED),
        (grant(granted_at=NOW + timedelta(minutes=1)), Reason.EXPIRED),
    ],
)
def test_an_ended_share_says_how_it_ended(facts: GrantFacts, reason: Reason) -> None:
    decision = ask(facts)
    assert decision.reason is reason
    assert decision.is_known


def test_looking_is_not_downloading() -> None:
    assert ask(grant(), action=Action.DOWNLOAD).reason is Reason.NO_DOWNLOAD
    assert ask(grant(may_download=True), action=Action.DOWNLOAD).is_permit


def test_a_share_for_one_purpose_serves_no_other() -> None:
    assert ask(grant(purpose="treatment"), purpose="second-opinion").reason is Reason.OTHER_PURPOSE


@pytest.mark.parametrize("action", [Action.SHARE, Action.STORE])
def test_a_recipient_cannot_pass_it_on_or_add_to_it(action: Action) -> None:
    assert ask(grant(may_download=True), action=action).reason is Reason.OWNER_ONLY


def test_a_token_does_no_more_than_it_was_issued_for() -> None:
    reader = actor(HOSPITAL, scopes=frozenset({Scope.READ}))
    assert ask(who=reader).is_permit
    assert ask(who=reader, action=Action.STORE).reason is Reason.SCOPE
    assert ask(who=reader, action=Action.SHARE).reason is Reason.SCOPE


def test_a_person_without_an_organisation_gets_nothing() -> None:
    assert not ask(who=actor(None)).is_permit


# Properties --------------------------------------------------------------------------------------
MOMENTS = st.datetimes(
    min_value=datetime(2026, 11, 1), max_value=datetime(2026, 12, 15), timezones=st.just(UTC)
)
ITEMS = st.builds(
    Item, st.sampled_from([STUDY, OTHER_STUDY]), st.sampled_from(["", SERIES, "1.2.3.2"])
)
GRANTS = st.builds(
    GrantFacts,
    id=st.uuids(),
    purpose=st.sampled_from(["treatment", "second-opinion"]),
    may_download=st.booleans(),
    granted_at=MOMENTS,
    expires_at=MOMENTS,
    revoked_at=st.none() | MOMENTS,
    items=st.tuples(ITEMS) | st.tuples(ITEMS, ITEMS),
)
ROLES = st.frozensets(st.sampled_from(Role), min_size=1)
ACTIONS = st.sampled_from(Action)
RESOURCES = st.builds(
    Resource, st.just(HOSPITAL), st.just(STUDY), st.sampled_from(["", SERIES, "1.2.3.2"])
)


@given(st.lists(GRANTS, max_size=5), ROLES, ACTIONS, RESOURCES, MOMENTS)
def test_nothing_is_released_without_a_share_in_force(
    grants: list[GrantFacts],
    roles: frozenset[Role],
    action: Action,
    resource: Resource,
    at: datetime,
) -> None:
    listed = frozenset({"treatment"})
    decision = ask(
        *grants, who=actor(IMAGING, *roles), action=action, resource=resource, at=at, listed=listed
    )
    if decision.outcome is not Outcome.PERMIT:
        return
    assert decision.scope
    by_id = {one.id: one for one in grants}
    for scoped in decision.scope:
        resting_on = by_id[scoped.grant_id]
        assert resting_on.revoked_at is None
        assert resting_on.purpose in listed
        assert resting_on.granted_at <= at < resting_on.expires_at
        assert scoped.item.study_uid == resource.study_uid
        assert action is not Action.DOWNLOAD or resting_on.may_download


@given(st.lists(GRANTS, max_size=5), ACTIONS, RESOURCES, MOMENTS)
def test_a_new_share_never_takes_away(
    grants: list[GrantFacts], action: Action, resource: Resource, at: datetime
) -> None:
    for count in range(len(grants)):
        fewer = ask(*grants[:count], action=action, resource=resource, at=at)
        more = ask(*grants[: count + 1], action=action, resource=resource, at=at)
        assert more.is_permit or not fewer.is_permit


@given(st.lists(GRANTS, min_size=1, max_size=5), ACTIONS, RESOURCES, MOMENTS)
def test_revoking_everything_releases_nothing(
    grants: list[GrantFacts], action: Action, resource: Resource, at: datetime
) -> None:
    revoked = [
        GrantFacts(g.id, g.purpose, g.may_download, g.granted_at, g.expires_at, at, g.items)
        for g in grants
    ]
    assert not ask(*revoked, action=action, resource=resource, at=at).is_permit


@given(st.lists(GRANTS, max_size=4), ACTIONS, RESOURCES, MOMENTS)
def test_every_refusal_has_a_sentence(
    grants: list[GrantFacts], action: Action, resource: Resource, at: datetime
) -> None:
    assert ask(*grants, action=action, resource=resource, at=at).sentence.endswith(".")
