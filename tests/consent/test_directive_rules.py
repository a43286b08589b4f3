"""Directives without a database: each bars what its law says, and none ever lets anything out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.rules.decision import Action, Outcome, Reason, decide
from consent.rules.directives import (
    DIRECTIVES,
    Bar,
    DirectiveKind,
    ScopeRefused,
    Wanted,
    checked,
    packed,
    purposes_reached,
    refusal_to_lift,
    unpacked,
)
from policies.rules.purposes import ALWAYS, Purpose
from tests.consent.test_decision import (
    ACTIONS,
    GRANTS,
    HOSPITAL,
    IMAGING,
    NOW,
    OTHER_STUDY,
    RESOURCES,
    ROLES,
    STUDY,
    actor,
    grant,
)

RESTRICTION, DISCLOSURE = DirectiveKind.RESTRICTION, DirectiveKind.DISCLOSURE
BARS = st.builds(
    Bar,
    st.sampled_from(DirectiveKind),
    st.frozensets(st.sampled_from(["treatment", "second-opinion", "research"]), min_size=1),
    st.just(NOW - timedelta(days=1)),
    st.frozensets(st.sampled_from([STUDY, OTHER_STUDY])),
    st.frozensets(st.sampled_from([HOSPITAL, IMAGING])),
)


def bar(kind: DirectiveKind, *purposes: str, **more: object) -> Bar:
    reached = purposes_reached(kind, purposes)
    return Bar(kind, reached, NOW - timedelta(hours=1), **more)  # type: ignore[arg-type]


@given(
    st.lists(GRANTS, max_size=4), ROLES, ACTIONS, RESOURCES, st.lists(BARS, max_size=4), BARS,
    st.sampled_from([HOSPITAL, IMAGING, None]), st.sampled_from(["", "treatment", "research"]),
)  # fmt: skip
def test_one_more_directive_never_lets_anything_out(  # type: ignore[no-untyped-def]
    grants, roles, action, resource, bars, one_more, organisation, purpose
) -> None:
    who = actor(organisation, *roles)
    facts = {
        "actor": who, "action": action, "resource": resource, "grants": grants, "at": NOW,
        "lists": lambda _: True, "purpose": purpose,
    }  # fmt: skip
    before = decide(**facts, bars=bars)
    after = decide(**facts, bars=[*bars, one_more])
    if not before.is_permit:
        assert not after.is_permit
    elif after.is_permit and before.scope is not None:
        assert after.scope is not None
        assert set(after.scope) <= set(before.scope)


@given(st.lists(BARS, max_size=4), st.permutations(range(4)))
def test_the_order_of_what_was_said_does_not_matter(bars: list[Bar], order: list[int]) -> None:
    shuffled = [bars[one] for one in order if one < len(bars)]
    given_ = grant(purpose="second-opinion")
    one, other = asked(given_, bars=bars), asked(given_, bars=shuffled)
    assert one.is_permit == other.is_permit


def asked(*grants, who=None, action=Action.VIEW, purpose="", bars=()):  # type: ignore[no-untyped-def]
    from tests.consent.test_decision import Resource

    return decide(
        actor=who or actor(), action=action, resource=Resource(HOSPITAL, STUDY), grants=grants,
        at=NOW, lists=lambda _: True, purpose=purpose, bars=bars,
    )  # fmt: skip


@pytest.mark.parametrize("kind", DirectiveKind)
def test_each_kind_denies_in_a_sentence_that_cites_its_law(kind: DirectiveKind) -> None:
    purpose = min(DIRECTIVES[kind].reach)
    decision = asked(grant(purpose=purpose), bars=[bar(kind, purpose)])
    assert (decision.outcome, decision.reason) == (Outcome.DENY, Reason(kind.value))
    assert decision.is_known
    assert decision.is_by_directive
    assert "(" in decision.sentence
    assert any(law in decision.sentence for law in ("GDPR", "CFR", "Civ. Code"))


@pytest.mark.parametrize("kind", DirectiveKind)
def test_what_the_law_keeps_cannot_be_barred(kind: DirectiveKind) -> None:
    """Security, duties under law and the person's own rights; Art. 18(2): legal claims."""
    reach = DIRECTIVES[kind].reach
    assert not reach & ALWAYS
    assert Purpose.AUTHENTICATION not in reach
    for purpose in ("rights", "security", "no-such-purpose"):
        with pytest.raises(ScopeRefused):
            purposes_reached(kind, [purpose])
    if kind is RESTRICTION:
        assert Purpose.LEGAL_CLAIMS not in reach


