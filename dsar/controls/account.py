"""The control of deleting an account: offered beside closing, shown before, and then done."""

from __future__ import annotations

import secrets
from uuid import uuid4

from accounts.controls.signing_in import gate_of
from accounts.models import Membership, MembershipRole, Organisation, User
from accounts.rules import Capability, Role
from accounts.services.erasing import FORMER
from consent.services.ending_accounts import ACCOUNT, close_at_once, end_account, plan_account
from dsar.rules.children import MOST_HOURS, hours_to_delete, refusal_of_report
from dsar.rules.erasure import letter_text
from dsar.services.children import is_gone, overdue_children
from policies.controls.trying import undone
from policies.rules.categories import Category
from policies.rules.controls import Values, control, require
from policies.rules.erasing import Erased, Fate, Line, erasers
from policies.rules.gate import using
from policies.rules.holdings import Whose
from policies.rules.purposes import Purpose


@control("dsar.account-deleted", "An account is deleted if its person asks, and closed if not")
def account_deleted() -> str:
    for page in ("consent:account_close", "dsar:delete_account"):
        require(gate_of(page) == "signed-in", f"{page} is no page for everybody with an account.")
    require(any(one.code == "accounts" for one in erasers()), "No erasure reaches an account.")
    with undone():
        office = Organisation.objects.create(slug=f"control-{secrets.token_hex(4)}", name="Nowhere")
        asks, stays, last = (_person(office) for _ in range(3))
        MembershipRole.objects.create(membership=last.memberships.get(), role=Role.OFFICER)
        for user, whole in ((asks, True), (stays, False), (last, True)):
            whose = Whose(office.pk, user_id=user.pk, ends_account=whole)
            lines = list(plan_account(whose))
            fate = Fate.GOES if user is asks else Fate.STAYS
            said = [line.fate for line in lines][:1]
            require(said == [fate], "The plan says something else than what is done.")
            require(fate is Fate.GOES or lines[0].why, "The plan does not say why it stays.")
            end_account(Erased(whose, uuid4(), frozenset()))
        require(_name(asks) == FORMER, "The account is still there after it was erased.")
        require(not User.objects.get(pk=asks.pk).is_active, "An erased account can sign in.")
        for user in (stays, last):
            require(_name(user) != FORMER, "An account went that was to stay.")
    letter = letter_text([Line(Fate.GOES, ACCOUNT, 1)], None)
    require(ACCOUNT in letter, "The letter leaves the account out.")
    return "Of three accounts the one whose person asked was just erased, the others were not."


@control(
    "dsar.child-deleted",
    "A child's account is closed when it is reported, and gone within hours",
    of_policy=True,
)
def child_deleted(values: Values) -> str:
    hours = hours_to_delete(values)
    require(0 < hours <= MOST_HOURS, f"A child's account may stay for {hours} hours.")
    may = gate_of("dsar:child")
    require(Capability.ANSWER_REQUESTS.value in may, f"Who reports one is let in by: {may}.")
    require(refusal_of_report(" "), "A report without a reason does.")
    with undone():
        office = Organisation.objects.create(slug=f"control-{secrets.token_hex(4)}", name="Nowhere")
        child = _person(office)
        close_at_once(user=child, organisation_id=office.pk)
        require(not User.objects.get(pk=child.pk).is_active, "A reported account can sign in.")
        end_account(Erased(Whose(office.pk, user_id=child.pk, ends_account=True), uuid4(),
                           frozenset()))  # fmt: skip
        require(_name(child) == FORMER, "A child's account is still there after it was erased.")
    late = _late()
    require(not late, f"{late} accounts of children are not gone in time.")
    return f"An account was just closed and erased. A child's goes in {hours} hours; none is late."


def _late() -> int:
    return sum(not is_gone(case) for case in overdue_children())


def _person(office: Organisation) -> User:
    somebody = User.objects.create(email=f"{secrets.token_hex(8)}@control.invalid", name="Nobody")
    Membership.objects.create(user=somebody, organisation=office)
    return somebody


def _name(user: User) -> str:
    with using(Purpose.LEGAL_OBLIGATION, Category.ACCOUNT):
        return str(User.objects.get(pk=user.pk).name)
