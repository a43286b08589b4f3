"""The policy's acceptance, news of it, and one's own data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.controls.signing_in import gate_of, require_order, routes
from accounts.forms import JoinForm
from accounts.models import (
    Acceptance,
    Invitation,
    Membership,
    MembershipRole,
    Organisation,
    User,
)
from accounts.rules import (
    READERS,
    ROLE_CAPABILITIES,
    ROLE_LABELS,
    Actor,
    Role,
    is_valid_npi,
)
from accounts.rules.messages import BOTH, CATEGORIES, Category, template_named
from accounts.services.members import (
    MembershipRefused,
    change_roles,
    close_memberships,
    end_membership,
    require_read,
)
from accounts.services.own_data import PARTS
from accounts.services.policy_gate import needs_acceptance, readable_for
from policies.controls.purposes import pack_with
from policies.controls.trying import undone
from policies.rules.categories import CATEGORIES as CATEGORIES_OF_DATA
from policies.rules.categories import HEALTH, Sensitive
from policies.rules.categories import Category as Data
from policies.rules.controls import Values, control, must_refuse, require
from policies.rules.gate import (
    PurposeRefused,
    Use,
    enter_use,
    require_purpose,
    resume_use,
)
from policies.rules.inventory import fields_of, unprotected
from policies.rules.purposes import Purpose
from policies.selectors import shipped_packs

SOMEBODY = Actor(user_id=0, name="Nobody", organisation_id=UUID(int=1))


@control("accounts.policy-gate", "Nobody gets past the policy without accepting it", of_policy=True)
def policy_gate(values: Values) -> str:
    require_order("accounts.middleware.ActorMiddleware", "accounts.middleware.PolicyMiddleware")
    pack = pack_with(values)
    looking = Use(Purpose.TREATMENT, frozenset({Data.IMAGES}))
    require(needs_acceptance(SOMEBODY, pack, looking), "Images are shown before it is accepted.")
    older = replace(SOMEBODY, accepted_version=UUID(int=2))
    require(needs_acceptance(older, pack, looking), "Having accepted an older version is enough.")
    accepted = replace(SOMEBODY, accepted_version=pack.id)
    require(not needs_acceptance(accepted, pack, looking), "Accepting it does not help.")
    rights = Use(Purpose.RIGHTS, frozenset({Data.ACCOUNT}))
    require(not needs_acceptance(SOMEBODY, pack, rights), "Rights wait for its acceptance.")
    for route in ("accounts:own_data", "accounts:policy_declined", "consent:account_close"):
        require(gate_of(route) == "signed-in", f"Who declines cannot come to {route}.")
    return "Without acceptance, images were refused and one's rights were not."


@control(
    "accounts.acceptance-recorded", "Whoever joins accepts a version, and that is written down"
)
def acceptance_recorded() -> str:
    given = {"name": "Nobody", "password": "a lamp on the windowsill", "age": "-"}
    form = JoinForm({**given, "digest": "0" * 64})
    require("accepts" in form.errors, "An account can be had without accepting the policy.")
    wrong = {
        "without a version": {"version_id": None},
        "without the digest of its words": {"digest": None},
        "without a moment": {"answered_at": None},
    }
    for said, facts in wrong.items():
        refused = must_refuse(IntegrityError, f"An acceptance {said}")
        with undone(), refused, transaction.atomic():
            _acceptance(**facts)
    return "Joining without the tick was refused, and so was a record without version or words."


@control("accounts.read-to-the-end", "The policy is read before it is answered, to its end")
def read_to_the_end() -> str:
    for name in ("policy_accept", "join_read"):
        source = (settings.BASE_DIR / f"templates/accounts/{name}.html").read_text()
        policy, answer = source.find("components/notice.html"), source.find("<button")
        require(0 < policy < answer, f"{name} can be answered before its end.")
        require("components/ask_first.html" in source, f"{name} does not say whom to ask.")
    ask = render_to_string(
        "components/ask_first.html", {"contact_email": "a@b.invalid", "contact_phone": "+1 845"}
    )
    require("a@b.invalid" in ask and "+1 845" in ask, "It is not said how to ask.")
    return "On both pages the answer stands at the end of the whole policy, and whom to ask above."


@control("accounts.read-before-joining", "Nobody joins whom the policy was not shown")
def read_before_joining() -> str:
    given = {"name": "Nobody", "password": "a lamp on the windowsill", "age": "-"}
    form = JoinForm({**given, "accepts": "on"})
    require("digest" in form.errors, "One can join without saying which policy was read.")
    pack = pack_with(next(iter(shipped_packs().values())), digest="1" * 64)
    require_read(pack, pack.digest)
    with must_refuse(MembershipRefused, "Joining with the digest of another policy"):
        require_read(pack, "0" * 64)
    return "Joining was refused without a policy's digest, and with the digest of another one."


def _acceptance(**more: Any) -> None:
    facts = {
        "user_id": 0, "organisation_id": UUID(int=1), "version_id": UUID(int=2), "revision": 1,
        "digest": "0" * 64, "is_accepted": True, "answered_at": timezone.now(),
    }  # fmt: skip
    Acceptance.objects.create(**(facts | more))


@control("accounts.by-invitation", "An account begins with an invitation that sets its roles")
def by_invitation() -> str:
    for field in ("roles", "organisation"):
        require(field not in JoinForm.base_fields, f"Who joins can choose their {field}.")
    digest = Invitation._meta.get_field("secret_digest")
    require(getattr(digest, "unique", False), "Two invitations can have one secret.")
    ways = [name for name, _ in routes() if "sign_up" in name or "register" in name]
    require(not ways, f"An account can be had at {', '.join(ways)}.")
    return "There is no other way to an account, and the form has no place for a role."


@control("accounts.changes-told", "A change of the policy reaches every member", of_policy=True)
def changes_told(values: Values) -> str:
    for code in ("policy-changed", "policy-withdrawn"):
        category = template_named(code).category
        require(category is Category.POLICY_CHANGE, f"{code} goes out as something else.")
    rule = CATEGORIES[Category.POLICY_CHANGE]
    require(not rule.choosable and rule.always, "A person can have no word of a change at all.")
    require(rule.usual == BOTH, "A change is not told in both ways.")
    ways = set(values["notice.channels"])
    told = ways & {"email", "announcement", "dashboard"}
    require(told, "This policy's changes stand on the website alone.")
    return f"Members cannot switch it off; here it goes by {', '.join(sorted(told))}."


@control("accounts.versions-public", "Anybody can read every version, and what changed")
def versions_public() -> str:
    for name in ("notice", "notice_version", "notice_versions", "notice_changes"):
        require(gate_of(f"accounts:{name}") == "public", f"{name} is not for everybody.")
    source = (settings.BASE_DIR / "templates/policies/notice.html").read_text()
    require("upcoming" in source, "The notice does not say that a new version is posted.")
    return "The notice, its versions and their differences open without signing in."


@control("accounts.own-data", "One gets all that is held about one's account, but for secrets")
def own_data() -> str:
    about = {
        model._meta.label
        for model in apps.get_app_config("accounts").get_models()
        if any(field.remote_field and field.name == "user" for field in model._meta.fields)
    }
    left_out = about - {model._meta.label for model, _ in PARTS}
    require(not left_out, f"Left out: {', '.join(sorted(left_out))}.")
    for model, _ in PARTS:
        for entry in fields_of(model._meta.label):
            handed = entry.exported and entry.field.startswith(("password", "secret"))
            require(not handed, f"{model._meta.label}.{entry.field} is handed out.")
    require(gate_of("accounts:own_data") == "signed-in", "Nobody can come to the page.")
    return f"{len(PARTS)} kinds of rows are handed out; passwords and secrets are not."


@control("accounts.sensitive-guarded", "Sensitive data is sealed, and read by few roles")
def sensitive_guarded() -> str:
    wrong = list(unprotected())
    require(not wrong, " ".join(wrong[:3]))
    tried = 0
    for role, capabilities in ROLE_CAPABILITIES.items():
        actor = replace(SOMEBODY, roles=frozenset({role}), capabilities=capabilities)
        for category in HEALTH:
            wanted = Use(Purpose.TREATMENT, frozenset({category}))
            with resume_use():
                enter_use(wanted, readable_for(actor, wanted))
                if capabilities & READERS.get(category, frozenset()):
                    require_purpose(category)
                    continue
                tried += 1
                to_whom = ROLE_LABELS[role].lower()
                with must_refuse(PurposeRefused, f"Opening {category.value} to the {to_whom}"):
                    require_purpose(category)
    kinds = {kind for facts in CATEGORIES_OF_DATA.values() for kind in facts.kinds}
    require(kinds == set(Sensitive), "A kind of sensitive data is in no category.")
    require(tried > len(ROLE_CAPABILITIES), "Every role reads everything.")
    return f"{len(kinds)} kinds are known; {tried} pairs of role and data were tried and refused."


@control("accounts.one-account", "One address, one account, whatever its capitals")
def one_account() -> str:
    with undone():
        User.objects.create(email="control@control.invalid", name="Nobody")
        refused = must_refuse(IntegrityError, "The same address in capitals")
        with refused, transaction.atomic():
            User.objects.create(email="CONTROL@control.invalid", name="Nobody")
    return "The database just refused a second account for one address in other capitals."


@control("accounts.officer-remains", "No organisation loses its last privacy officer")
def officer_remains() -> str:
    organisations = Organisation.objects.filter(is_active=True, memberships__is_active=True)
    with_officer = MembershipRole.objects.filter(
        role=Role.OFFICER, membership__is_active=True, membership__user__is_active=True
    ).values("membership__organisation_id")
    without = organisations.exclude(pk__in=with_officer).distinct().count()
    require(not without, f"Organisations without a privacy officer: {without}.")
    with undone():
        somebody = User.objects.create(email="control@control.invalid", name="Nobody")
        office = Organisation.objects.create(slug="control-control", name="Nowhere")
        membership = Membership.objects.create(user=somebody, organisation=office)
        MembershipRole.objects.create(membership=membership, role=Role.OFFICER)
        acts: dict[str, Callable[[], object]] = {
            "removed": lambda: end_membership(acting=SOMEBODY, membership=membership),
            "given other roles": lambda: change_roles(
                acting=SOMEBODY, membership=membership, roles=[Role.AUDITOR]
            ),
            "gone with their account": lambda: close_memberships(user=somebody),
        }
        for said, act in acts.items():
            refused = must_refuse(MembershipRefused, f"That the last officer is {said}")
            with refused, transaction.atomic():
                act()
    return "Each organisation has one, and one who is the last could not be removed just now."


@control("accounts.npi", "An NPI is checked by its last digit")
def npi() -> str:
    require(is_valid_npi("1234567893"), "A right NPI is refused.")
    for wrong in ("1234567890", "123456789", "abcdefghij", ""):
        require(not is_valid_npi(wrong), f"{wrong!r} passes as an NPI.")
    return "1234567893 was taken; 1234567890 and others were refused."