def test_treatment_by_the_holder_goes_on_unless_it_is_named() -> None:
    own = actor(HOSPITAL)
    for kind in DirectiveKind:
        assert asked(who=own, bars=[bar(kind)]).is_permit, kind
    locked = asked(who=own, bars=[bar(RESTRICTION, "treatment")])
    assert locked.reason is Reason.RESTRICTED


@pytest.mark.parametrize("action", [Action.SEARCH, Action.STORE])
def test_what_is_locked_is_still_stored_and_known_to_its_holder(action: Action) -> None:
    """GDPR Art. 18(2): with the exception of storage; recital 67: it is marked."""
    locked = [bar(RESTRICTION, "treatment")]
    assert asked(who=actor(HOSPITAL), action=action, bars=locked).is_permit
    assert not asked(who=actor(HOSPITAL), action=Action.SHARE, bars=locked).is_permit
    assert not asked(who=actor(HOSPITAL), action=Action.DOWNLOAD, bars=locked).is_permit


def test_a_directive_towards_somebody_is_towards_nobody_else() -> None:
    against = bar(DISCLOSURE, recipients=frozenset({IMAGING}))
    assert asked(grant(), bars=[against]).reason is Reason.NOT_DISCLOSED
    assert asked(grant(), bars=[bar(DISCLOSURE, recipients=frozenset({UUID(int=9)}))]).is_permit
    assert asked(who=actor(HOSPITAL), bars=[against]).is_permit


def test_a_directive_about_one_study_leaves_the_others() -> None:
    assert asked(
        grant(purpose="research"), bars=[bar(RESTRICTION, studies=frozenset({OTHER_STUDY}))]
    ).is_permit
    assert not asked(
        grant(purpose="research"), bars=[bar(RESTRICTION, studies=frozenset({STUDY}))]
    ).is_permit


def test_a_share_for_another_purpose_stands_beside_one_that_is_barred() -> None:
    barred, free = grant(purpose="second-opinion"), grant(purpose="treatment", may_download=True)
    decision = asked(barred, free, bars=[bar(RESTRICTION, "second-opinion")])
    assert decision.grant_ids == (free.id,)


def test_later_consent_is_stronger_and_earlier_consent_is_not() -> None:
    """GDPR Art. 18(2)."""
    one = bar(RESTRICTION, "research", "second-opinion")
    later = one.yielding({"research": NOW})
    assert later.purposes == {"second-opinion"}
    assert one.yielding({"research": NOW - timedelta(days=9)}) == one


def test_one_objects_only_to_what_rests_on_legitimate_interests() -> None:
    wanted = Wanted(DirectiveKind.OBJECTION, frozenset({"analytics"}))
    assert checked(wanted, can_be_objected_to=["analytics"]).purposes == {"analytics"}
    with pytest.raises(ScopeRefused, match="does not rest on legitimate interests"):
        checked(wanted, can_be_objected_to=[])
    usual = checked(Wanted(DirectiveKind.OBJECTION), can_be_objected_to=["analytics"])
    assert "analytics" in usual.purposes
    assert "second-opinion" not in usual.purposes
    assert "marketing" in usual.purposes, "Art. 21(3)"


def test_a_directive_towards_somebody_names_them_and_no_other_does() -> None:
    with pytest.raises(ScopeRefused, match="at least one organisation"):
        checked(Wanted(DISCLOSURE), can_be_objected_to=[])
    with pytest.raises(ScopeRefused, match="towards everybody"):
        checked(Wanted(RESTRICTION, recipients=frozenset({IMAGING})), can_be_objected_to=[])
    with pytest.raises(ScopeRefused, match="2000"):
        checked(Wanted(RESTRICTION, reason="x" * 2001), can_be_objected_to=[])


@pytest.mark.parametrize("kind", DirectiveKind)
def test_the_person_lifts_it_and_an_officer_only_for_them(kind: DirectiveKind) -> None:
    def refused(**more: object) -> str:
        facts = {"by_person": False, "announced": False, "case_number": ""}
        return refusal_to_lift(kind, **(facts | more))  # type: ignore[arg-type]

    assert not refused(by_person=True)
    assert not refused(case_number="ABCD-EFGH")
    assert refused()
    assert bool(refused(announced=True)) == (kind is not RESTRICTION)


@given(st.lists(st.from_regex(r"[0-9a-z.-]{1,20}", fullmatch=True)))
def test_what_is_packed_is_found_whole(values: list[str]) -> None:
    text = packed(values)
    assert unpacked(text) == set(values)
    assert all(f"|{one}|" in text for one in values)
