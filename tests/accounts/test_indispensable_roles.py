"""An organisation is never without a privacy officer or an administrator (XENRAD-11.1)."""

from __future__ import annotations

import pytest

from accounts.models import Membership, User
from accounts.rules import Role
from accounts.services.members import (
    MembershipRefused,
    change_roles,
    close_memberships,
    end_membership,
)
from audit.models import Event
from consent.services.closing import ClosingRefused, close_account
from tests.factories import Cast, actor_of, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def at_hospital(cast: Cast, user: User) -> Membership:
    return user.memberships.get(organisation__slug="hospital")


def second(cast: Cast, role: Role) -> User:
    """Somebody else in the role."""
    user = User.objects.create_user(email=f"second-{role}@hospital.example", name="Sam Second")
    organisation = at_hospital(cast, cast.officer).organisation
    user.memberships.create(organisation=organisation).roles.create(role=role)
    return user


def test_the_last_officer_cannot_be_removed_or_given_other_roles(cast: Cast) -> None:
    membership = at_hospital(cast, cast.officer)
    acting = actor_of(cast.administrator)
    with pytest.raises(
        MembershipRefused, match=r"last active privacy officer.*First give this role"
    ):
        end_membership(acting=acting, membership=membership)
    with pytest.raises(MembershipRefused, match="last active privacy officer"):
        change_roles(acting=acting, membership=membership, roles=[Role.AUDITOR])
    membership.refresh_from_db()
    assert membership.is_active
    assert [one.role for one in membership.roles.all()] == ["officer"]
    assert not Event.objects.filter(action__in=["membership.ended", "membership.changed"]).exists()
    # More roles beside it do no harm.
    change_roles(acting=acting, membership=membership, roles=[Role.OFFICER, Role.AUDITOR])


def test_the_pages_say_why_and_what_to_do(cast: Cast) -> None:
    browser = signed_in_client(cast.administrator)
    here = f"/members/{at_hospital(cast, cast.officer).pk}/"
    page = browser.post(here, {"roles": ["clinician"]}).content.decode()
    assert "First give this role to another member" in page
    answer = browser.post(f"{here}end/", follow=True)
    assert "First give this role to another member" in answer.content.decode()
    assert at_hospital(cast, cast.officer).is_active


def test_with_a_second_officer_the_first_can_go(cast: Cast) -> None:
    second(cast, Role.OFFICER)
    membership = at_hospital(cast, cast.officer)
    end_membership(acting=actor_of(cast.administrator), membership=membership)
    membership.refresh_from_db()
    assert not membership.is_active


@pytest.mark.parametrize("how", ["membership", "account"])
def test_a_second_officer_who_has_left_does_not_count(cast: Cast, how: str) -> None:
    other = second(cast, Role.OFFICER)
    if how == "membership":
        other.memberships.update(is_active=False)
    else:
        User.objects.filter(pk=other.pk).update(is_active=False)
    with pytest.raises(MembershipRefused):
        end_membership(
            acting=actor_of(cast.administrator), membership=at_hospital(cast, cast.officer)
        )


def test_an_officer_elsewhere_does_not_count(cast: Cast) -> None:
    """The imaging centre has its own officer; that is none of the hospital's."""
    assert cast["officer@imaging.example"].memberships.get().is_active
    with pytest.raises(MembershipRefused):
        close_memberships(user=cast.officer)


def test_the_last_officer_cannot_close_their_account(cast: Cast) -> None:
    with pytest.raises(ClosingRefused, match="last active privacy officer"):
        close_account(actor=actor_of(cast.officer, fresh=True))
    cast.officer.refresh_from_db()
    assert cast.officer.is_active
    browser = signed_in_client(cast.officer)
    page = browser.get("/consent/account/close/").content.decode()
    assert "You are the last active privacy officer of Hudson Valley Hospital" in page
    assert "Close my account</button>" not in page
    second(cast, Role.OFFICER)
    assert "Close my account</button>" in browser.get("/consent/account/close/").content.decode()
    assert browser.post("/consent/account/close/").status_code == 302
    cast.officer.refresh_from_db()
    assert not cast.officer.is_active


def test_the_last_administrator_stays_too(cast: Cast) -> None:
    with pytest.raises(ClosingRefused, match="last active organisation administrator"):
        close_account(actor=actor_of(cast.administrator, fresh=True))
    other = second(cast, Role.ADMINISTRATOR)
    membership = at_hospital(cast, cast.administrator)
    end_membership(acting=actor_of(other), membership=membership)
    with pytest.raises(ClosingRefused):
        close_account(actor=actor_of(other, fresh=True))


def test_one_who_is_both_has_to_hand_over_both(cast: Cast) -> None:
    person = cast["admin@practice.example"]
    page = signed_in_client(person).get("/consent/account/close/").content.decode()
    assert "last active privacy officer of Millbrook" in page
    assert "last active organisation administrator of Millbrook" in page
