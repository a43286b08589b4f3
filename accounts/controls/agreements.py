"""Agreements: their parties are told of changes, and what rests on them ends with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import (
    Agreement,
    AgreementNotice,
    Membership,
    MembershipRole,
    Organisation,
    User,
)
from accounts.rules import Actor, Role, Scope
from accounts.rules.agreements import AgreementKind
from accounts.rules.contacts import ContactsRefused, checked_contacts
from accounts.selectors import actor_of_token
from accounts.selectors.agreements import forget_agreements, service_agreement_lapsed
from accounts.services.agreements import tell_partners
from accounts.services.own_data import PARTS
from accounts.services.policy_gate import contract_of
from accounts.services.tokens import TokenRefused, issue_token
from policies.controls.purposes import pack_with
from policies.controls.trying import undone
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.gate import PurposeRefused, check_use, use


def _organisation() -> Organisation:
    return Organisation.objects.create(
        slug="control-invalid", name="Nobody", kind=Organisation.Kind.HOSPITAL, country="US",
        residency_region="us", privacy_email="control@control.invalid",
    )  # fmt: skip


def _agreement(organisation: Organisation, *, ended: bool) -> Agreement:
    today = timezone.localdate()
    return Agreement.objects.create(
        organisation=organisation, kind=AgreementKind.SERVICE, party="Nobody", key_id=uuid4(),
        sealed_contact=b"", reference="C-0", starts_on=today - timedelta(days=90),
        ends_on=today - timedelta(days=1) if ended else None,
    )  # fmt: skip


@control(
    "accounts.partners-told", "Parties of agreements in force are told of changes", of_policy=True
)
def partners_told(values: Values) -> str:
    require(values["notice.partners"], "This policy tells no partners of its changes.")
    with undone():
        organisation, version = _organisation(), uuid4()
        held, ended = (_agreement(organisation, ended=one) for one in (False, True))
        tell_partners(
            organisation_id=organisation.pk, version_id=version, template="partner-policy-changed"
        )
        told = set(
            AgreementNotice.objects.filter(version_id=version).values_list(
                "agreement_id", flat=True
            )
        )
        require(held.pk in told, "The party of an agreement in force was not told.")
        require(ended.pk not in told, "The party of an agreement that has ended was told.")
    return "Of two invented agreements, the party of the one in force was told, the other not."


@control("accounts.partners-send", "A partner's program sends under its own key, and no longer")
def partners_send() -> str:
    with undone():
        organisation = _organisation()
        somebody = User.objects.create(email="control@control.invalid", name="Nobody")
        membership = Membership.objects.create(user=somebody, organisation=organisation)
        MembershipRole.objects.create(membership=membership, role=Role.CLINICIAN)
        acting = Actor(user_id=somebody.pk, name="Nobody", organisation_id=organisation.pk)
        held, ended = (_agreement(organisation, ended=one) for one in (False, True))
        facts: dict[str, Any] = {
            "acting": acting, "membership": membership, "name": "control",
            "lasts": timedelta(days=1),
        }  # fmt: skip
        for scopes, agreement, said in (
            ([Scope.WRITE, Scope.READ], held, "A partner's key that reads"),
            ([Scope.WRITE], ended, "A key under an agreement that has ended"),
        ):
            with must_refuse(TokenRefused, said):
                issue_token(**facts, scopes=scopes, agreement=agreement)
        _, secret = issue_token(**facts, scopes=[Scope.WRITE], agreement=held)
        known = actor_of_token(secret)
        require(known and known.agreement_id == held.pk, "What it sends names no partner.")
        Agreement.objects.filter(pk=held.pk).update(ended_on=timezone.localdate())
        require(actor_of_token(secret) is None, "It goes on after the agreement's end.")
    return "A key was issued and known as the partner's; with the agreement's end it was refused."


@control(
    "accounts.sources-named", "No address of a third party without source and basis", of_policy=True
)
def sources_named(values: Values) -> str:
    require("secondary.brokers" in values, "The policy does not say whether it takes any.")
    named = {"source": "Register of veterinarians", "basis": "legitimate-interests"}
    for left_out in named:
        with must_refuse(ContactsRefused, f"A list without {left_out}"):
            checked_contacts("a@control.invalid", **{**named, left_out: ""})
    require(checked_contacts("a@control.invalid", **named), "A list with both is refused.")
    parts = {model._meta.label for model, _ in PARTS}
    require("accounts.Invitation" in parts, "One's own file does not name the source.")
    taken = "takes them in" if values["secondary.brokers"] else "takes none in at all"
    return f"A list without source, and one without basis, was refused; this policy {taken}."


@control(
    "accounts.contract-basis", "What rests on a contract ends with the contract", of_policy=True
)
def contract_basis(values: Values) -> str:
    pack = pack_with(values)
    resting = [one.code for one in pack.purposes if one.basis == "contract"]
    require(resting, "This policy bases nothing on a contract.")
    with undone():
        organisation = _organisation()
        _agreement(organisation, ended=True)
        try:
            require(service_agreement_lapsed(organisation.pk), "An agreement that ended holds.")
        finally:
            forget_agreements()
        for code in resting:
            wanted = use(code)  # type: ignore[arg-type]
            ended = contract_of(organisation.pk, wanted)
            if ended is None:  # signing in, and one's rights
                continue
            with must_refuse(PurposeRefused, f"{code} after the end of the agreement"):
                check_use(pack, wanted, lapsed=ended)
        forget_agreements()
    return f"{len(resting)} purposes rest on the service agreement; its end was tried just now."
